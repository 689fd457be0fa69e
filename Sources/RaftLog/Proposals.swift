import Base
import Replica

// Changes and settles, from request to entry.
//
// A proposal is started at most once in a term: it names the term, the leader of that term appends each attempt once
// (`ForwardFilter`), and no one else appends in it. When an entry of a later term is applied here and the proposal's
// was not, it never will be, so it may be tried again in the new term: a retry is applied once, whatever the window
// holds.
extension RaftReplica {
  func submit(_ request: Request, _ now: Instant, _ outbox: inout Outbox) {
    counts.operations += 1
    guard request.deadline > now else { return outbox.reply(request.token, .refused(.expired)) }
    guard hasWay else { return outbox.reply(request.token, .refused(.noQuorum)) }
    // Who is no member need not hold what the others do: it has the leader read, by an entry.
    if request.operation.action.isRead, selfIndex != nil || request.wait != nil {
      return read(.register(request), now, &outbox)
    }
    guard proposals.count < options.maximumWaiting else { return outbox.reply(request.token, .refused(.overloaded)) }
    noteDeadline(request.deadline)
    let proposal = Proposal(
      operation: request.operation, token: request.token, deadline: request.deadline,
      origin: machine.origin(of: request.operation, applied: applied))
    propose(newAttempt(), proposal, now, &outbox)
  }

  func noteDeadline(_ deadline: Instant) { earliestDeadline = min(earliestDeadline, deadline) }

  /// Starts the proposal here or at the leader, or lets it wait for one.
  private func propose(_ attempt: UInt64, _ proposal: Proposal, _ now: Instant, _ outbox: inout Outbox) {
    var proposal = proposal
    proposal.state = .unsent
    proposal.standsUpTo = nil
    if case .leader(let leadership) = role, leadership.transfer == nil {
      guard hasRoom(leadership) else { return outbox.reply(proposal.token, .refused(.overloaded)) }
      proposal.state = .sent(term: term, to: node, at: now, copies: 0)
      if proposal.operation.key.isConfiguration {
        proposals[attempt] = proposal
        return takeUpChange(
          proposal.operation, by: node, attempt: attempt, until: proposal.deadline, leadership, now, &outbox)
      }
      append(
        proposal.operation, proposal.origin, by: node, attempt: attempt, maximumValueBytes: options.maximumValueBytes,
        leadership, &outbox)
    } else if let leader, leader != node, forward(attempt, proposal, to: leader, now, &outbox) {
      counts.forwards += 1
      proposal.state = .sent(term: term, to: leader, at: now, copies: 0)
      retryAt = min(retryAt, now + options.retry)
    } else {
      unsent.append(attempt)
      retryAt = min(retryAt, now + options.retry)
    }
    proposals[attempt] = proposal
  }

  private func append(
    _ operation: Operation, _ origin: NameOrigin, by node: NodeID, attempt: UInt64, maximumValueBytes: Int,
    _ leadership: Leadership, _ outbox: inout Outbox
  ) {
    var lo = origin.lo
    if lo != nil {
      if leadership.named.vouches(for: operation.id, behind: origin.since) { lo = nil }
      leadership.named.append(operation.id, at: log.lastIndex + 1)
    }
    appendOwn(
      .operation(operation, origin: node, attempt: attempt, maximumValueBytes: maximumValueBytes, lo: lo),
      leadership, &outbox)
  }

  /// Whether another entry may be proposed: both queues have a limit, and what is over it is told so at once.
  func hasRoom(_ leadership: Leadership) -> Bool {
    leadership.uncommittedBytes < options.maximumUncommittedBytes && log.bytes < options.maximumLogBytes
  }

  /// False where it cannot be sent.
  private func forward(
    _ attempt: UInt64, _ proposal: Proposal, to leader: NodeID, _ now: Instant, _ outbox: inout Outbox
  ) -> Bool {
    guard proposal.deadline > now, let place = place(of: leader), peers[place].isReachable,
      let clock = peers[place].clock
    else {
      return false
    }
    // R8: by the receiver's own clock. It read `clock.reading` before this moment, so the deadline can only come too
    // early.
    let (sum, overflow) = clock.reading.nanoseconds.addingReportingOverflow(
      proposal.deadline.nanoseconds - now.nanoseconds)
    let forward = Forward(
      heard: clock.reading, deadline: overflow ? .never : Instant(nanoseconds: sum),
      maximumValueBytes: UInt32(options.maximumValueBytes), origin: proposal.origin, operation: proposal.operation)
    send(.forward(attempt: attempt, forward), to: leader, after: .none, &outbox)
    return true
  }

