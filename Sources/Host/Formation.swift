import Base
import Replica
import Storage

// A new cluster serves once all its first members have met, and each has durably recorded every one's id, address and
// incarnation (PROTOCOL, Membership: Formation). The first thread does it; the others hear of it.
extension Host {
  /// A cluster of one has no one to meet.
  func formAlone() {
    guard shard == 0, state.formation == .gathering else { return }
    record()
  }

  /// A greeting was accepted, on either end of a link.
  func met(_ greeting: Greeting) {
    guard let peer = peer(greeting.node) else { return }
    peer.incarnation = greeting.incarnation
    if shard == 0 { heard(peer, greeting.formation, greeting.cluster) }
  }

  /// What a peer says of its own formation.
  func heard(_ peer: Peer, _ formation: NodeState.Formation, _ cluster: [UInt8]) {
    peer.formation = formation
    peer.cluster = formation == .gathering || formation == .joining ? nil : cluster
    switch state.formation {
    case .gathering: recordIfAllAreKnown()
    case .recorded: completeIfAllHaveRecorded()
    case .complete, .joining, .guest, .removed: break
    }
  }

  private func recordIfAllAreKnown() {
    guard peers.allSatisfy({ $0.incarnation != nil }), superblockWrites.isIdle else { return }
    let cluster = Self.cluster(of: configurationWithIncarnations())
    // A member whose folder belongs to another cluster was met: nothing is recorded with it.
    for peer in peers where peer.cluster != nil && peer.cluster != cluster {
      peer.problem = "its data folder belongs to another cluster"
      return
    }
    record()
  }

  /// Nothing of it is said to anyone before it is durable: `state` changes when the superblock is written.
  private func record() {
    superblockWrites.change(state) { next in
      next.configuration = configurationWithIncarnations()
      next.cluster = Self.cluster(of: next.configuration)
      next.formation = peers.isEmpty ? .complete : .recorded
    }
  }

  private func completeIfAllHaveRecorded() {
    guard superblockWrites.isIdle else { return }
    let ours = peers.filter { $0.cluster == state.cluster }
    let isComplete = ours.count == peers.count || ours.contains { $0.formation == .complete }
    guard isComplete else { return }
    superblockWrites.change(state) { $0.formation = .complete }
  }

  private func configurationWithIncarnations() -> Configuration {
    let members = state.configuration.members.map { member in
      var member = member
      member.incarnation =
        member.id == state.node ? state.incarnation : peer(member.id)?.incarnation ?? member.incarnation
      return member
    }
    return Configuration(epoch: state.configuration.epoch, stable: members)
  }

  private static func cluster(of configuration: Configuration) -> [UInt8] {
    var writer = ByteWriter()
    configuration.encode(into: &writer)
    return SHA256.digest(writer.bytes)
  }

  /// A superblock has reached the disk.
  func stateIsDurable(_ written: NodeState) {
    let before = state
    state = written
    state.journalPositions = before.journalPositions
    if state.formation == .recorded { completeIfAllHaveRecorded() }
    guard isServing else { return }
    if Self.concernsReplicas(before, state) {
      for other in 1..<max(1, shards) { effects.posts.append((other, .state(state))) }
    }
    stateChanged(from: before)
  }

  /// From the first thread.
  func adopt(_ new: NodeState) {
    let before = state
    state = new
    nextHeartbeat = now
    stateChanged(from: before)
  }

  private static func concernsReplicas(_ old: NodeState, _ new: NodeState) -> Bool {
    old.formation != new.formation || old.configuration.epoch != new.configuration.epoch || old.floor != new.floor
      || old.reserve != new.reserve
  }

  private func stateChanged(from before: NodeState) {
    if state.floor != before.floor { for partition in owned { step(partition, .raiseFloor(state.floor)) } }
    if state.reserve != before.reserve { for partition in owned { step(partition, .raiseReserve(state.reserve)) } }
    if !before.formation.isServing { afterFormation() }
    if state.configuration.epoch > before.configuration.epoch { configurationInstalled() }
    if state.configuration.epoch < before.configuration.epoch { configurationTakenBack(before.configuration) }
  }

  private func afterFormation() {
    // A log was begun before the incarnations of its members were known.
    if state.backend == .raft { for partition in owned { step(partition, .configure(state.configuration, peers: [])) } }
    for peer in peers where peer.isReachable { setReachable(peer, true, "") }
  }

  /// R12: what this node has durable, kept as lazily: a journal that is cut short is seen at the next start.
  func noteOwnPosition() {
    let name = state.ownJournal(shard)
    if shard == 0 {
      note(name, store.position)
    } else if store.position > 0 {
      effects.posts.append((0, .position(name, store.position)))
    }
  }

  /// R12: what a node has durable, kept lazily.
  func note(_ name: NodeState.JournalName, _ position: UInt64) {
    guard state.journalPositions[name] != position else { return }
    state.note(name, position: position)
    positionsChanged = true
  }
}

/// Writes of the node's state to the superblock: one at a time, the latest state each, and each state to both copies,
/// so that no single bad sector brings an older state back.
struct SuperblockWrites {
  private var wanted: NodeState?
  private var inFlight: NodeState?
  private var copiesLeft = 0
  private var isWriting = false
  private var sequence: UInt64 = 0

  var isIdle: Bool { wanted == nil && inFlight == nil }

  /// What is, or will soon be, on the disk: `current`, which is, or what was asked for since.
  func latest(_ current: NodeState) -> NodeState { wanted ?? inFlight ?? current }

  /// Nothing that is on its way to the disk is lost by a change: it builds on that.
  mutating func change(_ current: NodeState, _ body: (inout NodeState) -> Void) {
    var next = latest(current)
    next.journalPositions = current.journalPositions
    body(&next)
    wanted = next
  }

  mutating func next(_ superblock: inout Superblock) -> DeviceBatch? {
    if inFlight == nil, let state = wanted {
      wanted = nil
      inFlight = state
      copiesLeft = 2
    }
    guard let state = inFlight, !isWriting else { return nil }
    isWriting = true
    copiesLeft -= 1
    sequence += 1
    // The bit that marks the store's own tokens stays clear.
    return DeviceBatch(lane: .background, token: sequence, changes: superblock.nextChanges(state.encoded()))
  }

  /// Whether the completion was of a superblock; then also the state of which both copies are durable now, if so.
  mutating func completed(_ completion: DeviceCompletion) -> (isOurs: Bool, durable: NodeState?) {
    guard completion.lane == .background, completion.token & RecordStore.tokenBit == 0 else { return (false, nil) }
    isWriting = false
    guard copiesLeft == 0 else { return (true, nil) }
    defer { inFlight = nil }
    return (true, inFlight)
  }
}
