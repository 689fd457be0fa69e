import Base
import RaftLog
import Replica

/// A node of a log as it was after its last step.
struct RaftSight {
  var term: UInt64 = 0
  var vote: NodeID?
  var commit: UInt64 = 0
  var applied: UInt64 = 0
  var snapshot: UInt64 = 0
  /// The term in which it leads.
  var leads: UInt64?
  var log = LogChain()
  /// When entries gave way to a later leader's: the first of them, and the term of that leader.
  var replaced: [(from: UInt64, term: UInt64)] = []
  /// Entries up to here are not held any more, and cannot have changed.
  var base: UInt64 = 0
  /// What holds where neither its log nor its snapshot have a configuration.
  var given: Configuration
  /// The entry that made the configuration in force; 0 where that is `given`.
  var configuredAt: UInt64 = 0
}

// The properties of the paper's figure 3.
extension RaftMonitor {
  func check(_ node: Int, _ replica: RaftReplica) {
    configuration(node, replica)
    vote(node, replica)
    leadership(node, replica)
    commitment(node, replica)
    snapshot(node, replica)
  }

  /// Takes in what has changed in a node's log; log matching, leader append-only.
  func follow(_ node: Int, _ replica: RaftReplica) {
    let log = replica.log
    if log.base.index > seen[node].base {
      // Trimmed, if it held what is committed there; else another log has taken its place.
      let held = seen[node].log[log.base.index]
      if held == nil || held != committedChain[log.base.index] { installed(node, replica) }
      seen[node].base = log.base.index
    }
    // What has changed lies above the highest entry that is as it was.
    let before = seen[node].log.lastIndex
    var same = min(before, log.lastIndex)
    while same > log.base.index, let term = log.term(at: same) {
      let digest = seen[node].log.digest(behind: same - 1, term: term, payload: log.payload(at: same)[...])
      if digest == seen[node].log[same] { break }
      same -= 1
    }
    if same < before {
      occurrences.note(.entryReplaced)
      if let leads = seen[node].leads, leads == replica.leadership {
        fail("node \(node + 1) overwrote its own log behind \(same) as a leader (leader append-only)")
      }
      seen[node].log.truncate(from: same + 1)
      seen[node].replaced.append((same + 1, replica.term))
    }
    while seen[node].log.lastIndex < log.lastIndex {
      let index = seen[node].log.lastIndex + 1
      guard let term = log.term(at: index) else { return fail("node \(node + 1): entry \(index) is missing") }
      seen[node].log.append(term: term, payload: log.payload(at: index)[...])
      let digest = seen[node].log.last
      let position = LogPosition(index: index, term: term)
      if let other = digests[position], other != digest {
        fail(
          "two logs hold entry \(index) of term \(term) and differ; one is node \(node + 1)'s (log matching)"
        )
      }
      digests[position] = digest
      follows(node)
    }
  }

  /// A snapshot took the place of entries that the node did not hold.
  private func installed(_ node: Int, _ replica: RaftReplica) {
    occurrences.note(.snapshotInstalled)
    notes.append("n\(node + 1) installs the snapshot at \(replica.log.base.index)")
    guard let chain = committedChain.prefix(through: replica.log.base.index) else {
      return fail("node \(node + 1) installed a snapshot at \(replica.log.base.index), where nothing is committed")
    }
    seen[node].log = chain
  }

  private func vote(_ node: Int, _ replica: RaftReplica) {
    if replica.term < seen[node].term { fail("the term of node \(node + 1) fell") }
    if replica.term == seen[node].term, let vote = seen[node].vote, replica.vote != vote {
      fail("node \(node + 1) voted twice in term \(replica.term) (§5.2)")
    }
    seen[node].term = replica.term
    seen[node].vote = replica.vote
  }

