import Base
import Replica

// The phases of a round (PROTOCOL, "A round").
extension Registers {
  /// Takes the next fold from the line and begins its round. Only when none is under way.
  mutating func advance(_ slot: Int, _ now: Instant, _ outbox: inout Outbox) {
    dropExpired(slot, now, &outbox)
    if !configuration.isQuorum(reachable) { refuseUnsent(slot, now, &outbox) }
    guard !rounds[slot].waiting.isEmpty else { return release(slot) }
    if rounds[slot].waiting.count <= Window.foldLimit {
      rounds[slot].foldAll()
    } else {
      // R9: a bounded number of changes a round.
      rounds[slot].fold = Array(rounds[slot].waiting.prefix(Window.foldLimit))
      rounds[slot].waiting.removeFirst(Window.foldLimit)
    }
    rounds[slot].readWasMixed = false
    begin(slot, now, &outbox)
  }

  /// Chooses the cheapest round that can decide the fold.
  mutating func begin(_ slot: Int, _ now: Instant, _ outbox: inout Outbox) {
    let found = acceptor.table.find(rounds[slot].key)
    // What this node held is lost: the others tell.
    if let found, acceptor.table[found].isDamaged { return prepare(slot, found, now, &outbox) }
    if waitsForCell(slot, found, &outbox) { return }
    // By place: an element that is taken out to be looked at has all its parts retained.
    let fold = rounds[slot].fold
    if fold.indices.contains(where: { fold[$0].needsFullRound }) { return prepare(slot, found, now, &outbox) }
    let isRead = fold.indices.allSatisfy { if case .read = fold[$0].operation.action { true } else { false } }
    if isRead && !rounds[slot].readWasMixed {
      return quorumRead(slot, found, now, &outbox)
    }
    let reignStart = reignStart(found)
    let base = Base(ballot: localBallot(found), cell: options.isTraced ? localCell(found) : nil)
    let folded = evaluate(slot, on: localCell(found), reignStart: reignStart)
    if !folded.isChanged && !rounds[slot].readWasMixed {
      // Nothing to write as far as this node can see. The cached base is no evidence (R4): a quorum is asked (R6).
      quorumRead(slot, found, now, &outbox)
    } else if let found, reignStart != 0, acceptor.isInReserve(acceptor.table[found].promised.next, &outbox) {
      // R5: the promise rode on this node's last accept, which was chosen, and this is the very cell it accepted.
      let promised = acceptor.table[found].promised
      let ballot =
        Guard.reignIsOfThisEpoch.isIn
        ? promised : Ballot(epoch: configuration.epoch, counter: promised.counter, node: node, boot: boot)
      accept(slot, found, ballot, from: base, folded, reignStart: reignStart, baseIsChosen: true, now, &outbox)
    } else {
      prepare(slot, found, now, &outbox)
    }
  }

  /// R5: 0 where this node has no promise that rode on its last accept. One of an earlier epoch is void (R11).
  func reignStart(_ found: Int?) -> UInt64 {
    guard let found, acceptor.table[found].promised.epoch == configuration.epoch || !Guard.reignIsOfThisEpoch.isIn
    else {
      return 0
    }
    return acceptor.table[found].reignStart
  }

  /// What this node has accepted. (Inlined, like what a round asks beside it: a call that only looks at a structure as
  /// large as this one is passed a copy of all of it.)
  @inline(__always)
  func localCell(_ found: Int?) -> Cell {
    guard let found, acceptor.table[found].accepted != .zero else { return Cell(absentAt: acceptor.floor.revision) }
    return decode(acceptor.table[found].cell)
  }

  func localBallot(_ found: Int?) -> Ballot { found.map { acceptor.table[$0].accepted } ?? .zero }

  @inline(__always)
  func decode(_ bytes: [UInt8]) -> Cell {
    guard let cell = try? Cell.decode(bytes) else {
      invariantFailed("a cell passed its checksum and does not decode")
    }
    return cell
  }

