package import Base
import CProcessor
package import Replica

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
  /// An encoded ``Cell``; empty where nothing is accepted, or where it is in the table on disk only.
  package fileprivate(set) var cell: [UInt8]
  /// Of the cell; 0 where nothing is accepted.
  package fileprivate(set) var revision: UInt64
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
  /// Its cell was needed since it was last looked at to be dropped.
  var isUsed: Bool
  /// Its number stands in the table's queue.
  fileprivate var isQueued: Bool

  fileprivate init(key: Key, presence: Presence) {
    self.key = key
    promised = .zero
    accepted = .zero
    cell = []
    revision = 0
    ticket = 0
    reignStart = 0
    chosenLag = .max
    streak = 0
    streakNode = 0
    self.presence = presence
    passes = 0
    isUsed = false
    isQueued = false
  }

  package var chosenRevision: UInt64 {
    guard accepted != .zero, chosenLag < .max else { return 0 }
    return revision - UInt64(chosenLag)
  }

  package var isDamaged: Bool { presence == .damaged }

  /// Something is accepted, and has to be read from the disk before anyone can be told of it.
  ///
  /// Invariant: it is the cell of a register with a value, and a slot of the table holds it. What is to be written is
  /// never cold, nor are tombstones and the configuration.
  package var isCold: Bool { accepted != .zero && cell.isEmpty }

  /// Whether it holds a value, in memory or on the disk.
  package var isPresent: Bool { Self.isPresent(accepted, cell) }

  fileprivate static func isPresent(_ accepted: Ballot, _ cell: [UInt8]) -> Bool {
    accepted != .zero && (cell.isEmpty || Cell.isPresent(cell))
  }

  package var isTombstone: Bool { accepted != .zero && !isPresent }

  /// Whether the collector has to do with it: it is held, and holds no value.
  var isCollectable: Bool { presence == .held && !isPresent && !key.isConfiguration }
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
  /// So many bytes of cells that can be read again may be in memory; `Int.max`: all of them. What the table on disk
  /// does not hold yet is in memory beside that; the journal bounds it.
  package var cacheBytes = Int.max
  package private(set) var cachedBytes = 0
  /// From `head` on: each record whose cell is in memory and has a value, once, in the order in which they came; and
  /// some whose cell no longer is. Empty where all cells may stay.
  private var queue: ContiguousArray<UInt32> = []
  private var head = 0

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

  /// See ``Approach``. Each finds its way by what the one before has brought.
  package func approach(_ hash: UInt64, _ distance: Approach) {
    let slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    if case .place = distance { return slots.withUnsafeBufferPointer { prefetch($0.baseAddress! + slot, at: 0) } }
    let number = Int(slots[slot]) - 1
    guard number >= 0 else { return }
    if case .record = distance {
      digests.approach(hash)
      records.withUnsafeBufferPointer {
        prefetch($0.baseAddress! + number, at: 0)
        prefetch($0.baseAddress! + number, at: MemoryLayout<Record>.stride - 1)
      }
      return
    }
    // Of an array: its length at 16, its bytes from 32 on; and in front of it what `free` looks at.
    let key = unsafeBitCast(records[number].key.bytes, to: UnsafeRawPointer.self)
    prefetch(key, at: 16)
    prefetch(key, at: 40)
    let cell = unsafeBitCast(records[number].cell, to: UnsafeRawPointer.self)
    prefetch(cell, at: -8)
    prefetch(cell, at: 40)
    guard case .whole = distance else { return }
    for line in 1...3 { prefetch(cell, at: 40 + 64 * line) }
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
  ///
  /// `key` is kept, so in an array without slack. The keys are put in order when all are there (``arrange()``): one by
  /// one costs a search in all the others each.
  mutating func restoredNumber(of key: Key) -> Int {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: key.hash) & mask
    while slots[slot] != 0 {
      let index = Int(slots[slot]) - 1
      if records[index].key == key { return index }
      slot = (slot + 1) & mask
    }
    count += 1
    if key.isConfiguration { holdsConfiguration = true }
    return add(key, at: slot)
  }

  /// All records are restored: makes the order of their keys. Recovery only.
  mutating func arrange() {
    order = SortedIndex(KeyOrder.numbers(of: records))
  }

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
    let index = add(key.compact, at: place(of: key.hash))
    order.insert(UInt32(index)) { records[Int($0)].key < key }
    return index
  }

  /// Under a number of its own, and not in the order of keys yet. `slot`: the free one in which it is to be found.
  private mutating func add(_ key: Key, at slot: Int) -> Int {
    let index: Int
    if let number = free.popLast() {
      index = Int(number)
      vacate(index, for: Record(key: key, presence: .held))
      slots[slot] = UInt32(index) + 1
    } else {
      index = records.count
      invariant(index < Int(clamping: UInt32.max) - 1, "a partition holds too many records")
      records.append(Record(key: key, presence: .held))
      slots[slot] = UInt32(index) + 1
      if 2 * records.count > slots.count { grow() }
    }
    digests.link(index, key.hash)
    return index
  }

  /// Puts another record under the number, which stays in the queue if it is there.
  private mutating func vacate(_ index: Int, for record: Record) {
    let isQueued = records[index].isQueued
    records[index] = record
    records[index].isQueued = isQueued
  }

  /// Replaces what a record has accepted.
  @inline(__always)
  package mutating func accept(_ index: Int, ballot: Ballot, cell: [UInt8]) {
    accept(
      index, ballot: ballot, cell: cell, revision: Cell.revision(of: cell), isPresent: Cell.isPresent(cell))
  }

  /// `cell`: empty where a slot of the table on disk holds it.
  private mutating func accept(
    _ index: Int, ballot: Ballot, cell: [UInt8], revision: UInt64, isPresent: Bool
  ) {
    let before = records[index].cell
    let ballotBefore = records[index].accepted
    // Of its parts: asked itself, the record would be copied first.
    let wasPresent = Record.isPresent(ballotBefore, before)
    defer {
      records[index].accepted = ballot
      records[index].cell = cell
      records[index].revision = revision
    }
    guard !records[index].key.isConfiguration else { return }
    // A tombstone that a round carries over grows no younger by it.
    if isPresent || before != cell { records[index].passes = 0 }
    present += (isPresent ? 1 : 0) - (wasPresent ? 1 : 0)
    digests.change(
      records[index].key.hash, from: wasPresent ? ballotBefore : .zero, to: isPresent ? ballot : .zero)
    guard isBounded else { return }
    if wasPresent && !before.isEmpty { cachedBytes -= Self.bytes(of: before) }
    if isPresent && !cell.isEmpty { cache(index, cell) }
  }

  /// What the record has accepted is no more; its promise stays, and so does damage.
  package mutating func forget(_ index: Int) {
    if records[index].isPresent && !records[index].key.isConfiguration {
      present -= 1
      digests.change(records[index].key.hash, from: records[index].accepted, to: .zero)
      if isBounded && !records[index].cell.isEmpty { cachedBytes -= Self.bytes(of: records[index].cell) }
    }
    records[index].accepted = .zero
    records[index].cell = []
    records[index].revision = 0
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

  /// What the record held is lost.
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
    vacate(index, for: Record(key: .configuration, presence: .free))
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

  /// The free slot for a key that has none.
  private func place(of hash: UInt64) -> Int {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] != 0 { slot = (slot + 1) & mask }
    return slot
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
    for index in records.indices where records[index].presence != .free {
      slots[place(of: records[index].key.hash)] = UInt32(index) + 1
    }
  }
}

