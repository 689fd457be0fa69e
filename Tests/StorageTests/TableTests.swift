import Base
import Storage
import Testing

struct TableTests {
  /// One partition with records that only the table holds.
  private func flushed(_ count: Int = 20, bytes: Int = 400) throws -> Node {
    let node = Node(partitions: 1)
    try node.start()
    for number in 0..<count { node.write(key(number), payload(UInt64(number + 1), bytes: bytes)) }
    node.settle()
    // Recovery writes what the journal holds to the table and begins the journal anew.
    try node.start()
    try node.start()
    #expect(node.recovery.journalEntries == 0)
    #expect(node.recovery.records == count)
    return node
  }

  private func find(_ bytes: [UInt8], in node: Node) throws -> Int {
    let size = Int(try node.device.size(of: .table(0)) ?? 0)
    let all = try node.device.read(.table(0), at: 0, count: size)
    return try #require(
      (0..<size - bytes.count).first { all[$0] == bytes[0] && all[$0..<$0 + bytes.count].elementsEqual(bytes) })
  }

  @Test func damagedRecordIsNamed() throws {
    let node = try flushed()
    let place = try find(key(3), in: node)
    node.device.flip(.table(0), at: place + 60, bits: 0x10)
    try node.start()
    #expect(node.recovery.damaged == [DamagedRecord(partition: 0, offset: UInt64(place - 32), key: key(3))])
    #expect(node.stores.count == 1)
    #expect(node.holders[0].damaged == [node.holders[0].recordIndex(forKey: key(3))])
    // The slot is left as it is: the same is found again, and the repaired bit repairs it all.
    try node.start()
    #expect(node.recovery.damaged.count == 1)
    node.device.flip(.table(0), at: place + 60, bits: 0x10)
    try node.start()
    #expect(node.recovery.damaged == [])
    #expect(node.read(key(3)) == payload(4, bytes: 400))
  }

  /// What heals the record takes the place of the damage, or makes it a free slot.
  @Test(arguments: [400, 40, 4000]) func healedRecordOutlivesItsDamage(bytes: Int) throws {
    let node = try flushed()
    let place = try find(key(3), in: node)
    node.device.flip(.table(0), at: place + 60, bits: 0x10)
    try node.start()
    node.writeDurably(key(3), payload(99, bytes: bytes))
    for _ in 0..<3 {
      try node.start()
      #expect(node.recovery.damaged == [])
      #expect(node.read(key(3)) == payload(99, bytes: bytes))
      #expect(node.recovery.records == 20)
    }
    #expect(node.recovery.journalEntries == 0)
  }

  /// Zeros are what a free slot looks like; that one is missing all the same is known by their number.
  @Test func recordThatIsGoneIsMissed() throws {
    let node = try flushed()
    let place = try find(key(3), in: node) - 32
    let before = try node.device.read(.table(0), at: UInt64(place), count: 32 + key(3).count + 400)
    for (offset, byte) in before.enumerated() { node.device.flip(.table(0), at: place + offset, bits: byte) }
    #expect(throws: StorageError.self) { try node.start() }
    for (offset, byte) in before.enumerated() { node.device.flip(.table(0), at: place + offset, bits: byte) }
    try node.start()
    #expect(node.recovery.records == 20)
  }

  @Test func shorterTableIsRefused() throws {
    let node = try flushed()
    let size = try #require(try node.device.size(of: .table(0)))
    for cut in [size - 1, 4096, 10] {
      let copy = Node(node.device.copy(), partitions: 1)
      try copy.device.perform([.truncate(.table(0), bytes: cut)])
      #expect(throws: StorageError.self) { try copy.start() }
    }
    let copy = Node(node.device.copy(), partitions: 1)
    try copy.device.perform([.remove(.table(0))])
    #expect(throws: StorageError.self) { try copy.start() }
    #expect(try copy.device.size(of: .table(0)) == nil)
  }

  @Test func damagedKeyIsNotGuessed() throws {
    let node = try flushed()
    let place = try find(key(3), in: node)
    node.device.flip(.table(0), at: place + 1, bits: 3)
    let before = try node.device.read(.table(0), at: 0, count: 1 << 20)
    try node.start()
    #expect(node.recovery.damaged == [DamagedRecord(partition: 0, offset: UInt64(place - 32), key: nil)])
    #expect(node.stores.isEmpty)
    #expect(try node.device.read(.table(0), at: 0, count: 1 << 20) == before)
  }

  @Test func oneBitOfAKeyIsPutRight() throws {
    let node = try flushed()
    let place = try find(key(3), in: node)
    for offset in [-28, -25, -8, -5, 0, 4] {
      node.device.flip(.table(0), at: place + offset, bits: 0x20)
      try node.start()
      #expect(node.recovery.damaged == [], "byte \(offset)")
      #expect(node.read(key(3)) == payload(4, bytes: 400))
      try node.start()
      #expect(node.recovery.mended == 0)
    }
  }

  @Test func oneBitOfAFreeSlotIsPutRight() throws {
    let node = try flushed()
    let size = Int(try node.device.size(of: .table(0)) ?? 0)
    let all = try node.device.read(.table(0), at: 0, count: size)
    let last = try #require((4096..<4096 + (64 << 10)).last { all[$0] != 0 })
    node.device.flip(.table(0), at: last + 3000, bits: 4)
    try node.start()
    #expect(node.recovery.mended == 1)
    #expect(node.recovery.damaged == [])
    try node.start()
    #expect(node.recovery.mended == 0)
    #expect(node.recovery.records == 20)
  }

  /// Every byte of the frame is under a checksum.
  @Test func everyBitOfAFrameCounts() throws {
    let node = try flushed()
    let place = try find(key(3), in: node) - 32
    for offset in stride(from: 0, to: 32 + key(3).count + 400, by: isHeavy ? 1 : 23) {
      node.device.flip(.table(0), at: place + offset, bits: 1)
      try node.start()
      #expect(node.recovery.damaged.count + node.recovery.mended == 1, "byte \(offset)")
      if node.recovery.mended == 0 { node.device.flip(.table(0), at: place + offset, bits: 1) }
    }
  }

  @Test func journalRestoresADamagedSlot() throws {
    let node = try flushed()
    node.writeDurably(key(3), payload(77, bytes: 390))
    let place = try find(key(3), in: node)
    node.device.flip(.table(0), at: place + 60, bits: 0x10)
    try node.start()
    #expect(node.recovery.damaged == [])
    #expect(node.read(key(3)) == payload(77, bytes: 390))
  }

  @Test func damagedExtentHeaderIsRefused() throws {
    let node = try flushed()
    node.device.flip(.table(0), at: 4096 + 4, bits: 1)
    #expect(throws: StorageError.self) { try node.start() }
  }

  @Test func damagedTableHeaderIsRefused() throws {
    let node = try flushed()
    node.device.flip(.table(0), at: 3, bits: 1)
    #expect(throws: StorageError.self) { try node.start() }
  }

  @Test func otherNumberOfPartitionsIsRefused() throws {
    let node = try flushed()
    let other = Node(node.device, partitions: 2)
    #expect(throws: StorageError.self) { try other.start() }
  }

  /// Sizes go up and down through all classes, up to the largest value.
  @Test func classChanges() throws {
    var options = StorageOptions()
    options.halfBytes = 4 << 20
    let node = Node(partitions: 1, options: options)
    try node.start()
    var sizes: [Int] = [8]
    while let last = sizes.last, last < options.maximumPayloadBytes {
      sizes.append(min(last * 2 + 5, options.maximumPayloadBytes))
    }
    sizes += sizes.reversed()
    for (number, size) in sizes.enumerated() {
      node.write(key(1), payload(UInt64(number + 1), bytes: size))
      node.write(key(2), payload(UInt64(number + 1), bytes: sizes[sizes.count / 2 - 1 - number % 8]))
      node.settle()
      if number % 3 == 0 { try node.start() }
      #expect(node.read(key(1)) == payload(UInt64(number + 1), bytes: size))
    }
    try node.start()
    #expect(node.recovery.records == 2)
    #expect(node.read(key(1)) == payload(UInt64(sizes.count), bytes: 8))
  }

  /// Space follows the live records, not the writes.
  @Test func overwritesTakeNoSpace() throws {
    let node = Node(partitions: 1)
    try node.start()
    var random = SeededRandom(seed: 5)
    var version: UInt64 = 0
    for _ in 0..<(isHeavy ? 100_000 : 6_000) {
      version += 1
      node.write(key(Int(random.below(20))), payload(version, bytes: 50 + Int(random.below(900))))
      if version % 7 == 0 { node.settle() }
    }
    node.settle()
    // 20 records pass through ten classes of one extent each.
    #expect(try #require(try node.device.size(of: .table(0))) <= 4096 + (12 * 64 << 10))
    #expect(try node.device.size(of: .journal(0)) == UInt64(8192 + 2 * node.options.halfBytes))
  }

  /// Extents that fell empty serve other classes.
  @Test func emptyExtentsAreUsedAgain() throws {
    let node = Node(partitions: 1)
    try node.start()
    var largest: UInt64 = 0
    for (round, size) in [100, 200, 400, 800, 1600, 400, 200, 3000, 100, 1600].enumerated() {
      for number in 0..<200 {
        node.write(key(number), payload(UInt64(round * 200 + number + 1), bytes: size))
        if number % 10 == 9 { node.settle() }
      }
      // Two restarts: all is flushed, and what was given up is zeroed.
      try node.start()
      largest = max(largest, UInt64(size + 500))
      for number in 0..<200 {
        #expect(node.read(key(number)) == payload(UInt64(round * 200 + number + 1), bytes: size))
      }
    }
    // The largest round needs 200 × 3.4 KiB; without reuse the classes before it would add as much again.
    #expect(try #require(try node.device.size(of: .table(0))) <= 1_600_000)
  }

  @Test func fullDiskStopsTheStoreAndLosesNothing() throws {
    let node = Node(partitions: 2)
    try node.start()
    node.device.capacityBytes = 1 << 20
    var written: UInt64 = 0
    var durable: UInt64 = 0
    while node.stores[0].failure == nil {
      written += 1
      node.write(key(Int(written)), payload(written, bytes: 1500))
      node.settle()
      if node.stores[0].failure == nil { durable = written }
      try #require(written < 5000)
    }
    #expect(node.stores[0].failure?.reason == "No space left on device")
    #expect(node.stores[0].sealIfPossible() == nil)
    var random = SeededRandom(seed: 3)
    node.device.crash(using: &random)
    node.device.capacityBytes = nil
    try node.start()
    for number in 1...durable { #expect(node.read(key(Int(number))) == payload(number, bytes: 1500)) }
  }
}
