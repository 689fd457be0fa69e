import Base
import Replica

/// More registers than memory (`--cache-bytes`): of a register that has rested, memory holds the record but for its
/// cell, which its slot in the table holds. Such a record is *cold* (``Record/isCold``).
///
/// Three things need a cell: a round of this node, for its base, a promise to another node, and what is relayed to one
/// that lacks it. All wait for it here, the round in its phase `loading`, with the key's later operations in line
/// behind it as ever, a message as if it were still under way. Reads by ballot (R6), accepts, erasures and listings
/// need none, and go on. So nothing has happened yet that what comes meanwhile could contradict: who waited begins anew
/// when the read is there, from what the record is then.
///
/// A read overtakes writes. While it is on its way the record may be accepted anew, written to that slot or to another,
/// and grow cold again; its slot, and its number, may go to another key. What is read is therefore believed only where
/// it bears the key and the very ballot that the record has accepted (R1: one ballot, one cell). Where it does not, and
/// the record has not been written since it was asked for, nobody else can have touched the slot: the record is
/// damaged, abstains from then on, and is healed (``Repairing``).
///
/// While a round is under way here its record does not grow cold, so that each of its phases finds the cell.
struct Caching {
  struct Load {
    let key: Key
    /// Of the record's last write when it was asked for, durable then.
    let ticket: UInt64
    /// Keys whose rounds wait; others than `key` where the number has changed hands.
    var keys: [Key] = []
    var messages: [(from: NodeID, message: Message)] = []
  }

  /// Messages that may wait; what is above is dropped, as a network may.
  static let maximumMessages = 1 << 16

  /// By record: reads that are on their way.
  fileprivate var loads: [UInt32: Load] = [:]
  fileprivate var messages = 0
  fileprivate var statistics = CacheStatistics()

  var isEmpty: Bool { loads.isEmpty }
}

extension Registers {
  var cacheStatistics: CacheStatistics? {
    guard acceptor.table.isBounded else { return nil }
    var all = caching.statistics
    all.bytes = UInt64(acceptor.table.cachedBytes)
    return all
  }

  /// Whether the round in `slot`, of record `found`, must wait for its cell.
  @inline(__always)
  mutating func waitsForCell(_ slot: Int, _ found: Int?, _ outbox: inout Outbox) -> Bool {
    guard acceptor.table.isBounded, let found, !isInMemory(found) else { return false }
    let key = rounds[slot].key
    load(found, key, &outbox) { $0.keys.append(key) }
    rounds[slot].attempt = newAttempt(slot: slot)
    rounds[slot].phase = .loading
    rounds[slot].phaseEnd = .never
    rounds[slot].timerAt = .never
    setDeadlineTimer(slot)
    return true
  }

  /// The read takes as long as it takes; only deadlines end the wait.
  mutating func setDeadlineTimer(_ slot: Int) {
    if rounds[slot].earliestDeadline < .never { setTimer(slot, at: rounds[slot].earliestDeadline) }
  }

  /// Whether this prepare, which would be promised, must wait for the cell of its record.
  @inline(__always)
  mutating func waitsForCell(
    _ message: Message, _ ballot: Ballot, _ key: Key, from: NodeID, _ outbox: inout Outbox
  ) -> Bool {
    guard acceptor.table.isBounded, let found = acceptor.table.find(key), ballot > acceptor.promised(found),
      ballot.epoch == configuration.epoch, !isInMemory(found)
    else { return false }
    receiveWhenLoaded(found, message, from: from, &outbox)
    return true
  }

  /// The message needs the cell of this record, which is cold: it is received again when that is in memory.
  mutating func receiveWhenLoaded(_ index: Int, _ message: Message, from: NodeID, _ outbox: inout Outbox) {
    guard caching.messages < Caching.maximumMessages else { return }
    caching.messages += 1
    load(index, acceptor.table[index].key, &outbox) { $0.messages.append((from, message)) }
  }

  private mutating func isInMemory(_ index: Int) -> Bool {
    if acceptor.table[index].isCold { return false }
    caching.statistics.hits += 1
    acceptor.table[index].isUsed = true
    return true
  }

  private mutating func load(
    _ index: Int, _ key: Key, _ outbox: inout Outbox, _ join: (inout Caching.Load) -> Void
  ) {
    caching.statistics.misses += 1
    let record = UInt32(index)
    if caching.loads[record] == nil {
      caching.loads[record] = Caching.Load(key: key, ticket: acceptor.table[index].ticket)
      outbox.read(record: record)
    }
    join(&caching.loads[record]!)
  }

  /// A scrub could not read what the table should hold of this record, of which memory holds no more.
  mutating func verify(_ record: UInt32, _ outbox: inout Outbox) {
    let index = Int(record)
    if acceptor.table[index].isCold { load(index, acceptor.table[index].key, &outbox) { _ in } }
  }

  /// A read has come.
  mutating func loaded(_ record: UInt32, _ stored: StoredRecord?, _ now: Instant, _ outbox: inout Outbox) {
    guard let load = caching.loads.removeValue(forKey: record) else { return }
    let index = Int(record)
    if acceptor.table[index].isCold && acceptor.table[index].key == load.key && !acceptor.load(index, stored) {
      if acceptor.table[index].ticket == load.ticket {
        noteDamaged(index)
        if options.isTraced { traceDamaged(index, &outbox) }
      } else {
        // Who waits asks again.
        caching.statistics.overtaken += 1
      }
    }
    for key in load.keys {
      guard let slot = slots.find(key, in: rounds), case .loading = rounds[slot].phase else { continue }
      goOn(slot, now, &outbox)
    }
    caching.messages -= load.messages.count
    for (from, message) in load.messages { receive(message, from: from, now, &outbox) }
  }

  /// The round begins, without what was answered meanwhile: what is past its deadline goes into no accept (R8).
  private mutating func goOn(_ slot: Int, _ now: Instant, _ outbox: inout Outbox) {
    for pending in rounds[slot].fold where pending.deadline <= now { expire(pending, now, &outbox) }
    rounds[slot].fold.removeAll { $0.deadline <= now }
    guard !rounds[slot].fold.isEmpty else {
      rounds[slot].phase = .idle
      return advance(slot, now, &outbox)
    }
    begin(slot, now, &outbox)
  }

  /// ``Replica/evict(isSettled:)``. A step adds one cell as a rule, so that looking at a few keeps up, also where most
  /// may not be dropped.
  mutating func evict(isSettled: (UInt32) -> Bool) {
    for _ in 0..<8 where acceptor.table.isCrowded {
      guard let index = acceptor.table.takeOldest() else { continue }
      if isSettled(UInt32(index)) && slots.find(acceptor.table[index].key, in: rounds) == nil {
        acceptor.table.drop(index)
      } else {
        acceptor.table.keep(index)
      }
    }
  }
}
