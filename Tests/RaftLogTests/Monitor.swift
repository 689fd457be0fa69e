import Base
import RaftLog
import Replica

/// Watches a cluster from outside, after every step, and knows nothing of how replicas come to what they do (figure 3
/// of the paper).
final class Monitor {
  private struct Seen {
    var term: UInt64 = 0
    var vote: NodeID?
    var commit: UInt64 = 0
    var applied: UInt64 = 0
    var leads: UInt64?
    var last: UInt64 = 0
    /// Digests of the log from index 1 on, as this node has held it: `chain[i]` names entries 1…i.
    var chain: [UInt64] = [0]
    /// Entries below are not held any more, and cannot have changed.
    var base: UInt64 = 0
  }

  private let isOn: Bool
  private var seen: [Seen]
  private(set) var failures: [String] = []
  private var leaders: [UInt64: Int] = [:]
  /// By position: the digest of the log up to it. Log matching: one for each.
  private var digests: [LogPosition: UInt64] = [:]
  /// What is committed, by index: payload and term, and the digest up to it.
  private(set) var committed: [(term: UInt64, payload: [UInt8])] = []
  private var committedDigests: [UInt64] = [0]
  private(set) var elections = 0

  private struct Told {
    var term: UInt64 = 0
    var votes: [UInt64: Int] = [:]
    var match = LogPosition.zero
  }
  private var told: [Told]

  init(members: Int, isOn: Bool = true) {
    seen = Array(repeating: Seen(), count: members)
    told = Array(repeating: Told(), count: members)
    self.isOn = isOn
  }

  func fail(_ text: String) { if failures.count < 20 { failures.append(text) } }

  func restarted(_ index: Int, _ replica: RaftReplica) {
    guard isOn else { return }
    seen[index].leads = nil
    seen[index].commit = 0
    seen[index].applied = 0
    // What is on the disk may lag behind, but never contradict what was said.
    seen[index].term = 0
    seen[index].vote = nil
    keepsItsWord(index, replica)
    rebuild(index, replica)
    stepped(index, replica)
  }

  func stepped(_ index: Int, _ replica: RaftReplica) {
    guard isOn else { return }
    votes(index, replica)
    chain(index, replica)
    leadership(index, replica)
    commitment(index, replica)
  }

  private func votes(_ index: Int, _ replica: RaftReplica) {
    if replica.term < seen[index].term { fail("node \(index + 1): its term fell") }
    if replica.term == seen[index].term, let vote = seen[index].vote, replica.vote != vote {
      fail("node \(index + 1): a second vote in term \(replica.term)")
    }
    seen[index].term = replica.term
    seen[index].vote = replica.vote
  }

  private static func digest(_ before: UInt64, _ term: UInt64, _ payload: [UInt8]) -> UInt64 {
    Checksum.xxh64(payload, seed: before &* 31 &+ term)
  }

  private func rebuild(_ index: Int, _ replica: RaftReplica) {
    let base = replica.log.base
    seen[index].base = base.index
    var chain = Array(committedDigests.prefix(Int(base.index) + 1))
    if chain.count <= Int(base.index) {
      fail("node \(index + 1): a snapshot at \(base.index) above everything that is committed")
      chain = Array(repeating: 0, count: Int(base.index) + 1)
    }
    seen[index].chain = chain
    seen[index].last = base.index
  }

  /// Follows the log of a node; log matching (5.3).
  private func chain(_ index: Int, _ replica: RaftReplica) {
    let log = replica.log
    if log.base.index > seen[index].base {
      if log.base.index > seen[index].last {
        rebuild(index, replica)
      } else {
        seen[index].base = log.base.index
      }
    }
    // What changed lies above the lowest point where terms or digests differ; short logs are compared whole.
    var first = min(seen[index].last, log.lastIndex)
    while first > log.base.index {
      guard let term = log.term(at: first) else { break }
      let known = Self.digest(seen[index].chain[Int(first) - 1], term, log.payload(at: first))
      if known == seen[index].chain[Int(first)] { break }
      first -= 1
    }
    if let leads = seen[index].leads, leads == replica.term, replica.leadership == leads, first < seen[index].last {
      fail("node \(index + 1): a leader overwrote its own log at \(first + 1) (leader append-only)")
    }
    seen[index].chain.removeLast(seen[index].chain.count - Int(first) - 1)
    var at = first
    while at < log.lastIndex {
      at += 1
      guard let term = log.term(at: at) else { break }
      let digest = Self.digest(seen[index].chain[Int(at) - 1], term, log.payload(at: at))
      seen[index].chain.append(digest)
      let position = LogPosition(index: at, term: term)
      if let other = digests[position], other != digest {
        fail("node \(index + 1): two logs hold \(at)/\(term) and differ (log matching)")
      }
      digests[position] = digest
    }
    seen[index].last = log.lastIndex
  }

