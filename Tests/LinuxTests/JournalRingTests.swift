import Foundation
import Storage
import Synchronization
import Testing

@testable import Linux

@Suite(.enabled(if: WriteRing() != nil, "the kernel does not let this process have an io_uring"))
struct JournalRingTests {
  private let folder = TemporaryFolder()
  private let device: FileDevice
  private let ring: JournalRing
  private let block = [UInt8](repeating: 7, count: 4096)

  init() throws {
    device = try FileDevice(folder: folder.path) { _, _ in }
    try device.perform([.preallocate(.journal(0), bytes: 1 << 20)])
    ring = try #require(JournalRing(device))
  }

  private func batch(token: UInt64 = 1, _ changes: DeviceChange...) -> DeviceBatch {
    DeviceBatch(lane: .journal, token: token, changes: changes)
  }

  /// Waits for ever: an end that nobody is told of fails the test run.
  private func next() throws -> DeviceCompletion {
    var epoll = try Epoll(capacity: 1)
    try epoll.add(ring.number, tag: 1, for: .readable)
    while true {
      _ = try epoll.wait(timeoutMilliseconds: -1)
      if let completion = ring.completed() { return completion }
    }
  }

  @Test func blocksAreOnTheDiskOneAfterTheOther() throws {
    for number in 1...20 {
      let bytes = [UInt8](repeating: UInt8(number), count: 4096 * (1 + number % 3))
      let offset = UInt64(number) * 16384
      #expect(ring.submit(batch(token: UInt64(number), .write(.journal(0), at: offset, bytes))))
      let completion = try next()
      #expect(completion.lane == .journal && completion.token == UInt64(number) && completion.failure == nil)
      #expect(try device.read(.journal(0), at: offset, count: bytes.count) == bytes)
      #expect(ring.completed() == nil)
    }
  }

  @Test func aBlockLargerThanTheOnesBefore() throws {
    let bytes = (0..<512 << 10).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 5) }
    for bytes in [block, bytes] {
      #expect(ring.submit(batch(.write(.journal(0), at: 8192, bytes))))
      #expect(try next().failure == nil)
      #expect(try device.read(.journal(0), at: 8192, count: bytes.count) == bytes)
    }
  }

  /// A ring starts only what is durable by itself: anything else needs a sync.
  @Test func whatIsNoBlockOfAJournalIsLeftToTheDevice() throws {
    try device.perform([.preallocate(.table(0), bytes: 1 << 20)])
    for other in [
      DeviceBatch(lane: .background, token: 1, changes: [.write(.journal(0), at: 0, block)]),
      batch(.write(.table(0), at: 0, block)),
      batch(.write(.journal(0), at: 0, block), .write(.journal(0), at: 4096, block)),
      batch(.write(.journal(0), at: 1, block)), batch(.write(.journal(0), at: 0, [1, 2, 3])),
      batch(.write(.journal(0), at: 1 << 20, block)), batch(.write(.journal(1), at: 0, block)),
      batch(.truncate(.journal(0), bytes: 4096)),
    ] {
      #expect(!ring.submit(other))
      #expect(ring.completed() == nil)
    }
  }

  @Test func afterAFailureNothingIsStarted() throws {
    _ = device.folder.fail(DeviceError(operation: "fdatasync", file: .table(0), reason: "Input/output error"))
    #expect(!ring.submit(batch(.write(.journal(0), at: 0, block))))
  }

  /// /dev/full takes no byte, and a file that is open for reading no write.
  @Test func theKernelTellsWhyAWriteFailed() throws {
    let ring = try #require(WriteRing())
    for (path, flags, code) in [("/dev/full", O_WRONLY, ENOSPC), ("/dev/zero", O_RDONLY, EBADF)] {
      let file = Descriptor(owning: open(path, flags))
      let result = block.withUnsafeBytes { bytes -> Int32 in
        #expect(ring.write(bytes, to: file.number, at: 0) && ring.isBusy)
        while true { if let result = ring.next() { return result } }
      }
      #expect(result == -code && !ring.isBusy)
    }
  }

  /// Behind the ring's back its file is exchanged for one that takes nothing.
  @Test func aFailedBlockIsTheFailureOfTheFolder() throws {
    #expect(ring.submit(batch(token: 1, .write(.journal(0), at: 0, block))))
    #expect(try next().failure == nil)
    let full = Descriptor(owning: open("/dev/full", O_WRONLY))
    let direct = (3..<1024).filter { number in
      var name = [UInt8](repeating: 0, count: 512)
      let count = readlink("/proc/self/fd/\(number)", &name, name.count)
      guard count > 0, fcntl(Int32(number), F_GETFL) & O_DSYNC != 0 else { return false }
      return String(decoding: name[..<count], as: UTF8.self) == folder.path + "/journal.00"
    }
    #expect(direct.count == 1)
    for number in direct { #expect(dup2(full.number, Int32(number)) >= 0) }
    #expect(ring.submit(batch(token: 2, .write(.journal(0), at: 4096, block))))
    let failure = DeviceError(operation: "write", file: .journal(0), reason: "No space left on device")
    let completion = try next()
    #expect(completion.token == 2 && completion.failure == failure)
    #expect(throws: failure) { try device.perform([.write(.table(0), at: 0, [1])]) }
  }

  /// R3: as the kernel does for a write whose process was killed, somebody keeps the file open.
  @Test func whoOpensTheFolderWaitsForTheWritesOfTheDead() throws {
    let path = TemporaryFolder()
    let file = "\(path.path)/journal.00"
    do { try FileDevice(folder: path.path) { _, _ in }.perform([.preallocate(.journal(0), bytes: 8192)]) }
    let held = Descriptor(owning: open(file, O_WRONLY))
    #expect(flock(held.number, LOCK_SH) == 0)
    var status = stat()
    #expect(fstat(held.number, &status) == 0)
    let isOpen = Mutex(false)
    let thread = try OSThread(name: "opener") { [path = path.path] in
      let device = try? FileDevice(folder: path) { _, _ in }
      isOpen.withLock { $0 = device != nil }
    }
    // In /proc/locks who waits stands behind an arrow.
    func someoneWaits() throws -> Bool {
      try String(contentsOfFile: "/proc/locks", encoding: .utf8).split(separator: "\n").contains {
        $0.contains("->") && $0.contains(":\(status.st_ino) ")
      }
    }
    while try !isOpen.withLock({ $0 }) && !someoneWaits() { sched_yield() }
    #expect(!isOpen.withLock { $0 })
    try held.close()
    thread.join()
    #expect(isOpen.withLock { $0 })
  }

  @Test func aJournalThatIsWrittenDirectlyIsLocked() throws {
    #expect(ring.submit(batch(.write(.journal(0), at: 0, block))))
    #expect(try next().failure == nil)
    let other = Descriptor(owning: open(folder.path + "/journal.00", O_RDONLY))
    #expect(flock(other.number, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
  }

  /// Its memory must not go to others while the kernel reads from it.
  @Test func aRingThatGoesWaitsForItsWrite() throws {
    for _ in 0..<50 {
      let ring = try #require(JournalRing(device))
      #expect(ring.submit(batch(.write(.journal(0), at: 0, block))))
    }
    #expect(try device.read(.journal(0), at: 0, count: 4096) == block)
  }
}