  /// Applies the fold's operations one after the other, each checked by itself against the running cell (R7, R9).
  mutating func evaluate(_ slot: Int, on base: consuming Cell, reignStart: UInt64) -> Folded {
    var folded = Folded(cell: base)
    // Out of its place, and each operation in its place: what is taken out to be looked at has its parts retained.
    var fold = rounds[slot].fold.takeAll()
    for place in fold.indices {
      let lo = fold[place].lo(reignStart: reignStart, node: node, boot: boot)
      if fold[place].operation.key.isConfiguration {
        let operation = ofThisEpoch(fold[place].operation)
        fold[place].evaluate(operation, on: &folded.cell, lo: lo, maximumValueBytes: options.maximumValueBytes)
      } else {
        fold[place].evaluate(on: &folded.cell, lo: lo, maximumValueBytes: options.maximumValueBytes)
      }
      switch fold[place].verdict {
      case .applied:
        folded.changes += 1
        folded.isChanged = true
      case .marked: folded.isChanged = true
      case .observed, .undecidable: break
      }
    }
    rounds[slot].fold = fold
    return folded
  }

  /// Membership: the configuration of epoch n is changed by rounds of epoch n only. Else a change that a node takes up
  /// late, or one that it takes up before it has installed n itself, could be decided by other quorums than those of n.
  private func ofThisEpoch(_ operation: Operation) -> Operation {
    guard case .put(let value) = operation.action else { return operation }
    var operation = operation
    if Configuration(encoded: value)?.epoch != configuration.epoch + 1 { operation.condition.never = true }
    return operation
  }

  // MARK: - Phase 1

  mutating func prepare(_ slot: Int, _ found: Int?, _ now: Instant, _ outbox: inout Outbox) {
    statistics.prepares += 1
    // R2: above everything this node has promised, used, or heard of; its own ballots are among what it has promised.
    // And above the floor, which is that of a member without this record too: else it would refuse round after round
    // that the others complete, and never hold the cell.
    let own = Guard.counterGrows.isIn ? max(acceptor.promised(found), acceptor.floor.ballot).counter : 0
    let counter = max(own, rounds[slot].seenCounter) + 1
    let ballot = Ballot(epoch: configuration.epoch, counter: counter, node: node, boot: boot)
    let attempt = newAttempt(slot: slot)
    rounds[slot].attempt = attempt
    // R2: a ballot that this node itself may not promise yet would be used again by the next round.
    guard acceptor.isInReserve(ballot.next, &outbox) else {
      let fold = rounds[slot].fold.filter { if case .abandoned = $0.origin { false } else { true } }
      rounds[slot].fold = []
      rounds[slot].waiting.insert(contentsOf: fold, at: 0)
      rounds[slot].phase = .backingOff
      return setPhaseEnd(slot, now + 1)
    }
    rounds[slot].phase = .preparing(Round.Preparing(ballot: ballot))
    setPhaseEnd(slot, now + jittered(options.roundTimeout))
    let key = rounds[slot].key
    if options.isTraced { tracePrepare(key, ballot, &outbox) }
    sendToOthers(&outbox) { Message.prepare(attempt: attempt, ballot, key: key.bytes).encode(into: &$0) }
    let (answer, ticket) = acceptor.prepare(attempt: attempt, ballot, key: key, into: &outbox)
    // R2: what a damaged record does not promise is used all the same.
    if let found, acceptor.table[found].isDamaged {
      acceptor.table[found].promised = max(acceptor.promised(found), ballot)
    }
    reply(answer, key, to: node, after: ticket, &outbox)
  }