  /// Tries again what no node can have started.
  func dispatchUnsent(_ now: Instant, _ outbox: inout Outbox) {
    guard !unsent.isEmpty else { return }
    let attempts = unsent
    unsent = []
    for attempt in attempts {
      guard let proposal = proposals.removeValue(forKey: attempt) else { continue }
      // A new number: the old one may be known to a node that refused it.
      propose(newAttempt(), proposal, now, &outbox)
    }
  }

  // MARK: - The leader's side

  func forwarded(
    _ forward: Forward, attempt: UInt64, from: NodeID, of sendersTerm: UInt64, _ now: Instant, _ outbox: inout Outbox
  ) {
    // What was sent to an earlier life is dropped without an answer, and so is what was taken up before: "not started"
    // would be a guess.
    let isOfThisLife = forward.heard >= startedAt && forward.heard <= now
    let isFirst = isOfThisLife && peers[placeMade(of: from)].forwards.admit(attempt)
    guard isFirst || !Guard.forwardIsFresh.isIn else {
      if isOfThisLife { forwardedAgain(attempt, from: from, of: sendersTerm, &outbox) }
      return
    }
    // Only in the term that it names: its sender takes it for dead once a later term has begun. R8: what may be too old
    // is not started.
    guard sendersTerm == term || !Guard.forwardIsOfThisTerm.isIn, case .leader(let leadership) = role,
      leadership.transfer == nil, forward.deadline > now || !Guard.forwardIsFresh.isIn
    else {
      return send(.forwardReply(attempt: attempt, nil), to: from, after: .none, &outbox)
    }
    guard hasRoom(leadership) else {
      return send(.forwardReply(attempt: attempt, .refused(.overloaded)), to: from, after: .none, &outbox)
    }
    counts.operations += 1
    if forward.operation.key.isConfiguration {
      return takeUpChange(
        forward.operation, by: from, attempt: attempt, until: forward.deadline, leadership, now, &outbox)
    }
    append(
      forward.operation, forward.origin, by: from, attempt: attempt,
      maximumValueBytes: Int(forward.maximumValueBytes), leadership, &outbox)
  }

  /// Its answer may be lost, and where nothing was appended, no entry will tell. What can be said is how far up the log
  /// its entry may stand: no copy of it will be appended any more. Not while a change waits for those who enter.
  private func forwardedAgain(_ attempt: UInt64, from: NodeID, of sendersTerm: UInt64, _ outbox: inout Outbox) {
    guard sendersTerm == term, case .leader(let leadership) = role else { return }
    if let change = leadership.change, change.origin == from, change.attempt == attempt { return }
    send(.forwardRepeated(attempt: attempt, last: log.lastIndex), to: from, after: .none, &outbox)
  }

  // MARK: - What came of it

  /// What was applied up to `last` decides (``retry(_:_:)``).
  func forwardRepeated(_ attempt: UInt64, from: NodeID, of itsTerm: UInt64, last: UInt64) {
    guard var proposal = proposals[attempt], case .sent(itsTerm, from, _, _) = proposal.state else { return }
    proposal.standsUpTo = min(proposal.standsUpTo ?? last, last)
    proposals[attempt] = proposal
  }

  func forwardReplied(
    _ attempt: UInt64, from: NodeID, _ outcome: Outcome?, _ now: Instant, _ outbox: inout Outbox
  ) {
    guard var proposal = proposals[attempt], case .sent(_, let target, _, let copies) = proposal.state, target == from
    else { return }
    if let outcome { return resolve(attempt, outcome, &outbox) }
    // Of several copies the first may have been started before a restart of that node, which has refused the second.
    guard copies == 0 else { return }
    proposal.state = .unsent
    proposals[attempt] = proposal
    unsent.append(attempt)
    retryAt = min(retryAt, now + options.retry)
  }

