import Base
import Register
import Replica

/// Register replicas of one partition with a network and disks that the test moves by hand, or at random from a seed.
final class Cluster {
  struct Envelope {
    let from: Int
    let to: Int
    let after: UInt64
    let bytes: [UInt8]
    let message: Message
  }

  final class Node {
    var replica: RegisterReplica
    var outbox = Outbox()
    var openTicket: UInt64 = 1
    var durable: UInt64 = 0
    var held: [Envelope] = []
    var isUp = true
    var boot: UInt64 = 1
    /// What is on the disk: payloads by record key, as of the last sync.
    var disk: [[UInt8]: [UInt8]] = [:]
    var unsynced: [UInt32] = []
    /// What this node's clock is ahead of the cluster's time.
    var skew: Milliseconds = 0
    /// What it has durably installed.
    var configuration: Configuration
    /// R14: durable.
    var floor = NodeFloor()
    /// What its replica waits for.
    var floorWanted: NodeFloor?
    var reserveWanted: UInt64?
    var reserve: UInt64

    init(_ replica: RegisterReplica) {
      self.replica = replica
      reserve = replica.acceptor.reserve
      configuration = replica.configuration
    }
  }

  let configuration: Configuration
  var nodes: [Node] = []
  var network: [Envelope] = []
  var now = Instant(nanoseconds: 1_000_000_000)
  var outcomes: [UInt64: Outcome] = [:]
  var pages: [UInt64: ListPage?] = [:]
  /// Messages handed to the network, by kind, not counting those of a node to itself.
  var sent: [String: Int] = [:]
  var diskWrites = 0
  /// Whether each step is followed by a sync.
  var syncsAtOnce = true
  /// Watches what is sent and what reaches the disks.
  var monitor: Monitor?
  /// What happened, a line each, where it is wanted.
  var trace: [String]?
  /// Steps so far: the order of what clients asked and heard.
  private(set) var steps = 0
  /// The step in which each request, and each listing, was answered.
  private(set) var answeredAt: [UInt64: Int] = [:]
  private var nextToken: UInt64 = 1
  private var nextSequence: UInt64 = 1
  private let options: RegisterReplica.Options
  private let seed: UInt64
  /// Of every node at first; .max: nodes keep none.
  private let reserve: UInt64
  /// Whether hosts raise it as soon as it is asked for.
  var raisesReserves = true

  /// Without comparing, so that nothing is on its way but what a test has begun.
  static var quiet: RegisterReplica.Options {
    var options = RegisterReplica.Options()
    options.digestPause = 1_000_000_000
    return options
  }

  /// - Parameter members: how many of the nodes, from the first on, are members; nil: all.
  init(
    _ count: Int = 3, members: Int? = nil, seed: UInt64 = 1, reserve: UInt64 = .max,
    options: RegisterReplica.Options = Cluster.quiet
  ) {
    self.options = options
    self.reserve = reserve
    self.seed = seed
    configuration = Configuration(epoch: 0, stable: (0..<(members ?? count)).map { Self.member($0) })
    for index in 0..<count { nodes.append(Node(makeReplica(index, configuration, boot: 1, startedAt: now))) }
    for a in 0..<count { for b in 0..<count where a != b { setReachable(a, b, true) } }
  }

  static func member(_ index: Int) -> Member {
    Member(id: NodeID(UInt16(index + 1)), address: [], incarnation: Incarnation(UInt64(index + 1)), since: 0)
  }

  private func makeReplica(
    _ index: Int, _ configuration: Configuration, boot: UInt64, floor: NodeFloor = NodeFloor(),
    reserve: UInt64? = nil, startedAt: Instant
  ) -> RegisterReplica {
    RegisterReplica(
      node: NodeID(UInt16(index + 1)), boot: boot, configuration: configuration, floor: Floor(floor),
      reserve: reserve ?? self.reserve, seed: seed &* 1000 &+ UInt64(index) &+ boot &* 77, startedAt: startedAt,
      options: options)
  }

