import Base
import RaftLog
import Replica
import Simulator
import Storage

/// Raft replicas with a network, clocks, and real log stores over devices in memory, which the test moves by hand, or
/// at random from a seed.
final class Cluster {
  struct Envelope {
    let from: Int
    let to: Int
    let after: UInt64
    let bytes: [UInt8]
    let term: UInt64
    let message: Message
  }

  final class Node {
    var replica: RaftReplica
    var store: LogStore
    var device: MemoryDevice
    var outbox = Outbox()
    var held: [Envelope] = []
    /// Of each lane, what the device was given and has not done.
    var inFlight: [DeviceBatch?] = [nil, nil]
    var isUp = true
    var boot: UInt64 = 1
    var skew: Milliseconds = 0
    /// What its host keeps beside the log.
    var configuration: Configuration

    init(_ replica: RaftReplica, _ store: LogStore, _ device: MemoryDevice, _ configuration: Configuration) {
      self.configuration = configuration
      self.replica = replica
      self.store = store
      self.device = device
    }
  }

  let configuration: Configuration
  var nodes: [Node] = []
  var network: [Envelope] = []
  var now = Instant(nanoseconds: 1_000_000_000)
  var outcomes: [UInt64: Outcome] = [:]
  var pages: [UInt64: ListPage?] = [:]
  /// Messages handed to the network, by kind, not counting those of a node to itself; and their bytes.
  var sent: [Message.Kind: Int] = [:]
  var sentBytes = 0
  /// Whether each step is followed by a sync.
  var syncsAtOnce = true
  let monitor: RaftMonitor
  private let isMonitored: Bool
  var trace: [String]?
  private(set) var steps = 0
  /// How much was committed when a request was answered.
  private(set) var answeredAt: [UInt64: Int] = [:]
  private var nextToken: UInt64 = 1
  private var nextSequence: UInt64 = 1
  private let options: RaftOptions
  private let logOptions: LogOptions
  private let seed: UInt64

  /// - Parameter members: so many of the nodes are the first members; nil: all.
  init(
    _ count: Int = 3, members: Int? = nil, seed: UInt64 = 1, options: RaftOptions = RaftOptions(),
    logOptions: LogOptions = smallLog(),
    isMonitored: Bool = true
  ) {
    self.options = options
    self.logOptions = logOptions
    self.seed = seed
    monitor = RaftMonitor(nodes: count)
    self.isMonitored = isMonitored
    configuration = Configuration(
      epoch: 0,
      stable: (0..<(members ?? count)).map(Self.member))
    for index in 0..<count {
      let device = MemoryDevice()
      let (replica, store) = open(index, boot: 1, device)
      nodes.append(Node(replica, store, device, configuration))
    }
    for a in 0..<count { for b in 0..<count where a != b { setReachable(a, b, true) } }
  }

  static func member(_ index: Int) -> Member {
    Member(id: NodeID(UInt16(index + 1)), address: [], incarnation: Incarnation(UInt64(index + 1)), since: 0)
  }

  private func open(_ index: Int, boot: UInt64, _ device: MemoryDevice) -> (RaftReplica, LogStore) {
    let skew = index < nodes.count ? nodes[index].skew : 0
    let replica = RaftReplica(
      node: NodeID(UInt16(index + 1)), boot: boot,
      configuration: index < nodes.count ? nodes[index].configuration : configuration,
      seed: seed &* 1000 &+ UInt64(index) &+ boot &* 77, startedAt: now + skew, options: options)
    let recovery = try! LogStore.recover(device: device, holder: replica, options: logOptions)
    if isMonitored { monitor.recovered(index, replica, recovery.damage == nil ? .own : .other) }
    return (replica, recovery.store)
  }

  // MARK: - Moving things

  func clock(_ index: Int) -> Instant { now + nodes[index].skew }

  func step(_ index: Int, _ event: consuming Event) {
    let node = nodes[index]
    guard node.isUp else { return }
    take(index, event)
    // As a host does at the end of its turn.
    while node.replica.nextTick == .zero { take(index, .tick) }
    if syncsAtOnce { sync(index) }
  }

