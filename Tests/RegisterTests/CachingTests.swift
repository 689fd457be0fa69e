import Base
import Register
import Replica
import Testing

/// Registers of which memory holds no value (`--cache-bytes`): what waits for a read, and what a read is believed.
@Suite struct CachingTests {
  private static let name = Array("k".utf8)
  private var outbox = Outbox()

  private static func ballot(_ counter: UInt64, _ node: UInt16 = 2) -> Ballot {
    Ballot(epoch: 0, counter: counter, node: NodeID(node), boot: 1)
  }

  private static func cell(_ text: String, at revision: UInt64) -> [UInt8] {
    var cell = Cell(absentAt: revision)
    cell.value = Array(text.utf8)[...]
    return cell.encoded(changesInFold: 0)
  }

  private static func payload(_ ballot: Ballot, _ text: String) -> [UInt8] {
    var writer = ByteWriter(reserving: 100)
    ballot.encode(into: &writer)
    ballot.encode(into: &writer)
    return writer.bytes + cell(text, at: 7)
  }

  /// One of `members`, with one cold record.
  private static func replica(of members: Int) throws -> RegisterReplica {
    let all = (1...members).map {
      Member(id: NodeID(UInt16($0)), address: [], incarnation: Incarnation(1), since: 0)
    }
    var options = RegisterReplica.Options()
    options.cacheBytes = 100
    let replica = RegisterReplica(
      node: NodeID(1), boot: 1, configuration: Configuration(epoch: 0, stable: all), floor: Floor(), seed: 1,
      startedAt: .zero, options: options)
    let index = replica.recordIndex(forKey: name)
    try replica.restore(index, payloadInTable: payload(ballot(3), "old")[...])
    replica.recordsAreRestored()
    #expect(index == 0 && replica.acceptor.table[0].isCold && replica.acceptor.table.present == 1)
    #expect(replica.acceptor.table.keys(prefix: [], after: [], limit: 9).keys == [name])
    return replica
  }

  private mutating func step(_ replica: RegisterReplica, _ event: consuming Event) {
    outbox.removeAll()
    outbox.openTicket += 1
    replica.step(event, now: Instant(nanoseconds: 1_000_000), into: &outbox)
  }

  private mutating func step(_ replica: RegisterReplica, from node: UInt16, _ message: Message) {
    var writer = ByteWriter(reserving: 100)
    message.encode(into: &writer)
    step(replica, .message(from: NodeID(node), ByteReader(writer.bytes)))
  }

  /// What a read brings.
  private mutating func load(_ replica: RegisterReplica, key: [UInt8] = name, _ payload: [UInt8]) {
    step(replica, .loaded(record: 0, StoredRecord(key: key[...], payload: payload[...])))
  }

  private var sent: [Message] {
    outbox.sends.compactMap { send in
      var reader = ByteReader(outbox.arena.bytes, in: send.message)
      return try? Message(from: &reader)
    }
  }

  private mutating func read(_ replica: RegisterReplica) {
    let read = Operation(id: OperationID(high: 0, low: 0), key: Key(Self.name), action: .read)
    step(
      replica, .request(Request(operation: read, token: 5, deadline: Instant(nanoseconds: 9_000_000_000))))
  }

  @Test mutating func roundWaitsForItsCell() throws {
    let replica = try Self.replica(of: 1)
    read(replica)
    #expect(outbox.reads.map(\.index) == [0] && outbox.replies.isEmpty)
    load(replica, Self.payload(Self.ballot(3), "old"))
    #expect(!replica.acceptor.table[0].isCold)
    let outcome = try #require(outbox.replies.first?.outcome)
    #expect(outcome == .read(Versioned(revision: 7, value: Array("old".utf8))))
    #expect(replica.isQuiescent)
    // The next one finds it.
    read(replica)
    #expect(outbox.reads.isEmpty && outbox.replies.count == 1)
    let cache = try #require(replica.statistics.cache)
    #expect(cache.misses == 1 && cache.hits >= 1 && cache.overtaken == 0)
  }

  @Test mutating func promiseWaitsForItsCell() throws {
    let replica = try Self.replica(of: 3)
    step(replica, from: 2, .prepare(attempt: 1, Self.ballot(9), key: Self.name))
    #expect(outbox.reads.map(\.index) == [0] && outbox.sends.isEmpty && outbox.writes.isEmpty)
    // What would be refused waits for nothing, nor do reads of the ballot.
    step(replica, from: 2, .prepare(attempt: 2, Self.ballot(2), key: Self.name))
    #expect(outbox.sends.count == 1)
    step(replica, from: 2, .read(attempt: 3, epoch: 0, key: Self.name))
    #expect(outbox.sends.count == 1 && outbox.reads.isEmpty)
    load(replica, Self.payload(Self.ballot(3), "old"))
    guard case .promise(1, Self.ballot(9), let accepted, _, let cell)? = sent.first else {
      Issue.record("no promise")
      return
    }
    #expect(accepted == Self.ballot(3) && cell == Self.cell("old", at: 7))
  }

