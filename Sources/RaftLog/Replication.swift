import Base
import Replica

// Both ends of append (§5.3; flow control 10.2).
extension RaftReplica {
  // MARK: - The leader

  /// Adds an entry of this term.
  func appendOwn(_ command: Command, _ leadership: Leadership, _ outbox: inout Outbox) {
    let entry = Entry(term: term, payload: command.encoded())
    leadership.uncommittedBytes += entry.bytes
    log.append(entry)
    saveLog(from: log.lastIndex, &outbox)
    needsFlush = true
  }

  /// This node's own vote for its entries: counted when they are durable, while the followers write theirs (10.2.1).
  func announceDurable(_ leadership: Leadership, _ outbox: inout Outbox) {
    guard leadership.announced < log.lastIndex else { return }
    leadership.announced = log.lastIndex
    let ticket = Guard.ownEntryIsDurable.isIn ? outbox.ticket(ofEarlierWrite: logTicket) : .none
    send(.durable(match: log.lastIndex), to: node, after: ticket, &outbox)
  }

  /// Sends what the follower's window has room for.
  func replicate(to member: Int, _ leadership: Leadership, _ now: Instant, _ outbox: inout Outbox) {
    while true {
      switch leadership.progress[member].state {
      case .snapshotting(let stream): return sendPieces(to: leadership.progress[member].id, stream, &outbox)
      case .probing(let isWaiting):
        if isWaiting { return }
        guard sendAppend(to: member, leadership, now, &outbox) else { continue }
        leadership.progress[member].state = .probing(isWaiting: true)
        return
      case .replicating:
        guard leadership.progress[member].next <= log.lastIndex, !leadership.progress[member].isWindowFull(options)
        else { return }
        _ = sendAppend(to: member, leadership, now, &outbox)
      }
    }
  }

  /// One append message from the follower's `next` on; false where the log does not reach back so far.
  private func sendAppend(
    to member: Int, _ leadership: Leadership, _ now: Instant, _ outbox: inout Outbox
  ) -> Bool {
    let next = leadership.progress[member].next
    guard let previousTerm = log.term(at: next - 1) else {
      // No image is kept for who is away.
      guard leadership.progress[member].heardAt + options.electionTimeout > now else {
        leadership.progress[member].probe(from: next)
        return true
      }
      beginStream(to: member, leadership, now)
      return false
    }
    counts.accepts += 1
    var end = next
    var bytes = 0
    while end <= log.lastIndex, bytes == 0 || bytes + log[end].bytes <= options.appendBytes {
      bytes += log[end].bytes
      end += 1
    }
    // Written out here, without an array of copies in between.
    outbox.send(to: leadership.progress[member].id, after: .none) { writer in
      let head = Message.append(
        previous: LogPosition(index: next - 1, term: previousTerm), commit: commit, entries: [])
      head.encode(term: term, into: &writer)
      writer.bytes.removeLast()
      writer.varint(end - next)
      for index in next..<end {
        writer.varint(log[index].term)
        writer.blob(log[index].payload)
      }
    }
    if case .replicating = leadership.progress[member].state {
      leadership.progress[member].sent(through: end - 1, bytes: bytes)
    }
    return true
  }

  func appended(
    _ member: Int, _ match: UInt64, _ leadership: Leadership, _ now: Instant, _ outbox: inout Outbox
  ) {
    guard match <= log.lastIndex else { return }
    if case .snapshotting(let stream) = leadership.progress[member].state, match < stream.image.position.index {
      leadership.progress[member].match = max(leadership.progress[member].match, match)
      return
    }
    leadership.progress[member].matched(match)
    switch leadership.progress[member].state {
    case .replicating: break
    case .probing: leadership.progress[member].state = .replicating
    case .snapshotting(let stream):
      machine.endImage(stream.image)
      leadership.progress[member].probe(from: match + 1)
      leadership.progress[member].state = .replicating
    }
    advanceCommit(leadership, &outbox)
    needsFlush = true
  }

  /// The highest entry that a quorum holds durably is committed, if it is of this term.
  private func advanceCommit(_ leadership: Leadership, _ outbox: inout Outbox) {
    var best = commit
    for member in configuration.members.indices where leadership.progress[member].counts {
      let candidate = leadership.progress[member].match
      guard candidate > best else { continue }
      var holders = BitSet()
      for other in configuration.members.indices
      where leadership.progress[other].match >= candidate && leadership.progress[other].counts {
        holders.insert(other)
      }
      guard isQuorum(holders) else { continue }
      // §5.4.2, figure 8: an entry of an earlier term that a quorum holds may still be overwritten; it is committed
      // only by one of this term above it.
      guard log.term(at: candidate) == term || !Guard.commitIsOfOwnTerm.isIn else { continue }
      best = candidate
    }
    guard best > commit else { return }
    commit = best
    if !Guard.configurationIsInForceAtOnce.isIn { takeUpConfiguration(&outbox) }
  }