  /// Election safety, leader completeness.
  private func leadership(_ node: Int, _ replica: RaftReplica) {
    if let before = seen[node].leads, before != replica.leadership {
      occurrences.note(.deposed)
      notes.append("n\(node + 1) leads no more in term \(before)")
    }
    seen[node].leads = replica.leadership
    guard let term = replica.leadership, leaders[term] != node else { return }
    if let other = leaders[term] {
      return fail("nodes \(other + 1) and \(node + 1) both lead in term \(term) (election safety)")
    }
    leaders[term] = node
    occurrences.note(.elected)
    notes.append("n\(node + 1) leads in term \(term)")
    votes(node, in: term)
    // Of a term that is over already, others may have committed more by now.
    var last = committed.count
    while last > 0, committedIn[last - 1] >= term { last -= 1 }
    if seen[node].log[UInt64(last)] != committedChain[UInt64(last)] {
      fail("node \(node + 1) leads in term \(term) without entry \(last), committed before (leader completeness)")
    }
  }

  /// State machine safety: what one node has committed at an index, no node has otherwise.
  private func commitment(_ node: Int, _ replica: RaftReplica) {
    if replica.commit < seen[node].commit { fail("the commit index of node \(node + 1) fell") }
    if replica.applied < seen[node].applied { fail("the applied index of node \(node + 1) fell") }
    if replica.applied > replica.commit { fail("node \(node + 1) applied what is not committed") }
    if replica.commit > replica.log.lastIndex { return fail("node \(node + 1) committed what it does not hold") }
    if replica.commit > committedChain.lastIndex { firstCommitted(node, replica) }
    let newest = replica.commit
    if newest > seen[node].commit, seen[node].log[newest] != committedChain[newest] {
      fail("node \(node + 1) committed another entry \(newest) than others (state machine safety)")
    }
    seen[node].commit = replica.commit
    seen[node].applied = replica.applied
  }

  /// The node is the first to know that the entries up to its commit index are committed.
  private func firstCommitted(_ node: Int, _ replica: RaftReplica) {
    let last = replica.commit
    // Where the beginnings of two logs differ, so do their digests at every later index.
    if seen[node].log[committedChain.lastIndex] != committedChain.last {
      return fail("node \(node + 1) committed another entry \(committed.count) than others (state machine safety)")
    }
    let digest = seen[node].log[last]
    // What a folder holds counts also while another is in its place.
    var holders = BitSet()
    for other in 0..<nodes
    where disks[other].holds(last, digest) || setAside[other]?.holds(last, digest) == true
      || lost[other].contains(where: { $0.holds(last, digest) })
    { holders.insert(other) }
    if !isQuorum(holders, of: inForce(node)) {
      fail(
        "node \(node + 1) committed entry \(last), which is on the disks of \(holders.count) nodes, no quorum of epoch "
          + "\(inForce(node).epoch) (§5.3, 4.3)")
    }
    if let term = replica.leadership, replica.log.term(at: last) != term {
      fail("node \(node + 1) committed entry \(last) of an earlier term by counting (§5.4.2)")
    }
    let before = committedChain.lastIndex
    defer { configurationCommitted(node, behind: before) }
    while committedChain.lastIndex < last {
      let index = committedChain.lastIndex + 1
      guard let term = replica.log.term(at: index), index > replica.log.base.index else {
        return fail("node \(node + 1) committed entry \(index), which it does not hold")
      }
      let payload = replica.log.payload(at: index)
      committedChain.append(term: term, payload: payload[...])
      committed.append((term, payload))
      committedIn.append(max(replica.term, committedIn.last ?? 0))
    }
  }

  private func snapshot(_ node: Int, _ replica: RaftReplica) {
    let snapshot = replica.snapshot
    guard snapshot.index > seen[node].snapshot else { return }
    seen[node].snapshot = snapshot.index
    disks[node].snapshot = max(disks[node].snapshot, snapshot.index)
    occurrences.note(.snapshotTaken)
    notes.append("n\(node + 1) has a snapshot at \(snapshot.index)/\(snapshot.term)")
    guard snapshot.index <= committed.count else {
      return fail("node \(node + 1) has a snapshot at \(snapshot.index), where nothing is committed")
    }
    if committed[Int(snapshot.index) - 1].term != snapshot.term {
      fail("the snapshot of node \(node + 1) names entry \(snapshot.index) by another term than its own (§7)")
    }
  }
}
