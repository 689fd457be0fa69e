import Base
import Replica

// Who leads (§5.2, §5.4.1; pre-vote 9.6; check-quorum 6.2; transfer 3.10).
extension RaftReplica {
  /// Whether this node heard of a leader so lately that an election would only disturb.
  func hearsLeader(_ now: Instant) -> Bool {
    if case .leader = role { return true }
    guard let leader, leaderHeardAt + options.electionTimeout > now else { return false }
    return options.leaseReads || isReachable(leader)
  }

  /// §5.4.1: a candidate whose log lacks what this one has is not elected, or a committed entry could be lost.
  private func isUpToDate(_ last: LogPosition) -> Bool {
    let own = log.last
    guard Guard.candidateIsUpToDate.isIn else { return true }
    return last.term != own.term ? last.term > own.term : last.index >= own.index
  }

  // MARK: - Pre-vote

  func beginPreVote(_ now: Instant, _ outbox: inout Outbox) {
    electionAt = now + randomElectionTimeout()
    leader = nil
    guard mayLead else {
      role = .follower
      return
    }
    var votes = Votes()
    if let selfIndex { votes.granted.insert(selfIndex) }
    role = .preCandidate(votes)
    if isQuorum(votes.granted) { return campaign(isTransfer: false, now, &outbox) }
    sendToOthers(.preVote(next: term + 1, last: log.last), after: .none, &outbox)
  }

  func preVoteAsked(_ from: NodeID, next: UInt64, last: LogPosition, _ now: Instant, _ outbox: inout Outbox) {
    let isGranted = next > term && isUpToDate(last) && !hearsLeader(now) && !abstains
    send(
      .preVoteReply(next: next, granted: isGranted), to: from, after: outbox.ticket(ofEarlierWrite: termTicket),
      &outbox)
  }

  func preVoteReplied(_ from: NodeID, next: UInt64, _ isGranted: Bool, _ now: Instant, _ outbox: inout Outbox) {
    guard next == term + 1, case .preCandidate(var votes) = role, let member = configuration.index(of: from) else {
      return
    }
    if isGranted { votes.granted.insert(member) } else { votes.refused.insert(member) }
    role = .preCandidate(votes)
    if isQuorum(votes.granted) { campaign(isTransfer: false, now, &outbox) }
  }

  // MARK: - Vote

  func campaign(isTransfer: Bool, _ now: Instant, _ outbox: inout Outbox) {
    counts.prepares += 1
    term += 1
    vote = node
    leader = nil
    matched = 0
    role = .candidate(Votes())
    electionAt = now + randomElectionTimeout()
    saveTerm(&outbox)
    // A candidate that forgot its term over a crash could lead in it twice, with two logs: its requests wait for the
    // write as well as its own vote does.
    let ticket = outbox.ticket(ofEarlierWrite: termTicket)
    sendToOthers(.requestVote(last: log.last, isTransfer: isTransfer), after: ticket, &outbox)
    send(.vote(granted: true), to: node, after: ticket, &outbox)
  }

  func voteAsked(_ from: NodeID, of sendersTerm: UInt64, last: LogPosition, _ now: Instant, _ outbox: inout Outbox) {
    var isGranted = false
    // §5.2: one vote a term, first come first served. Without it two candidates are elected.
    let isFree = vote == nil || vote == from || !Guard.oneVoteATerm.isIn
    if sendersTerm == term, isFree, isUpToDate(last), leader == nil || leader == from, !abstains {
      if vote != from {
        vote = from
        saveTerm(&outbox)
        electionAt = now + randomElectionTimeout()
      }
      isGranted = true
    }
    // §5.2: the vote is durable before it is known, or a restart gives it twice.
    let ticket = Guard.voteIsDurable.isIn ? outbox.ticket(ofEarlierWrite: termTicket) : .none
    send(.vote(granted: isGranted), to: from, after: ticket, &outbox)
  }

  func voted(_ from: NodeID, _ isGranted: Bool, _ now: Instant, _ outbox: inout Outbox) {
    guard case .candidate(var votes) = role, let member = configuration.index(of: from) else { return }
    if isGranted { votes.granted.insert(member) } else { votes.refused.insert(member) }
    role = .candidate(votes)
    if isQuorum(votes.granted) {
      becomeLeader(now, &outbox)
    } else if !configuration.isQuorumPossible(without: votes.refused) {
      role = .follower
    }
  }

  // MARK: - Roles

  private func becomeLeader(_ now: Instant, _ outbox: inout Outbox) {
    let leadership = Leadership(
      configuration.members, next: log.lastIndex + 1, commit: commit, now: now)
    noteLeaving(leadership, now)
    // What is not committed of earlier terms counts as well, until it is.
    for index in (commit + 1)..<max(commit + 1, log.lastIndex + 1) {
      leadership.uncommittedBytes += log[index].bytes
    }
    role = .leader(leadership)
    leader = node
    matched = log.lastIndex
    // §8: what is committed is known only once an entry of its own term is.
    appendOwn(.nothing, leadership, &outbox)
    leadership.gathered = gatheredReads
    gatheredReads = []
    takeBackRemoteReads()
    dispatchUnsent(now, &outbox)
    needsFlush = true
  }

