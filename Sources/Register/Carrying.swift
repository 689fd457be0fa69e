import Base
import Replica

/// Step 3 of a change of membership: every register of this partition gets a round in the joint epoch, so that its cell
/// is on a majority of the new set too. Any member may do it, and several at once: each works for itself.
///
/// The keys are those that a joint quorum names: it holds a majority of the old set whose fence is up, so nothing that
/// was chosen before is missed. A key that no one names was never chosen; the fences promise for it. The register of
/// the configuration is not among them: the change that ends the joint epoch carries it over.
///
/// While clients keep this node busy it carries `carriedPerSecond` registers a second; else as fast as it can.
struct Carrying {
  /// Rounds under way at once.
  static let width = 16
  static let pageKeys = 256
  /// The node is busy when it has done something for a client within so long. One partition of many hears of clients
  /// now and then only: much less, and a moderate load would not slow the carrying down, but the other way round.
  static let busyFor: Milliseconds = 200

  private(set) var statistics: CarryStatistics
  /// Of the question that is out; 0: none is.
  var attempt: UInt64 = 0
  var askedAt = Instant.zero
  var votes = BitSet()
  var named: [[UInt8]] = []
  /// The lowest key at which a member's answer was cut off; nothing is known above it.
  var horizon: [UInt8]?
  /// Everything up to here has its round, or is in `waiting`.
  var after: [UInt8] = []
  /// Descending, so that the next is the last.
  var waiting: [[UInt8]] = []
  var underWay = 0
  var isListed = false
  /// Not begun, or no quorum answered: it goes on when it is asked to.
  var isPaused = true
  /// Before this no other round begins, while the node is busy.
  var nextRoundAt = Instant.zero

  init(epoch: UInt32) {
    statistics = CarryStatistics(epoch: epoch)
    statistics.isDone = false
  }

  var isUnderWay: Bool { !statistics.isDone }
  var isActive: Bool { isUnderWay && !isPaused }

  mutating func note(neededRound: Bool) {
    statistics.carried += 1
    if neededRound { statistics.rounds += 1 }
  }

  mutating func finishIfDone() {
    if isListed && waiting.isEmpty && underWay == 0 { statistics.isDone = true }
  }
}

extension Registers {
  /// Begins, or asks again where a question or a round was lost.
  mutating func carryOver(_ now: Instant, _ outbox: inout Outbox) {
    guard selfIndex != nil, carrying?.isUnderWay == true else { return }
    carrying?.isPaused = false
    guard let carrying, carrying.waiting.isEmpty, carrying.underWay == 0, !carrying.isListed,
      carrying.attempt == 0 || carrying.askedAt + options.roundTimeout <= now
    else { return }
    askForKeys(now, &outbox)
  }

  private mutating func askForKeys(_ now: Instant, _ outbox: inout Outbox) {
    guard var carrying else { return }
    let attempt = newAttempt()
    carrying.attempt = attempt
    carrying.askedAt = now
    carrying.votes = BitSet()
    carrying.named = []
    carrying.horizon = nil
    let after = carrying.after
    self.carrying = carrying
    let question = Message.list(
      attempt: attempt, epoch: configuration.epoch, prefix: [], after: after, limit: UInt32(Carrying.pageKeys))
    sendToOthers(&outbox) { question.encode(into: &$0) }
    let (keys, more) = acceptor.table.keys(prefix: [], after: after, limit: Carrying.pageKeys)
    if options.isTraced { traceListing(after: after, keys, more: more, &outbox) }
    named(from: node, more: more, keys: keys, now, &outbox)
  }

  /// A member has named keys that it has accepted something for.
  mutating func named(from: NodeID, more: Bool, keys: [[UInt8]], _ now: Instant, _ outbox: inout Outbox) {
    guard var carrying, let member = configuration.index(of: from), !carrying.votes.contains(member) else { return }
    carrying.votes.insert(member)
    carrying.named += keys
    if more, let last = keys.last, carrying.horizon.map({ last.lexicographicallyPrecedes($0) }) ?? true {
      carrying.horizon = last
    }
    guard isListed(by: carrying.votes) else {
      self.carrying = carrying
      return
    }
    var names = carrying.named.sorted { $1.lexicographicallyPrecedes($0) }
    if let horizon = carrying.horizon { names.removeAll { horizon.lexicographicallyPrecedes($0) } }
    for name in names where carrying.waiting.last != name { carrying.waiting.append(name) }
    carrying.attempt = 0
    carrying.named = []
    carrying.after = carrying.horizon ?? carrying.after
    carrying.isListed = carrying.horizon == nil
    if !Guard.everyKeyIsCarried.isIn { carrying.waiting = Array(carrying.waiting.prefix(1)) }
    self.carrying = carrying
  }

  /// A majority of the old set misses nothing that was chosen. One of the new besides misses nothing that a quorum of
  /// the new set could show later (R6).
  private func isListed(by votes: BitSet) -> Bool {
    guard Guard.readIsRecent.isIn else {
      return 2 * votes.intersection(configuration.old).count > configuration.old.count
    }
    return configuration.isQuorum(votes)
  }

  /// At the end of each step, when no round is half-way through a transition.
  mutating func continueCarrying(_ now: Instant, _ outbox: inout Outbox) {
    guard let epoch = carrying?.statistics.epoch, carrying?.isUnderWay == true, carrying?.attempt == 0,
      carrying?.isPaused == false
    else { return }
    while carrying?.isPaused == false, let underWay = carrying?.underWay, underWay < Carrying.width,
      let name = carrying?.waiting.popLast()
    {
      let key = Key(name)
      let found = acceptor.table.find(key)
      // A round of a client has carried it over already.
      if let found, acceptor.table[found].accepted.epoch == epoch, acceptor.table[found].chosenLag == 0 {
        carrying?.note(neededRound: false)
        continue
      }
      guard mayBeginRound(now) else {
        carrying?.waiting.append(name)
        break
      }
      carrying?.note(neededRound: true)
      carrying?.underWay += 1
      let identity = Operation(
        id: OperationID(high: 0, low: 0), key: key, action: .settle(target: nil, known: 0, nowSeconds: 0))
      // R10: it attracts no traffic, and asks no one else to coordinate.
      enqueue(
        Pending(
          operation: identity, origin: .carrying(epoch: epoch), deadline: .never, lo: nil, needsFullRound: true,
          mayForward: false),
        now, &outbox)
    }
    guard let carrying, carrying.waiting.isEmpty, carrying.underWay == 0, !carrying.isPaused else { return }
    if carrying.isListed { self.carrying?.finishIfDone() } else { askForKeys(now, &outbox) }
  }

  private mutating func mayBeginRound(_ now: Instant) -> Bool {
    guard lastBusyAt + Carrying.busyFor > now, let next = carrying?.nextRoundAt else { return true }
    let pause = 1_000_000_000 / max(1, options.carriedPerSecond)
    guard next <= now else {
      timers.set(.carrying, at: next)
      return false
    }
    carrying?.nextRoundAt = Instant(nanoseconds: now.nanoseconds + pause)
    return true
  }

  mutating func carried(_ key: Key, _ epoch: UInt32, _ outcome: Outcome) {
    guard carrying?.statistics.epoch == epoch else { return }
    carrying?.underWay -= 1
    if case .settled = outcome { return }
    carrying?.waiting.append(key.bytes)
    carrying?.isPaused = true
  }
}
