import Base
import Replica

// Linearizable reads without an entry in the log (6.4): the leader notes its commit index, makes sure by a heartbeat
// round that began after the read came that it still leads, and whoever asked waits until it has applied so far.
extension RaftReplica {
  func submit(_ request: ListRequest, _ now: Instant, _ outbox: inout Outbox) {
    guard request.deadline > now, hasWay else {
      return outbox.reply(list: request.token, nil)
    }
    read(.listing(request), now, &outbox)
  }

  func read(_ reading: Reading, _ now: Instant, _ outbox: inout Outbox) {
    guard gatheredReads.count + confirmedReads.count < options.maximumWaiting else {
      return fail(reading, .overloaded, &outbox)
    }
    noteDeadline(reading.deadline)
    if case .leader(let leadership) = role {
      if isLeaseValid(leadership, now) {
        confirmedReads.append((commit, reading))
      } else {
        leadership.gathered.append(reading)
      }
    } else {
      gatheredReads.append(reading)
    }
    needsFlush = true
  }

  // MARK: - The leader

  func readIndexAsked(_ from: NodeID, _ attempt: UInt64) {
    // Whoever asks the wrong node asks again, elsewhere.
    guard case .leader(let leadership) = role else { return }
    leadership.gatheredRemote.append((from, attempt))
    needsFlush = true
  }

  /// §8: before an entry of its own term is committed a leader does not know what is.
  var knowsCommit: Bool { log.term(at: commit) == term || !Guard.readKnowsCommit.isIn }

  /// At most this many rounds are under way; reads that come meanwhile share the next one.
  private static let maximumRounds = 2

  func beginReadRound(_ leadership: Leadership, _ now: Instant, _ outbox: inout Outbox) {
    if !Guard.readRoundIsNew.isIn, let last = leadership.rounds.indices.last {
      leadership.rounds[last].remote += leadership.gatheredRemote
      leadership.gatheredRemote = []
    }
    guard !leadership.gathered.isEmpty || !leadership.gatheredRemote.isEmpty, knowsCommit,
      leadership.rounds.count < Self.maximumRounds
    else { return }
    counts.quorumReads += 1
    // A number that no earlier heartbeat had: an answer to one of those says nothing about now.
    leadership.rounds.append(
      ReadRound(
        round: leadership.round + 1, index: commit, own: leadership.gathered,
        remote: leadership.gatheredRemote))
    leadership.gathered = []
    leadership.gatheredRemote = []
    broadcastHeartbeat(leadership, now, &outbox)
  }

  /// Rounds that a quorum has answered, or a later one in their place.
  func confirmReads(_ leadership: Leadership, _ now: Instant, _ outbox: inout Outbox) {
    if options.leaseReads { renewLease(leadership) }
    while let first = leadership.rounds.first {
      guard isAnswered(first.round, leadership) else { return }
      leadership.rounds.removeFirst()
      for read in first.own { confirmedReads.append((first.index, read)) }
      for (peer, attempt) in first.remote {
        send(.readIndexReply(attempt: attempt, index: first.index), to: peer, after: .none, &outbox)
      }
      needsFlush = true
    }
  }

  private func isAnswered(_ round: UInt64, _ leadership: Leadership) -> Bool {
    var answered = BitSet()
    for member in configuration.members.indices
    where leadership.progress[member].round >= round && leadership.progress[member].counts {
      answered.insert(member)
    }
    return isQuorum(answered) || !Guard.readIsConfirmed.isIn
  }

  private func renewLease(_ leadership: Leadership) {
    while let first = leadership.begun.first, isAnswered(first.round, leadership) {
      leadership.leaseFrom = first.at
      leadership.begun.removeFirst()
    }
  }

  /// CLOCK-DEPENDENT, and off unless asked for (6.4.1): followers that answered at `leaseFrom` or later elect no one
  /// for an election timeout, by their clocks.
  private func isLeaseValid(_ leadership: Leadership, _ now: Instant) -> Bool {
    guard options.leaseReads, leadership.transfer == nil, knowsCommit, let from = leadership.leaseFrom else {
      return false
    }
    return now < from + Milliseconds(options.electionTimeout.count * 3 / 4)
  }

  // MARK: - The others

  private static let maximumRemoteReads = 4

  func askForReadIndex(_ now: Instant, _ outbox: inout Outbox) {
    guard !gatheredReads.isEmpty, let leader, leader != node else { return }
    guard isReachable(leader), remoteReads.count < Self.maximumRemoteReads else {
      retryAt = min(retryAt, now + options.retry)
      return
    }
    let attempt = newAttempt()
    remoteReads.append(RemoteReads(attempts: [attempt], sentAt: now, reads: gatheredReads))
    gatheredReads = []
    send(.readIndex(attempt: attempt), to: leader, after: .none, &outbox)
    retryAt = min(retryAt, now + options.retry)
  }

  func readIndexReplied(
    _ attempt: UInt64, _ index: UInt64, from: NodeID, of sendersTerm: UInt64, _ now: Instant, _ outbox: inout Outbox
  ) {
    guard let place = remoteReads.firstIndex(where: { $0.attempts.contains(attempt) }) else { return }
    for read in remoteReads.remove(at: place).reads { confirmedReads.append((index, read)) }
    if sendersTerm == term && from == leader { learnCommit(index, &outbox) }
    needsFlush = true
  }

