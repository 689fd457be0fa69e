import Base
import Replica

/// An operation that another node coordinates for a client of this one.
struct Forwarded {
  let pending: Pending
  /// As it was before it was forwarded: what holds again if the other node says that it did not start it.
  let unsent: Pending
  let target: NodeID
  /// A change that this node, which is no member, handed over under a name that it made itself: only the other node can
  /// carry it out, and what that one does not tell stays unknown.
  let isOnlyThere: Bool
}

// R10: coordination follows the ballot. Liveness only: safety never depends on who coordinates.
extension Registers {
  /// Keys that have moved here and not been asked for since; beyond this they stay where they are.
  private static let maximumClaims = 4096

  /// The other node that coordinates this key, as far as this one knows, if it answers. (Inlined: ``localCell(_:)``.)
  @inline(__always)
  func liveOwner(_ found: Int?) -> NodeID? {
    guard let found else { return nil }
    let owner = acceptor.table[found].promised.node
    return owner != node && isReachable(owner) ? owner : nil
  }

  @inline(__always)
  func isReachable(_ peer: NodeID) -> Bool {
    guard let member = configuration.index(of: peer) else { return false }
    return reachable.contains(member)
  }

  /// Hands the operation over, one hop at most; false if it must be coordinated here.
  mutating func forward(_ pending: Pending, to owner: NodeID, _ now: Instant, _ outbox: inout Outbox) -> Bool {
    // R7: a change that may have taken effect is decided here, by a round that looks for it.
    guard pending.mayForward, !pending.mayHaveTakenEffect, pending.deadline > now,
      let member = configuration.index(of: owner), let clock = clocks[member]
    else { return false }
    statistics.forwards += 1
    let key = pending.operation.key
    let found = acceptor.table.find(key)
    var sent = pending
    let isOnlyThere = selfIndex == nil && pending.operation.action.isChange && pending.operation.payloadHash == 0
    if pending.operation.action.isChange {
      let above = (found.map { acceptor.table[$0].chosenRevision } ?? 0) + 1
      sent.lo = min(pending.lo ?? above, above)
      sent.elsewhereLo = sent.lo
      sent.needsFullRound = true
    }
    sent.mayForward = false
    let attempt = newForwardAttempt()
    // R8: by the receiver's own clock. It read `clock.reading` before this moment, so the deadline can only come too
    // early.
    let (sum, overflow) = clock.reading.nanoseconds.addingReportingOverflow(
      pending.deadline.nanoseconds - now.nanoseconds)
    let deadline = overflow ? Instant.never : Instant(nanoseconds: sum)
    // R7: without a `lo` where no one else can have tried it, nor ever will: who is no member knows no revisions.
    let lo = isOnlyThere ? 0 : sent.lo ?? 0
    let message = Message.forward(
      attempt: attempt, heard: clock.reading, deadline: deadline, lo: lo, known: acceptor.promised(found),
      pending.operation)
    outbox.send(to: owner, after: .none) { message.encode(into: &$0) }
    forwards[attempt] = Forwarded(pending: sent, unsent: pending, target: owner, isOnlyThere: isOnlyThere)
    timers.set(.forward(attempt: attempt), at: pending.deadline)
    return true
  }

  /// This node is no member: one that is coordinates for its clients.
  mutating func relay(_ pending: Pending, _ now: Instant, _ outbox: inout Outbox) {
    if case .peer = pending.origin {
      // R8: "not started" is no answer for what was sent in an accept. Its node takes it back when it hears, as this
      // one has, that this one is no member any more.
      if !pending.mayHaveTakenEffect { respond(pending, .refused(.notAMember), now, &outbox) }
      return
    }
    let count = configuration.members.count
    // The same one for a key from whoever asks, or they would make members duel over it (R10).
    let start = Int((pending.operation.key.hash &+ UInt64(pending.relays)) % UInt64(count))
    for step in 0..<count {
      let member = (start + step) % count
      if reachable.contains(member), forward(pending, to: configuration.members[member].id, now, &outbox) { return }
    }
    respond(pending, pending.mayHaveTakenEffect ? .unknown : .refused(.noQuorum), now, &outbox)
  }