  mutating func promised(
    _ attempt: UInt64, _ ballot: Ballot, from: NodeID, accepted: Ballot, erased: UInt64, cell: [UInt8],
    _ now: Instant, _ outbox: inout Outbox
  ) {
    guard let slot = slot(ofAttempt: attempt), case .preparing(var preparing) = rounds[slot].phase,
      preparing.ballot == ballot, let member = configuration.index(of: from)
    else { return }
    preparing.votes.insert(member)
    if accepted > preparing.best {
      preparing.best = accepted
      preparing.bestCell = cell
    }
    preparing.erased = max(preparing.erased, erased)
    rounds[slot].phase = .preparing(preparing)
    guard configuration.isQuorum(preparing.votes) else { return }
    // R8: what is past its deadline goes into no new accept.
    for pending in rounds[slot].fold where pending.deadline <= now { expire(pending, now, &outbox) }
    rounds[slot].fold.removeAll { $0.deadline <= now }
    guard !rounds[slot].fold.isEmpty else {
      rounds[slot].phase = .idle
      return advance(slot, now, &outbox)
    }
    let cell = preparing.best == .zero ? Cell(absentAt: preparing.erased) : decode(preparing.bestCell)
    let base = Base(ballot: preparing.best, cell: options.isTraced ? cell : nil)
    let folded = evaluate(slot, on: cell, reignStart: 0)
    let found = acceptor.table.find(rounds[slot].key)
    accept(slot, found, ballot, from: base, folded, reignStart: ballot.counter, baseIsChosen: false, now, &outbox)
  }

  // MARK: - Phase 2

  /// R1: the ballot is spent by this, its first accept message. Where nothing was changed it re-accepts the cell that
  /// was seen (R4).
  mutating func accept(
    _ slot: Int, _ found: Int?, _ ballot: Ballot, from base: Base, _ folded: Folded, reignStart: UInt64,
    baseIsChosen: Bool, _ now: Instant, _ outbox: inout Outbox
  ) {
    statistics.accepts += 1
    if options.isTraced {
      rounds[slot].told = traceProposal(slot, ballot, from: base, reign: baseIsChosen ? reignStart : 0, folded, &outbox)
    }
    for place in rounds[slot].fold.indices { rounds[slot].fold[place].noteSent() }
    let attempt = newAttempt(slot: slot)
    rounds[slot].attempt = attempt
    rounds[slot].phase = .accepting(Round.Accepting(ballot: ballot, reignStart: reignStart))
    setPhaseEnd(slot, now + jittered(options.roundTimeout))
    let key = rounds[slot].key
    let cell = folded.cell.encoded(changesInFold: folded.changes)
    let next = Guard.ballotIsSpent.isIn ? ballot.next : ballot
    let chosen = baseIsChosen ? folded.cell.revision - UInt64(folded.changes) : 0
    sendToOthers(&outbox) {
      Message.accept(attempt: attempt, ballot, next: next, chosen: chosen, key: key.bytes, cell: cell)
        .encode(into: &$0)
    }
    let (answer, ticket) = acceptor.accept(
      attempt: attempt, ballot, next: next, chosen: chosen, key: key, at: found, cell: cell, into: &outbox)
    reply(answer, key, next: next, to: node, after: ticket, &outbox)
    wake(key, now, &outbox)
  }

  mutating func accepted(_ attempt: UInt64, _ ballot: Ballot, from: NodeID, _ now: Instant, _ outbox: inout Outbox) {
    guard let slot = slot(ofAttempt: attempt), case .accepting(var accepting) = rounds[slot].phase,
      accepting.ballot == ballot, let member = configuration.index(of: from)
    else { return }
    accepting.votes.insert(member)
    rounds[slot].phase = .accepting(accepting)
    guard configuration.isQuorum(accepting.votes) else { return }
    // The cell is chosen.
    if options.isTraced { traceChosen(slot, ballot, told: rounds[slot].told, &outbox) }
    if let found = acceptor.table.find(rounds[slot].key), acceptor.table[found].accepted == ballot {
      acceptor.table[found].chosenLag = 0
      // R5: only where no one has contested it, and this node itself still holds the cell and the promise.
      let next = Guard.ballotIsSpent.isIn ? ballot.next : ballot
      let isUncontested =
        accepting.refused.isEmpty && acceptor.table[found].promised == next || !Guard.reignEnds.isIn
      acceptor.table[found].reignStart = isUncontested ? accepting.reignStart : 0
    }
    var fold = rounds[slot].fold.takeAll()
    rounds[slot].phase = .idle
    rounds[slot].preemptions = 0
    for place in fold.indices { answer(&fold[place], now, &outbox) }
    rounds[slot].reuse(&fold)
    advance(slot, now, &outbox)
  }