  /// The read comes back with what the slot held before, or with what it holds since it went to another key.
  @Test(arguments: [true, false]) mutating func overtakenReadIsNotBelieved(isOtherKey: Bool) throws {
    let replica = try Self.replica(of: 3)
    step(replica, from: 2, .prepare(attempt: 1, Self.ballot(9), key: Self.name))
    step(
      replica, from: 3,
      .accept(
        attempt: 2, Self.ballot(8, 3), next: Self.ballot(8, 3), chosen: 0, key: Self.name,
        cell: Self.cell("new, and so long that it is above what may be in memory", at: 8)))
    #expect(!outbox.crowded.isEmpty)
    // Written to the table, it grows cold again.
    replica.evict { _ in true }
    #expect(replica.acceptor.table[0].isCold && replica.acceptor.table.cachedBytes == 0)
    if isOtherKey {
      load(replica, key: [1], Self.payload(Self.ballot(8, 3), "other"))
    } else {
      load(replica, Self.payload(Self.ballot(3), "old"))
    }
    #expect(outbox.reads.map(\.index) == [0] && outbox.sends.isEmpty && replica.acceptor.table.damaged == 0)
    #expect(replica.statistics.cache?.overtaken == 1)
    load(replica, Self.payload(Self.ballot(8, 3), "new"))
    #expect(sent.count == 1 && outbox.writes.map(\.index) == [0])
  }

  /// Nobody has written the slot since: it has lost what it held. Who waited hears what a damaged record says.
  @Test mutating func damageIsNoEmptyRecord() throws {
    let replica = try Self.replica(of: 3)
    step(replica, from: 2, .prepare(attempt: 1, Self.ballot(9), key: Self.name))
    step(replica, .loaded(record: 0, nil))
    #expect(replica.acceptor.table[0].isDamaged && outbox.writes.isEmpty && replica.statistics.damaged == 1)
    guard case .conflict(1, Self.ballot(9), let promised)? = sent.first else {
      Issue.record("no conflict")
      return
    }
    #expect(promised == replica.acceptor.table[0].promised && promised > Self.ballot(9))
  }

  /// A scrub saw something that was just being written, or damage: the record is read again, and tells.
  @Test(arguments: [true, false]) mutating func scrubbedRecordIsReadAgain(isSound: Bool) throws {
    let replica = try Self.replica(of: 3)
    #expect(replica.isDropped(0))
    step(replica, .verify(record: 0))
    #expect(outbox.reads.map(\.index) == [0])
    step(replica, .verify(record: 0))
    #expect(outbox.reads.isEmpty, "one read is under way")
    if isSound { load(replica, Self.payload(Self.ballot(3), "old")) } else { step(replica, .loaded(record: 0, nil)) }
    #expect(replica.acceptor.table[0].isDamaged != isSound && !replica.isDropped(0))
  }

  @Test mutating func whatIsNotInTheTableStays() throws {
    let replica = try Self.replica(of: 3)
    let long = Self.cell(String(repeating: "x", count: 200), at: 8)
    step(
      replica, from: 2,
      .accept(attempt: 2, Self.ballot(8), next: Self.ballot(8), chosen: 0, key: Self.name, cell: long))
    for _ in 0..<3 { replica.evict { _ in false } }
    #expect(replica.acceptor.table[0].cell == long)
    replica.evict { _ in true }
    #expect(replica.acceptor.table[0].isCold && replica.acceptor.table[0].isPresent)
    // A tombstone is no value, and no part of the cache.
    step(
      replica, from: 2,
      .accept(
        attempt: 2, Self.ballot(9), next: Self.ballot(9), chosen: 0, key: Self.name,
        cell: Cell(absentAt: 9).encoded(changesInFold: 0)))
    #expect(replica.acceptor.table[0].isTombstone && replica.acceptor.table.cachedBytes == 0)
    #expect(replica.acceptor.table.present == 0)
  }

  /// After a start keys are put in order all at once; against sorting them.
  @Test(arguments: 1...4) func keysAreInOrder(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let replica = try Self.replica(of: 1)
    let prefix = Array(repeating: UInt8(ascii: "p"), count: Int(seed) * 5)
    var names: Set<[UInt8]> = [Self.name]
    for _ in 0..<3000 {
      let name = prefix + (0..<Int(1 + random.below(12))).map { _ in UInt8(random.below(3)) }
      names.insert(name)
      let index = replica.recordIndex(forKey: name)
      try replica.restore(index, payloadInTable: Self.payload(Self.ballot(3), "v")[...])
    }
    replica.recordsAreRestored()
    let sorted = names.sorted { $0.lexicographicallyPrecedes($1) }
    #expect(replica.acceptor.table.keys(prefix: [], after: [], limit: 10_000).keys == sorted)
  }
}
