import Base
import Replica

// Nodes that are no members: those that are to be added, which are met beforehand, and those that were removed.
extension Host {
  private static let maximumGuests = 16

  /// A node that is no member has been greeted: it is dialled like one from now on, so that it can be answered.
  func welcomeGuest(_ hello: Greeting) {
    guard shard == 0, state.configuration.index(of: hello.node) == nil, hello.formation != .removed else { return }
    if let known = peer(hello.node), known.incarnation == hello.incarnation, known.address == hello.address { return }
    admit(hello.node, hello.address)
    for other in 1..<max(1, shards) { effects.posts.append((other, .guest(hello.node, address: hello.address))) }
  }

  func admit(_ id: NodeID, _ address: [UInt8]) {
    guard id != state.node, state.configuration.index(of: id) == nil else { return }
    if let old = peer(id) {
      // Another node under an id that no member has: the one before it is gone.
      if let connection = old.connection { effects.touched.append(connection) }
      lost(old, "another node came under this id")
      peers.removeAll { $0.id == id }
    }
    guard peers.count(where: { $0.isGuest }) < Self.maximumGuests else { return }
    let guest = Peer(id: id, address: address, redial: options.redialFirst)
    guest.isGuest = true
    peers.append(guest)
    effects.readdressed.append(id)
  }

  /// Nodes that are no members, and are not there any more.
  func forgetStrangers() {
    guard isServing, peers.count >= state.configuration.members.count else { return }
    var forgotten: [NodeID] = []
    for peer in peers where state.configuration.index(of: peer.id) == nil {
      guard case .resting = peer.link, !peer.isGuest || peer.failedDials > 20 else { continue }
      forgotten.append(peer.id)
    }
    guard !forgotten.isEmpty else { return }
    peers.removeAll { forgotten.contains($0.id) }
    // One that was paused, say, may still send on the link that it has dialled, and nobody would answer: on a new one
    // it is told that it is no member.
    for (connection, link) in served.all {
      guard case .established(let id) = link.state, forgotten.contains(id) else { continue }
      link.isFinished = true
      effects.touched.append(connection)
    }
  }
}
