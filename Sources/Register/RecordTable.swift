package import Base
import Replica

/// What an acceptor holds of one key (PROTOCOL, State: `promised`, `accepted`), and what its proposer remembers
/// beside it.
package struct Record {
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

  package var chosenRevision: UInt64 {
    guard accepted != .zero, chosenLag < .max else { return 0 }
    return Cell.revision(of: cell) - UInt64(chosenLag)
  }
}

/// The records of one partition, by number, by key, and in the order of their keys.
package struct RecordTable {
  package private(set) var records: ContiguousArray<Record> = []
  /// Open addressing: record number + 1, 0 where free; at most half full.
  private var slots: ContiguousArray<UInt32> = ContiguousArray(repeating: 0, count: 64)
  private var order = SortedIndex()
  /// Records that hold a value, not a tombstone.
  package private(set) var present = 0

  package init() {}

  package var count: Int { records.count }

  @inline(__always)
  package subscript(_ index: Int) -> Record {
    _read { yield records[index] }
    _modify { yield &records[index] }
  }

  package func find(_ key: Key) -> Int? {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: key.hash) & mask
    while slots[slot] != 0 {
      let index = Int(slots[slot]) - 1
      if records[index].key == key { return index }
      slot = (slot + 1) & mask
    }
    return nil
  }

  /// Adds a record that has promised and accepted nothing. The key must be new.
  package mutating func insert(_ key: Key) -> Int {
    let index = records.count
    invariant(index < Int(clamping: UInt32.max) - 1, "a partition holds too many records")
    records.append(
      Record(
        key: key.compact, promised: .zero, accepted: .zero, cell: [], ticket: 0, reignStart: 0, chosenLag: .max,
        streak: 0,
        streakNode: 0))
    if 2 * records.count > slots.count { grow() } else { place(index) }
    order.insert(UInt32(index)) { records[Int($0)].key < key }
    return index
  }

  /// Replaces what a record has accepted.
  package mutating func accept(_ index: Int, ballot: Ballot, cell: [UInt8]) {
    let before = records[index].cell
    present += (Cell.isPresent(cell) ? 1 : 0) - (!before.isEmpty && Cell.isPresent(before) ? 1 : 0)
    records[index].accepted = ballot
    records[index].cell = cell
  }

  /// What the record has accepted is no more; its promise stays.
  package mutating func forget(_ index: Int) {
    let cell = records[index].cell
    if !cell.isEmpty && Cell.isPresent(cell) { present -= 1 }
    records[index].accepted = .zero
    records[index].cell = []
    records[index].chosenLag = .max
    records[index].reignStart = 0
  }

  /// Up to `limit` keys that are above `after`, begin with `prefix`, and have accepted something, in order;
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
      if record.accepted == .zero { continue }
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

  private mutating func grow() {
    slots = ContiguousArray(repeating: 0, count: slots.count * 2)
    for index in records.indices { place(index) }
  }
}