  private func leadership(_ index: Int, _ replica: RaftReplica) {
    guard let term = replica.leadership else {
      seen[index].leads = nil
      return
    }
    if let other = leaders[term], other != index {
      fail("nodes \(other + 1) and \(index + 1) both lead in term \(term) (election safety)")
    }
    if leaders[term] == nil {
      leaders[term] = index
      elections += 1
      // Leader completeness: whatever is committed stands in its log.
      let last = committed.count
      if seen[index].last < UInt64(last) || seen[index].chain[last] != committedDigests[last] {
        fail("node \(index + 1) leads in term \(term) without committed entry \(last) (leader completeness)")
      }
    }
    seen[index].leads = term
  }

  /// State machine safety: what one node has committed at an index no node has otherwise.
  private func commitment(_ index: Int, _ replica: RaftReplica) {
    if replica.commit < seen[index].commit { fail("node \(index + 1): its commit index fell") }
    if replica.applied < seen[index].applied { fail("node \(index + 1): its applied index fell") }
    if replica.applied > replica.commit { fail("node \(index + 1): applied what is not committed") }
    if replica.commit > replica.log.lastIndex { fail("node \(index + 1): committed what it does not hold") }
    let log = replica.log
    let from = max(seen[index].commit, log.base.index)
    if replica.commit > from {
      for at in (from + 1)...replica.commit {
        let digest = seen[index].chain[Int(at)]
        if Int(at) < committedDigests.count {
          if committedDigests[Int(at)] != digest {
            fail("node \(index + 1) commits another entry \(at) (state machine safety)")
          }
        } else if Int(at) == committedDigests.count, let term = log.term(at: at) {
          committedDigests.append(digest)
          committed.append((term, log.payload(at: at)))
        }
      }
    }
    seen[index].commit = replica.commit
    seen[index].applied = replica.applied
  }

  // MARK: - Promises

  /// What a node has told others must be there after a crash (5.2: on stable storage before the answer).
  func emitted(_ envelope: Cluster.Envelope) {
    guard isOn else { return }
    let index = envelope.from
    switch envelope.message {
    case .vote(granted: true), .requestVote:
      let candidate = if case .requestVote = envelope.message { index } else { envelope.to }
      told[index].term = max(told[index].term, envelope.term)
      if let other = told[index].votes[envelope.term], other != candidate {
        fail("node \(index + 1) told two candidates of term \(envelope.term) that they have its vote")
      }
      told[index].votes[envelope.term] = candidate
    case .appended(let match):
      told[index].term = max(told[index].term, envelope.term)
      guard match < UInt64(seen[index].chain.count), match > seen[index].base else { return }
      if envelope.term > told[index].match.term || match > told[index].match.index {
        told[index].match = LogPosition(index: match, term: envelope.term)
      }
    case .preVote, .preVoteReply, .vote, .append, .mismatch, .heartbeat, .heartbeatReply, .snapshot, .snapshotReply,
      .timeoutNow, .forward, .forwardReply, .readIndex, .readIndexReply, .durable:
      break
    }
  }

  private func keepsItsWord(_ index: Int, _ replica: RaftReplica) {
    let told = told[index]
    if replica.term < told.term { fail("node \(index + 1) forgot term \(told.term) over a crash") }
    if let vote = told.votes[replica.term], replica.vote?.value != UInt16(vote + 1) {
      fail("node \(index + 1) forgot its vote in term \(replica.term) over a crash")
    }
    let log = replica.log
    guard log.last.term <= told.match.term, log.base.index < told.match.index else { return }
    if log.lastIndex < told.match.index {
      fail("node \(index + 1) forgot entries up to \(told.match.index) over a crash")
    }
  }
}
