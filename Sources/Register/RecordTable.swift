package import Base
import Replica

/// What an acceptor holds of one key (PROTOCOL, State: `promised`, `accepted`), and what its proposer remembers
/// beside it.
package struct Record {
  package enum Presence: Sendable {
    case held
    /// The disk has lost it: `promised` is the reserve to which it is pinned, above all that it can have promised; or a
    /// ballot above that, which this node's own proposer has used since (R2).
    case damaged
    /// It says nothing any more, but something older of it may still be on the disk: the number stays with its key.
    case erased
    /// The number belongs to no key.
    case free
  }

  package let key: Key
  /// Invariant: never falls; `accepted <= promised` but for a promise that rides on an accept, which makes it greater.
  package var promised: Ballot
  /// `Ballot.zero`: nothing is accepted, and `cell` is empty.
  package var accepted: Ballot
  /// An encoded ``Cell``.
  package var cell: [UInt8]
  /// The ticket of the last write of this record.
  package var ticket: UInt64
  /// R5: while this node's own promise for the next ballot is good: the counter at which its unbroken chain of chosen
  /// ballots began. 0 otherwise; whatever breaks the chain sets it to 0. Never persisted: a boot begins without
  /// promises.
  package var reignStart: UInt64
  /// How far the revision that is known to be chosen lies below the cell's; 255 where that is not known (R7, forwards).
  package var chosenLag: UInt8
  /// R10: how many operations in a row came from the one node `streakNode`, and from no one else.
  package var streak: UInt8
  package var streakNode: UInt16
  package fileprivate(set) var presence: Presence
  /// So many passes of the collector have found the record without a value, and unchanged.
  var passes: UInt8

  fileprivate init(key: Key, presence: Presence) {
    self.key = key
    promised = .zero
    accepted = .zero
    cell = []
    ticket = 0
    reignStart = 0
    chosenLag = .max
    streak = 0
    streakNode = 0
    self.presence = presence
    passes = 0
  }

  package var chosenRevision: UInt64 {
    guard accepted != .zero, chosenLag < .max else { return 0 }
    return Cell.revision(of: cell) - UInt64(chosenLag)
  }

  package var isDamaged: Bool { presence == .damaged }

  package var isTombstone: Bool { accepted != .zero && !Cell.isPresent(cell) }

  /// Whether the collector has to do with it: it is held, and holds no value.
  var isCollectable: Bool { presence == .held && (accepted == .zero || !Cell.isPresent(cell)) && !key.isConfiguration }
}