  // MARK: - Moving things

  /// What the clock of a node shows.
  func clock(_ index: Int) -> Instant { now + nodes[index].skew }

  func step(_ index: Int, _ event: Event) {
    let node = nodes[index]
    guard node.isUp else { return }
    steps += 1
    trace?.append("\(steps) t\(now.nanoseconds / 1_000_000) node \(index): \(Self.text(event))")
    node.outbox.openTicket = node.openTicket
    node.outbox.setDurable(node.durable)
    node.replica.step(event, now: clock(index), into: &node.outbox)
    collect(index)
    if syncsAtOnce { sync(index) }
    guard raisesReserves, let wanted = node.reserveWanted else { return }
    node.reserveWanted = nil
    node.reserve = max(node.reserve, wanted)
    step(index, .raiseReserve(wanted))
  }

  private func collect(_ index: Int) {
    let node = nodes[index]
    node.unsynced += node.outbox.writes.map(\.index)
    monitor?.stepped(index, node)
    if let floor = node.outbox.floorWanted { node.floorWanted = floor }
    if let counter = node.outbox.reserveWanted { node.reserveWanted = counter }
    for send in node.outbox.sends {
      let bytes = Array(node.outbox.arena.bytes[send.message])
      var reader = ByteReader(bytes)
      let message = try! Message(from: &reader)
      trace?.append("    to \(send.to.value - 1) after \(send.after.number): \(message.text)")
      let envelope = Envelope(
        from: index, to: Int(send.to.value) - 1, after: send.after.number, bytes: bytes, message: message)
      if send.after.number <= node.durable { emit(envelope) } else { node.held.append(envelope) }
    }
    for reply in node.outbox.replies {
      if outcomes[reply.token] != nil {
        // Where a monitor watches, a failing seed is told with it.
        guard let monitor else { preconditionFailure("answered twice") }
        monitor.fail("request \(reply.token) was answered twice")
        continue
      }
      outcomes[reply.token] = reply.outcome
      trace?.append("    answers \(reply.token): \(reply.outcome)")
      answeredAt[reply.token] = steps
    }
    for reply in node.outbox.listReplies {
      precondition(pages[reply.token] == nil, "listed twice")
      pages[reply.token] = .some(reply.page)
      answeredAt[reply.token] = steps
    }
    node.outbox.removeAll()
  }

  private func emit(_ envelope: Envelope) {
    if envelope.from != envelope.to { sent[envelope.message.kind, default: 0] += 1 }
    network.append(envelope)
    monitor?.emitted(envelope, by: nodes[envelope.from])
  }

  func sync(_ index: Int) {
    let node = nodes[index]
    guard node.isUp, !node.unsynced.isEmpty || !node.held.isEmpty else { return }
    if !node.unsynced.isEmpty { diskWrites += 1 }
    for record in node.unsynced { writeDown(Int(record), node) }
    node.unsynced = []
    node.durable = node.openTicket
    node.openTicket += 1
    let ready = node.held.filter { $0.after <= node.durable }
    node.held.removeAll { $0.after <= node.durable }
    for envelope in ready { emit(envelope) }
  }

  private func writeDown(_ record: Int, _ node: Node) {
    var writer = ByteWriter()
    node.replica.acceptor.encodePayload(of: record, into: &writer)
    let key = node.replica.acceptor.table[record].key.bytes
    guard !writer.bytes.isEmpty else {
      node.disk[key] = nil
      return
    }
    monitor?.written(key, over: node.disk[key], writer.bytes)
    node.disk[key] = writer.bytes
  }

  /// As a host does, once the floor is in the superblock.
  func raiseFloors() {
    for (index, node) in nodes.enumerated() where node.isUp {
      guard let wanted = node.floorWanted else { continue }
      node.floorWanted = nil
      node.floor.raise(to: wanted)
      step(index, .raiseFloor(node.floor))
    }
  }

