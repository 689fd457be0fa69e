import Base
import Host
import Register
import Replica
import Storage
import Wire

/// Whole nodes without sockets: hosts over memory devices, their connections joined by hand. Time moves only when a
/// test says so.
final class HostCluster {
  final class Node {
    let id: Int
    var device = MemoryDevice()
    var host: Host?
    /// Why it could not start, or stopped.
    var failure: String?
    var notices: [String] = []
    /// It was removed, and is ending, or has ended.
    var isLeaving = false
    var hasLeft = false
    init(_ id: Int) { self.id = id }
  }

  /// One direction of a pair of joined connections.
  private struct Join {
    let node: Int
    let connection: UInt64
  }

  var nodes: [Node] = []
  var now = Instant(nanoseconds: 5_000_000_000)
  var secrets: [Int: [UInt8]] = [:]
  /// Peers that cannot be connected to.
  var unreachable: Set<Int> = []
  private var joined: [String: Join] = [:]
  /// The ends, of those, of who dialled.
  private var dialledEnds: Set<String> = []
  private var nextConnection: UInt64 = 1
  /// What clients have received, by connection.
  private var received: [UInt64: [UInt8]] = [:]
  private let partitions = 4
  /// So many are the first members; the others are to be added.
  private let firstCount: Int
  /// Before each turn one that only gathers, in the midst of which every connection is asked for what it has.
  var gathers = false
  /// Node `id` dies at its so-manieth turn in which it does anything.
  var doomed: (id: Int, turnsLeft: Int)?

  private let tombstoneAge: Milliseconds

  init(_ count: Int = 3, first: Int? = nil, starting: Bool = true, tombstoneAge: Milliseconds = 60_000) {
    firstCount = first ?? count
    self.tombstoneAge = tombstoneAge
    for id in 1...count { nodes.append(Node(id)) }
    if starting { for id in 1...count { start(id) } }
  }

  private var first: Configuration {
    Configuration(
      epoch: 0,
      stable: nodes.prefix(firstCount).map {
        Member(
          id: NodeID(UInt16($0.id)), address: Array("node\($0.id):1".utf8), incarnation: Incarnation(0), since: 0)
      })
  }

  private func newState(_ id: Int) -> NodeState {
    let incarnation = Incarnation(UInt64.random(in: 1 ... .max))
    guard id > firstCount else {
      return NodeState(
        backend: .register, node: NodeID(UInt16(id)), incarnation: incarnation, partitions: partitions, first: first)
    }
    return NodeState(
      backend: .register, node: NodeID(UInt16(id)), incarnation: incarnation, partitions: partitions, joining: first,
      address: Self.address(id))
  }

  static func address(_ id: Int) -> [UInt8] { Array("node\(id):1".utf8) }

  /// As a process does: reads the superblock, raises the boot number, recovers.
  func start(_ id: Int) {
    let node = nodes[id - 1]
    node.failure = nil
    do {
      let found = try Superblock.read(from: node.device)
      var superblock = found ?? Superblock()
      var state =
        try found.map { try NodeState(decoding: $0.payload) }
        ?? newState(id)
      state.boot += 1
      for _ in 0..<2 { try node.device.perform(superblock.nextChanges(state.encoded())) }
      var replicas: [RegisterReplica] = []
      var registers = RegisterReplica.Options()
      registers.tombstoneAge = tombstoneAge
      for partition in 0..<partitions {
        replicas.append(
          RegisterReplica(
            node: state.node, boot: state.boot, configuration: state.configuration, floor: Floor(state.floor),
            seed: UInt64(id * 100 + partition), startedAt: now, options: registers))
      }
      var options = StorageOptions()
      options.halfBytes = 4 << 20
      let recovery = try RecordStore.recover(device: node.device, shards: 1, holders: replicas, options: options)
      node.host = Host(
        Host.Setup(
          shard: 0, shards: 1, state: state, options: HostOptions(), replicas: replicas, store: recovery.stores[0],
          superblock: superblock, diskUse: DiskUse(sizes: [:]), tokens: nil, peerSecret: secrets[id],
          version: "test", seed: UInt64(id), now: now, wallSeconds: 1_700_000_000))
    } catch {
      node.failure = "\(error)"
    }
  }

  /// The process dies. Its connections break.
  func stop(_ id: Int) {
    let node = nodes[id - 1]
    node.host = nil
    var random = SeededRandom(seed: UInt64(id))
    node.device.crash(using: &random)
    for (key, join) in joined where key.hasPrefix("\(id)/") {
      joined[key] = nil
      joined["\(join.node)/\(join.connection)"] = nil
      nodes[join.node - 1].host?.closed(join.connection)
    }
  }