  func resolve(_ attempt: UInt64, _ outcome: Outcome, _ outbox: inout Outbox) {
    guard let proposal = proposals.removeValue(forKey: attempt) else { return }
    outbox.reply(proposal.token, outcome)
  }

  /// An entry of `newTerm` was applied: what was sent in earlier terms and not applied never will be.
  func decideEarlierTerms(before newTerm: UInt64, _ now: Instant, _ outbox: inout Outbox) {
    guard !proposals.isEmpty else { return }
    // In the order in which they came: the order of a dictionary would differ from run to run.
    for attempt in proposals.keys.sorted() {
      guard let proposal = proposals[attempt] else { continue }
      switch proposal.state {
      case .unsent: break
      case .undecidable: resolve(attempt, .unknown, &outbox)
      case .sent(let sentIn, _, _, _):
        guard sentIn < newTerm else { continue }
        proposals[attempt] = nil
        propose(newAttempt(), proposal, now, &outbox)
      }
    }
  }

  /// A snapshot took the place of entries, among which some of these may have been.
  func decideBySnapshot(_ now: Instant, _ outbox: inout Outbox) {
    for attempt in proposals.keys.sorted() {
      guard var proposal = proposals[attempt], case .sent = proposal.state else { continue }
      if proposal.operation.action.isRead {
        proposals[attempt] = nil
        propose(newAttempt(), proposal, now, &outbox)
      } else if let outcome = machine.remembered(proposal.operation.id, of: proposal.operation.key) {
        resolve(attempt, outcome, &outbox)
      } else {
        proposal.state = .undecidable
        proposals[attempt] = proposal
      }
    }
  }

  // MARK: - Time

  /// Answers what is past its deadline, and finds the next deadline.
  func expire(_ now: Instant, _ outbox: inout Outbox) {
    earliestDeadline = .never
    var expired: [UInt64] = []
    for (attempt, proposal) in proposals {
      if proposal.deadline <= now { expired.append(attempt) } else { noteDeadline(proposal.deadline) }
    }
    for attempt in expired.sorted() {
      guard let proposal = proposals[attempt] else { continue }
      // R8: "not applied" only where no node can have started it.
      let isDead = proposal.state == .unsent || proposal.operation.action.isRead || !Guard.sentIsUnknown.isIn
      resolve(attempt, isDead ? .refused(.expired) : .unknown, &outbox)
    }
    unsent.removeAll { proposals[$0] == nil }
    expireReads(now, &outbox)
  }

  /// What was sent and not answered for a while is sent again, under the same number; what waits is tried.
  func retry(_ now: Instant, _ outbox: inout Outbox) {
    retryAt = .never
    dispatchUnsent(now, &outbox)
    for attempt in proposals.keys.sorted() {
      guard var proposal = proposals[attempt], case .sent(let sentIn, let target, let at, let copies) = proposal.state,
        target != node
      else { continue }
      if let last = proposal.standsUpTo, last <= applied || !Guard.lostAnswerIsNotApplied.isIn {
        // R7: applied, and not resolved: the leader has refused it, and the answer is lost. (Had a later term put other
        // entries there, it would have been decided with the first of them.)
        proposals[attempt] = nil
        propose(newAttempt(), proposal, now, &outbox)
        continue
      }
      retryAt = now + options.retry
      guard sentIn == term, target == leader, at + options.retry <= now,
        forward(attempt, proposal, to: target, now, &outbox)
      else { continue }
      proposal.state = .sent(term: sentIn, to: target, at: now, copies: copies + 1)
      proposals[attempt] = proposal
    }
    retryReads(now, &outbox)
    if !unsent.isEmpty { retryAt = now + options.retry }
  }

  /// No quorum answers: what was never sent fails fast and for certain.
  func refuseWithoutQuorum(_ outbox: inout Outbox) {
    guard !hasWay else { return }
    for attempt in unsent { resolve(attempt, .refused(.noQuorum), &outbox) }
    unsent = []
    refuseReads(&outbox)
  }
}