// MARK: - What can be read again

extension RecordTable {
  @inline(__always)
  package var isBounded: Bool { cacheBytes != .max }
  @inline(__always)
  package var isCrowded: Bool { cachedBytes > cacheBytes }

  /// With what an array costs beside its bytes.
  private static func bytes(of cell: [UInt8]) -> Int { cell.count + 48 }

  private mutating func cache(_ index: Int, _ cell: [UInt8]) {
    cachedBytes += Self.bytes(of: cell)
    guard !records[index].isQueued else { return }
    records[index].isQueued = true
    queue.append(UInt32(index))
  }

  /// A slot of the table holds the cell that was accepted, of a register with a value. Recovery only.
  mutating func acceptCold(_ index: Int, ballot: Ballot, revision: UInt64) {
    accept(index, ballot: ballot, cell: [], revision: revision, isPresent: true)
  }

  /// The cell of a cold record has been read.
  mutating func load(_ index: Int, cell: [UInt8]) {
    invariant(records[index].isCold && !cell.isEmpty, "a cell was read that nobody waits for")
    records[index].cell = cell
    records[index].isUsed = true
    cache(index, cell)
  }

  /// Second chance: the record whose cell came first; nil where it was needed meanwhile, and goes to the end of the
  /// queue, or has no cell any more. To be followed by ``drop(_:)`` or ``keep(_:)``.
  mutating func takeOldest() -> Int? {
    guard head < queue.count else { return nil }
    let index = Int(queue[head])
    head += 1
    if head > 1024 && 2 * head > queue.count {
      queue.removeFirst(head)
      head = 0
    }
    guard records[index].presence == .held, !records[index].cell.isEmpty, records[index].isPresent else {
      records[index].isQueued = false
      return nil
    }
    guard records[index].isUsed else { return index }
    keep(index)
    return nil
  }

  mutating func keep(_ index: Int) {
    records[index].isUsed = false
    queue.append(UInt32(index))
  }

  /// The record grows cold.
  mutating func drop(_ index: Int) {
    records[index].isQueued = false
    cachedBytes -= Self.bytes(of: records[index].cell)
    records[index].cell = []
  }
}
