import RaftLog

// Logs that a disk has damaged.
extension RaftMonitor {
  /// The node came back without a part of what its disk had held.
  func loses(_ node: Int, _ before: RaftDisk) {
    occurrences.note(.logDamaged)
    notes.append("n\(node + 1) has lost what it held up to \(max(before.snapshot, before.log.lastIndex))")
    lost[node].append(before)
  }

  /// It says something.
  func abstains(_ node: Int, _ kind: Message.Kind, counts: Bool) {
    switch kind {
    case .appended, .mismatch, .heartbeatReply, .snapshotReply: if counts { countsAgain(node) }
    case .preVote, .requestVote, .append, .heartbeat, .snapshot, .timeoutNow:
      // A candidate, or a leader; a vote is looked at where it is decoded.
      countsAgain(node)
    case .preVoteReply, .vote: if counts { countsAgain(node) }
    case .forward, .forwardReply, .forwardRepeated, .readIndex, .readIndexReply, .durable, .markerWanted: break
    }
  }

  /// It counts: then its disk must hold whatever was committed of all that it had. What was not may be gone.
  private func countsAgain(_ node: Int) {
    for before in lost[node] {
      var last = min(max(before.snapshot, before.log.lastIndex), committedChain.lastIndex)
      while last > before.snapshot, before.log[last] != committedChain[last] { last -= 1 }
      guard disks[node].holds(last, committedChain[last]) else {
        return fail("node \(node + 1) counts, and has not got back entry \(last), which it had")
      }
    }
    occurrences.note(.logHealed)
    notes.append("n\(node + 1) has got back what it had")
    lost[node] = []
  }
}
