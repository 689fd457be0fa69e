import Base
import Replica

// R6: a read in one round without a write. Every member of a quorum, this node among them, reports the same accepted
// ballot, or every one reports that nothing is accepted. A mix proves nothing and takes a full round.
extension Registers {
  mutating func quorumRead(_ slot: Int, _ found: Int?, _ now: Instant, _ outbox: inout Outbox) {
    let accepted = found.map { acceptor.table[$0].accepted } ?? .zero
    // R6: a quorum of today need not be one of the ballot's own epoch, where a change of membership lies between: what
    // was accepted before the last one, and not carried over by it, may never have been chosen.
    guard let selfIndex,
      accepted == .zero || accepted.epoch >= configuration.lastJointEpoch || !Guard.readIsRecent.isIn
    else { return prepare(slot, found, now, &outbox) }
    statistics.quorumReads += 1
    let attempt = newAttempt(slot: slot)
    rounds[slot].attempt = attempt
    var reading = Round.Reading(accepted: accepted, asked: firstAsked(selfIndex))
    let own = Message.readReply(attempt: attempt, accepted: accepted)
    if options.isTraced { traceRead(slot, &outbox) }
    let last = found.map { acceptor.table[$0].ticket } ?? acceptor.table.lastTicket(of: rounds[slot].key)
    let ticket = outbox.ticket(ofEarlierWrite: last)
    if ticket <= outbox.durable {
      reading.votes.insert(selfIndex)
      if options.isTraced { traceAnswer(own, rounds[slot].key, next: .zero, to: node, after: .none, &outbox) }
    } else {
      // R3: what is not yet on the disk here is no vote here either.
      reply(own, rounds[slot].key, to: node, after: ticket, &outbox)
    }
    rounds[slot].phase = .reading(reading)
    // R4: what this node alone holds is no evidence.
    if configuration.isQuorum(reading.votes) || !Guard.observationIsChosen.isIn {
      return concludeRead(slot, reading, now, &outbox)
    }
    setPhaseEnd(slot, now + options.readHedge)
    ask(reading.asked, slot, &outbox)
  }

  /// The fewest peers that make a quorum together with this node, taking turns, so that reads cost what they must and
  /// no more.
  private mutating func firstAsked(_ selfIndex: Int) -> BitSet {
    var asked = BitSet()
    var votes = BitSet()
    votes.insert(selfIndex)
    let count = configuration.members.count
    let start = Int(random.next() % UInt64(count))
    for step in 0..<count {
      let member = (start + step) % count
      guard member != selfIndex, reachable.contains(member), !configuration.isQuorum(votes) else { continue }
      asked.insert(member)
      votes.insert(member)
    }
    return asked
  }

  private mutating func ask(_ members: BitSet, _ slot: Int, _ outbox: inout Outbox) {
    let message = Message.read(
      attempt: rounds[slot].attempt, epoch: configuration.epoch, key: rounds[slot].key.bytes)
    for (index, member) in configuration.members.enumerated() where members.contains(index) && index != selfIndex {
      outbox.send(to: member.id, after: .none) { message.encode(into: &$0) }
    }
  }

  /// Asks whoever was not asked yet.
  private mutating func askAll(_ slot: Int, _ reading: inout Round.Reading, _ now: Instant, _ outbox: inout Outbox) {
    let all = BitSet(first: configuration.members.count)
    ask(BitSet(bits: all.bits & ~reading.asked.bits), slot, &outbox)
    reading.asked = all
    rounds[slot].phase = .reading(reading)
    setPhaseEnd(slot, now + options.roundTimeout)
  }

  mutating func readReplied(
    _ attempt: UInt64, from: NodeID, accepted: Ballot, _ now: Instant, _ outbox: inout Outbox
  ) {
    if collecting.isAsking(attempt) { return collectorHeard(attempt, from: from, accepted: accepted, now, &outbox) }
    guard let slot = slot(ofAttempt: attempt), case .reading(var reading) = rounds[slot].phase,
      let member = configuration.index(of: from)
    else { return }
    if accepted == reading.accepted || !Guard.readersAgree.isIn {
      reading.votes.insert(member)
    } else {
      reading.mismatched.insert(member)
    }
    judge(slot, reading, now, &outbox)
  }

