import Base
import RaftLog
import Replica

/// A run at random: everything that can happen to clients, messages, disks and nodes, all of it from one seed.
final class Schedule {
  /// How a run is troubled; in units of one in a thousand per action, 0 for never.
  struct Troubles {
    var loss: UInt64 = 0
    var duplication: UInt64 = 0
    var reordering = false
    var lateSyncs = false
    var crashes: UInt64 = 0
    var partitions: UInt64 = 0
    var falseAlarms: UInt64 = 0
    var pauses: UInt64 = 0
    var delays: UInt64 = 0
    var handOvers: UInt64 = 0
  }

  private struct Client {
    var token: UInt64?
    var node = 0
    var operation: Operation?
    var known: [Key: UInt64] = [:]
    var knownBefore: UInt64 = 0
    var repeats = 0
  }

  let cluster: Cluster
  private(set) var history = ClientHistory()
  private var random: SeededRandom
  private var troubles = Troubles()
  private var clients: [Client]
  private let keys: [Key]
  private var blocked: Set<Int> = []
  private var delayed: [Cluster.Envelope] = []
  private var serial: UInt64 = 0
  private var placeOfToken: [UInt64: Int] = [:]
  private var listingsAsked: [UInt64: (low: Int, after: [UInt8])] = [:]
  private(set) var failures: [String] = []
  private(set) var crashes = 0

  init(seed: UInt64) {
    random = SeededRandom(seed: seed)
    let count = random.below(4) == 0 ? 5 : 3
    var options = RaftOptions()
    options.snapshotLogEntries = Int(random.below(3) == 0 ? 1_000_000 : 4 + random.below(40))
    options.retainedLogEntries = Int(random.below(20))
    options.pieceBytes = Int(60 + random.below(600))
    options.windowPieces = Int(1 + random.below(4))
    options.appendBytes = Int(100 + random.below(1000))
    options.windowMessages = Int(1 + random.below(8))
    options.appliedPerStep = Int(1 + random.below(20))
    if random.below(5) == 0 { options.maximumUncommittedBytes = 1500 }
    cluster = Cluster(count, seed: seed, options: options)
    keys = ["a", "b", "n"].prefix(Int(1 + random.below(3))).map { Key(Array($0.utf8)) }
    clients = Array(repeating: Client(), count: Int(random.below(5) == 0 ? 30 : 3 + random.below(8)))
    for index in cluster.nodes.indices { cluster.nodes[index].skew = Milliseconds(random.below(10_000)) }
    troubles = drawTroubles()
    heal()
    cluster.elect()
    cluster.syncsAtOnce = !troubles.lateSyncs
  }

  private func drawTroubles() -> Troubles {
    var drawn = Troubles()
    if chance(400) { drawn.loss = 1 + random.below(200) }
    if chance(400) { drawn.duplication = 1 + random.below(200) }
    drawn.reordering = chance(400)
    drawn.lateSyncs = chance(500)
    if chance(500) { drawn.crashes = 1 + random.below(12) }
    if chance(400) { drawn.partitions = 1 + random.below(25) }
    if chance(400) { drawn.falseAlarms = 1 + random.below(25) }
    if chance(400) { drawn.delays = 1 + random.below(60) }
    if chance(600) { drawn.pauses = 1 + random.below(20) }
    if chance(200) { drawn.handOvers = 1 + random.below(8) }
    return drawn
  }

  private func chance(_ inThousand: UInt64) -> Bool { random.below(1000) < inThousand }
  private func pick(_ count: Int) -> Int { Int(random.below(UInt64(count))) }

  // MARK: - The run

  func run(actions: Int) {
    for _ in 0..<actions {
      act()
      listen()
    }
    heal()
    settleDown()
    finish()
  }

  private func act() {
    if chance(troubles.crashes) { return crashOrRestart() }
    if chance(troubles.partitions) { return toggleLink() }
    if chance(troubles.handOvers) { return cluster.step(pick(cluster.nodes.count), .handOver) }
    if chance(troubles.falseAlarms) {
      let at = pick(cluster.nodes.count)
      let peer = pick(cluster.nodes.count)
      if at != peer { cluster.setReachable(at, peer, chance(500)) }
      return
    }
    if chance(troubles.pauses) { return pass(1 + random.below(chance(300) ? 800 : 60)) }
    if !delayed.isEmpty && chance(10) { cluster.network.append(delayed.remove(at: pick(delayed.count))) }
    switch random.below(100) {
    case 0..<22: useClient(pick(clients.count))
    case 22..<24: list()
    case 24..<34 where troubles.lateSyncs:
      let node = pick(cluster.nodes.count)
      if chance(300) { cluster.submitOnly(node) } else { cluster.sync(node) }
    case 34..<36: hearClocks()
    case 36..<42: pass(random.below(5))
    default: deliverOne()
    }
  }

