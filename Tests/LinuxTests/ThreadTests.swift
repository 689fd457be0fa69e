import Base
import Glibc
import Synchronization
import Testing

@testable import Linux

@Suite struct ThreadTests {
  /// Not Sendable, as an event loop is.
  private final class Loop {
    var turns = 0
  }

  @Test func aThreadOwnsALoopThatNobodyElseCanReach() throws {
    let turns = Mutex(0)
    let name = Mutex("")
    let loop = Loop()
    let thread = try OSThread(name: "a name that is too long") {
      for _ in 0..<1000 { loop.turns += 1 }
      turns.withLock { $0 = loop.turns }
      var buffer = [CChar](repeating: 0, count: 32)
      let length = read(open("/proc/thread-self/comm", O_RDONLY | O_CLOEXEC), &buffer, 31)
      name.withLock { $0 = String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self) }
    }
    thread.join()
    thread.join()
    #expect(turns.withLock { $0 } == 1000)
    #expect(name.withLock { $0 } == "a name that is \n")
  }

  @Test func signalsAreReadLikeInput() throws {
    let seen = Mutex<[Int32]>([])
    let failure = Mutex<SystemError?>(nil)
    let thread = try OSThread(name: "signals") {
      do throws(SystemError) {
        let signals = try SignalSet([SIGUSR1, SIGUSR2])
        for signal in [SIGUSR2, SIGUSR1] { pthread_kill(pthread_self(), signal) }
        while let signal = signals.next() { seen.withLock { $0.append(signal) } }
        SignalSet.unblockAll()
      } catch {
        failure.withLock { $0 = error }
      }
    }
    thread.join()
    #expect(failure.withLock { $0 } == nil)
    #expect(seen.withLock { $0.sorted() } == [SIGUSR1, SIGUSR2].sorted())
  }

  @Test func theClockNeverGoesBack() {
    var last = MonotonicClock.now()
    for _ in 0..<10_000 {
      let now = MonotonicClock.now()
      #expect(now >= last)
      last = now
    }
    #expect(WallClock.seconds() > 1_700_000_000)
  }

  @Test func entropyFillsEveryByteAndNeverRepeats() {
    #expect(Entropy.bytes(0).isEmpty)
    #expect(Entropy.bytes(1000).count == 1000)
    var seen = [Bool](repeating: false, count: 16)
    for _ in 0..<64 { for (index, byte) in Entropy.bytes(16).enumerated() where byte != 0 { seen[index] = true } }
    #expect(seen.allSatisfy { $0 })
    #expect(Entropy.word() != Entropy.word())
  }
}
