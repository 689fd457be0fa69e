import Base
import Storage
import Testing

/// Torn tails, damage in the middle, tickets and stalls. Offsets follow the layout in Journal.swift.
struct JournalTests {
  static let firstBlock = 8192

  /// With no flush so far, the blocks of the first start are in one half; says in which.
  private func halfStart(_ node: Node) throws -> Int {
    for half in 0..<2 {
      let start = JournalTests.firstBlock + half * node.options.halfBytes
      if try node.device.read(.journal(0), at: UInt64(start), count: 4) == Array("SYNJ".utf8) { return start }
    }
    throw DeviceError(operation: "find", file: .journal(0), reason: "no block")
  }

  private func started() throws -> Node {
    let node = Node()
    try node.start()
    for number in 0..<5 { node.writeDurably(key(number), payload(UInt64(number + 1), bytes: 100)) }
    return node
  }

  /// A device may still hold a batch that it has completed, and the next one is made in the memory of the last.
  @Test func aBatchIsNotTouchedByTheNext() throws {
    func bytes(_ batch: DeviceBatch) throws -> [UInt8] {
      guard case .write(_, _, let bytes) = try #require(batch.changes.first) else { return [] }
      return bytes
    }
    let node = Node()
    try node.start()
    let store = node.store(of: key(1))
    node.write(key(1), payload(1, bytes: 100))
    let held = try #require(store.sealIfPossible())
    let before = try bytes(held).map { $0 }
    store.completed(DeviceCompletion(lane: held.lane, token: held.token, failure: nil))
    node.write(key(1), payload(2, bytes: 100))
    let next = try #require(store.sealIfPossible())
    #expect(try bytes(held) == before)
    #expect(try bytes(next) != before)
  }

  @Test func damageInTheMiddleIsRefused() throws {
    for block in 0..<4 {
      let node = try started()
      node.device.flip(.journal(0), at: try halfStart(node) + block * 4096 + 60, bits: 4)
      let error = #expect(throws: StorageError.self) { try node.start() }
      guard case .damaged(.journal(0), let offset, _) = error else {
        Issue.record("another error: \(String(describing: error))")
        return
      }
      #expect(Int(offset) == (try halfStart(node)) + block * 4096 || block == 0)
      #expect(error?.description.contains("replace the node") == true)
    }
  }

  @Test func lastBlockMayBeTorn() throws {
    let node = try started()
    node.device.flip(.journal(0), at: try halfStart(node) + 4 * 4096 + 60, bits: 4)
    try node.start()
    #expect(node.recovery.tornBytes == 4096)
    #expect(node.read(key(3)) == payload(4, bytes: 100))
    #expect(node.read(key(4)) == nil)
  }

  /// The batch has several blocks; the first is torn, the later ones are sound: they are one batch, never acknowledged.
  @Test func tornBatchOfSeveralBlocks() throws {
    let node = Node()
    try node.start()
    node.writeDurably(key(1), payload(1, bytes: 100))
    for number in 2..<12 { node.write(key(number), payload(UInt64(number), bytes: 3000)) }
    node.settle()
    let start = try halfStart(node)
    #expect(node.position >= 4)
    node.device.flip(.journal(0), at: start + 4096 + 60, bits: 1)
    try node.start()
    #expect(node.recovery.tornBytes > 16 << 10)
    #expect(node.read(key(1)) == payload(1, bytes: 100))
    #expect(node.read(key(2)) == nil)
    // And the remains disturb neither what comes next nor its recovery.
    for round in 0..<4 {
      node.writeDurably(key(2), payload(UInt64(20 + round), bytes: 100))
      try node.start()
      #expect(node.read(key(2)) == payload(UInt64(20 + round), bytes: 100))
    }
  }

  @Test func bothCheckpointsUnreadableIsRefused() throws {
    let node = try started()
    node.device.flip(.journal(0), at: 20, bits: 1)
    try node.start()
    node.writeDurably(key(1), payload(9, bytes: 100))
    node.device.flip(.journal(0), at: 20, bits: 1)
    node.device.flip(.journal(0), at: 4096 + 20, bits: 1)
    #expect(throws: StorageError.self) { try node.start() }
  }

  @Test func missingJournalIsRefused() throws {
    let node = try started()
    try node.start()
    try node.device.perform([.remove(.journal(0))])
    #expect(throws: StorageError.self) { try node.start() }
  }