  /// The member's record is damaged, and says nothing.
  mutating func readRefused(
    _ slot: Int, _ reading: Round.Reading, by member: Int, _ now: Instant, _ outbox: inout Outbox
  ) {
    var reading = reading
    reading.mismatched.insert(member)
    judge(slot, reading, now, &outbox)
  }

  private mutating func judge(
    _ slot: Int, _ reading: Round.Reading, _ now: Instant, _ outbox: inout Outbox
  ) {
    var reading = reading
    rounds[slot].phase = .reading(reading)
    if configuration.isQuorum(reading.votes) {
      concludeRead(slot, reading, now, &outbox)
    } else if !isQuorumPossible(reading.votes, refused: reading.mismatched)
      || (selfIndex.map { reading.mismatched.contains($0) } ?? true)
    {
      readMixed(slot, now, &outbox)
    } else if !reading.mismatched.isEmpty && reading.asked != BitSet(first: configuration.members.count) {
      askAll(slot, &reading, now, &outbox)
    }
  }

  /// The cell that a whole quorum holds is chosen; this node holds it too, unless it accepted a newer one meanwhile.
  private mutating func concludeRead(_ slot: Int, _ reading: Round.Reading, _ now: Instant, _ outbox: inout Outbox) {
    let found = acceptor.table.find(rounds[slot].key)
    let accepted = found.map { acceptor.table[$0].accepted } ?? .zero
    guard accepted == reading.accepted else { return readMixed(slot, now, &outbox) }
    if let found, accepted != .zero { acceptor.table[found].chosenLag = 0 }
    let reignStart = reignStart(found)
    let cell = localCell(found)
    let folded = evaluate(slot, on: cell, reignStart: reignStart)
    guard !folded.isChanged else {
      // A change of the fold applies after all (only a dead mark that ran out can bring that about): a write round.
      rounds[slot].readWasMixed = true
      return begin(slot, now, &outbox)
    }
    if options.isTraced { traceReturned(slot, accepted, cell, &outbox) }
    var fold = rounds[slot].fold.takeAll()
    rounds[slot].phase = .idle
    rounds[slot].preemptions = 0
    for place in fold.indices { answer(&fold[place], now, &outbox) }
    rounds[slot].reuse(&fold)
    advance(slot, now, &outbox)
  }

  /// R6: a mix. Where another live node coordinates the key, a full round here would start a duel: it is asked
  /// instead (R10).
  private mutating func readMixed(_ slot: Int, _ now: Instant, _ outbox: inout Outbox) {
    rounds[slot].readWasMixed = true
    if let owner = liveOwner(acceptor.table.find(rounds[slot].key)) {
      let fold = rounds[slot].fold
      rounds[slot].fold = fold.filter { !forward($0, to: owner, now, &outbox) }
    }
    rounds[slot].fold.removeAll { if case .abandoned = $0.origin { true } else { false } }
    guard !rounds[slot].fold.isEmpty else {
      rounds[slot].phase = .idle
      return advance(slot, now, &outbox)
    }
    begin(slot, now, &outbox)
  }

  mutating func readTimedOut(_ slot: Int, _ reading: Round.Reading, _ now: Instant, _ outbox: inout Outbox) {
    guard reading.asked == BitSet(first: configuration.members.count) else {
      var reading = reading
      return askAll(slot, &reading, now, &outbox)
    }
    readMixed(slot, now, &outbox)
  }

  /// A peer stopped answering: the reads that wait for it ask the others at once.
  mutating func askOthers(insteadOf member: Int, _ now: Instant, _ outbox: inout Outbox) {
    for slot in rounds.indices {
      guard case .reading(var reading) = rounds[slot].phase, reading.asked.contains(member),
        !reading.votes.contains(member), reading.asked != BitSet(first: configuration.members.count)
      else { continue }
      askAll(slot, &reading, now, &outbox)
    }
  }
}
