import Base
import Host
import Linux
import Storage
import Synchronization

/// The thread that reads the tables and the superblock of a running node, slowly and for ever, or at once and as fast
/// as it may when somebody asks for it. What it cannot read it tells the thread whose it is.
final class Scrubber: Sendable {
  /// Recovery has just read everything; and small folders need not be read without a pause.
  private static let rest: Milliseconds = 600_000
  private static let nap: Milliseconds = 100
  /// What is just being written looks damaged for a moment; what still does after so many looks, is.
  private static let looks = 4

  private let device: UncachedDevice
  private let partitions: Int
  private let mailboxes: [Mailbox<LoopMessage>]
  /// Bytes a second; 0: only when somebody asks.
  private let rate: UInt64
  /// Somebody asks.
  private let isWanted = Mutex(false)
  private let isOver = Mutex(false)

  init(_ device: FileDevice, partitions: Int, rate: UInt64, _ mailboxes: [Mailbox<LoopMessage>]) {
    self.device = UncachedDevice(device)
    self.partitions = partitions
    self.rate = rate
    self.mailboxes = mailboxes
  }

  func begin() { isWanted.withLock { $0 = true } }

  func stop() { isOver.withLock { $0 = true } }

  func run() {
    var passes: UInt64 = 0
    var bytes: UInt64 = 0
    var nextAt = MonotonicClock.now() + Self.rest
    while !isOver.withLock({ $0 }) {
      let isUrgent = isWanted.withLock { wanted in
        defer { wanted = false }
        return wanted
      }
      guard isUrgent || rate > 0 && MonotonicClock.now() >= nextAt else {
        MonotonicClock.sleep(Self.nap)
        continue
      }
      // The device of a node that has stopped reads nothing any more, and what this thread says is heard by nobody.
      guard let isWhole = try? pass(isUrgent, passes, &bytes) else { return }
      if isWhole {
        passes += 1
        nextAt = MonotonicClock.now() + Self.rest
      }
      tell(.progress(passes: passes, isRunning: false, bytes: bytes))
    }
  }

  /// False: given up for one that is urgent, or because the node ends.
  private func pass(_ isUrgent: Bool, _ passes: UInt64, _ bytes: inout UInt64) throws(StorageError) -> Bool {
    tell(.progress(passes: passes, isRunning: true, bytes: bytes))
    for copy in 0..<2 {
      var looks = 1
      while try !Superblock.isSound(copy, on: device) {
        if looks == Self.looks {
          post(ScrubFinding(file: .superblock(copy), offset: 0), to: 0)
          break
        }
        looks += 1
        MonotonicClock.sleep(Self.nap)
      }
    }
    for partition in 0..<partitions {
      var scrub = try TableScrub(device, partition: partition)
      var isGoingOn = true
      while isGoingOn {
        if isOver.withLock({ $0 }) || !isUrgent && isWanted.withLock({ $0 }) { return false }
        let start = MonotonicClock.now()
        let read = scrub.bytes
        let place = scrub
        var findings: [ScrubFinding] = []
        isGoingOn = try scrub.step(into: &findings)
        var looks = 1
        while !findings.isEmpty && looks < Self.looks {
          MonotonicClock.sleep(Self.nap)
          looks += 1
          var again = place
          var still: [ScrubFinding] = []
          _ = try again.step(into: &still)
          findings = findings.filter { finding in still.contains { $0.offset == finding.offset } }
        }
        for finding in findings { post(finding, to: partition % mailboxes.count) }
        if !isUrgent { pause(after: scrub.bytes - read, since: start) }
      }
      bytes += scrub.bytes
      tell(.progress(passes: passes, isRunning: true, bytes: bytes))
    }
    return true
  }

  private func pause(after bytes: UInt64, since start: Instant) {
    let needed = bytes * 1000 / max(1, rate)
    let spent = MonotonicClock.now().milliseconds(since: start)
    if needed > spent { MonotonicClock.sleep(Milliseconds(needed - spent)) }
  }

  private func post(_ finding: ScrubFinding, to shard: Int) { mailboxes[shard].post(.shard(.suspect(finding))) }

  private func tell(_ event: ScrubStatus.Event) {
    for mailbox in mailboxes { mailbox.post(.shard(.scrubbed(event))) }
  }
}