  func deliver(_ envelope: Envelope) {
    if nodes[envelope.to].isUp { monitor?.delivered(envelope) }
    step(envelope.to, .message(from: NodeID(UInt16(envelope.from + 1)), ByteReader(envelope.bytes)))
  }

  /// Takes messages out of the network, to lose them or to deliver them later.
  func take(_ isTaken: (Envelope) -> Bool) -> [Envelope] {
    let taken = network.filter(isTaken)
    network.removeAll(where: isTaken)
    return taken
  }

  /// Delivers everything, in order, until nothing is on its way.
  func run(dropping isDropped: (Envelope) -> Bool = { _ in false }) {
    while !network.isEmpty {
      let envelope = network.removeFirst()
      if !isDropped(envelope) { deliver(envelope) }
    }
  }

  /// Lets time pass, delivering what comes of it.
  func pass(milliseconds: UInt64, dropping isDropped: (Envelope) -> Bool = { _ in false }) {
    for _ in 0..<milliseconds {
      now = now + 1
      for (index, node) in nodes.enumerated() where node.isUp && node.replica.nextTick <= clock(index) {
        step(index, .tick)
      }
      run(dropping: isDropped)
    }
  }

  /// As a host does, once the configuration is in the superblock.
  func install(_ configuration: Configuration, on indices: some Sequence<Int>) {
    for index in indices where nodes[index].isUp {
      nodes[index].configuration = configuration
      let peers = nodes.indices.filter { $0 != index }.map { peer in
        PeerState(
          node: NodeID(UInt16(peer + 1)), isReachable: nodes[peer].isUp,
          clock: PeerClock(reading: clock(peer), heardAt: clock(index)))
      }
      step(index, .configure(configuration, peers: peers))
    }
  }

  func setReachable(_ at: Int, _ peer: Int, _ isReachable: Bool) {
    step(
      at,
      .peer(
        NodeID(UInt16(peer + 1)), isReachable: isReachable, clock: PeerClock(reading: clock(peer), heardAt: clock(at))))
  }

  /// The process dies: what was not synced is lost, but for the unsynced records that `survives` names.
  func crash(_ index: Int, noticed: Bool = true, survives: (UInt32) -> Bool = { _ in false }) {
    for record in nodes[index].unsynced where survives(record) { writeDown(Int(record), nodes[index]) }
    nodes[index].isUp = false
    nodes[index].held = []
    network.removeAll { $0.to == index && $0.from == index }
    if noticed { for other in nodes.indices where other != index { setReachable(other, index, false) } }
  }

