import Base
import Replica

/// What the host tells of another node, member or not.
struct Peer {
  let id: NodeID
  var isReachable = false
  var clock: PeerClock?
  /// Of the forwards that came from it.
  var forwards = ForwardFilter()
}

// The links, and who can be asked.
extension RaftReplica {
  func place(of peer: NodeID) -> Int? {
    for place in peers.indices where peers[place].id == peer { return place }
    return nil
  }

  /// The peer's place, made where there is none yet.
  func placeMade(of peer: NodeID) -> Int {
    if let place = place(of: peer) { return place }
    peers.append(Peer(id: peer))
    return peers.count - 1
  }

  func isReachable(_ peer: NodeID) -> Bool { place(of: peer).map { peers[$0].isReachable } ?? false }

  /// The members that answer, by their places in the configuration.
  func noteReachable() {
    reachable = BitSet()
    for (member, other) in configuration.members.enumerated() where other.id == node || isReachable(other.id) {
      reachable.insert(member)
    }
  }

  /// Whether it makes sense to take a request on. Who is no member needs nobody but a leader.
  var hasWay: Bool {
    configuration.isQuorum(reachable) || selfIndex == nil && leader.map { isReachable($0) } ?? false
  }

  func peerChanged(
    _ peer: NodeID, _ isReachable: Bool, _ clock: PeerClock?, _ now: Instant, _ outbox: inout Outbox
  ) {
    guard peer != node else { return }
    let place = placeMade(of: peer)
    peers[place].clock = clock
    let wasReachable = peers[place].isReachable
    peers[place].isReachable = isReachable
    if wasReachable != isReachable { noteReachable() }
    if isReachable {
      if peer == leader && !unsent.isEmpty { dispatchUnsent(now, &outbox) }
    } else if wasReachable {
      refuseWithoutQuorum(&outbox)
      // The link to the leader broke: no need to wait for the whole timeout. A guess that costs little, since who still
      // hears the leader grants no pre-vote; but a lease rests on the timeout.
      if peer == leader && !options.leaseReads {
        let soon = now + Milliseconds(1 + random.below(max(1, options.electionTimeout.count / 4)))
        electionAt = min(electionAt, soon)
      }
    }
  }
}