  private func deliverOne() {
    guard !cluster.network.isEmpty else { return pass(1) }
    let place = troubles.reordering && chance(300) ? pick(cluster.network.count) : 0
    let envelope = cluster.network.remove(at: place)
    if envelope.from == envelope.to { return cluster.deliver(envelope) }
    if blocked.contains(link(envelope.from, envelope.to)) || chance(troubles.loss) { return }
    if chance(troubles.delays) { return delayed.append(envelope) }
    // A copy that comes later, perhaps much later.
    if chance(troubles.duplication) { cluster.network.append(envelope) }
    cluster.deliver(envelope)
  }

  private func pass(_ milliseconds: UInt64) {
    cluster.now = cluster.now + Milliseconds(milliseconds)
    for index in cluster.nodes.indices where cluster.nodes[index].isUp {
      // Some ticks come late.
      if cluster.nodes[index].replica.nextTick <= cluster.clock(index), chance(900) { cluster.step(index, .tick) }
    }
  }

  private func link(_ from: Int, _ to: Int) -> Int { from * 16 + to }

  private func toggleLink() {
    let from = pick(cluster.nodes.count)
    let to = pick(cluster.nodes.count)
    guard from != to else { return }
    if blocked.remove(link(from, to)) == nil { blocked.insert(link(from, to)) }
    if chance(500) {
      cluster.setReachable(to, from, !blocked.contains(link(from, to)))
      if chance(500) { cluster.setReachable(from, to, !blocked.contains(link(from, to))) }
    }
  }

  private func crashOrRestart() {
    let index = pick(cluster.nodes.count)
    guard cluster.nodes[index].isUp else { return cluster.restart(index) }
    crashes += 1
    cluster.crash(index, noticed: chance(700), using: &random)
    for place in clients.indices where clients[place].token != nil && clients[place].node == index {
      // No one will answer; the client goes on and may ask again elsewhere.
      clients[place].token = nil
    }
  }

  private func hearClocks() {
    for at in cluster.nodes.indices {
      for peer in cluster.nodes.indices where at != peer && cluster.nodes[peer].isUp {
        if !blocked.contains(link(peer, at)) { cluster.setReachable(at, peer, true) }
      }
    }
  }

  private func heal() {
    blocked = []
    cluster.syncsAtOnce = true
    for index in cluster.nodes.indices where !cluster.nodes[index].isUp { cluster.restart(index) }
    for index in cluster.nodes.indices { cluster.sync(index) }
    hearClocks()
  }

  // MARK: - Clients

  private func useClient(_ place: Int) {
    guard clients[place].token == nil else { return }
    let node = pick(cluster.nodes.count)
    guard cluster.nodes[node].isUp else { return }
    if let last = clients[place].operation, clients[place].repeats > 0 {
      clients[place].repeats -= 1
      // What became of it? Asked, or the same again under the same name.
      if chance(400) {
        let settle = Action.settle(
          target: last.id, known: clients[place].knownBefore, nowSeconds: cluster.now.nanoseconds / 1_000_000_000)
        return send(place, node, Operation(id: newID(node), key: last.key, action: settle), isRepeat: true)
      }
      if last.id.isFromClient { return send(place, node, last, isRepeat: true) }
    }
    let key = keys[pick(keys.count)]
    let isClients = chance(500)
    let id = isClients ? OperationID(high: 1 << 63 | UInt64(place), low: newSerial()) : newID(node)
    let action = newAction(place, key)
    let condition = action.isChange ? newCondition(place, key) : .always
    let operation = Operation(
      id: id, key: key, action: action, condition: condition, payloadHash: isClients ? id.low &* 31 : 0)
    send(place, node, operation, isRepeat: false)
  }

  private func newSerial() -> UInt64 {
    serial += 1
    return serial
  }

  private func newID(_ node: Int) -> OperationID {
    OperationID(node: NodeID(UInt16(node + 1)), boot: cluster.nodes[node].boot, sequence: 1 << 32 + newSerial())
  }

  private func newAction(_ place: Int, _ key: Key) -> Action {
    let isNumber = key.bytes == Array("n".utf8)
    switch random.below(20) {
    case 0..<6: return .read
    case 6: return .settle(target: nil, known: 0, nowSeconds: cluster.now.nanoseconds / 1_000_000_000)
    case 7: return .delete
    case 8..<10 where isNumber:
      return random.below(2) == 0 ? .max(Int64(random.below(40))) : .min(Int64(random.below(40)))
    case 8..<16 where isNumber: return .add(Int64(random.below(9)) - 2)
    case 8..<10: return .append(Array("+".utf8))
    default: return .put(isNumber ? Array("\(serial)".utf8) : Array("\(place)-\(serial)".utf8))
    }
  }

