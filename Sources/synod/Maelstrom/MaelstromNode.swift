package import Base
package import Replica
import Wire

/// A node of Maelstrom's `lin-kv` workload: lines in, lines out, the time passed in. Inside is a shipped replica of one
/// partition; what replicas say to each other travels as Maelstrom messages between the nodes.
///
///     {"type":"synod","life":…,"to_life":…,"message":"base64"}     a message of the replica's own kind
///     {"type":"synod_heartbeat","lives":[…],"clock":…}             to every other node, ten times a second
///
/// Keys and values are any JSON, kept as canonical text (``CanonicalJSON``). All state is in memory, so a write is as
/// durable as the process and every ticket is at once good.
package final class MaelstromNode {
  /// `life` serves as the boot number.
  package typealias MakeReplica = (
    _ node: NodeID, _ life: UInt64, _ configuration: Configuration, _ startedAt: Instant
  ) -> any Replica

  /// Exclusive; as long as a boot number may be.
  package static let lifeLimit: UInt64 = 1 << 47
  /// Shorter than Maelstrom's clients wait.
  private static let requestTimeout: Milliseconds = 3000
  private static let maximumCalls = 16384

  /// Lines to be written to standard output.
  package private(set) var output: [UInt8] = []
  /// Lines for whoever runs the test.
  package private(set) var notices: [String] = []

  private struct Identity {
    let name: [UInt8]
    let replica: any Replica
    var peers: MaelstromPeers
  }

  private let life: UInt64
  private let startedAt: Instant
  private let makeReplica: MakeReplica
  /// Nil until `init`.
  private var member: Identity?
  private var saidStranger = false
  private var outbox = Outbox()
  private var events: [Event] = []
  private var nextHeartbeat = Instant.never
  private var calls: [UInt64: MaelstromCall] = [:]
  private var nextToken: UInt64 = 1
  private var recent = RecentRequests()

  /// - Parameter life: drawn at random for this process, 1 ..< ``lifeLimit``; no two processes share one.
  package init(life: UInt64, startedAt: Instant, makeReplica: @escaping MakeReplica) {
    invariant(life > 0 && life < Self.lifeLimit, "a life out of range")
    self.life = life
    self.startedAt = startedAt
    self.makeReplica = makeReplica
    outbox.setDurable(outbox.openTicket)
  }

  package func takeOutput() -> [UInt8] {
    defer { output = [] }
    return output
  }

  package func takeNotices() -> [String] {
    defer { notices = [] }
    return notices
  }

  // MARK: - What comes

  package var nextTick: Instant { min(nextHeartbeat, member?.replica.nextTick ?? .never) }

  package func tick(now: Instant) {
    guard let replica = member?.replica else { return }
    if now >= nextHeartbeat { heartbeat(now) }
    if replica.nextTick <= now { events.append(.tick) }
    runEvents(now)
  }

  /// One line of standard input, without its end.
  package func received(_ line: [UInt8], now: Instant) {
    guard let message = MaelstromMessage(line) else {
      notices.append("a line is no message of Maelstrom's protocol")
      return
    }
    if let name = member?.name, message.destination != name {
      return fail(message, .nodeNotFound, "this is another node")
    }
    switch message.kind {
    case .initialise: initialise(message, now)
    case .peer: peerMessage(message)
    case .heartbeat: heard(message, now)
    case .read, .write, .cas: request(message, now)
    case nil: fail(message, .notSupported, "this node knows init, read, write and cas")
    }
    runEvents(now)
  }

  private func initialise(_ message: MaelstromMessage, _ now: Instant) {
    guard member == nil else { return fail(message, .malformedRequest, "init came twice") }
    let names = (message.body["node_ids"]?.array ?? []).compactMap(\.string)
    guard let name = message.body["node_id"]?.string, names.contains(name), Set(names).count == names.count else {
      return fail(message, .malformedRequest, "node_id must be one of node_ids, and each a different one")
    }
    guard names.count <= Configuration.maximumMembers else {
      return fail(message, .notSupported, "there are too many nodes")
    }
    let peers = MaelstromPeers(name: name, names: names, life: life)
    let configuration = Configuration(
      epoch: 0,
      stable: peers.all.map { Member(id: $0.id, address: $0.name, incarnation: Incarnation(0), since: 0) })
    let replica = makeReplica(peers.all[peers.own].id, life, configuration, startedAt)
    member = Identity(name: name, replica: replica, peers: peers)
    answer(message.source, message.id, from: name, "init_ok")
    heartbeat(now)
  }

  private func request(_ message: MaelstromMessage, _ now: Instant) {
    let body = message.body
    let kind: MaelstromCall.Kind
    switch message.kind {
    case .write:
      guard let value = text(body["value"]) else { return fail(message, .malformedRequest, "value is missing") }
      kind = .write(value)
    case .cas:
      guard let from = text(body["from"]), let to = text(body["to"]) else {
        return fail(message, .malformedRequest, "from or to is missing")
      }
      guard let creates = (body["create_if_not_exists"] ?? .boolean(false)).boolean else {
        return fail(message, .malformedRequest, "create_if_not_exists must be true or false")
      }
      kind = creates ? .compareOrCreate(from: from, to: to, isCreating: false) : .compare(from: from, to: to)
    case .read, .initialise, .peer, .heartbeat, nil: kind = .read
    }
    guard let key = text(body["key"]).map(Self.key) else { return fail(message, .malformedRequest, "key is missing") }
    guard let member, member.peers.hasFormed, calls.count < Self.maximumCalls else {
      return fail(message, .temporarilyUnavailable, "not all nodes have met, or too much is under way")
    }
    if let id = message.id, !recent.admit(client: message.source, id: id) { return }
    start(
      MaelstromCall(
        client: message.source, id: message.id, key: key, kind: kind, deadline: now + Self.requestTimeout))
  }

  private func text(_ value: JSONValue?) -> [UInt8]? { value.flatMap(CanonicalJSON.text) }

  /// The register of a key: its text, or a digest where that is longer than keys may be. No JSON begins with `#`.
  private static func key(_ text: [UInt8]) -> Key {
    guard text.count > Key.maximumBytes else { return Key(text) }
    return Key([UInt8(ascii: "#")] + SHA256.digest(text))
  }

  // MARK: - Operations

  private func start(_ call: MaelstromCall) {
    guard let own = member?.peers.own, let node = member?.peers.all[own].id else { return }
    let token = nextToken
    nextToken += 1
    calls[token] = call
    let operation = Operation(
      id: OperationID(node: node, boot: life, sequence: token), key: call.key, action: call.action,
      condition: call.condition)
    events.append(.request(Request(operation: operation, token: token, deadline: call.deadline)))
  }

  private func finish(_ token: UInt64, _ outcome: Outcome) {
    guard var call = calls.removeValue(forKey: token), let name = member?.name else { return }
    switch call.step(after: outcome) {
    case .again(let kind):
      call.kind = kind
      start(call)
    case .done(let type, let value):
      answer(call.client, call.id, from: name, type) { body in
        guard let value else { return }
        body.append(",\"value\":")
        body += value
      }
    case .failed(let error, let text): fail(call.client, call.id, from: name, error, text)
    }
  }

  /// A replica must not be stepped from inside of its own step, so what comes of one waits here.
  private func runEvents(_ now: Instant) {
    while !events.isEmpty, let member {
      let batch = events
      events = []
      for event in batch {
        member.replica.step(event, now: now, into: &outbox)
        let (sends, replies) = (outbox.sends, outbox.replies)
        for send in sends {
          let message = Array(outbox.arena.bytes[send.message])
          let place = Int(send.to.value) - 1
          if place == member.peers.own {
            events.append(.message(from: send.to, ByteReader(message)))
          } else {
            self.send(message, to: member.peers.all[place])
          }
        }
        outbox.removeAll()
        for reply in replies { finish(reply.token, reply.outcome) }
      }
    }
  }

  // MARK: - The other nodes

  private func send(_ message: [UInt8], to peer: MaelstromPeers.Peer) {
    guard let name = member?.name else { return }
    MaelstromMessage.append(from: name, to: peer.name, type: "synod", to: &output) { body in
      MaelstromMessage.append("life", life, to: &body)
      MaelstromMessage.append("to_life", peer.life, to: &body)
      body.append(",\"message\":\"")
      Base64.append(message, to: &body)
      body.append("\"")
    }
  }

  private func peerMessage(_ message: MaelstromMessage) {
    guard let peers = member?.peers, let from = peers.index(of: message.source),
      let life = message.body["life"]?.unsigned, let toLife = message.body["to_life"]?.unsigned,
      peers.admits(from, life: life, toLife: toLife),
      let bytes = message.body["message"]?.string.flatMap({ Base64.decode($0) })
    else { return }
    events.append(.message(from: peers.all[from].id, ByteReader(bytes)))
  }

  private func heartbeat(_ now: Instant) {
    guard let member else { return }
    for other in member.peers.others {
      MaelstromMessage.append(
        from: member.name, to: member.peers.all[other].name, type: "synod_heartbeat", to: &output
      ) { body in
        body.append(",\"lives\":[")
        for (place, life) in member.peers.lives.enumerated() {
          if place > 0 { body.append(",") }
          Decimal.append(life, to: &body)
        }
        body.append("]")
        MaelstromMessage.append("clock", now.nanoseconds, to: &body)
      }
    }
    for peer in member.peers.silent(at: now) {
      self.member?.peers.setReachable(peer, false)
      events.append(.peer(member.peers.all[peer].id, isReachable: false, clock: nil))
    }
    nextHeartbeat = now + MaelstromPeers.heartbeat
  }

  private func heard(_ message: MaelstromMessage, _ now: Instant) {
    guard let from = member?.peers.index(of: message.source), let clock = message.body["clock"]?.unsigned,
      let lives = message.body["lives"]?.array?.compactMap(\.unsigned)
    else { return }
    guard member?.peers.heard(from, lives: lives, clock: Instant(nanoseconds: clock), at: now) == true else {
      if !saidStranger {
        notices.append("a node that was started again has forgotten its promises: it stays out (R12)")
      }
      saidStranger = true
      return
    }
    guard let peers = member?.peers, peers.hasFormed else { return }
    member?.peers.setReachable(from, true)
    let peer = peers.all[from]
    events.append(
      .peer(peer.id, isReachable: true, clock: PeerClock(reading: peer.clock, heardAt: now)))
  }

  // MARK: - Answers

  private func answer(
    _ client: [UInt8], _ id: UInt64?, from name: [UInt8], _ type: StaticString,
    fields: (inout [UInt8]) -> Void = { _ in }
  ) {
    guard let id else { return }
    MaelstromMessage.append(from: name, to: client, type: type, to: &output) { body in
      MaelstromMessage.append("in_reply_to", id, to: &body)
      fields(&body)
    }
  }

  private func fail(
    _ client: [UInt8], _ id: UInt64?, from name: [UInt8], _ error: MaelstromError, _ text: StaticString
  ) {
    answer(client, id, from: name, "error") { body in
      MaelstromMessage.append("code", error.rawValue, to: &body)
      body.append(",\"text\":\"")
      body.append(text)
      body.append("\"")
    }
  }

  /// Before `init` a node has no name but the one it is called by.
  private func fail(_ message: MaelstromMessage, _ error: MaelstromError, _ text: StaticString) {
    guard !message.isReply else { return }
    fail(message.source, message.id, from: member?.name ?? message.destination, error, text)
  }
}