  func restart(_ index: Int, damaged: [String] = []) {
    let node = nodes[index]
    node.boot += 1
    now = now + 1
    let replica = makeReplica(
      index, node.configuration, boot: node.boot, floor: node.floor, reserve: node.reserve,
      startedAt: clock(index))
    for (key, payload) in node.disk.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      let record = replica.acceptor.table.insert(Key(key))
      try! replica.acceptor.restore(record, payload: payload[...])
    }
    for name in damaged { replica.markDamaged(replica.recordIndex(forKey: Array(name.utf8))) }
    node.replica = replica
    node.outbox = Outbox()
    node.unsynced = []
    node.isUp = true
    for other in nodes.indices where other != index {
      setReachable(index, other, nodes[other].isUp)
      setReachable(other, index, true)
    }
  }

  private static func text(_ event: borrowing Event) -> String {
    switch event {
    case .message(let from, let reader):
      var reader = reader
      return "from \(from.value - 1): \((try? Message(from: &reader))?.text ?? "garbage")"
    case .request(let request):
      return
        "request \(request.token) \(request.operation.id.low) \(request.operation.action) "
        + "\(request.operation.condition)"
    case .list(let request): return "list \(request.token)"
    case .cancel(let token): return "cancel \(token)"
    case .peer(let peer, let isReachable, _): return "peer \(peer.value - 1) \(isReachable ? "answers" : "is away")"
    case .configure(let configuration, _): return "configure \(configuration.epoch)"
    case .loaded(let record, _): return "loaded \(record)"
    case .verify(let record): return "verify \(record)"
    case .carryOver: return "carry over"
    case .raiseFloor: return "raise the floor"
    case .raiseReserve: return "raise the reserve"
    case .handOver: return "hand over"
    case .tick: return "tick"
    }
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
    let token = nextToken
    nextToken += 1
    nextSequence += 1
    let name = id ?? OperationID(node: NodeID(UInt16(at + 1)), boot: nodes[at].boot, sequence: nextSequence)
    let operation = Operation(
      id: name, key: Key(Array(key.utf8)), action: action, condition: condition, payloadHash: payloadHash)
    step(at, .request(Request(operation: operation, token: token, deadline: clock(at) + timeout, wait: wait)))
    return token
  }

  /// Sends, lets everything run, and returns the outcome if it came without time passing.
  func ask(
    _ at: Int, _ key: String, _ action: Action, if condition: Condition = .always, id: OperationID? = nil,
    payloadHash: UInt64 = 0
  ) -> Outcome? {
    let token = send(at, key, action, if: condition, id: id, payloadHash: payloadHash)
    run()
    return outcomes[token]
  }

  func put(_ at: Int, _ key: String, _ value: String, if condition: Condition = .always) -> Outcome? {
    ask(at, key, .put(Array(value.utf8)), if: condition)
  }

  func get(_ at: Int, _ key: String) -> Outcome? { ask(at, key, .read) }

  func list(_ at: Int, prefix: String = "", after: String = "", limit: Int = 100) -> UInt64 {
    let token = nextToken
    nextToken += 1
    step(
      at,
      .list(
        ListRequest(
          token: token, prefix: Array(prefix.utf8), after: Array(after.utf8), limit: limit, deadline: clock(at) + 5000))
    )
    return token
  }

  /// Whether the client was told that no quorum answered its listing in time.
  func isUnanswered(listing token: UInt64) -> Bool {
    guard let page = pages[token] else { return false }
    return page == nil
  }

  func resetCounts() {
    sent = [:]
    diskWrites = 0
  }
}

extension Message {
  /// One line of a trace.
  var text: String {
    switch self {
    case .prepare(_, let ballot, _): "prepare \(ballot)"
    case .accept(_, let ballot, _, let chosen, _, let cell):
      "accept \(ballot), revision \(Cell.revision(of: cell)), chosen \(chosen)"
    case .promise(_, let ballot, let accepted, _, _): "promise \(ballot), accepted \(accepted)"
    case .accepted(_, let ballot): "accepted \(ballot)"
    case .conflict(_, let ballot, let promised): "conflict \(ballot), promised \(promised)"
    case .readReply(_, let accepted): "readReply \(accepted)"
    case .forward(_, _, _, let lo, let known, let operation): "forward \(operation.id.low), lo \(lo), known \(known)"
    case .forwardReply(_, let takeOver, let outcome): "forwardReply \(outcome)\(takeOver ? ", take over" : "")"
    case .erase(_, let epoch, _, let ballot): "erase \(ballot), epoch \(epoch)"
    case .relay(_, _, let ballot, let chosen, _, _): "relay \(ballot), chosen \(chosen)"
    case .read, .stale, .list, .listReply, .compare, .differing, .holdings, .want: kind
    }
  }

  var kind: String {
    switch self {
    case .prepare: "prepare"
    case .accept: "accept"
    case .read: "read"
    case .promise: "promise"
    case .accepted: "accepted"
    case .conflict: "conflict"
    case .readReply: "readReply"
    case .stale: "stale"
    case .forward: "forward"
    case .forwardReply: "forwardReply"
    case .list: "list"
    case .listReply: "listReply"
    case .erase: "erase"
    case .compare: "compare"
    case .differing: "differing"
    case .holdings: "holdings"
    case .want: "want"
    case .relay: "relay"
    }
  }
}

func value(_ text: String, at revision: UInt64) -> Outcome {
  .read(Versioned(revision: revision, value: Array(text.utf8)))
}