  private func newCondition(_ place: Int, _ key: Key) -> Condition {
    let known = clients[place].known[key] ?? 0
    switch random.below(12) {
    case 0..<3: return Condition(revisionIn: [known])
    case 3: return Condition(exists: false)
    case 4: return Condition(exists: true)
    case 5: return Condition(revisionNotIn: [known])
    default: return .always
    }
  }

  private func send(_ place: Int, _ node: Int, _ operation: Operation, isRepeat: Bool) {
    let timeout = Milliseconds(chance(300) ? 5 + random.below(200) : 200 + random.below(3000))
    let token = cluster.reserveToken()
    clients[place].token = token
    clients[place].node = node
    if !isRepeat {
      clients[place].operation = operation.action.isChange ? operation : nil
      clients[place].knownBefore = clients[place].known[operation.key] ?? 0
      clients[place].repeats = operation.action.isChange ? pick(3) : 0
    }
    var request = Request(operation: operation, token: token, deadline: cluster.clock(node) + timeout)
    note(token, operation, timeout)
    if operation.action.isRead && chance(300) {
      // A long poll; its client may go away.
      request.wait = Request.Wait(
        unlessRevision: clients[place].known[operation.key] ?? 0,
        until: min(cluster.clock(node) + Milliseconds(random.below(2000)), request.deadline))
      cluster.step(node, .request(request))
      if chance(100) {
        cluster.step(node, .cancel(token: token))
        clients[place].token = nil
      }
    } else {
      cluster.step(node, .request(request))
    }
  }

  private func note(_ token: UInt64, _ operation: Operation, _ timeout: Milliseconds) {
    placeOfToken[token] = history.requests.count
    history.requests.append(
      ClientHistory.Request(
        token: token, operation: operation, low: cluster.monitor.committed.count, invokedAt: cluster.now,
        deadline: cluster.now + timeout))
  }

  /// Lets clients hear what has been answered.
  private func listen() {
    for place in clients.indices {
      guard let token = clients[place].token, let outcome = cluster.outcomes[token] else { continue }
      record(token, outcome)
      clients[place].token = nil
      guard let request = placeOfToken[token].map({ history.requests[$0] }) else { continue }
      switch outcome {
      case .read(let content), .conditionFailed(let content), .settled(let content, _):
        if let content { clients[place].known[request.operation.key] = content.revision }
      case .changed(let revision, _, _): clients[place].known[request.operation.key] = revision
      case .absent, .refused, .unknown: break
      }
    }
  }

  private func record(_ token: UInt64, _ outcome: Outcome) {
    guard let place = placeOfToken[token], history.requests[place].outcome == nil else { return }
    history.requests[place].high = cluster.answeredAt[token] ?? Int.max
    history.requests[place].outcome = outcome
  }

  private func list() {
    let node = pick(cluster.nodes.count)
    guard cluster.nodes[node].isUp else { return }
    let after = chance(300) ? "a" : ""
    let low = cluster.monitor.committed.count
    listingsAsked[cluster.list(node, after: after, limit: 1 + pick(3))] = (low, Array(after.utf8))
  }

  // MARK: - The end

  /// Everything that is on its way arrives, and time passes until no one waits for anything.
  private func settleDown() {
    troubles = Troubles()
    cluster.network += delayed
    cluster.pass(milliseconds: 6000)
  }

  private func finish() {
    for (index, node) in cluster.nodes.enumerated() where !node.replica.isQuiescent {
      failures.append("node \(index + 1) still waits for something after all is over")
    }
    // A healed cluster serves at once, through every node.
    for node in cluster.nodes.indices {
      for key in keys {
        let token = cluster.reserveToken()
        let operation = Operation(id: newID(node), key: key, action: .put(Array("7".utf8)))
        note(token, operation, 5000)
        cluster.step(node, .request(Request(operation: operation, token: token, deadline: cluster.clock(node) + 5000)))
        cluster.pass(milliseconds: 60)
        guard case .changed(_, _, false) = cluster.outcomes[token] else {
          failures.append("a healed cluster answered \(String(describing: cluster.outcomes[token]))")
          continue
        }
      }
    }
    cluster.pass(milliseconds: 200)
    let applied = Set(cluster.nodes.map { $0.replica.applied })
    if applied.count != 1 { failures.append("the nodes of a healed cluster have applied up to \(applied.sorted())") }
    for request in history.requests {
      if let outcome = cluster.outcomes[request.token] { record(request.token, outcome) }
    }
    for (token, asked) in listingsAsked {
      guard let page = cluster.pages[token] ?? nil, let answered = cluster.answeredAt[token] else { continue }
      history.listings.append(
        ClientHistory.Listing(low: asked.low, high: answered, after: asked.after, page: page))
    }
    failures += history.check(cluster.monitor.committed)
    failures += cluster.monitor.failures
  }
}