  @Test func ticketsGroupWhatIsGathered() throws {
    let node = Node()
    try node.start()
    let store = node.stores[0]
    #expect(node.write(key(1), payload(1, bytes: 50)) == 1)
    #expect(node.write(key(1), payload(2, bytes: 50)) == 1)
    node.submit()
    #expect(store.openTicket == 2)
    #expect(node.write(key(1), payload(3, bytes: 50)) == 2)
    #expect(node.write(key(2), payload(4, bytes: 50)) == 2)
    node.submit()
    #expect(node.device.pending(.journal) == 1, "two journal batches at once")
    #expect(store.durableTicket == 0)
    node.complete(.journal)
    #expect(store.durableTicket == 1)
    node.settle()
    #expect(store.durableTicket == 2)
    #expect(store.position == 2)
    #expect(node.recovery.journalEntries == 0)
    try node.start()
    #expect(node.recovery.journalEntries == 3)
  }

  /// A ticket whose records need several batches is durable with the last of them, and not before.
  @Test func ticketLargerThanABatch() throws {
    let node = Node()
    try node.start()
    let store = node.stores[0]
    for number in 0..<8 { node.write(key(number), payload(UInt64(number + 1), bytes: 15_000)) }
    let ticket = store.openTicket
    node.submit()
    #expect(store.openTicket == ticket + 1)
    let later = node.write(key(7), payload(100, bytes: 15_000))
    #expect(later == ticket + 1)
    var batches = 0
    while store.durableTicket < ticket {
      #expect(node.complete(.journal) || node.complete(.background))
      batches += 1
      if store.durableTicket < ticket { node.submit() }
    }
    #expect(batches >= 3)
    // Everything marked under that ticket must survive a crash right now.
    var random = SeededRandom(seed: 1)
    node.device.crash(using: &random)
    try node.start()
    for number in 0..<7 { #expect(node.read(key(number)) == payload(UInt64(number + 1), bytes: 15_000)) }
  }

  @Test func fullRingStallsAndGoesOn() throws {
    let node = Node()
    try node.start()
    let store = node.stores[0]
    var number: UInt64 = 0
    while !store.isStalled {
      number += 1
      node.write(key(Int(number % 50)), payload(number, bytes: 2000))
      if let batch = store.sealIfPossible() { node.device.submit(batch) }
      if let completion = node.device.complete(next: .journal) { store.completed(completion) }
      try #require(number < 1000)
    }
    #expect(store.sealIfPossible() == nil)
    #expect(store.durableTicket < store.openTicket - 1 || store.hasOpenRecords)
    node.settle()
    #expect(!store.isStalled)
    #expect(store.durableTicket == store.openTicket - 1)
    #expect(!store.hasOpenRecords)
  }

  @Test func failedSyncIsForEver() throws {
    let node = Node()
    try node.start()
    let error = DeviceError(operation: "sync", file: .journal(0), reason: "Input/output error")
    node.write(key(1), payload(1, bytes: 50))
    node.device.failNext = error
    node.submit()
    node.complete(.journal)
    #expect(node.stores[0].failure == error)
    #expect(node.stores[0].durableTicket == 0)
    node.write(key(1), payload(2, bytes: 50))
    #expect(node.stores[0].sealIfPossible() == nil)
    #expect(node.stores[0].nextFlushBatch() == nil)
  }

  /// Positions do not fall when journals are removed, and keys are found again by other shards.
  @Test func shardsComeAndGo() throws {
    let node = Node(partitions: 7)
    var position: UInt64 = 0
    // By journal: what peers remember of it, also of one that was removed for a while (R12).
    var remembered: [Int: UInt64] = [:]
    for (round, shards) in [1, 3, 2, 7, 1, 4].enumerated() {
      try node.start(shards: shards)
      #expect(node.position >= position)
      for store in node.stores { #expect(store.position >= remembered[store.shard] ?? 0) }
      let journals = try node.device.files().filter { if case .journal = $0 { true } else { false } }
      #expect(journals.count == shards)
      if round > 0 {
        for number in 0..<100 { #expect(node.read(key(number)) == payload(UInt64(round), bytes: 80 + number)) }
      }
      for number in 0..<100 { node.write(key(number), payload(UInt64(round + 1), bytes: 80 + number)) }
      node.settle()
      position = node.position
      for store in node.stores { remembered[store.shard] = store.position }
    }
  }
}