  /// The cell is chosen on which its verdict rests. (In place, as in ``evaluate(_:on:reignStart:)``.)
  mutating func answer(_ pending: inout Pending, _ now: Instant, _ outbox: inout Outbox) {
    if case .client(let token) = pending.origin, pending.wait == nil {
      outbox.reply(token, pending.outcome)
    } else {
      respond(pending, pending.outcome, now, &outbox)
    }
  }

  // MARK: - What ends a round early

  mutating func conflicted(
    _ attempt: UInt64, _ ballot: Ballot, from: NodeID, promised: Ballot, _ now: Instant, _ outbox: inout Outbox
  ) {
    guard let slot = slot(ofAttempt: attempt), let member = configuration.index(of: from) else { return }
    statistics.conflicts += 1
    // R2: the counter is raised, never assigned.
    rounds[slot].seenCounter = max(rounds[slot].seenCounter, promised.counter)
    switch rounds[slot].phase {
    case .preparing(var preparing) where preparing.ballot == ballot:
      preparing.refused.insert(member)
      rounds[slot].phase = .preparing(preparing)
      if !isQuorumPossible(preparing.votes, refused: preparing.refused) { preempted(slot, by: promised, now, &outbox) }
    case .accepting(var accepting) where accepting.ballot == ballot:
      accepting.refused.insert(member)
      rounds[slot].phase = .accepting(accepting)
      if !isQuorumPossible(accepting.votes, refused: accepting.refused) { preempted(slot, by: promised, now, &outbox) }
    case .reading(let reading): readRefused(slot, reading, by: member, now, &outbox)
    case .idle, .loading, .preparing, .accepting, .backingOff:
      break
    }
  }

  /// Whether those who may still answer can complete the quorum. Who does not answer at all counts like a refusal, or
  /// each duel would wait for a timeout while a node is down; who has voted stays a voter, whatever a copy of the
  /// request was answered.
  func isQuorumPossible(_ votes: BitSet, refused: BitSet) -> Bool {
    let lost = refused.bits | ~reachable.bits
    return configuration.isQuorumPossible(without: BitSet(bits: lost & ~votes.bits))
  }

  /// The round has failed: its ballot is burnt and the cached promise dropped (R1, R5). What it carried goes back to
  /// the head of the line, or to the node that has the higher ballot (R10); the rest tries again after a random
  /// pause.
  private mutating func preempted(_ slot: Int, by winner: Ballot?, _ now: Instant, _ outbox: inout Outbox) {
    if Guard.reignEnds.isIn, let found = acceptor.table.find(rounds[slot].key) {
      acceptor.table[found].reignStart = 0
    }
    var retried: [Pending] = []
    let fold = rounds[slot].fold
    rounds[slot].fold = []
    for pending in fold {
      if case .abandoned = pending.origin { continue }
      if pending.givesWay(after: rounds[slot].preemptions) {
        respond(pending, .unknown, now, &outbox)
        continue
      }
      if let winner, winner.node != node, isReachable(winner.node), forward(pending, to: winner.node, now, &outbox) {
        continue
      }
      retried.append(pending)
    }
    rounds[slot].waiting.insert(contentsOf: retried, at: 0)
    rounds[slot].attempt = newAttempt(slot: slot)
    rounds[slot].phase = .backingOff
    let doublings = min(rounds[slot].preemptions, 6)
    rounds[slot].preemptions += 1
    let pauseNanoseconds = random.below(UInt64(1_000_000) << UInt64(doublings))
    setPhaseEnd(slot, Instant(nanoseconds: now.nanoseconds + pauseNanoseconds))
  }

