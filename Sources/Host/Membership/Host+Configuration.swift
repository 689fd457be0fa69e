import Base
package import Replica

// Installing configurations (R11; PROTOCOL, Membership). One that was chosen goes from node to node: whoever installs
// it tells all, and whoever hears of a lower epoch than its own tells. It counts on a node from the moment when it is
// in the superblock, for every key at once; the first thread writes it, the others hear of it then.
extension Host {
  /// The configuration was chosen. Older ones, and the present one again, change nothing.
  package func install(_ configuration: Configuration) {
    guard shard == 0 else { return effects.posts.append((0, .configuration(configuration))) }
    let latest = superblockWrites.latest(state)
    guard isServing, configuration.epoch > latest.configuration.epoch else { return }
    // A log tells its members itself, in its own order; what it may not be able to tell is that a node is out.
    if state.backend == .raft, latest.formation == .complete, configuration.isJoint || state.isNamed(by: configuration)
    {
      return
    }
    superblockWrites.change(state) { $0.go(by: configuration) }
  }

  /// A peer tells which configuration was chosen.
  func hear(_ configuration: Configuration, from link: ServedLink) {
    guard shard == 0 else { return install(configuration) }
    guard state.formation == .joining else { return install(configuration) }
    // A node that is to be added takes the word of the first member that it hears.
    guard case .established(let id) = link.state, let cluster = peer(id)?.cluster,
      superblockWrites.latest(state).formation == .joining
    else { return }
    superblockWrites.change(state) {
      $0.cluster = cluster
      $0.go(by: configuration)
    }
  }

  /// The log goes by this configuration from now on. It holds it itself, so nothing waits for this write.
  func followLog(_ configuration: Configuration) {
    guard shard == 0 else { return effects.posts.append((0, .followLog(configuration))) }
    var next = superblockWrites.latest(state)
    next.follow(configuration)
    guard next.configuration != superblockWrites.latest(state).configuration else { return }
    superblockWrites.change(state) { $0.follow(configuration) }
  }

  /// A log has committed a configuration without this node.
  func leaveIfOut() {
    guard state.backend == .raft, state.formation == .complete, let chosen = replicas[0]?.chosenConfiguration,
      !chosen.isJoint, !state.isNamed(by: chosen),
      chosen.epoch >= superblockWrites.latest(state).configuration.epoch
    else { return }
    superblockWrites.change(state) { $0.go(by: chosen) }
  }

  /// The latest that is known to be chosen. What the superblock holds of registers was.
  var chosenConfiguration: Configuration? {
    guard state.backend == .raft else { return state.configuration }
    return replicas[0]?.chosenConfiguration
  }

  func tellConfiguration(_ peer: Peer) {
    guard let configuration = chosenConfiguration else { return }
    peer.appendFrame(.configuration) { configuration.encode(into: &$0) }
  }

  /// A log has cut off the entry that made `later`: who entered by it is still to be added.
  func configurationTakenBack(_ later: Configuration) {
    for peer in peers where state.configuration.index(of: peer.id) == nil && later.since(of: peer.id) == later.epoch {
      peer.isGuest = true
    }
  }

  /// `state` holds another configuration, durably.
  func configurationInstalled() {
    for member in state.configuration.members where member.id != state.node {
      if let peer = peer(member.id) {
        peer.isGuest = false
      } else {
        peers.append(Peer(id: member.id, address: member.address, redial: options.redialFirst))
      }
    }
    // At once, and not with the next heartbeat: until the others have it, their rounds and this node's do not meet.
    // (Without the guard the driver lists before anyone else has its fence up.)
    if shard == 0 && Guard.listedBehindFence.isIn {
      for peer in peers where peer.isEstablished && peer.epoch < state.configuration.epoch { tellConfiguration(peer) }
    }
    let states = peers.map { PeerState(node: $0.id, isReachable: $0.isReachable, clock: $0.clock) }
    for partition in owned { step(partition, .configure(state.configuration, peers: states)) }
    nextHeartbeat = now
  }

  /// Step 2: a node counts towards a majority of the new members only when its floor is at least that of a majority of
  /// the old ones, of after they installed the joint epoch: nothing is erased in it, so the floors stay. First thread.
  func raiseOwnFloor() {
    let configuration = state.configuration
    guard configuration.isJoint, floorEpoch < configuration.epoch, state.formation == .complete,
      superblockWrites.isIdle
    else { return }
    var heard = BitSet()
    var floor = state.floor
    for (index, member) in configuration.members.enumerated() where configuration.old.contains(index) {
      if member.id == state.node {
        heard.insert(index)
      } else if let peer = peer(member.id), peer.epoch >= configuration.epoch {
        heard.insert(index)
        floor.raise(to: peer.floor)
      }
    }
    guard 2 * heard.count > configuration.old.count else { return }
    if floor == state.floor || !Guard.floorIsHandedOver.isIn {
      floorEpoch = configuration.epoch
      nextHeartbeat = now
    } else {
      superblockWrites.change(state) { $0.floor.raise(to: floor) }
    }
  }

  /// R14: the replicas hear of it when it is in the superblock, and erase then. One write serves many erasures, of all
  /// partitions.
  func raiseFloor(to floor: NodeFloor) {
    guard shard == 0 else { return effects.posts.append((0, .raiseFloor(floor))) }
    guard state.formation == .complete else { return }
    let latest = superblockWrites.latest(state).floor
    var raised = latest
    raised.raise(to: floor)
    if raised != latest { superblockWrites.change(state) { $0.floor.raise(to: floor) } }
  }

  /// A promise goes so high only when this is in the superblock. One write serves a million rounds of a register.
  func raiseReserve(to counter: UInt64) {
    guard shard == 0 else { return effects.posts.append((0, .raiseReserve(counter))) }
    if superblockWrites.latest(state).reserve < counter {
      superblockWrites.change(state) { $0.reserve = max($0.reserve, counter) }
    }
  }

  /// A fellow member's floor: with a lower one, this node's rounds for keys without a record would be refused there,
  /// and each would have to begin twice. First thread.
  func keepUpWithFloor(of peer: Peer) {
    guard state.backend == .register, !state.configuration.isJoint, peer.epoch == state.configuration.epoch,
      state.configuration.index(of: peer.id) != nil
    else { return }
    raiseFloor(to: peer.floor)
  }

  /// This node is no member any more. It stays until a majority of those who are have installed that: else they would
  /// wait for ever for the old majority, of which this node is. What it has under way, and what its clients have sent,
  /// is still answered. First thread.
  func leaveWhenKnown() {
    guard state.formation == .removed, !isDraining, !effects.isLeaving else { return }
    var informed = BitSet()
    for (index, member) in state.configuration.members.enumerated() {
      guard let peer = peer(member.id) else { continue }
      if peer.epoch >= state.configuration.epoch { informed.insert(index) }
    }
    // A later epoch was begun by a majority of this one.
    let isOver = peers.contains { $0.epoch > state.configuration.epoch }
    guard isOver || state.configuration.isQuorum(informed) else { return }
    let epoch = state.configuration.epoch
    guard !startedRemoved else {
      effects.fatal =
        "node \(state.node.value) was removed from its cluster, in epoch \(epoch): to add it again, start it on a new "
        + "data folder with --join"
      return
    }
    effects.notices.append(
      "this node is no member any more, since epoch \(epoch): it answers what is under way, and ends")
    effects.isLeaving = true
  }
}
