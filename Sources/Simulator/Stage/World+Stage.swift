package import Base
import Host
import RaftLog
import Replica

// A world that is directed from outside: nothing happens in it but what nodes do by themselves, and what it is told.
extension World {
  /// Forms a cluster. It is ready when this returns; ``failures`` says if it is not.
  ///
  /// - Parameter leader: where nodes keep a log, seeds are tried until the cluster begins under this node's lead, so
  ///   that a script can name it.
  package static func staged(
    _ rules: StageRules, seed: UInt64, backend: any SimulatedBackend, leader: Int = 0
  ) -> World {
    var tried: UInt64 = 0
    while true {
      let world = World(rules, seed: seed &+ tried &* 0x9E37_79B9, backend: backend)
      world.form()
      if world.standsUnder(leader) || tried == 31 { return world }
      tried += 1
    }
  }

  private convenience init(_ rules: StageRules, seed: UInt64, backend: any SimulatedBackend) {
    self.init(rules.scenario, seed: seed, backend: backend, only: [], traces: false, isWatched: false)
    network = SimNetwork(nodes: rules.allNodes, latency: rules.linkNanoseconds, jitter: rules.jitterNanoseconds)
    for node in nodes.indices { diskNanoseconds[node] = rules.diskNanoseconds }
    stage = Stage(rules)
    // What its clients want they are told.
    isClosing = true
  }

  private func form() {
    for node in nodes { start(node.place) }
    run(until: 10_000_000_000) { self.areAllReady }
    if !areAllReady { fail("the cluster did not form") }
    // What the formation has left on its way comes to an end.
    run(until: time + 400_000_000)
    guard let stage else { return }
    stage.log = []
    stage.messages = 0
    stage.heartbeats = 0
    stage.syncs = 0
    stage.bytesWritten = 0
    for node in nodes.indices { watch(node, stage, isSilent: true) }
  }

  private func standsUnder(_ leader: Int) -> Bool {
    guard monitor.standing(leader) != nil else { return true }
    return monitor.picture(leader, isUp: true, stage ?? Stage(StageRules(nodes: 1, clients: 1))).role == "leader"
  }

  // MARK: - Time

  /// Nanoseconds of the world's time at which the next event comes; nil: none will.
  package var nextEventAt: UInt64? { queue.nextAt }

  /// Lets everything up to `end` happen, that moment included.
  package func play(until end: UInt64) {
    while let next = queue.nextAt, next <= end { playNext() }
    time = max(time, end)
  }

  /// Lets one event happen. False if there is none.
  @discardableResult
  package func playNext() -> Bool {
    guard let stage, let next = queue.next() else { return false }
    time = max(time, next.at)
    events += 1
    happen(next.element)
    if !stage.beats.isEmpty { stage.beats.removeAll { $0.arrivesAt <= time } }
    for node in nodes.indices { watch(node, stage, isSilent: false) }
    serveClients(stage)
    return true
  }

  /// Notes what part a node has taken in the log, and among the members.
  private func watch(_ node: Int, _ stage: Stage, isSilent: Bool) {
    guard let host = nodes[node].host else { return }
    watchMembership(node, host, stage, isSilent: isSilent)
    guard let now = monitor.standing(node) else { return }
    let part = Stage.Part(term: now.term, part: now.part)
    guard part != stage.parts[node] else { return }
    let isFollowing = now.part == Standing.follower.rawValue
    let wasFollowing = stage.parts[node].map { $0.part == Standing.follower.rawValue } ?? true
    stage.parts[node] = part
    if !isSilent && !(isFollowing && wasFollowing) { stage.note(time, node: node, now.text) }
  }

  // MARK: - What can be seen

  package func isUp(_ node: Int) -> Bool { nodes[node].host != nil }
  package func isPaused(_ node: Int) -> Bool { nodes[node].isPaused }
  /// Why a node does not run, in its own words.
  package func problem(_ node: Int) -> String? { nodes[node].failure }
  package var nodeCount: Int { nodes.count }
  package func boot(_ node: Int) -> UInt32 { nodes[node].life }

  package func picture(_ node: Int) -> NodePicture? {
    guard let stage else { return nil }
    return monitor.picture(node, isUp: isUp(node), stage)
  }

  /// How far the host of a node sees the others, by place; itself included.
  package func reaches(_ node: Int) -> BitSet {
    var seen = BitSet()
    seen.insert(node)
    guard let host = nodes[node].host else { return BitSet() }
    for peer in host.status().peers where peer.isReachable { seen.insert(Int(peer.id.value) - 1) }
    return seen
  }
}
