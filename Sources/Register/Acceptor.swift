package import Base
package import Replica

/// The acceptors of a partition: one per key, with what the node has promised for all keys at once.
///
/// Each answer that rests on a record carries the ticket of that record's last write: it leaves when that is durable
/// (R3).
package struct Acceptor {
  package var table = RecordTable()
  /// R11: a promise for every key, with a record or without.
  package private(set) var fence: Ballot
  /// R14: a promise for every key *without* a record, and the revision that erased registers may have reached.
  package private(set) var floor: Floor
  /// No promise of this node has a higher counter, `next` ballots included: persisted ahead, in steps of
  /// ``reserveStep``, for records that are found damaged later (PROTOCOL, "A damaged record").
  package private(set) var reserve: UInt64
  /// What was asked of the host.
  private var reserveAsked: UInt64 = 0
  private let reserveStep: UInt64
  private let node: NodeID
  /// The joint epoch in which this node last entered: what it accepted before that is no vote (PROTOCOL, Membership).
  private var since: UInt32

  /// `reserve`: as the host keeps it.
  package init(
    node: NodeID, epoch: UInt32, since: UInt32 = 0, floor: Floor, reserve: UInt64 = .max, reserveStep: UInt64 = 1 << 20
  ) {
    self.node = node
    self.reserve = reserve
    self.reserveStep = reserveStep
    fence = .fence(epoch: epoch)
    self.since = since
    self.floor = floor
  }

  /// R11: the configuration is durably installed on this node: from here on nothing of an earlier epoch is promised,
  /// accepted or read, of keys without a record neither.
  mutating func install(_ configuration: Configuration) {
    fence = .fence(epoch: configuration.epoch)
    let since = configuration.since(of: node)
    guard since > self.since, Guard.recordsAreOfThisMembership.isIn else { return }
    self.since = since
    // A node that was away for some epochs could bring back what was erased meanwhile. Its promises stay.
    for index in 0..<table.numbers where table[index].accepted.epoch < since { table.forget(index) }
  }

  /// R14: durably raised by the host.
  mutating func raiseFloor(to other: Floor) {
    floor.raise(to: other)
  }

  /// Durably raised by the host.
  mutating func raiseReserve(to counter: UInt64) {
    reserve = max(reserve, counter)
  }

  /// Whether so high a promise may be given now. In good time before the reserve is used up more of it is asked for.
  mutating func isInReserve(_ ballot: Ballot, _ outbox: inout Outbox) -> Bool {
    guard ballot.counter >= reserve - min(reserve, reserveStep / 2), reserve < .max, Guard.reserveIsDurable.isIn
    else { return true }
    if ballot.counter >= reserveAsked - min(reserveAsked, reserveStep / 2) {
      reserveAsked = ballot.counter + reserveStep
      outbox.reserveWanted = max(outbox.reserveWanted ?? 0, reserveAsked)
    }
    return ballot.counter <= reserve
  }

  /// What this node has promised for the key of record `index`, or for a key without a record.
  package func promised(_ index: Int?) -> Ballot {
    max(Guard.fenceHolds.isIn ? fence : .zero, index.map { table[$0].promised } ?? floor.ballot)
  }

  /// Phase 1. Promises only strictly above everything promised, and tells what is accepted.
  package mutating func prepare(
    attempt: UInt64, _ ballot: Ballot, key: Key, into outbox: inout Outbox
  ) -> (answer: Message, after: Ticket) {
    let found = table.find(key)
    let before = promised(found)
    // R11: a ballot of another epoch is refused; the node-wide fence is part of `promised`.
    guard ballot.epoch == fence.epoch || !Guard.fenceHolds.isIn else {
      return (.stale(attempt: attempt, epoch: fence.epoch), .none)
    }
    // Whatever the ballot: a damaged record knows nothing of what it has accepted. Its reserve is named, so that the
    // next round goes above it.
    if let found, table[found].isDamaged {
      return (.conflict(attempt: attempt, ballot, promised: table[found].promised), .none)
    }
    guard ballot > before, isInReserve(ballot.next, &outbox) else {
      return (.conflict(attempt: attempt, ballot, promised: before), .none)
    }
    let index = found ?? table.insert(key)
    table[index].promised = ballot
    if table[index].accepted == .zero { table[index].passes = 0 }
    // R5: a promise given to anyone ends the reign; the proposer starts it anew when its accept is chosen.
    if Guard.reignEnds.isIn { table[index].reignStart = 0 }
    invariant(!table[index].isCold, "a promise was to leave without its cell")
    // R3: the promise too is durable before its answer leaves.
    let ticket = outbox.write(record: UInt32(index))
    table[index].ticket = ticket.number
    let record = table[index]
    let erased = record.accepted == .zero ? floor.revision : 0
    return (
      .promise(attempt: attempt, ballot, accepted: record.accepted, erased: erased, cell: record.cell),
      Guard.promiseIsDurable.isIn ? ticket : .none
    )
  }

  /// Phase 2. Accepts at or above what is promised, and promises `next` along with it.
  package mutating func accept(
    attempt: UInt64, _ ballot: Ballot, next: Ballot, chosen: UInt64, key: Key, cell: [UInt8],
    isRelayed: Bool = false, into outbox: inout Outbox
  ) -> (answer: Message, after: Ticket) {
    accept(
      attempt: attempt, ballot, next: next, chosen: chosen, key: key, at: table.find(key), cell: cell,
      isRelayed: isRelayed, into: &outbox)
  }

  /// `found`: the key's record, as the table finds it.
  mutating func accept(
    attempt: UInt64, _ ballot: Ballot, next: Ballot, chosen: UInt64, key: Key, at found: Int?, cell: [UInt8],
    isRelayed: Bool = false, into outbox: inout Outbox
  ) -> (answer: Message, after: Ticket) {
    // A copy of an accept that was carried out: the same answer again. Without this a lost answer costs a round.
    if let found, table[found].accepted == ballot {
      return (.accepted(attempt: attempt, ballot), outbox.ticket(ofEarlierWrite: table[found].ticket))
    }
    let before = promised(found)
    // A relay is refused wherever the accept would be (PROTOCOL, "Catching up").
    let isOfAnyEpoch = isRelayed && ballot.epoch < fence.epoch && !Guard.relayIsOfThisEpoch.isIn
    guard ballot.epoch == fence.epoch || isOfAnyEpoch || !Guard.fenceHolds.isIn else {
      return (.stale(attempt: attempt, epoch: fence.epoch), .none)
    }
    let isHighEnough = ballot >= before || isOfAnyEpoch || isRelayed && !Guard.relayHeedsPromise.isIn
    guard isHighEnough, isInReserve(max(ballot, next), &outbox) else {
      return (.conflict(attempt: attempt, ballot, promised: before), .none)
    }
    let index = found ?? table.insert(key)
    // The ballot is above the reserve to which the record is pinned, and so above every one that was lost.
    table.heal(index)
    table.accept(index, ballot: ballot, cell: cell)
    table[index].promised = max(ballot, next)
    if Guard.reignEnds.isIn { table[index].reignStart = 0 }
    let revision = Cell.revision(of: cell)
    table[index].chosenLag = chosen <= revision ? UInt8(min(revision - chosen, 255)) : 255
    let ticket = outbox.write(record: UInt32(index))
    table[index].ticket = ticket.number
    return (.accepted(attempt: attempt, ballot), Guard.acceptIsDurable.isIn ? ticket : .none)
  }

  /// R6. No write; but what it tells may still be on its way to the disk, and then the answer waits for it.
  package func read(
    attempt: UInt64, epoch: UInt32, key: Key, outbox: borrowing Outbox
  ) -> (answer: Message, after: Ticket) {
    // R11: reads below the fence are refused like rounds.
    guard epoch == fence.epoch || !Guard.fenceHolds.isIn else {
      return (.stale(attempt: attempt, epoch: fence.epoch), .none)
    }
    let found = table.find(key)
    if let found, table[found].isDamaged {
      return (.conflict(attempt: attempt, .zero, promised: table[found].promised), .none)
    }
    guard let index = found else {
      // An erasure too may still be on its way.
      return (.readReply(attempt: attempt, accepted: .zero), outbox.ticket(ofEarlierWrite: table.lastTicket(of: key)))
    }
    return (
      .readReply(attempt: attempt, accepted: table[index].accepted),
      outbox.ticket(ofEarlierWrite: table[index].ticket)
    )
  }
}

