package import Base
package import Host
package import RaftLog
package import Replica
package import Storage

/// Watches the replicas of a Raft log. What it holds them to, after each step (sections with § are the paper's):
///
/// - election safety, leader append-only, log matching, leader completeness, state machine safety (§5, figure 3)
/// - one vote a term; term, commit and applied never fall
/// - what is committed is on the disks of a quorum, and a leader first commits an entry of its own term (§5.4.2)
/// - no vote, candidacy or acknowledgement leaves before it is on the disk, and a crash forgets none of it (§5.2)
/// - a quorum is one of the configuration in force, which is the last one of the node's own log; each one in a log
///   follows the one before it, and who leads has the votes of a quorum (dissertation, 4.1 and 4.3)
/// - a snapshot names the last entry that it covers by that entry's term (§7)
/// - a node that came back with less than it had never speaks (R12); but where its log was damaged, and it knows its
///   term and its vote, it may speak as one that has no vote and does not count, until its disk holds again what was
///   committed of all that it had
package final class RaftMonitor: Monitor {
  package private(set) var failures: [String] = []
  package var occurrences = Occurrences()
  let nodes: Int
  private let scenario: Scenario?
  private var replicas: [RaftReplica?]
  var seen: [RaftSight]
  var disks: [RaftDisk]
  /// By node: what it has forgotten, on a folder that is not its own.
  private var forgotten: [String?]
  /// By node: what its own folder held when another was put in its place.
  private(set) var setAside: [RaftDisk?]
  /// By node: what its disk held before damage to its log took a part of it, until it counts again.
  var lost: [[RaftDisk]]
  private var asked: [Set<UInt64>]
  var notes: [String] = []
  /// By term.
  var leaders: [UInt64: Int] = [:]
  var candidates: [UInt64: BitSet] = [:]
  /// By term, by candidate: who voted for it.
  var grants: [UInt64: [Int: BitSet]] = [:]
  /// The configuration with which the cluster began.
  var formation: Configuration?
  /// By position: the digest of the log up to it.
  var digests: [LogPosition: UInt64] = [:]
  var committedChain = LogChain()
  /// By index - 1: the highest term that a leader had by then committed in. Never falls.
  var committedIn: ContiguousArray<UInt64> = []
  /// What is committed, by index - 1.
  package internal(set) var committed: [(term: UInt64, payload: [UInt8])] = []

  package init(nodes: Int, _ scenario: Scenario? = nil) {
    self.scenario = scenario
    self.nodes = nodes
    replicas = Array(repeating: nil, count: nodes)
    seen = Array(repeating: RaftSight(given: Configuration(epoch: 0, stable: [])), count: nodes)
    disks = Array(repeating: RaftDisk(), count: nodes)
    forgotten = Array(repeating: nil, count: nodes)
    setAside = Array(repeating: nil, count: nodes)
    lost = Array(repeating: [], count: nodes)
    asked = Array(repeating: [], count: nodes)
  }

  func replica(_ node: Int) -> RaftReplica? { replicas[node] }

  package func fail(_ text: String) { if failures.count < 20 { failures.append(text) } }

  // MARK: - Nodes

  package func open(
    _ node: Int, _ state: NodeState, _ folder: FolderOrigin, on device: MemoryDevice, seed random: inout SeededRandom,
    startedAt: Instant
  ) throws(StorageError) -> OpenedReplicas {
    let scenario = scenario ?? Scenario("", "", FaultMix([], from: 0, to: 0))
    let replica = RaftReplica(
      node: state.node, boot: state.boot, configuration: state.configuration, seed: random.next(),
      startedAt: startedAt, options: scenario.raft)
    let recovery = try LogStore.recover(device: device, holder: replica, options: scenario.log)
    if let damage = recovery.damage { notes.append("n\(node + 1) says  \(damage.notice)") }
    recovered(node, replica, folder)
    return OpenedReplicas(
      replicas: [replica], store: recovery.store, isBegunAnew: recovery.damage?.isRecovering ?? false)
  }

  /// The node has got its log back from its disk.
  package func recovered(_ node: Int, _ replica: RaftReplica, _ folder: FolderOrigin = .own) {
    replicas[node] = replica
    asked[node] = []
    switch folder {
    case .own: setAside[node] = nil
    case .other: if setAside[node] == nil { setAside[node] = disks[node] }
    case .ownAgain:
      if let held = setAside[node] { disks[node] = held }
      setAside[node] = nil
    }
    let before = disks[node]
    if formation == nil, replica.configuration.epoch == 0 { formation = replica.configuration }
    seen[node] = RaftSight(base: replica.log.base.index, given: replica.firstConfiguration)
    if let chain = committedChain.prefix(through: replica.log.base.index) {
      seen[node].log = chain
    } else if case .other = folder {
      seen[node].base = 0
    } else {
      fail("node \(node + 1) came back with a snapshot at \(replica.log.base.index), where nothing is committed")
    }
    follow(node, replica)
    let log = seen[node].log
    var forgot: String?
    var lacks: String?
    if replica.term < before.term {
      forgot = "term \(before.term)"
    } else if replica.term == before.term, before.vote != 0, replica.vote?.value != before.vote {
      forgot = "its vote in term \(before.term)"
    } else if replica.snapshot.index < before.snapshot, log[before.snapshot] != committedChain[before.snapshot] {
      // Else the log stands for the snapshot that was damaged.
      lacks = "its snapshot at \(before.snapshot)"
    } else if before.log.lastIndex > seen[node].base, log[before.log.lastIndex] != before.log.last {
      lacks = "what its log held up to \(before.log.lastIndex)"
    }
    forgotten[node] = nil
    switch folder {
    case .ownAgain: lost[node] = []
    case .own: break
    case .other:
      if replica.isRecovering, lacks != nil {
        loses(node, before)
        setAside[node] = nil
      }
    }
    // On its own folder, whose files nobody has touched, nothing is to be lost at all.
    if lost[node].isEmpty || !replica.isRecovering { forgot = forgot ?? lacks }
    if let forgot {
      if case .other = folder { forgotten[node] = forgot } else { fail("node \(node + 1) forgot \(forgot)") }
    }
    // What recovery has found is durable, also where it had never been told so.
    disks[node] = RaftDisk(
      term: replica.term, vote: replica.vote?.value ?? 0, log: log, snapshot: replica.snapshot.index)
    check(node, replica)
  }

  // MARK: - Steps

  package func willStep(_ node: Int, _ partition: Int, _ event: borrowing Event) {
    switch event {
    case .request(let request): asked[node].insert(request.token)
    case .message, .list, .cancel, .peer, .configure, .raiseFloor, .raiseReserve, .loaded, .verify, .carryOver,
      .handOver, .tick:
      break
    }
  }

  package func didStep(_ node: Int, _ partition: Int, _ outbox: borrowing Outbox, since mark: Outbox.Mark) {
    guard let replica = replicas[node] else { return }
    follow(node, replica)
    check(node, replica)
    for send in outbox.sends[mark.sends...] where Int(send.to.value) != node + 1 {
      count(node, replica, kind: outbox.arena.bytes[send.message.lowerBound])
    }
    for reply in outbox.replies[mark.replies...] where asked[node].remove(reply.token) == nil {
      fail("node \(node + 1) answered a request twice, or one that nobody made")
    }
  }

  private func count(_ node: Int, _ replica: RaftReplica, kind: UInt8) {
    switch Message.Kind(first: kind) {
    case .requestVote: stood(node, in: replica.term)
    case .mismatch: occurrences.note(.logConflict)
    case .forward: occurrences.note(.forwarded)
    case .readIndex: occurrences.note(.quorumRead)
    default: break
    }
  }

  private func stood(_ node: Int, in term: UInt64) {
    guard candidates[term]?.contains(node) != true else { return }
    candidates[term, default: BitSet()].insert(node)
    notes.append("n\(node + 1) is a candidate in term \(term)")
    if let rivals = candidates[term - 1], rivals.count > 1, leaders[term - 1] == nil { occurrences.note(.splitVote) }
  }

  // MARK: - What leaves, and what is durable

  package func left(_ node: Int, for other: Int, _ partition: Int, _ bytes: [UInt8], _ range: Range<Int>) {
    if let forgot = forgotten[node] { fail("node \(node + 1) speaks, and has forgotten \(forgot) (R12)") }
    // A folder with which it was let in is its own.
    setAside[node] = nil
    let kind = Message.Kind(first: bytes[range.lowerBound])
    if !lost[node].isEmpty, let kind { abstains(node, kind, counts: Message.counts(first: bytes[range.lowerBound])) }
    switch kind {
    case .requestVote, .vote, .append, .appended, .mismatch, .heartbeat, .heartbeatReply, .snapshot, .snapshotReply:
      break
    default: return
    }
    var term = ByteReader(bytes, in: range.lowerBound + 1..<range.upperBound)
    if let term = try? term.u64(), disks[node].term < term {
      fail("node \(node + 1) acts in term \(term) before that is on its disk (§5.2)")
    }
    switch kind {
    case .vote, .appended, .heartbeatReply, .snapshotReply: break
    default: return
    }
    var reader = ByteReader(bytes, in: range)
    guard let (term, message) = try? Message.decode(&reader) else { return fail("a message does not decode") }
    switch message {
    case .vote(granted: true):
      if !lost[node].isEmpty { fail("node \(node + 1) votes, and has not got back yet what it had") }
      granted(node, to: other, in: term)
      if disks[node].term == term && disks[node].vote != UInt16(other + 1) {
        fail("a vote of node \(node + 1) left before it was on the disk (§5.2)")
      }
    case .appended(let match), .heartbeatReply(_, _, let match, isDurable: true):
      acknowledged(node, match, of: term, to: other)
    case .snapshotReply(let index, _, isInstalled: true):
      if !disks[node].reaches(index) { fail("node \(node + 1) told of a snapshot before it was on the disk (§7)") }
    default: break
    }
  }

  /// The node says that it holds the log of the leader up to `match`.
  private func acknowledged(_ node: Int, _ match: UInt64, of term: UInt64, to leader: Int) {
    // A later leader has put others in the place of what it held in `term`: what it said of both leaves behind one
    // write, in which the first entries need not be. It went by them when it was asked for its vote in between.
    if disks[node].term > term, seen[node].replaced.contains(where: { $0.from <= match && $0.term > term }) { return }
    guard disks[node].reaches(match) else {
      return fail("node \(node + 1) acknowledged entry \(match) before it was on the disk (§5.3)")
    }
    guard seen[leader].leads == term, !disks[node].holds(match, seen[leader].log[match]) else { return }
    fail("node \(node + 1) acknowledged entry \(match) of term \(term), and holds another log (§5.3)")
  }

  package func durable(_ node: Int, _ batch: DeviceBatch) {
    for change in batch.changes {
      guard case .write(.log, _, let bytes) = change else { continue }
      LogFrame.forEach(in: bytes) { frame in
        switch frame {
        case .hardState(let state):
          disks[node].term = state.term
          disks[node].vote = state.vote
          if Int(state.vote) == node + 1 { granted(node, to: node, in: state.term) }
        case .entry(let position, let payload):
          disks[node].log.truncate(from: position.index)
          // What a durable snapshot covers need not be written as well.
          if disks[node].log.lastIndex + 1 < position.index, position.index <= disks[node].snapshot + 1,
            let covered = committedChain.prefix(through: position.index - 1)
          {
            disks[node].log = covered
          }
          guard disks[node].log.lastIndex + 1 == position.index else {
            return fail("node \(node + 1) wrote entry \(position.index) behind a gap")
          }
          disks[node].log.append(term: position.term, payload: bytes[payload])
        case .reach: break
        case .base(let base):
          guard let chain = committedChain.prefix(through: base.index) else {
            return fail("node \(node + 1) begins its log anew at \(base.index), where nothing is committed")
          }
          disks[node].log = chain
        }
      }
    }
  }

  // MARK: - The end

  /// Of a log: told at the end, with what is unfinished.
  package func differences(_ nodes: [Int]) -> [String] { [] }

  package func unfinishedWork(_ node: Int) -> [String] {
    guard let replica = replicas[node] else { return [] }
    var left: [String] = []
    // Who is no member need not hold what is committed, and may have ended in the middle.
    guard let first = membersAtLast.first, membersAtLast.contains(node) else { return left }
    if replica.isRecovering { left.append("node \(node + 1) has not got its log back when all is over") }
    if !replica.isQuiescent { left.append("node \(node + 1): something still waits when all is over") }
    if replica.applied != committedChain.lastIndex {
      left.append("node \(node + 1) has applied \(replica.applied) of \(committed.count) entries when all is over")
    } else if let other = replicas[first], other.applied == replica.applied {
      let all = replica.machine.page(prefix: [], after: [], limit: .max)
      if all != other.machine.page(prefix: [], after: [], limit: .max) {
        left.append(
          "nodes \(first + 1) and \(node + 1) have applied the same entries, and differ (state machine safety)")
      }
    }
    return left
  }

  package func takeNotes() -> [String] {
    defer { notes = [] }
    return notes
  }

  package func describe(_ bytes: [UInt8], _ range: Range<Int>) -> String {
    var reader = ByteReader(bytes, in: range)
    let counts = Message.counts(first: bytes[range.lowerBound])
    guard let (term, message) = try? Message.decode(&reader) else { return "garbage" }
    return "t\(term) \(message.text)\(counts ? "" : ", without a vote")"
  }
}