  private func take(_ index: Int, _ event: consuming Event) {
    let node = nodes[index]
    steps += 1
    node.outbox.openTicket = node.store.openTicket
    node.outbox.setDurable(node.store.durableTicket)
    if isMonitored { monitor.willStep(index, 0, event) }
    node.replica.step(event, now: clock(index), into: &node.outbox)
    if isMonitored { monitor.didStep(index, 0, node.outbox, since: Outbox.Mark()) }
    if let configuration = node.outbox.configuration { node.configuration = configuration }
    for record in node.outbox.writes.map(\.index) { node.store.markDirty(partition: 0, index: record) }
    for send in node.outbox.sends {
      let bytes = Array(node.outbox.arena.bytes[send.message])
      var reader = ByteReader(bytes)
      let (term, message) = try! Message.decode(&reader)
      trace?.append("\(milliseconds) node \(index + 1) to \(send.to.value), term \(term): \(message.text)")
      let envelope = Envelope(
        from: index, to: Int(send.to.value) - 1, after: send.after.number, bytes: bytes, term: term, message: message)
      if send.after.number <= node.store.durableTicket { emit(envelope) } else { node.held.append(envelope) }
    }
    for reply in node.outbox.replies {
      if outcomes[reply.token] != nil {
        monitor.fail("request \(reply.token) was answered twice")
        continue
      }
      outcomes[reply.token] = reply.outcome
      answeredAt[reply.token] = monitor.committed.count
    }
    for reply in node.outbox.listReplies {
      pages[reply.token] = .some(reply.page)
      answeredAt[reply.token] = monitor.committed.count
    }
    node.outbox.removeAll()
  }

  private var milliseconds: UInt64 { now.nanoseconds / 1_000_000 - 1000 }

  private func emit(_ envelope: Envelope) {
    if envelope.from != envelope.to {
      sent[envelope.message.kind, default: 0] += 1
      sentBytes += envelope.bytes.count
      if isMonitored {
        monitor.left(envelope.from, for: envelope.to, 0, envelope.bytes, 0..<envelope.bytes.count)
      }
    }
    network.append(envelope)
  }

  /// One batch of each lane, as far as there is one.
  func sync(_ index: Int) {
    let node = nodes[index]
    guard node.isUp else { return }
    submitOnly(index)
    for lane in [DeviceBatch.Lane.journal, .background] {
      guard let completion = node.device.complete(next: lane) else { continue }
      if isMonitored, let batch = node.inFlight[lane.rawValue] { monitor.durable(index, batch) }
      node.store.completed(completion)
    }
    let ready = node.held.filter { $0.after <= node.store.durableTicket }
    node.held.removeAll { $0.after <= node.store.durableTicket }
    for envelope in ready { emit(envelope) }
    if node.replica.nextTick == .zero { step(index, .tick) }
  }

  /// What a batch in flight leaves is decided by the crash.
  func submitOnly(_ index: Int) {
    let node = nodes[index]
    guard node.isUp else { return }
    for batch in [node.store.sealIfPossible(), node.store.nextFlushBatch()] {
      guard let batch else { continue }
      node.inFlight[batch.lane.rawValue] = batch
      node.device.submit(batch)
    }
  }

  func deliver(_ envelope: Envelope) {
    step(envelope.to, .message(from: NodeID(UInt16(envelope.from + 1)), ByteReader(envelope.bytes)))
  }

  func take(_ isTaken: (Envelope) -> Bool) -> [Envelope] {
    let taken = network.filter(isTaken)
    network.removeAll(where: isTaken)
    return taken
  }

  func run(dropping isDropped: (Envelope) -> Bool = { _ in false }) {
    var place = 0
    while place < network.count {
      let envelope = network[place]
      place += 1
      if !isDropped(envelope) { deliver(envelope) }
      if place > 4096 {
        network.removeFirst(place)
        place = 0
      }
    }
    network.removeFirst(place)
  }

  func pass(milliseconds: UInt64, dropping isDropped: (Envelope) -> Bool = { _ in false }) {
    for _ in 0..<milliseconds {
      now = now + 1
      tickAll()
      run(dropping: isDropped)
      if now.nanoseconds / 1_000_000 % 50 == 0 { hearClocks(dropping: isDropped) }
    }
  }

  func tickAll() {
    for (index, node) in nodes.enumerated() where node.isUp {
      if node.replica.nextTick <= clock(index) { step(index, .tick) } else { sync(index) }
    }
  }

  /// Heartbeats of the hosts, as far as the links let them through.
  func hearClocks(dropping isDropped: (Envelope) -> Bool = { _ in false }) {
    for at in nodes.indices where nodes[at].isUp {
      for peer in nodes.indices where at != peer {
        let probe = Envelope(from: peer, to: at, after: 0, bytes: [], term: 0, message: .timeoutNow)
        let back = Envelope(from: at, to: peer, after: 0, bytes: [], term: 0, message: .timeoutNow)
        setReachable(at, peer, nodes[peer].isUp && !isDropped(probe) && !isDropped(back))
      }
    }
  }

