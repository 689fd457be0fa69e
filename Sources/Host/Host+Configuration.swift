package import Replica

// Installing configurations (R11; PROTOCOL, Membership). One that was chosen goes from node to node: whoever hears of a
// lower epoch than its own tells. It counts on a node from the moment when it is in the superblock, for every key at
// once; the first thread writes it, the others hear of it then.
extension Host {
  /// The configuration was chosen. Older ones, and the present one again, change nothing.
  package func install(_ configuration: Configuration) {
    guard shard == 0 else { return effects.posts.append((0, .configuration(configuration))) }
    guard isServing, configuration.epoch > state.configuration.epoch else { return }
    var next = state
    next.configuration = configuration
    superblockWrites.request(next)
  }

  func tellConfiguration(_ peer: Peer) {
    let configuration = state.configuration
    peer.appendFrame(.configuration) { configuration.encode(into: &$0) }
  }

  /// `state` holds another configuration, durably.
  func configurationInstalled() {
    for member in state.configuration.members where member.id != state.node && peer(member.id) == nil {
      peers.append(Peer(id: member.id, address: member.address, redial: options.redialFirst))
    }
    // Links to nodes that left stay: over them those hear of it.
    let states = peers.map { PeerState(node: $0.id, isReachable: $0.isReachable, clock: $0.clock) }
    for partition in owned { step(partition, .configure(state.configuration, peers: states)) }
  }
}
