import Base
import Storage
import Testing

struct SuperblockTests {
  private func written(_ payloads: [[UInt8]]) throws -> MemoryDevice {
    let device = MemoryDevice()
    var superblock = Superblock()
    for payload in payloads { try device.perform(superblock.nextChanges(payload)) }
    return device
  }

  @Test func newFolder() throws { #expect(try Superblock.read(from: MemoryDevice()) == nil) }

  @Test func newestCounts() throws {
    for count in 1...5 {
      let device = try written((1...count).map { [UInt8]("payload \($0)".utf8) })
      let found = try #require(try Superblock.read(from: device))
      #expect(found.payload == [UInt8]("payload \(count)".utf8))
      #expect(found.generation == UInt64(count))
    }
  }

  @Test(arguments: [0, 9, 13, 17, 25, 33]) func damagedCopyIsRecovered(offset: Int) throws {
    let device = try written([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    device.flip(.superblock(0), at: offset, bits: 0x40)
    let found = try #require(try Superblock.read(from: device))
    #expect(found.payload == [7, 8, 9])
    // The damaged copy was written anew: the other may fail now.
    device.flip(.superblock(1), at: 34, bits: 1)
    #expect(try Superblock.read(from: device)?.payload == [7, 8, 9])
  }

  @Test func bothDamagedIsAnError() throws {
    let device = try written([[1], [2]])
    device.flip(.superblock(0), at: 32, bits: 1)
    device.flip(.superblock(1), at: 32, bits: 1)
    #expect(throws: StorageError.self) { try Superblock.read(from: device) }
  }

  @Test func newerVersionIsRefused() throws {
    let device = try written([[1]])
    var bytes = try device.read(.superblock(1), at: 0, count: 33)
    bytes[8] = 2
    let seed = Checksum.xxh64(bytes[0..<24])
    var writer = ByteWriter()
    writer.u64(Checksum.xxh64([1], seed: seed))
    bytes.replaceSubrange(24..<32, with: writer.bytes)
    try device.perform([.write(.superblock(1), at: 0, bytes)])
    #expect(throws: StorageError.newerVersion(file: .superblock(1), found: 2, supported: 1)) {
      try Superblock.read(from: device)
    }
  }

  @Test(arguments: 0..<200) func crashLeavesOldOrNew(seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    let device = MemoryDevice()
    var superblock = Superblock()
    var durable: [UInt8]?
    for round in 0..<6 {
      let next = payload(UInt64(round + 1), bytes: 40 + Int(random.below(3000)))
      device.submit(DeviceBatch(lane: .background, token: 1, changes: superblock.nextChanges(next)))
      if random.below(2) == 0 {
        _ = device.completeAll()
        durable = next
      } else {
        device.crash(using: &random)
        let found = try Superblock.read(from: device)
        #expect(found?.payload == durable || found?.payload == next)
        superblock = found ?? Superblock()
        durable = found?.payload
      }
    }
  }
}
