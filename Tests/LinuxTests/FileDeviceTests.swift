import Glibc
import Storage
import Testing

@testable import Linux

@Suite struct FileDeviceTests {
  private let folder = TemporaryFolder()
  private let completions: Completions

  init() throws { completions = try Completions() }

  private func open(_ path: String? = nil) throws -> FileDevice {
    try FileDevice(folder: path ?? folder.path) { [mailbox = completions.mailbox] in mailbox.post(($0, $1)) }
  }

  @Test(arguments: DeviceClaim.allCases)
  func keepsThePromisesOfADevice(claim: DeviceClaim) throws {
    let device = try open()
    try claim.check(device) {
      let (shard, completion) = try completions.next()
      if claim == .lanesAndShardsComeBack { #expect(shard == Int(completion.token % 10)) }
      return completion
    }
  }

  @Test func whatWasWrittenIsThereAfterReopening() throws {
    let path = folder.path + "/made/on the way"
    do {
      let device = try open(path)
      try device.perform([.preallocate(.journal(0), bytes: 100), .write(.journal(0), at: 3, [1, 2])])
      device.submit(DeviceBatch(lane: .journal, token: 1, changes: [.write(.journal(0), at: 5, [3])]))
      device.close()
      #expect(try completions.next().completion.failure == nil)
    }
    let device = try open(path)
    #expect(try device.files() == [.journal(0)])
    #expect(try device.read(.journal(0), at: 2, count: 5) == [0, 1, 2, 3, 0])
    #expect(try device.size(of: .journal(0)) == 100)
  }

  @Test func oneProcessPerFolder() throws {
    let device = try open()
    #expect(
      throws: SystemError(
        call: "flock", code: EWOULDBLOCK, clause: "\(folder.path) is in use by another synod process (pid \(getpid()))")
    ) { _ = try open() }
    #expect(try device.files().isEmpty)
  }

  @Test func theLockGoesWithTheDevice() throws {
    for _ in 0..<3 {
      let device = try open()
      device.submit(DeviceBatch(lane: .journal, token: 1, changes: [.write(.journal(0), at: 0, [1])]))
      #expect(try completions.next().completion.failure == nil)
    }
  }

  /// A full disk without filling one: the file is a link to /dev/full, which takes no byte.
  @Test func afterAFailureEverythingIsRefusedWithTheSameFailure() throws {
    #expect(symlink("/dev/full", folder.path + "/journal.00") == 0)
    let device = try open()
    let good = DeviceChange.write(.table(0), at: 0, [1])
    try device.perform([good])
    device.submit(DeviceBatch(lane: .journal, token: 1, changes: [.write(.journal(0), at: 0, [1, 2])]))
    let full = DeviceError(operation: "write", file: .journal(0), reason: "No space left on device")
    #expect(try completions.next().completion.failure == full)
    device.submit(DeviceBatch(lane: .journal, token: 2, changes: [good]))
    #expect(try completions.next().completion.failure == full)
    device.submit(DeviceBatch(lane: .background, token: 3, changes: [.write(.table(0), at: 0, [2])]))
    #expect(try completions.next().completion.failure == full)
    #expect(throws: full) { try device.perform([good]) }
    #expect(try device.read(.table(0), at: 0, count: 1) == [1])
  }

  @Test func moreThanTheDiskHoldsIsRefusedBeforeItIsWritten() throws {
    let device = try open()
    let error = #expect(throws: DeviceError.self) {
      try device.perform([.preallocate(.table(0), bytes: 1 << 50)])
    }
    #expect(error?.operation == "preallocate 1125899906842624 bytes")
    #expect(["No space left on device", "File too large"].contains(error?.reason))
    #expect(try device.size(of: .table(0)) == 0)
  }

  @Test(
    arguments: [
      (.superblock(0), "superblock.0"), (.superblock(1), "superblock.1"), (.journal(0), "journal.00"),
      (.table(7), "table.07"), (.table(63), "table.63"), (.journal(100), "journal.100"),
    ] as [(FileID, String)])
  func namesOfFiles(file: FileID, name: String) {
    #expect(file.name == name)
    #expect(FileID(name: name) == file)
  }

  @Test(arguments: [
    "lock", "", "table", "table.", "table.7", "table.007", "table.+7", "table.-1", "superblock.00", "a.0",
  ])
  func namesOfOthers(name: String) { #expect(FileID(name: name) == nil) }

  @Test func otherFilesAreLeftAlone() throws {
    let other = folder.path + "/notes.txt"
    #expect(close(creat(other, 0o600)) == 0)
    let device = try open()
    try device.perform([.write(.table(0), at: 0, [1])])
    #expect(try device.files() == [.table(0)])
    #expect(access(other, F_OK) == 0)
  }

  /// Blocks that are merely reserved read as zeros too, but each first write into one makes fdatasync write metadata.
  @Test func preallocatedBlocksAreReallyThere() throws {
    let device = try open()
    try device.perform([.preallocate(.journal(0), bytes: 1 << 21)])
    var status = stat()
    #expect(stat(folder.path + "/journal.00", &status) == 0)
    #expect(status.st_blocks * 512 >= 1 << 21)
  }
}