  /// A timer of this round has come: for an operation's deadline, for the end of the phase, or both.
  mutating func roundTimer(_ slot: Int, _ now: Instant, _ outbox: inout Outbox) {
    rounds[slot].timerAt = .never
    for place in rounds[slot].fold.indices where rounds[slot].fold[place].deadline <= now {
      // The accept that carries it may still be chosen; the client hears "unknown" and the round goes on for the
      // others.
      let pending = rounds[slot].fold[place]
      rounds[slot].fold[place].origin = .abandoned
      expire(pending, now, &outbox)
    }
    dropExpired(slot, now, &outbox)
    if case .loading = rounds[slot].phase { return setDeadlineTimer(slot) }
    guard now >= rounds[slot].phaseEnd else { return setPhaseEnd(slot, rounds[slot].phaseEnd) }
    switch rounds[slot].phase {
    case .idle, .loading:
      break
    case .preparing, .accepting:
      preempted(slot, by: nil, now, &outbox)
    case .reading(let reading):
      readTimedOut(slot, reading, now, &outbox)
    case .backingOff:
      rounds[slot].phase = .idle
      advance(slot, now, &outbox)
    }
  }

  /// The phase ends at `instant`; the timer comes earlier if an operation's deadline does.
  mutating func setPhaseEnd(_ slot: Int, _ instant: Instant) {
    rounds[slot].phaseEnd = instant
    setTimer(slot, at: min(instant, rounds[slot].earliestDeadline))
  }

  /// Answers what waits past its deadline, and finds the next deadline.
  private mutating func dropExpired(_ slot: Int, _ now: Instant, _ outbox: inout Outbox) {
    guard rounds[slot].earliestDeadline <= now else { return }
    let expired = rounds[slot].waiting.filter { $0.deadline <= now }
    rounds[slot].waiting.removeAll { $0.deadline <= now }
    var earliest = Instant.never
    for pending in rounds[slot].waiting { earliest = min(earliest, pending.deadline) }
    for pending in rounds[slot].fold where pending.deadline > now { earliest = min(earliest, pending.deadline) }
    rounds[slot].earliestDeadline = earliest
    for pending in expired { expire(pending, now, &outbox) }
  }

  /// No quorum answers: what was never sent out fails fast and for certain; the rest waits for its deadline.
  private mutating func refuseUnsent(_ slot: Int, _ now: Instant, _ outbox: inout Outbox) {
    let unsent = rounds[slot].waiting.filter { !$0.mayHaveTakenEffect }
    rounds[slot].waiting.removeAll { !$0.mayHaveTakenEffect }
    for pending in unsent { respond(pending, .refused(.noQuorum), now, &outbox) }
  }

  /// An acceptor's answer, with what it waits for (R3).
  func reply(
    _ answer: Message, _ key: Key, next: Ballot = .zero, to asker: NodeID, after ticket: Ticket, _ outbox: inout Outbox
  ) {
    if options.isTraced { traceAnswer(answer, key, next: next, to: asker, after: ticket, &outbox) }
    outbox.send(to: asker, after: ticket) { answer.encode(into: &$0) }
  }

  mutating func sendToOthers(_ outbox: inout Outbox, _ encode: (inout ByteWriter) -> Void) {
    var isFirst = true
    for index in configuration.members.indices where index != selfIndex {
      let member = configuration.members[index].id
      if isFirst { outbox.send(to: member, after: .none, encode) } else { outbox.sendAgain(to: member) }
      isFirst = false
    }
  }

  /// Between once and one and a half times `span`, so that rivals do not time out in step.
  private mutating func jittered(_ span: Milliseconds) -> Milliseconds {
    Milliseconds(span.count + random.below(span.count / 2 + 1))
  }
}