  /// Another node asks this one to coordinate.
  mutating func forwarded(
    _ operation: Operation, attempt: UInt64, from: NodeID, heard: Instant, _ deadline: Instant, lo: UInt64,
    known: Ballot, _ now: Instant, _ outbox: inout Outbox
  ) {
    // A copy of what was taken up before, in this life or an earlier one, is dropped without an answer: "not started"
    // would be a guess.
    let isFirst =
      heard >= startedAt && heard <= now && forwardFilters[from, default: ForwardFilter()].admit(attempt)
    guard isFirst || !Guard.forwardIsFresh.isIn else { return }
    lastBusyAt = now
    statistics.operations += 1
    let pending = Pending(
      operation: operation, origin: .peer(from, attempt: attempt), deadline: deadline,
      lo: operation.action.isChange && lo > 0 ? lo : nil, needsFullRound: operation.action.isSettle, mayForward: false,
      knownBallot: known)
    // R8: what may be too old is not started.
    guard deadline > now || !Guard.forwardIsFresh.isIn else {
      return respond(pending, .refused(.expired), now, &outbox)
    }
    guard configuration.isQuorum(reachable) else { return respond(pending, .refused(.noQuorum), now, &outbox) }
    if let found = acceptor.table.find(operation.key), !operation.action.isRead {
      let isSame = acceptor.table[found].streakNode == from.value && acceptor.table[found].streak > 0
      acceptor.table[found].streak = isSame ? min(acceptor.table[found].streak, .max - 1) + 1 : 1
      acceptor.table[found].streakNode = from.value
    }
    enqueue(pending, now, &outbox)
  }

  /// Whether this key's traffic has come from `peer` alone for a while; then it is told so, once.
  mutating func hasMoved(_ key: Key, to peer: NodeID) -> Bool {
    guard let found = acceptor.table.find(key), acceptor.table[found].streakNode == peer.value,
      acceptor.table[found].streak >= options.takeOverStreak
    else { return false }
    acceptor.table[found].streak = 0
    return true
  }

  mutating func forwardReplied(
    _ attempt: UInt64, from: NodeID, takeOver: Bool, _ outcome: Outcome, _ now: Instant, _ outbox: inout Outbox
  ) {
    guard let forwarded = forwards[attempt], forwarded.target == from else { return }
    forwards[attempt] = nil
    if case .changed(let revision, _, _) = outcome { noteChosen(forwarded.pending.operation.key, revision) }
    if takeOver && claims.count < Self.maximumClaims { claims[forwarded.pending.operation.key] = true }
    switch outcome {
    case .refused(.expired), .refused(.noQuorum), .refused(.notAMember), .refused(.shuttingDown):
      // Not started there, so it is as if it had never left.
      var again = forwarded.unsent
      again.relays += 1
      // Who is no member can only ask the next one, and none of them for ever.
      again.mayForward = selfIndex == nil && Int(again.relays) < 2 * configuration.members.count
      guard again.deadline > now else { return expire(again, now, &outbox) }
      enqueue(again, now, &outbox)
    case .read, .settled, .changed, .absent, .conditionFailed, .refused, .unknown:
      respond(forwarded.pending, outcome, now, &outbox)
    }
  }

  /// `revision` of `key` is known to be chosen: what is forwarded from now on lies above it (R7, `lo`).
  private mutating func noteChosen(_ key: Key, _ revision: UInt64) {
    guard let found = acceptor.table.find(key), acceptor.table[found].accepted != .zero else { return }
    let held = acceptor.table[found].revision
    guard revision <= held else { return }
    acceptor.table[found].chosenLag = min(acceptor.table[found].chosenLag, UInt8(min(held - revision, 255)))
  }

  /// The node that was to coordinate no longer answers. R7: only a prepare of our own shows what became of what it
  /// was sent.
  mutating func takeBackForwards(from peer: NodeID, _ now: Instant, _ outbox: inout Outbox) {
    // In the order in which they were sent: the order of a dictionary would differ from run to run.
    let attempts = forwards.filter { $0.value.target == peer }.keys.sorted()
    for attempt in attempts {
      guard let forwarded = forwards.removeValue(forKey: attempt) else { continue }
      if forwarded.isOnlyThere {
        respond(forwarded.pending, .unknown, now, &outbox)
        continue
      }
      enqueue(forwarded.pending, now, &outbox)
    }
  }
}