/// The records of one partition, by number, by key, and in the order of their keys.
package struct RecordTable {
  package private(set) var records: ContiguousArray<Record> = []
  /// Open addressing: record number + 1, 0 where free; at most half full.
  private var slots: ContiguousArray<UInt32> = ContiguousArray(repeating: 0, count: 64)
  private var order = SortedIndex()
  /// Numbers without a key.
  private var free: ContiguousArray<UInt32> = []
  /// Records of clients' registers that hold a value, not a tombstone.
  package private(set) var present = 0
  /// Records that are held.
  package private(set) var count = 0
  private var holdsConfiguration = false
  /// Of the values that are held, for catching up.
  private(set) var digests = RangeDigests()
  /// Records that are damaged; they are among those that are held.
  package private(set) var damaged = 0

  package init() {}

  /// Records without a value, which the collector has to do with. (That of the configuration, damaged, is counted out
  /// twice; it is healed soon.)
  package var collectable: Int { max(0, count - present - damaged - (holdsConfiguration ? 1 : 0)) }

  /// Records are numbered below this.
  package var numbers: Int { records.count }

  @inline(__always)
  package subscript(_ index: Int) -> Record {
    _read { yield records[index] }
    _modify { yield &records[index] }
  }

  package func find(_ key: Key) -> Int? {
    guard let index = number(of: key), records[index].presence == .held || records[index].isDamaged else { return nil }
    return index
  }

  /// Of a client's register that is held, by the hash of its key; of two with one hash, either.
  func find(hash: UInt64) -> Int? {
    var number = digests.firstNumber(ofLeaf: RangeDigests.leaf(of: hash))
    while let found = number {
      if records[found].key.hash == hash && records[found].presence == .held && !records[found].key.isConfiguration {
        return found
      }
      number = digests.number(after: found)
    }
    return nil
  }

  /// Clients' registers of a leaf for which something is accepted.
  func forEachHeld(inLeaf leaf: Int, _ body: (borrowing Record) -> Void) {
    var number = digests.firstNumber(ofLeaf: leaf)
    while let found = number {
      if records[found].accepted != .zero && !records[found].key.isConfiguration { body(records[found]) }
      number = digests.number(after: found)
    }
  }

  /// The ticket of the last write of the key's record, or of its erasure; 0: there is neither.
  func lastTicket(of key: Key) -> UInt64 { number(of: key).map { records[$0].ticket } ?? 0 }

  /// The number that belongs to the key, also where its record is erased.
  @inline(__always)
  private func number(of key: Key) -> Int? {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: key.hash) & mask
    while slots[slot] != 0 {
      let index = Int(slots[slot]) - 1
      if records[index].key == key { return index }
      slot = (slot + 1) & mask
    }
    return nil
  }

  /// The number of the record of this key, whether it is held or erased; adds one where there is none. Recovery only:
  /// what is older than an erasure must not bring the record back.
  mutating func restoredNumber(of key: Key) -> Int { number(of: key) ?? insert(key) }

  /// Adds a record that has promised and accepted nothing. There must be none of this key.
  package mutating func insert(_ key: Key) -> Int {
    count += 1
    if key.isConfiguration { holdsConfiguration = true }
    // What an erased record left on the disk is found under its number.
    if let index = number(of: key) {
      invariant(records[index].presence == .erased, "a record was added twice")
      records[index].presence = .held
      return index
    }
    let index: Int
    if let number = free.popLast() {
      index = Int(number)
      records[index] = Record(key: key.compact, presence: .held)
      place(index)
    } else {
      index = records.count
      invariant(index < Int(clamping: UInt32.max) - 1, "a partition holds too many records")
      records.append(Record(key: key.compact, presence: .held))
      if 2 * records.count > slots.count { grow() } else { place(index) }
    }
    order.insert(UInt32(index)) { records[Int($0)].key < key }
    digests.link(index, key.hash)
    return index
  }

  /// Replaces what a record has accepted.
  package mutating func accept(_ index: Int, ballot: Ballot, cell: [UInt8]) {
    let before = records[index].cell
    let ballotBefore = records[index].accepted
    defer {
      records[index].accepted = ballot
      records[index].cell = cell
    }
    guard !records[index].key.isConfiguration else { return }
    let isPresent = Cell.isPresent(cell)
    // A tombstone that a round carries over grows no younger by it.
    if isPresent || before != cell { records[index].passes = 0 }
    let wasPresent = !before.isEmpty && Cell.isPresent(before)
    present += (isPresent ? 1 : 0) - (wasPresent ? 1 : 0)
    digests.change(
      records[index].key.hash, from: wasPresent ? ballotBefore : .zero, to: isPresent ? ballot : .zero)
  }

  /// What the record has accepted is no more; its promise stays, and so does damage.
  package mutating func forget(_ index: Int) {
    let cell = records[index].cell
    if !cell.isEmpty && Cell.isPresent(cell) && !records[index].key.isConfiguration {
      present -= 1
      digests.change(records[index].key.hash, from: records[index].accepted, to: .zero)
    }
    records[index].accepted = .zero
    records[index].cell = []
    records[index].chosenLag = .max
    records[index].reignStart = 0
    records[index].passes = 0
  }

  /// R13, R14: the record says nothing any more. Its number stays with its key until ``release(_:)``.
  package mutating func erase(_ index: Int) {
    guard records[index].presence == .held else { return }
    forget(index)
    count -= 1
    if records[index].key.isConfiguration { holdsConfiguration = false }
    records[index].promised = .zero
    records[index].streak = 0
    records[index].presence = .erased
  }

  /// Something newer than its erasure was found. Recovery only.
  mutating func hold(_ index: Int) {
    guard records[index].presence == .erased else { return }
    records[index].presence = .held
    count += 1
    if records[index].key.isConfiguration { holdsConfiguration = true }
  }

  /// What the record held is lost. Recovery only.
  mutating func damage(_ index: Int, pinnedTo reserve: Ballot) {
    hold(index)
    forget(index)
    guard !records[index].isDamaged else { return }
    records[index].promised = reserve
    records[index].presence = .damaged
    damaged += 1
  }

  /// It is about to accept a cell above its reserve.
  mutating func heal(_ index: Int) {
    guard records[index].isDamaged else { return }
    records[index].presence = .held
    damaged -= 1
  }

  /// An erased record has left the disk: its number may go to another key.
  package mutating func release(_ index: Int) {
    guard records[index].presence == .erased else { return }
    let key = records[index].key
    order.remove(UInt32(index)) { records[Int($0)].key < key }
    removeFromSlots(index, hash: key.hash)
    digests.unlink(index, key.hash)
    records[index] = Record(key: .configuration, presence: .free)
    free.append(UInt32(index))
  }

  /// Up to `limit` keys that are above `after`, begin with `prefix`, and may have accepted something, in order;
  /// `more` tells whether others follow.
  package func keys(prefix: [UInt8], after: [UInt8], limit: Int) -> (keys: [[UInt8]], more: Bool) {
    // The least key that can belong to the page.
    let prefixIsAbove = !prefix.lexicographicallyPrecedes(after) && prefix != after
    let start = prefixIsAbove ? prefix : after
    var place = order.firstPlace { records[Int($0)].key.bytes.lexicographicallyPrecedes(start) }
    var found: [[UInt8]] = []
    while let number = order.next(&place) {
      let record = records[Int(number)]
      if record.key.bytes == after && !prefixIsAbove { continue }
      guard record.key.bytes.starts(with: prefix) else { break }
      // A damaged one may have accepted something.
      if record.accepted == .zero && !record.isDamaged { continue }
      if found.count == limit { return (found, true) }
      found.append(record.key.bytes)
    }
    return (found, false)
  }

  private mutating func place(_ index: Int) {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: records[index].key.hash) & mask
    while slots[slot] != 0 { slot = (slot + 1) & mask }
    slots[slot] = UInt32(index) + 1
  }

  private mutating func removeFromSlots(_ index: Int, hash: UInt64) {
    let mask = slots.count - 1
    var hole = Int(truncatingIfNeeded: hash) & mask
    while slots[hole] != UInt32(index) + 1 { hole = (hole + 1) & mask }
    // What stands behind moves up where else the search for it would end at the hole.
    var slot = (hole + 1) & mask
    while slots[slot] != 0 {
      let start = Int(truncatingIfNeeded: records[Int(slots[slot]) - 1].key.hash) & mask
      if (slot - start) & mask >= (slot - hole) & mask {
        slots[hole] = slots[slot]
        hole = slot
      }
      slot = (slot + 1) & mask
    }
    slots[hole] = 0
  }

  private mutating func grow() {
    slots = ContiguousArray(repeating: 0, count: slots.count * 2)
    for index in records.indices where records[index].presence != .free { place(index) }
  }
}