  func setReachable(_ at: Int, _ peer: Int, _ isReachable: Bool) {
    step(
      at,
      .peer(
        NodeID(UInt16(peer + 1)), isReachable: isReachable, clock: PeerClock(reading: clock(peer), heardAt: clock(at))))
  }

  /// The process dies, and what was not synced is lost, torn or kept.
  func crash(_ index: Int, noticed: Bool = true, using random: inout SeededRandom) {
    nodes[index].device.crash(using: &random)
    nodes[index].isUp = false
    nodes[index].held = []
    network.removeAll { $0.to == index && $0.from == index }
    if noticed { for other in nodes.indices where other != index { setReachable(other, index, false) } }
  }

  func crash(_ index: Int) {
    var random = SeededRandom(seed: UInt64(steps))
    crash(index, using: &random)
  }

  func restart(_ index: Int) {
    let node = nodes[index]
    node.boot += 1
    now = now + 1
    (node.replica, node.store) = open(index, boot: node.boot, node.device)
    node.outbox = Outbox()
    node.isUp = true
    for other in nodes.indices where other != index {
      setReachable(index, other, nodes[other].isUp)
      setReachable(other, index, true)
    }
  }

  // MARK: - Leaders

  /// The node that leads in the highest term, if there is one.
  var leader: Int? {
    nodes.indices.filter { nodes[$0].isUp && nodes[$0].replica.leadership != nil }
      .max { nodes[$0].replica.term < nodes[$1].replica.term }
  }

  /// Lets time pass until there is one that all live nodes follow.
  @discardableResult
  func elect(within milliseconds: UInt64 = 5000, dropping isDropped: (Envelope) -> Bool = { _ in false }) -> Int? {
    for _ in 0..<milliseconds {
      if let leader, nodes[leader].replica.commit > 0,
        nodes[leader].replica.knowsItsCommit
      {
        return leader
      }
      pass(milliseconds: 1, dropping: isDropped)
    }
    return nil
  }

  // MARK: - Clients

  func reserveToken() -> UInt64 {
    defer { nextToken += 1 }
    return nextToken
  }

  @discardableResult
  func send(
    _ at: Int, _ key: String, _ action: Action, if condition: Condition = .always, id: OperationID? = nil,
    payloadHash: UInt64 = 0, timeout: Milliseconds = 5000, wait: Request.Wait? = nil
  ) -> UInt64 {
    let token = reserveToken()
    nextSequence += 1
    let name = id ?? OperationID(node: NodeID(UInt16(at + 1)), boot: nodes[at].boot, sequence: nextSequence)
    let operation = Operation(
      id: name, key: Key(Array(key.utf8)), action: action, condition: condition, payloadHash: payloadHash)
    step(at, .request(Request(operation: operation, token: token, deadline: clock(at) + timeout, wait: wait)))
    return token
  }

  /// Sends and lets time pass until the answer is there.
  func ask(
    _ at: Int, _ key: String, _ action: Action, if condition: Condition = .always, id: OperationID? = nil,
    payloadHash: UInt64 = 0, within milliseconds: UInt64 = 6000, dropping isDropped: (Envelope) -> Bool = { _ in false }
  ) -> Outcome? {
    let token = send(at, key, action, if: condition, id: id, payloadHash: payloadHash)
    run(dropping: isDropped)
    for _ in 0..<milliseconds where outcomes[token] == nil { pass(milliseconds: 1, dropping: isDropped) }
    return outcomes[token]
  }

  func put(_ at: Int, _ key: String, _ value: String, if condition: Condition = .always) -> Outcome? {
    ask(at, key, .put(Array(value.utf8)), if: condition)
  }

  func get(_ at: Int, _ key: String) -> Outcome? { ask(at, key, .read) }

  func list(_ at: Int, prefix: String = "", after: String = "", limit: Int = 100) -> UInt64 {
    let token = reserveToken()
    step(
      at,
      .list(
        ListRequest(
          token: token, prefix: Array(prefix.utf8), after: Array(after.utf8), limit: limit, deadline: clock(at) + 5000))
    )
    return token
  }

  func resetCounts() {
    sent = [:]
    sentBytes = 0
  }
}

extension RaftReplica {
  /// Whether an entry of its own term is committed.
  var knowsItsCommit: Bool { log.term(at: commit) == term }
}

/// Segments so small that a test goes through many.
func smallLog() -> LogOptions {
  var options = LogOptions()
  options.segmentBytes = 64 << 10
  options.batchBytes = 16 << 10
  options.pieceBytes = 1 << 10
  options.maximumPayloadBytes = 20 << 10
  return options
}

func value(_ text: String, at revision: UInt64) -> Outcome {
  .read(Versioned(revision: revision, value: Array(text.utf8)))
}