// MARK: - Erasing

extension Acceptor {
  enum Erasure {
    /// Durable with this ticket.
    case erased(Ticket)
    case refused
    /// The node's floor has to be raised first.
    case belowFloor(Floor)
  }

  /// R13: every member has accepted the tombstone at `ballot`, in this epoch. This acceptor erases it if it holds that
  /// very one: a newer tombstone may be one that another acceptor missed, and an old value would return. Not in a joint
  /// epoch: a key would vanish between the handing over of floors and the listing.
  mutating func erase(
    _ key: Key, at ballot: Ballot, epoch: UInt32, into outbox: inout Outbox
  ) -> Erasure {
    let isOfStableEpoch = epoch == fence.epoch && ballot.epoch == epoch && epoch % 2 == 0
    guard isOfStableEpoch || !Guard.eraseIsOfStableEpoch.isIn, let index = table.find(key),
      table[index].isTombstone, table[index].accepted == ballot || !Guard.eraseComparesBallots.isIn
    else { return .refused }
    return erase(index, into: &outbox)
  }

  /// What this record's erasure takes with it, and the floor must keep.
  func floorNeeded(by index: Int) -> Floor {
    Floor(
      ballot: Guard.floorKeepsPromise.isIn ? table[index].promised : .zero, revision: table[index].revision)
  }

  /// R14: by itself, of a record that has promised and accepted nothing.
  mutating func erase(_ index: Int, into outbox: inout Outbox) -> Erasure {
    let needed = floorNeeded(by: index)
    if !floor.covers(needed) {
      guard !Guard.floorIsDurable.isIn else { return .belowFloor(needed) }
      raiseFloor(to: needed)
    }
    table.erase(index)
    let ticket = outbox.write(record: UInt32(index))
    table[index].ticket = ticket.number
    return .erased(ticket)
  }
}