  /// Their leader is no more, or does not answer: they are asked for again, under a new number.
  func takeBackRemoteReads() {
    for remote in remoteReads { gatheredReads += remote.reads }
    remoteReads = []
    if !gatheredReads.isEmpty {
      if case .leader(let leadership) = role {
        leadership.gathered += gatheredReads
        gatheredReads = []
      }
      needsFlush = true
    }
  }

  func retryReads(_ now: Instant, _ outbox: inout Outbox) {
    remoteReads.removeAll { $0.reads.isEmpty }
    for place in remoteReads.indices where remoteReads[place].sentAt + options.retry <= now {
      guard let leader, leader != node, isReachable(leader) else { break }
      let attempt = newAttempt()
      remoteReads[place].attempts.append(attempt)
      remoteReads[place].sentAt = now
      send(.readIndex(attempt: attempt), to: leader, after: .none, &outbox)
    }
    if !remoteReads.isEmpty || !gatheredReads.isEmpty { retryAt = min(retryAt, now + options.retry) }
  }

  // MARK: - Answers

  /// Answers the reads for which enough is applied.
  func answerReads(_ now: Instant, _ outbox: inout Outbox) {
    guard !confirmedReads.isEmpty else { return }
    var waiting: [(index: UInt64, read: Reading)] = []
    for (index, read) in confirmedReads {
      guard index <= applied else {
        waiting.append((index, read))
        continue
      }
      switch read {
      case .listing(let request):
        outbox.reply(
          list: request.token, machine.page(prefix: request.prefix, after: request.after, limit: request.limit))
      case .register(let request):
        let content = machine.read(request.operation.key)
        if let wait = request.wait, now < wait.until, content == nil || content?.revision == wait.unlessRevision {
          park(request, wait)
        } else {
          outbox.reply(request.token, .read(content))
        }
      }
    }
    confirmedReads = waiting
  }

  private func fail(_ reading: Reading, _ refusal: Refusal, _ outbox: inout Outbox) {
    switch reading {
    case .register(let request): outbox.reply(request.token, .refused(refusal))
    case .listing(let request): outbox.reply(list: request.token, nil)
    }
  }

  /// Reads past their deadline, and waits that are over.
  func expireReads(_ now: Instant, _ outbox: inout Outbox) {
    var expired: [Reading] = []
    func sift(_ reads: inout [Reading]) {
      for read in reads where read.deadline <= now { expired.append(read) }
      reads.removeAll { $0.deadline <= now }
      for read in reads { noteDeadline(read.deadline) }
    }
    sift(&gatheredReads)
    for place in remoteReads.indices { sift(&remoteReads[place].reads) }
    if case .leader(let leadership) = role {
      sift(&leadership.gathered)
      for place in leadership.rounds.indices { sift(&leadership.rounds[place].own) }
    }
    for (_, read) in confirmedReads {
      if read.deadline <= now { expired.append(read) } else { noteDeadline(read.deadline) }
    }
    confirmedReads.removeAll { $0.read.deadline <= now }
    for read in expired { fail(read, .expired, &outbox) }
    var over: [UInt64] = []
    for (token, read) in parked {
      if read.until <= now { over.append(token) } else { noteDeadline(read.until) }
    }
    for token in over.sorted() { answerParked(token, &outbox) }
  }

  func refuseReads(_ outbox: inout Outbox) {
    var all = gatheredReads
    for remote in remoteReads { all += remote.reads }
    if case .leader(let leadership) = role {
      all += leadership.gathered
      for place in leadership.rounds.indices {
        all += leadership.rounds[place].own
        leadership.rounds[place].own = []
      }
      leadership.gathered = []
    }
    gatheredReads = []
    remoteReads = []
    for read in all { fail(read, .noQuorum, &outbox) }
  }

  // MARK: - Waits

  // Once it is confirmed, a waiting read needs no one any more: whatever is applied here later was not acknowledged
  // when it began, so each state from then on is one that it may see.

  private func park(_ request: Request, _ wait: Request.Wait) {
    let key = request.operation.key
    parked[request.token] = ParkedRead(key: key, unlessRevision: wait.unlessRevision, until: wait.until)
    parkedOfKey[key, default: []].append(request.token)
    noteDeadline(wait.until)
  }

  func unpark(_ token: UInt64) {
    guard let read = parked.removeValue(forKey: token) else { return }
    parkedOfKey[read.key]?.removeAll { $0 == token }
    if parkedOfKey[read.key]?.isEmpty == true { parkedOfKey[read.key] = nil }
  }

  /// `key` was changed, or may have been.
  func wake(_ key: Key, _ outbox: inout Outbox) {
    guard !parkedOfKey.isEmpty, let tokens = parkedOfKey[key], let content = machine.read(key) else { return }
    for token in tokens where parked[token]?.unlessRevision != content.revision { answerParked(token, &outbox) }
  }

  func wakeAll(_ outbox: inout Outbox) {
    for token in parked.keys.sorted() {
      if let key = parked[token]?.key { wake(key, &outbox) }
    }
  }

  private func answerParked(_ token: UInt64, _ outbox: inout Outbox) {
    guard let read = parked[token] else { return }
    unpark(token)
    outbox.reply(token, .read(machine.read(read.key)))
  }
}
