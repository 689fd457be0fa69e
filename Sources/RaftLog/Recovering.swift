import Base
import Replica

// A node whose log, or snapshot, was damaged on its disk. Its storage has kept its term and its vote, and the newest
// snapshot that is whole, and has begun a new log behind that (`LogStore.recover`); what it had besides it gets back
// from a leader, like a node that was away. Until then it may lack what it has acknowledged. So it abstains: it gives
// no vote and no pre-vote, stands for no election, and whatever it answers says of itself that it does not count
// (`Message`): the leader counts it neither for the commit, nor for its own standing (6.2), nor for a read (6.4), and
// goes by what it says it holds now.
//
// It is whole when it has applied a marker that it asked a leader for after the damage: an entry of a name that no
// other life of the node has used. What it had acknowledged stands before that:
//
// - An entry e that was committed with its acknowledgement, in a term that it knows (its term is not lost), stands in
//   the log of each leader of a later term. Who voted for that leader includes a node X that holds e and is not this
//   one, or else this one, which voted before the damage, by the log that it had then; for since then it gave no vote.
//   A quorum without this node meets each earlier one in another node than this, and that one's memory is whole.
// - An acknowledgement that is still on its way, to the leader L of that term, is of entries that L had in its log
//   before it heard of a marker; and only L counts it.
// - A leader of an earlier term than it had when it last acknowledged anything it does not follow.
//
// Then it is written that it has its vote again, and what it says from then on waits for that write.
extension RaftReplica {
  /// Whether this node has no vote, and its answers do not count.
  var abstains: Bool { isRecovering && Guard.damagedLogAbstains.isIn }

  // MARK: - The node

  /// How much longer it waits before it asks again while it lacks what is committed: its marker comes after that.
  private static let farBehind: UInt64 = 10

  func askForMarker(_ leader: NodeID, leaderCommit: UInt64, _ now: Instant, _ outbox: inout Outbox) {
    guard Guard.wholeBehindMarker.isIn else { return becomeWhole(&outbox) }
    // A marker can be lost on its way, or with its leader, or be covered by a snapshot that is installed here.
    let pause = options.electionTimeout.count * (matched >= leaderCommit ? 1 : Self.farBehind)
    if let markerAskedAt, markerAskedAt + Milliseconds(pause) > now { return }
    // No other life of this node uses its number.
    if marker == 0 { marker = newAttempt() }
    markerAskedAt = now
    send(.markerWanted(attempt: marker), to: leader, after: .none, &outbox)
  }

  /// Its own marker is applied.
  func becomeWhole(_ outbox: inout Outbox) {
    isRecovering = false
    marker = 0
    saveTerm(&outbox)
    // What its log made of the members meanwhile was no news while it was older than what the host had heard.
    heardEpoch = 0
    outbox.configuration = configuration
  }

  // MARK: - The leader

  func markerWanted(by node: NodeID, _ attempt: UInt64, _ outbox: inout Outbox) {
    guard case .leader(let leadership) = role, leadership.transfer == nil, hasRoom(leadership),
      leadership.place(of: node) != nil
    else { return }
    appendOwn(.marker(origin: node, attempt: attempt), leadership, &outbox)
  }

  /// The follower in this place says that it counts, or that it does not: then what it held before is gone. An old
  /// answer that comes late does no harm: what it says was true of entries that stand before the follower's marker.
  func note(counts: Bool, of member: Int, _ leadership: Leadership) {
    guard leadership.progress[member].counts != counts else { return }
    leadership.progress[member].counts = counts
    guard !counts else { return }
    leadership.progress[member].match = 0
    leadership.progress[member].round = 0
    if case .snapshotting = leadership.progress[member].state { return }
    leadership.progress[member].probe(from: log.lastIndex + 1)
    needsFlush = true
  }
}