/// R14: each part is only ever raised by itself.
package struct Floor: Equatable, Sendable {
  package var ballot: Ballot
  package var revision: UInt64

  package init(ballot: Ballot = .zero, revision: UInt64 = 0) {
    self.ballot = ballot
    self.revision = revision
  }

  package init(_ floor: NodeFloor) {
    ballot = Ballot(high: floor.ballotHigh, low: floor.ballotLow)
    revision = floor.revision
  }

  func covers(_ other: Floor) -> Bool { ballot >= other.ballot && revision >= other.revision }

  mutating func raise(to other: Floor) {
    ballot = max(ballot, other.ballot)
    revision = max(revision, other.revision)
  }

  /// At least this floor, and so much above it that what is erased soon needs no other: each takes a write of the
  /// superblock.
  func withHeadRoom(_ room: UInt64) -> NodeFloor {
    guard ballot != .zero else { return NodeFloor(revision: revision == 0 ? 0 : revision + room) }
    let high = Ballot(epoch: ballot.epoch, counter: ballot.counter + room, node: ballot.node, boot: ballot.boot)
    return NodeFloor(
      ballotHigh: high.words.high, ballotLow: high.words.low, revision: revision == 0 ? 0 : revision + room)
  }
}

// MARK: - What the storage asks of the records

extension Acceptor {
  /// The durable part of a record: 16 bytes promised, 16 accepted, then the cell to the end (empty where nothing is
  /// accepted). Nothing at all of a record that was erased.
  package func encodePayload(of index: Int, into writer: inout ByteWriter) {
    // By place: a record that is taken out has its parts retained.
    invariant(!table[index].isDamaged, "a damaged record was to be written")
    guard table[index].presence == .held else { return }
    invariant(!table[index].isCold, "a record was to be written whose cell is on the disk only")
    table[index].promised.encode(into: &writer)
    table[index].accepted.encode(into: &writer)
    writer.raw(table[index].cell)
  }

  /// The disk has lost the record. Of its own epoch, or of one before it, each promise is at most the reserve.
  package mutating func markDamaged(_ index: Int) {
    guard Guard.damageAbstains.isIn else { return }
    let counter = Guard.healsAboveReserve.isIn ? min(reserve, Ballot.highestCounter) : 0
    table.damage(
      index, pinnedTo: Ballot(epoch: fence.epoch, counter: counter, node: NodeID(.max), boot: Ballot.highestBoot))
  }

  package mutating func restore(_ index: Int, payload: ArraySlice<UInt8>) throws(DecodeError) {
    guard !payload.isEmpty else { return table.erase(index) }
    table.hold(index)
    var reader = ByteReader(payload)
    let promised = try Ballot(from: &reader)
    let accepted = try Ballot(from: &reader)
    let cell = try reader.raw(reader.remaining)
    guard (accepted == .zero) == cell.isEmpty, accepted <= promised else { throw .malformed }
    if !cell.isEmpty { _ = try Cell.decode(cell) }
    table[index].promised = promised
    if cell.isEmpty || accepted.epoch < since && Guard.recordsAreOfThisMembership.isIn {
      table.forget(index)
    } else {
      table.accept(index, ballot: accepted, cell: cell)
    }
  }
}

// MARK: - What is on the disk only

extension Acceptor {
  /// Like ``restore(_:payload:)``; where not every cell may stay in memory, one with a value is left on the disk.
  package mutating func restore(_ index: Int, payloadInTable payload: ArraySlice<UInt8>) throws(DecodeError) {
    guard table.isBounded, !table[index].key.isConfiguration, !payload.isEmpty else {
      return try restore(index, payload: payload)
    }
    var reader = ByteReader(payload)
    let promised = try Ballot(from: &reader)
    let accepted = try Ballot(from: &reader)
    guard reader.remaining > 0, let isPresent = payload.dropFirst(32).first.map({ $0 & 1 != 0 }), isPresent,
      accepted.epoch >= since || !Guard.recordsAreOfThisMembership.isIn
    else { return try restore(index, payload: payload) }
    _ = try reader.u8()
    let revision = try reader.u64()
    guard accepted != .zero, accepted <= promised else { throw .malformed }
    table.hold(index)
    table[index].promised = promised
    table.acceptCold(index, ballot: accepted, revision: revision)
  }

  /// What was read of a cold record's slot; false: it is not what this record has accepted.
  ///
  /// The same ballot is the same cell (R1), of the same key.
  mutating func load(_ index: Int, _ stored: StoredRecord?) -> Bool {
    guard let stored else { return false }
    var reader = ByteReader(stored.payload)
    guard (try? Ballot(from: &reader)) != nil, let accepted = try? Ballot(from: &reader),
      let cell = try? reader.raw(reader.remaining), (try? Cell.decode(cell)) != nil, Cell.isPresent(cell)
    else { return false }
    let isThisRecords = accepted == table[index].accepted && table[index].key.bytes.elementsEqual(stored.key)
    guard isThisRecords || !Guard.slotIsStillTheRecords.isIn else { return false }
    table.load(index, cell: cell)
    return true
  }
}