  func mismatched(_ member: Int, previous: UInt64, hint: LogPosition, _ leadership: Leadership) {
    counts.conflicts += 1
    // It may have lost more than when this was heard last.
    if !leadership.progress[member].counts { leadership.progress[member].forget(from: previous) }
    let progress = leadership.progress[member]
    switch progress.state {
    case .snapshotting: return
    case .replicating: if previous <= progress.match { return }
    // One that does not hold what it has acknowledged has forgotten it, and is not let in (R12): until that is seen it
    // is asked again with each heartbeat, not at once, which would never end.
    case .probing: if previous != progress.next - 1 || previous <= progress.match { return }
    }
    // The fast way back (§5.3, end): one message for each term that differs, not one for each entry.
    let meeting = log.lastIndex(ofTermNotAbove: hint.term, notAbove: hint.index)
    var next = meeting + 1
    if hint.index < log.base.index || (meeting == log.base.index && log.base.term > hint.term) {
      // It lies below what the log holds: a snapshot is needed.
      next = min(hint.index + 1, log.base.index)
    }
    leadership.progress[member].probe(from: max(next, progress.match + 1))
    needsFlush = true
  }

  func heartbeatReplied(
    _ member: Int, round: UInt64, sent: UInt64, matched: UInt64, _ leadership: Leadership, _ now: Instant,
    _ outbox: inout Outbox
  ) {
    let progress = leadership.progress[member]
    leadership.progress[member].round = max(progress.round, round)
    switch progress.state {
    case .probing:
      // What was sent before this heartbeat has arrived or is lost.
      leadership.progress[member].state = .probing(isWaiting: false)
      needsFlush = true
    case .replicating:
      // An append was lost, or the follower has begun anew.
      if matched < sent {
        leadership.progress[member].probe(from: max(matched, progress.match) + 1)
        needsFlush = true
      }
    case .snapshotting(let stream):
      if stream.sentAt + options.retry <= now { resend(stream, now) }
    }
    confirmReads(leadership, now, &outbox)
  }

  // MARK: - The follower

  func append(
    _ previous: LogPosition, commit leaderCommit: UInt64, _ entries: [(term: UInt64, payload: [UInt8])],
    _ from: NodeID, _ now: Instant, _ outbox: inout Outbox
  ) {
    let end = previous.index + UInt64(entries.count)
    // What the snapshot covers is committed, so it is the same here and there.
    let skipped = previous.index < log.base.index ? log.base.index - previous.index : 0
    if skipped == 0 {
      // §5.3: the consistency check. Without it logs grow apart and "committed" means nothing.
      let known = log.term(at: previous.index)
      guard known == previous.term || !Guard.logsMeet.isIn && known != nil else {
        let bound = min(previous.index, log.lastIndex)
        let hint = log.lastIndex(ofTermNotAbove: previous.term, notAbove: bound)
        let position = LogPosition(index: hint, term: log.term(at: hint) ?? 0)
        return send(
          .mismatch(previous: previous.index, hint: position), to: from,
          after: outbox.ticket(ofEarlierWrite: termTicket), &outbox)
      }
    }
    if Int(skipped) < entries.count {
      var isConfigurationTouched = false
      var index = previous.index + skipped
      for entry in entries[Int(skipped)...] {
        index += 1
        if index <= log.lastIndex {
          // §5.3: an entry that is there already stays, with all behind it: the message may be an old copy.
          if log.term(at: index) == entry.term, Guard.sameEntriesStay.isIn || index <= commit { continue }
          invariant(index > commit, "the leader of term \(term) contradicts committed entry \(index)")
          log.truncate(from: index)
          if Guard.configurationGoesWithItsEntry.isIn { configurations.truncate(from: index) }
          isConfigurationTouched = true
        }
        log.append(Entry(term: entry.term, payload: entry.payload))
        if let configuration = Command.configuration(in: entry.payload[...]) {
          configurations.append(configuration, at: index)
          isConfigurationTouched = true
        }
        saveLog(from: index, &outbox)
      }
      if isConfigurationTouched { takeUpConfiguration(&outbox) }
    }
    matched = max(matched, end)
    learnCommit(leaderCommit, &outbox)
    // Also where nothing was new: what is held may still be on its way to the disk.
    let ticket = Guard.appendIsDurable.isIn ? outbox.ticket(ofEarlierWrite: logTicket) : .none
    send(.appended(match: end), to: from, after: ticket, &outbox)
  }

  /// What the leader has committed, as far as this log is known to be the leader's.
  func learnCommit(_ leaderCommit: UInt64, _ outbox: inout Outbox) {
    let known = min(leaderCommit, Guard.matchedBoundsCommit.isIn ? matched : log.lastIndex)
    if known > commit {
      commit = known
      needsFlush = true
      if !Guard.configurationIsInForceAtOnce.isIn { takeUpConfiguration(&outbox) }
    }
  }

  func heartbeat(
    commit leaderCommit: UInt64, round: UInt64, sent: UInt64, _ from: NodeID, _ now: Instant, _ outbox: inout Outbox
  ) {
    if sent == Message.toStranger && selfIndex != nil {
      let unknown = Message.mismatch(previous: Message.toStranger, hint: log.last)
      return send(unknown, to: from, after: outbox.ticket(ofEarlierWrite: termTicket), &outbox)
    }
    learnCommit(leaderCommit, &outbox)
    if isRecovering { askForMarker(from, leaderCommit: leaderCommit, now, &outbox) }
    let isDurable = logTicket <= outbox.durable.number
    send(
      .heartbeatReply(round: round, sent: sent, matched: matched, isDurable: isDurable), to: from,
      after: outbox.ticket(ofEarlierWrite: termTicket), &outbox)
  }
}
