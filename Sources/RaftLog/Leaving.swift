import Base
import Replica

/// A node that was removed, and is still sent what it needs in order to hear of it.
struct Leaving {
  let id: NodeID
  let until: Instant
  /// The first heartbeat round that tells it that its removal is committed.
  var lastRound: UInt64?
}

// Who leaves hears of it, is needed until that is committed, and disturbs nobody (4.2.2, 4.2.3).
extension RaftReplica {
  /// Nodes that leave are sent the log until they know that they have left.
  func noteLeaving(_ leadership: Leadership, from old: Configuration, to new: Configuration, _ now: Instant) {
    for member in old.members where member.id != node && !new.names(member.id) {
      leadership.leaving.append(Leaving(id: member.id, until: now + options.leavingTimeout))
    }
  }

  /// A new leader may follow one that died before it had told them.
  func noteLeaving(_ leadership: Leadership, _ now: Instant) {
    guard !configuration.isJoint, let previous = configurations.previous else { return }
    noteLeaving(leadership, from: previous, to: configuration, now)
    for leaving in leadership.leaving {
      leadership.progress.append(Progress(leaving.id, next: log.lastIndex + 1, heardAt: now))
    }
  }

  /// By its own log the node is a member: it was away when it was removed, or the entry by which it entered was cut off
  /// the others' logs. It is sent this one.
  func tellStranger(_ stranger: NodeID, _ now: Instant) {
    guard case .leader(let leadership) = role, leadership.place(of: stranger) == nil else { return }
    leadership.leaving.append(Leaving(id: stranger, until: now + options.leavingTimeout))
    leadership.progress.append(Progress(stranger, next: log.lastIndex + 1, heardAt: now))
    needsFlush = true
  }

  /// Those that have heard of it, or have had time enough, are sent nothing more. Called before a heartbeat.
  func dropLeaving(_ leadership: Leadership, _ now: Instant) {
    guard !leadership.leaving.isEmpty else { return }
    let isCommitted = configurations.latestIndex <= commit
    for place in leadership.leaving.indices where leadership.leaving[place].lastRound == nil && isCommitted {
      guard let known = leadership.place(of: leadership.leaving[place].id),
        leadership.progress[known].match >= configurations.latestIndex
      else { continue }
      leadership.leaving[place].lastRound = leadership.round + 1
    }
    let before = leadership.leaving.count
    leadership.leaving.removeAll { leaving in
      guard leaving.until > now, let place = leadership.place(of: leaving.id) else { return true }
      return leaving.lastRound.map { leadership.progress[place].round >= $0 } ?? false
    }
    if leadership.leaving.count < before { realign(leadership) }
  }

  /// 4.2.2: a leader that has removed itself leads until that is committed, and not longer. It makes sure that another
  /// begins at once.
  func retire(_ leadership: Leadership, _ now: Instant, _ outbox: inout Outbox) {
    if leadership.transfer == nil {
      // The others are told what is committed before their leader is gone.
      broadcastHeartbeat(leadership, now, &outbox)
      handOver(now)
    }
    if let transfer = leadership.transfer, !transfer.isSent { return }
    becomeFollower(of: nil, term: term, now, &outbox)
  }

  /// Whether this node may stand for election. One that is removed must, until that is known to be committed: the
  /// others may lack the entry by which it went, and need its vote for theirs (4.2.2).
  var mayLead: Bool {
    if abstains { return false }
    if selfIndex != nil { return true }
    return configurations.latestIndex > commit && configurations.previous?.names(node) ?? false
  }

  /// Whether a message of a later term comes from a node that is none of the members and would only disturb them
  /// (4.2.3): whoever hears a leader pays no heed to it, unless only a leader of that term can have sent it.
  func isDisturbance(_ message: Message, from: NodeID, _ now: Instant) -> Bool {
    switch message {
    case .requestVote(_, let isTransfer): return !isTransfer && hearsLeader(now)
    case .append, .heartbeat, .snapshot, .timeoutNow: return false
    case .preVote, .preVoteReply, .vote, .appended, .mismatch, .heartbeatReply, .snapshotReply, .forward,
      .forwardReply, .forwardRepeated, .readIndex, .readIndexReply, .durable, .markerWanted:
      if configuration.names(from) { return false }
      if case .leader(let leadership) = role, leadership.place(of: from) != nil { return false }
      return hearsLeader(now)
    }
  }
}
