package import Base
package import Replica

/// All registers of a node, as a Raft log makes them (Ongaro's dissertation; section numbers are its own, those with §
/// the paper's).
///
/// One group and one log a node. The parts: `Election`, `Replication` (both ends of append), `Proposals` (changes, from
/// request to entry), `Reads` (ReadIndex), `Applying`, `Snapshots`, `Membership` (joint consensus) and `Leaving`,
/// `Records` (what the storage asks), `Recovering` (a log that was damaged).
package final class RaftReplica: Replica {
  enum Role {
    case follower
    /// It asks whether it would be elected, and has not raised its term yet (9.6).
    case preCandidate(Votes)
    case candidate(Votes)
    case leader(Leadership)
  }

  struct Votes {
    var granted = BitSet()
    var refused = BitSet()
  }

  let node: NodeID
  let boot: UInt64
  let options: RaftOptions
  /// The one in force: the latest in the log.
  package internal(set) var configuration: Configuration
  /// This node's place in it; nil where it is no member.
  var selfIndex: Int?
  var configurations: Configurations
  /// What log and snapshot hold is not what the host knew; it is told at the first step.
  var isConfigurationNews = false
  /// What the host knew at the start.
  let given: Configuration
  /// Of a node whose log was empty, or damaged: the epoch that its host has heard of. Earlier ones, read on the way
  /// there, are no news.
  var heardEpoch: UInt32 = 0
  let startedAt: Instant
  var random: SeededRandom

  // Durable (§5.1: on stable storage before any answer that rests on it).
  package internal(set) var term: UInt64 = 0
  package internal(set) var vote: NodeID?
  package internal(set) var isRecovering = false
  package internal(set) var log = Log()
  /// The ticket of the last write of term or vote, and that of the last write of anything.
  var termTicket: UInt64 = 0
  var logTicket: UInt64 = 0
  /// The first entry that the store has not been given since it changed.
  var unsavedFrom: UInt64 = 1
  package internal(set) var unsavedBase: LogPosition?
  /// The last snapshot that is on stable storage.
  package internal(set) var snapshot = LogPosition.zero
  var snapshotBytes: UInt64 = 0

  // Volatile.
  var role = Role.follower
  package internal(set) var commit: UInt64 = 0
  package internal(set) var applied: UInt64 = 0
  var appliedTerm: UInt64 = 0
  package internal(set) var machine = StateMachine()
  /// The leader of `term`, once this node has heard of it.
  package internal(set) var leader: NodeID?
  var leaderHeardAt = Instant.zero
  var electionAt = Instant.never
  /// Up to here the log is known to be that of this term's leader.
  var matched: UInt64 = 0
  /// Something is to be done at the end of the turn: the host's next tick.
  var needsFlush = false

  // The peers.
  var peers: ContiguousArray<Peer> = []
  /// Members, by their places, this node among them.
  var reachable = BitSet()
  private var serial: UInt64 = 0

  // This node's clients.
  var proposals: [UInt64: Proposal] = [:]
  /// Attempts that no node can have started, in the order in which they came.
  var unsent: [UInt64] = []
  var gatheredReads: [Reading] = []
  var remoteReads: [RemoteReads] = []
  /// Reads that may be answered when the entry is applied; by index, ascending.
  var confirmedReads: [(index: UInt64, read: Reading)] = []
  var parked: [UInt64: ParkedRead] = [:]
  var parkedOfKey: [Key: [UInt64]] = [:]
  /// No request has an earlier deadline.
  var earliestDeadline = Instant.never
  var retryAt = Instant.never

  // Snapshots.
  var keeping: KeptImage?
  var imageSerial: UInt64 = 0
  var incoming: IncomingSnapshot?
  /// A snapshot from the leader is durable and waits to be installed.
  var isInstallDue = false
  /// Of the log, below the snapshot: held for followers that are behind.
  var retainedBytes = 0
  /// While the log is read: the term of the entry that it holds where the snapshot ends.
  var termSeenAtSnapshot: UInt64?

  /// While it recovers: the name of its marker, and when it asked for that.
  var marker: UInt64 = 0
  var markerAskedAt: Instant?

  var counts = ReplicaStatistics()

  /// - Parameters:
  ///   - boot: the node's persisted boot number; no two lives of a node share one.
  ///   - configuration: holds where neither log nor snapshot have one. A node that is not among its members has no vote
  ///     and follows whoever sends it a log.
  ///   - startedAt: this node's clock, read before any peer hears of it in this life.
  package init(
    node: NodeID, boot: UInt64, configuration: Configuration, seed: UInt64, startedAt: Instant,
    options: RaftOptions = RaftOptions()
  ) {
    self.node = node
    self.boot = boot
    self.options = options
    given = configuration
    // A change of which the log says nothing was never begun, as far as this node can know.
    self.configuration = configuration.beforeChange
    configurations = Configurations(configuration.beforeChange)
    self.startedAt = startedAt
    random = SeededRandom(seed: seed)
    selfIndex = nil
    setConfiguration(self.configuration)
    isConfigurationNews = configuration.isJoint
    electionAt = startedAt + randomElectionTimeout()
    // A node alone has no one to wait for.
    if selfIndex != nil && self.configuration.members.count == 1 { electionAt = startedAt }
  }

  /// The configuration that holds before the first entry that this node's log has.
  package var firstConfiguration: Configuration { configurations.changes[0].configuration }

  package var leadership: UInt64? { if case .leader = role { term } else { nil } }

  /// Whether no client waits for anything.
  package var isQuiescent: Bool {
    var isIdle =
      proposals.isEmpty && unsent.isEmpty && gatheredReads.isEmpty && confirmedReads.isEmpty && parked.isEmpty
    isIdle = isIdle && remoteReads.isEmpty && parkedOfKey.isEmpty
    if case .leader(let leadership) = role {
      isIdle = isIdle && leadership.gathered.isEmpty && leadership.rounds.allSatisfy { $0.own.isEmpty }
    }
    return isIdle
  }

  package var nextTick: Instant {
    if needsFlush { return .zero }
    var next = min(earliestDeadline, retryAt)
    switch role {
    case .follower, .preCandidate, .candidate: next = min(next, electionAt)
    case .leader(let leadership): next = min(next, leadership.heartbeatAt)
    }
    return next
  }

  package func step(_ event: consuming Event, now: Instant, into outbox: inout Outbox) {
    if isConfigurationNews {
      isConfigurationNews = false
      outbox.configuration = configuration
    }
    switch consume event {
    case .message(let from, var reader):
      // A message that does not decode was not written by this protocol's version: dropped, as if lost.
      let counts = Message.counts(reader)
      guard let (term, message) = try? Message.decode(&reader) else { return }
      receive(message, of: term, from: from, counts: counts, now, &outbox)
    case .request(let request): submit(request, now, &outbox)
    case .list(let request): submit(request, now, &outbox)
    case .cancel(let token): unpark(token)
    case .peer(let peer, let isReachable, let clock): peerChanged(peer, isReachable, clock, now, &outbox)
    case .configure(let chosen, _): configure(chosen)
    case .raiseFloor, .raiseReserve, .loaded, .verify, .carryOver: break
    case .handOver: handOver(now)
    case .tick: tick(now, &outbox)
    }
  }

  // MARK: - Time

  private func tick(_ now: Instant, _ outbox: inout Outbox) {
    switch role {
    case .leader(let leadership):
      if now >= leadership.heartbeatAt { leaderTick(leadership, now, &outbox) }
    case .follower, .preCandidate, .candidate:
      if now >= electionAt { beginPreVote(now, &outbox) }
    }
    if now >= earliestDeadline { expire(now, &outbox) }
    if now >= retryAt { retry(now, &outbox) }
    flush(now, &outbox)
  }

  /// The end of a turn: what was gathered leaves in as few messages as possible.
  private func flush(_ now: Instant, _ outbox: inout Outbox) {
    needsFlush = false
    if isInstallDue { install(now, &outbox) }
    applyCommitted(now, &outbox)
    beginSnapshotIfDue()
    if case .leader(let leadership) = role {
      continueChange(leadership, now, &outbox)
    }
    if case .leader(let leadership) = role {
      beginReadRound(leadership, now, &outbox)
      for member in leadership.progress.indices where leadership.progress[member].id != node {
        replicate(to: member, leadership, now, &outbox)
      }
      announceDurable(leadership, &outbox)
      continueTransfer(leadership, now, &outbox)
    } else {
      askForReadIndex(now, &outbox)
    }
  }

  // MARK: - Messages

  private func receive(
    _ message: Message, of sendersTerm: UInt64, from: NodeID, counts: Bool, _ now: Instant, _ outbox: inout Outbox
  ) {
    if sendersTerm > term {
      // 4.2.3: who hears a leader helps nobody to disturb it.
      if isDisturbance(message, from: from, now) { return }
      // Pre-vote messages bear the term in which their sender is, too.
      becomeFollower(of: nil, term: sendersTerm, now, &outbox)
    }
    // Before the answer itself is looked at.
    if message.isAnswerToLeader { led(sendersTerm, from, now) { note(counts: counts, of: $1, $0) } }
    switch message {
    case .preVote(let next, let last): preVoteAsked(from, next: next, last: last, now, &outbox)
    case .preVoteReply(let next, let granted): preVoteReplied(from, next: next, granted, now, &outbox)
    case .requestVote(let last, _): voteAsked(from, of: sendersTerm, last: last, now, &outbox)
    case .vote(let granted): if sendersTerm == term { voted(from, granted, now, &outbox) }
    case .append(let previous, let commit, let entries):
      guard follows(from, sendersTerm, now, &outbox) else { return }
      append(previous, commit: commit, entries, from, now, &outbox)
    case .heartbeat(let commit, let round, let sent):
      guard follows(from, sendersTerm, now, &outbox) else { return }
      heartbeat(commit: commit, round: round, sent: sent, from, now, &outbox)
    case .snapshot(let position, let configuration, let number, let isLast, let piece):
      guard follows(from, sendersTerm, now, &outbox) else { return }
      snapshotPiece(position, configuration, number: number, isLast: isLast, piece, from, now, &outbox)
    case .appended(let match): led(sendersTerm, from, now) { appended($1, match, $0, now, &outbox) }
    case .mismatch(Message.toStranger, _): if sendersTerm == term { tellStranger(from, now) }
    case .mismatch(let previous, let hint):
      led(sendersTerm, from, now) { mismatched($1, previous: previous, hint: hint, $0) }
    case .heartbeatReply(let round, let sent, let matched, let isDurable):
      led(sendersTerm, from, now) {
        // An answer to an append may have been lost, and nothing more be sent that would be answered.
        if isDurable, matched > $0.progress[$1].match { appended($1, matched, $0, now, &outbox) }
        heartbeatReplied($1, round: round, sent: sent, matched: matched, $0, now, &outbox)
      }
    case .snapshotReply(let index, let next, let isInstalled):
      led(sendersTerm, from, now) {
        snapshotReplied($1, index: index, next: next, isInstalled: isInstalled, $0, now, &outbox)
      }
    case .durable(let match):
      if from == node { led(sendersTerm, from, now) { appended($1, match, $0, now, &outbox) } }
    case .timeoutNow:
      if sendersTerm == term, leader == from, mayLead { campaign(isTransfer: true, now, &outbox) }
    case .forward(let attempt, let forward):
      forwarded(forward, attempt: attempt, from: from, of: sendersTerm, now, &outbox)
    case .forwardReply(let attempt, let outcome): forwardReplied(attempt, from: from, outcome, now, &outbox)
    case .forwardRepeated(let attempt, let last):
      forwardRepeated(attempt, from: from, of: sendersTerm, last: last)
    case .readIndex(let attempt): readIndexAsked(from, attempt)
    case .readIndexReply(let attempt, let index):
      readIndexReplied(attempt, index, from: from, of: sendersTerm, now, &outbox)
    case .markerWanted(let attempt): markerWanted(by: from, attempt, &outbox)
    }
  }

  /// Whether the message comes from the leader of this term; an older one is told that its time is over.
  private func follows(_ from: NodeID, _ sendersTerm: UInt64, _ now: Instant, _ outbox: inout Outbox) -> Bool {
    guard sendersTerm == term else {
      send(.vote(granted: false), to: from, after: outbox.ticket(ofEarlierWrite: termTicket), &outbox)
      return false
    }
    switch role {
    case .leader:
      // Election safety: no other node can lead in this term. What claims so is not believed.
      return false
    case .follower, .preCandidate, .candidate: break
    }
    if leader != from { becomeFollower(of: from, term: sendersTerm, now, &outbox) }
    leaderHeardAt = now
    electionAt = now + randomElectionTimeout()
    return true
  }

  /// Answers count only in the term in which they were asked for, and only while this node leads in it.
  private func led(_ sendersTerm: UInt64, _ from: NodeID, _ now: Instant, _ body: (Leadership, Int) -> Void) {
    guard sendersTerm == term, case .leader(let leadership) = role, let place = leadership.place(of: from) else {
      return
    }
    leadership.progress[place].heardAt = now
    body(leadership, place)
  }

  func send(_ message: Message, to peer: NodeID, after ticket: Ticket, _ outbox: inout Outbox) {
    outbox.send(to: peer, after: ticket) { message.encode(term: term, counts: !abstains, into: &$0) }
  }

  func sendToOthers(_ message: Message, after ticket: Ticket, _ outbox: inout Outbox) {
    var isFirst = true
    for member in configuration.members where member.id != node {
      if isFirst { send(message, to: member.id, after: ticket, &outbox) } else { outbox.sendAgain(to: member.id) }
      isFirst = false
    }
  }

  // MARK: - Small things

  /// Term or vote has changed.
  func saveTerm(_ outbox: inout Outbox) {
    termTicket = outbox.write(record: 0).number
    logTicket = termTicket
  }

  func saveLog(from index: UInt64, _ outbox: inout Outbox) {
    unsavedFrom = min(unsavedFrom, index)
    logTicket = outbox.write(record: 0).number
  }

  /// Numbers attempts upwards, over all lives of this node: `boot:20 serial:44` (``ForwardFilter``).
  func newAttempt() -> UInt64 {
    serial += 1
    return (boot & 0xF_FFFF) << 44 | serial & 0xFFF_FFFF_FFFF
  }

  /// 9.1, §5.2: randomised, so that votes are seldom split.
  func randomElectionTimeout() -> Milliseconds {
    Milliseconds(options.electionTimeout.count + random.below(options.electionTimeout.count))
  }

  package var statistics: ReplicaStatistics {
    var all = counts
    all.registers = UInt64(machine.present)
    all.records = UInt64(machine.count)
    all.pending = UInt64(proposals.count + gatheredReads.count + confirmedReads.count)
    var status = LogStatistics()
    status.term = term
    status.leader = leader
    status.isLeader = leadership != nil
    status.firstIndex = log.firstIndex
    status.lastIndex = log.lastIndex
    status.commitIndex = commit
    status.appliedIndex = applied
    status.snapshotIndex = snapshot.index
    status.snapshotBytes = snapshotBytes
    status.logBytes = UInt64(log.bytes)
    status.isRecovering = isRecovering
    noteChange(in: &status)
    all.log = status
    return all
  }
}
