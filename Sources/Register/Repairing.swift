import Base
import Replica

/// The records of this partition that were found damaged and are not healed yet (PROTOCOL, "A damaged record").
///
/// Each gets an identity round of this node's own. That goes above the reserve to which the record is pinned, and the
/// others' promises tell what is accepted, so the accept that ends the round heals it. Rounds of clients heal too.
struct Repairing {
  /// Rounds under way at once.
  static let width = 4
  /// From the begin of one round to that of the next.
  static let pause: Milliseconds = 10
  /// A round that healed nothing in this time, for want of a quorum, makes way for others, and is tried again.
  static let patience: Milliseconds = 500

  fileprivate var waiting: [Key] = []
  fileprivate var underWay = 0
  fileprivate var nextRoundAt = Instant.zero
  fileprivate var timerAt = Instant.never
  private(set) var healed: UInt64 = 0

  var isQuiet: Bool { waiting.isEmpty && underWay == 0 }

  mutating func add(_ key: Key) { waiting.append(key) }

  fileprivate mutating func noteHealed() { healed += 1 }
}

extension Registers {
  /// At the end of each step, when no round is half-way through a transition.
  @inline(__always)
  mutating func continueRepairing(_ now: Instant, _ outbox: inout Outbox) {
    if !repairing.waiting.isEmpty { repair(now, &outbox) }
  }

  private mutating func repair(_ now: Instant, _ outbox: inout Outbox) {
    guard selfIndex != nil, configuration.isQuorum(reachable) else {
      return wakeRepairing(now, at: now + Repairing.patience)
    }
    while repairing.underWay < Repairing.width, let key = repairing.waiting.last {
      guard repairing.nextRoundAt <= now else { return wakeRepairing(now, at: repairing.nextRoundAt) }
      repairing.waiting.removeLast()
      guard isDamaged(key) else {
        repairing.noteHealed()
        continue
      }
      repairing.underWay += 1
      repairing.nextRoundAt = now + Repairing.pause
      let identity = Operation(
        id: OperationID(high: 0, low: 0), key: key, action: .settle(target: nil, known: 0, nowSeconds: 0))
      // R10: it asks no one else to coordinate.
      enqueue(
        Pending(
          operation: identity, origin: .repairing, deadline: now + Repairing.patience, lo: nil, needsFullRound: true,
          mayForward: false),
        now, &outbox)
    }
  }

  private mutating func wakeRepairing(_ now: Instant, at instant: Instant) {
    guard repairing.timerAt <= now || instant < repairing.timerAt else { return }
    repairing.timerAt = instant
    timers.set(.repairing, at: instant)
  }

  private func isDamaged(_ key: Key) -> Bool {
    acceptor.table.find(key).map { acceptor.table[$0].isDamaged } ?? false
  }

  /// Such a round is over.
  mutating func repaired(_ key: Key, _ now: Instant) {
    repairing.underWay -= 1
    guard isDamaged(key) else { return repairing.noteHealed() }
    repairing.waiting.insert(key, at: 0)
    repairing.nextRoundAt = max(repairing.nextRoundAt, now + Repairing.patience)
  }

  /// Recovery has found it, or a read of a cold record (``Caching``).
  mutating func noteDamaged(_ index: Int) {
    acceptor.markDamaged(index)
    if acceptor.table[index].isDamaged { repairing.add(acceptor.table[index].key) }
  }
}