  /// The links that others have dialled to node `id` break; those that it has dialled itself stay.
  func breakLinks(dialledTo id: Int) {
    for (key, join) in joined where join.node == id && dialledEnds.contains(key) {
      joined[key] = nil
      joined["\(id)/\(join.connection)"] = nil
      let parts = key.split(separator: "/")
      nodes[Int(parts[0])! - 1].host?.closed(UInt64(parts[1])!)
      nodes[id - 1].host?.closed(join.connection)
    }
  }

  /// Runs turns until nothing moves, then lets a little time pass; as long as told.
  func pass(milliseconds: UInt64) {
    let end = now + Milliseconds(milliseconds)
    while now < end {
      now = now + 5
      for _ in 0..<12 { for node in nodes { turn(node) } }
    }
  }

  private func turn(_ node: Node) {
    guard let host = node.host else { return }
    host.now = now
    for completion in node.device.completeAll() { host.completed(completion) }
    if gathers {
      host.endTurn(isGathering: true)
      for key in joined.keys.sorted() where key.hasPrefix("\(node.id)/") { move(node, UInt64(key.dropFirst(2))!) }
    }
    host.endTurn()
    let effects = host.effects
    host.effects = Effects()
    node.notices += effects.notices
    if let fatal = effects.fatal {
      node.failure = fatal
      return stop(node.id)
    }
    if let doomed, doomed.id == node.id, !effects.batches.isEmpty || !effects.touched.isEmpty {
      guard doomed.turnsLeft > 0 else {
        self.doomed = nil
        return stop(node.id)
      }
      self.doomed?.turnsLeft -= 1
    }
    if effects.isLeaving {
      node.isLeaving = true
      host.beginShutdown()
    } else if node.isLeaving && host.isDrained {
      node.hasLeft = true
      return stop(node.id)
    }
    for batch in effects.batches { node.device.submit(batch) }
    for peer in effects.dials { dial(from: node, to: Int(peer.value)) }
    for connection in effects.touched { move(node, connection) }
  }

  private func dial(from node: Node, to peer: Int) {
    guard let other = nodes[peer - 1].host, !unreachable.contains(peer), !unreachable.contains(node.id) else {
      node.host?.dialFailed(NodeID(UInt16(peer)), "connection refused")
      return
    }
    let near = newConnection()
    let far = newConnection()
    joined["\(node.id)/\(near)"] = Join(node: peer, connection: far)
    joined["\(peer)/\(far)"] = Join(node: node.id, connection: near)
    dialledEnds.insert("\(node.id)/\(near)")
    other.peerAccepted(far)
    node.host?.dialled(NodeID(UInt16(peer)), connection: near)
  }

  private func move(_ node: Node, _ connection: UInt64) {
    guard let (bytes, isFinished) = node.host?.takeOutput(connection) else { return }
    if let join = joined["\(node.id)/\(connection)"] {
      bytes.withUnsafeBytes { if !$0.isEmpty { nodes[join.node - 1].host?.received(join.connection, $0) } }
      if isFinished {
        joined["\(node.id)/\(connection)"] = nil
        joined["\(join.node)/\(join.connection)"] = nil
        node.host?.closed(connection)
        nodes[join.node - 1].host?.closed(join.connection)
      }
    } else {
      received[connection, default: []] += bytes
    }
  }

  private func newConnection() -> UInt64 {
    nextConnection += 1
    return nextConnection
  }

  // MARK: - Clients

  /// Sends a request over the line protocol and returns the answer, after as long as it takes.
  func say(_ id: Int, _ line: String) -> String {
    let connection = newConnection()
    guard let host = nodes[id - 1].host, host.sessionOpened(connection) else { return "no node" }
    Array((line + "\n").utf8).withUnsafeBytes { host.received(connection, $0) }
    for _ in 0..<1300 where received[connection] == nil { pass(milliseconds: 5) }
    nodes[id - 1].host?.closed(connection)
    return String(decoding: received[connection] ?? [], as: UTF8.self).trimmingEnd()
  }

  /// Hands node `id` what a client says, without a turn.
  func hand(_ id: Int, _ line: String) {
    guard let host = nodes[id - 1].host else { return }
    let connection = newConnection()
    _ = host.sessionOpened(connection)
    Array((line + "\n").utf8).withUnsafeBytes { host.received(connection, $0) }
  }

  /// Wants these members, asked of node `id`. The answer goes nowhere: no session has this number.
  func want(_ members: [Int], of id: Int) {
    let entries = members.map { WantedMembers.Entry(id: NodeID(UInt16($0)), address: Self.address($0)) }
    nodes[id - 1].host?.changeMembers(
      WantedMembers(entries: entries, isForced: true), for: ExchangeID(session: 0, exchange: 0))
  }

  func configuration(_ id: Int) -> Configuration? { nodes[id - 1].host?.state.configuration }

  func status(_ id: Int) -> NodeStatus? { nodes[id - 1].host?.status() }
}

extension String {
  fileprivate func trimmingEnd() -> String {
    var text = self
    while text.last?.isNewline == true { text.removeLast() }
    return text
  }
}