  /// §5.1: a higher term ends whatever this node was. Also: it hears of the leader of its term.
  func becomeFollower(of newLeader: NodeID?, term newTerm: UInt64, _ now: Instant, _ outbox: inout Outbox) {
    if case .leader(let leadership) = role { stopLeading(leadership, now) }
    if newTerm > term {
      term = newTerm
      vote = nil
      leader = nil
      saveTerm(&outbox)
    }
    role = .follower
    leader = newLeader
    matched = 0
    if newLeader != nil {
      leaderHeardAt = now
      takeBackRemoteReads()
      dispatchUnsent(now, &outbox)
    }
    needsFlush = true
  }

  private func stopLeading(_ leadership: Leadership, _ now: Instant) {
    // 6.4: a read that was not confirmed asks the next leader, under a new number.
    gatheredReads += leadership.gathered
    for round in leadership.rounds { gatheredReads += round.own }
    for progress in leadership.progress {
      if case .snapshotting(let stream) = progress.state { machine.endImage(stream.image) }
    }
    electionAt = now + randomElectionTimeout()
  }

  // MARK: - Being the leader

  func leaderTick(_ leadership: Leadership, _ now: Instant, _ outbox: inout Outbox) {
    leadership.heartbeatAt = now + options.heartbeat
    var heard = BitSet()
    if let selfIndex { heard.insert(selfIndex) }
    for member in configuration.members.indices
    where leadership.progress[member].heardAt + options.electionTimeout > now && leadership.progress[member].counts {
      heard.insert(member)
    }
    // 6.2: a leader without its quorum steps down, so that its clients need not wait for what it cannot do.
    guard isQuorum(heard) else { return becomeFollower(of: nil, term: term, now, &outbox) }
    dropIdleStreams(leadership, now)
    refuseStalledChange(leadership, now, &outbox)
    dropLeaving(leadership, now)
    if let transfer = leadership.transfer, now >= transfer.until {
      // It has removed itself (4.2.2), and nobody takes over: an election will have to do.
      if selfIndex == nil { return becomeFollower(of: nil, term: term, now, &outbox) }
      leadership.transfer = nil
      dispatchUnsent(now, &outbox)
    }
    broadcastHeartbeat(leadership, now, &outbox)
  }

  /// A new heartbeat round.
  func broadcastHeartbeat(_ leadership: Leadership, _ now: Instant, _ outbox: inout Outbox) {
    leadership.round += 1
    if let selfIndex { leadership.progress[selfIndex].round = leadership.round }
    if options.leaseReads {
      if leadership.begun.count > 64 { leadership.begun.removeFirst(32) }
      leadership.begun.append((leadership.round, now))
    }
    for place in leadership.progress.indices where leadership.progress[place].id != node {
      let message = Message.heartbeat(
        commit: commit, round: leadership.round, sent: leadership.progress[place].next - 1)
      send(message, to: leadership.progress[place].id, after: .none, &outbox)
    }
    // Who has no part in it, and has a link, hears who leads: it hands on what its clients ask.
    for peer in peers where peer.isReachable && leadership.place(of: peer.id) == nil {
      send(
        .heartbeat(commit: commit, round: leadership.round, sent: Message.toStranger), to: peer.id, after: .none,
        &outbox)
    }
    confirmReads(leadership, now, &outbox)
  }

  // MARK: - Transfer

  /// The node is about to end: whoever is farthest shall lead, without an election timeout in between.
  func handOver(_ now: Instant) {
    guard case .leader(let leadership) = role, leadership.transfer == nil else { return }
    var best: Int?
    let staying = configuration.new ?? configuration.old
    for member in configuration.members.indices
    where member != selfIndex && reachable.contains(member) && staying.contains(member)
      && leadership.progress[member].counts
    {
      if best.map({ leadership.progress[member].match > leadership.progress[$0].match }) ?? true { best = member }
    }
    guard let best else { return }
    // No proposal is taken on meanwhile, or the target might never catch up; and no lease is relied on.
    leadership.transfer = (leadership.progress[best].id, now + options.electionTimeout, false)
    needsFlush = true
  }

  func continueTransfer(_ leadership: Leadership, _ now: Instant, _ outbox: inout Outbox) {
    guard let transfer = leadership.transfer, !transfer.isSent, let target = leadership.place(of: transfer.target),
      leadership.progress[target].match == log.lastIndex
    else { return }
    leadership.transfer = (transfer.target, transfer.until, true)
    send(.timeoutNow, to: transfer.target, after: .none, &outbox)
  }
}
