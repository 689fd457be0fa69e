import Base
import Replica

// Long polls: a read that waits until the revision differs. Parked reads look again when this node accepts a new cell
// of the key, and now and then of their own accord, in case it missed one; each look is a linearizable read.
extension Registers {
  /// Parks the read if it must go on waiting after `outcome`; false if the client is to be answered now.
  mutating func park(_ pending: Pending, _ token: UInt64, after outcome: Outcome, _ now: Instant) -> Bool {
    guard let wait = pending.wait, now < wait.until else { return false }
    switch outcome {
    case .read(let content):
      // CONTRACT §1: on an absent key it waits for creation.
      if let content, content.revision != wait.unlessRevision { return false }
    case .refused(.noQuorum), .refused(.overloaded):
      break
    case .settled, .changed, .absent, .conditionFailed, .refused, .unknown:
      return false
    }
    parked[token] = pending
    parkedOfKey[pending.operation.key, default: []].append(token)
    timers.set(.parked(token: token), at: min(wait.until, now + options.parkedPoll))
    return true
  }

  /// This node has accepted a new cell of `key`.
  mutating func wake(_ key: Key, _ now: Instant, _ outbox: inout Outbox) {
    guard !parkedOfKey.isEmpty, let tokens = parkedOfKey.removeValue(forKey: key) else { return }
    for token in tokens {
      if let pending = parked.removeValue(forKey: token) { enqueue(pending, now, &outbox) }
    }
  }

  mutating func parkedTimer(_ token: UInt64, _ now: Instant, _ outbox: inout Outbox) {
    guard var pending = unpark(token) else { return }
    if let wait = pending.wait, now >= wait.until { pending.wait = nil }
    enqueue(pending, now, &outbox)
  }

  @discardableResult
  mutating func unpark(_ token: UInt64) -> Pending? {
    guard let pending = parked.removeValue(forKey: token) else { return nil }
    let key = pending.operation.key
    parkedOfKey[key]?.removeAll { $0 == token }
    if parkedOfKey[key]?.isEmpty == true { parkedOfKey[key] = nil }
    return pending
  }
}
