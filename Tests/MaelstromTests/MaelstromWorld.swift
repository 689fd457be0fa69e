import Base
import Wire
import synod

/// Maelstrom as its nodes see it: a network of lines between nodes and clients, all of it from one seed, in simulated
/// time.
final class MaelstromWorld {
  /// In units of one in a thousand messages.
  struct Troubles {
    var loss: UInt64 = 0
    var duplication: UInt64 = 0
    /// A message takes up to so many milliseconds; some of them ten times as long.
    var delay: UInt64 = 2
  }

  private struct Line {
    let at: Instant
    let to: String
    let text: [UInt8]
  }

  let names: [String]
  private(set) var nodes: [String: MaelstromNode] = [:]
  private(set) var now = Instant(nanoseconds: 1_000_000_000)
  var random: SeededRandom
  var troubles = Troubles()
  /// Pairs of nodes between which nothing passes, each way by itself: `from to`.
  var cut: Set<String> = []
  /// What clients have received, by `client msg_id`, first come first.
  private(set) var answers: [String: [JSONValue]] = [:]
  private(set) var lost = 0
  private(set) var duplicated = 0
  private(set) var cutOff = 0
  private var lines: [Line] = []
  private var nextID: UInt64 = 1

  init(_ count: Int = 3, seed: UInt64 = 1) {
    names = (0..<count).map { "n\($0)" }
    random = SeededRandom(seed: seed)
    for name in names { start(name) }
  }

  /// A process without a memory, told who it is.
  func start(_ name: String) {
    nodes[name] = MaelstromNode(
      life: 1 + random.below(MaelstromNode.lifeLimit - 1), startedAt: now,
      makeReplica: Backend.makeMaelstromReplica(seed: random.next()))
    let others = names.map { "\"\($0)\"" }.joined(separator: ",")
    let body = #"{"type":"init","msg_id":1,"node_id":"\#(name)","node_ids":[\#(others)]}"#
    give(name, #"{"src":"c0","dest":"\#(name)","body":\#(body)}"#)
  }

  func stop(_ name: String) { nodes[name] = nil }

  /// Hands a line to a node at once, past the network.
  func give(_ name: String, _ line: String) {
    nodes[name]?.received(Array(line.utf8), now: now)
    collect(name)
  }

  // MARK: - The network

  private func collect(_ name: String) {
    guard let output = nodes[name]?.takeOutput() else { return }
    for text in output.split(separator: 0x0A) {
      guard let message = try? JSONValue.parse(text, maximumDepth: 64), let to = message["dest"]?.string else {
        preconditionFailure("a node wrote what is no message: \(String(decoding: text, as: UTF8.self))")
      }
      send(from: name, to: String(decoding: to, as: UTF8.self), Array(text))
    }
  }

  private func send(from: String, to: String, _ text: [UInt8]) {
    if random.below(1000) < troubles.loss {
      lost += 1
      return
    }
    let copies = random.below(1000) < troubles.duplication ? 2 : 1
    duplicated += copies - 1
    for _ in 0..<copies {
      let isLate = random.below(20) == 0
      let delay = random.below(1_000_000 * (troubles.delay + 1)) * (isLate ? 10 : 1)
      lines.append(Line(at: Instant(nanoseconds: now.nanoseconds + delay), to: to, text: text))
    }
  }

  /// Lets the next thing happen, if it is not later than `end`; else the time is `end`.
  func step(until end: Instant) {
    let nextLine = lines.indices.min { lines[$0].at < lines[$1].at }
    var next = end
    var ticking: String?
    for name in names {
      guard let tick = nodes[name]?.nextTick, tick < next else { continue }
      next = tick
      ticking = name
    }
    if let nextLine, lines[nextLine].at <= next {
      let line = lines.remove(at: nextLine)
      now = max(now, line.at)
      return deliver(line)
    }
    now = max(now, next)
    if let ticking {
      nodes[ticking]?.tick(now: now)
      collect(ticking)
    }
  }

  private func deliver(_ line: Line) {
    guard let message = try? JSONValue.parse(line.text, maximumDepth: 64),
      let from = message["src"]?.string.map({ String(decoding: $0, as: UTF8.self) })
    else { return }
    if cut.contains("\(from) \(line.to)") {
      cutOff += 1
    } else if let node = nodes[line.to] {
      node.received(line.text, now: now)
      collect(line.to)
    } else if let body = message["body"], let id = body["in_reply_to"]?.unsigned {
      answers["\(line.to) \(id)", default: []].append(body)
    }
  }

  func pass(milliseconds: UInt64) {
    let end = now + Milliseconds(milliseconds)
    while now < end { step(until: end) }
  }

  /// The two groups cannot hear each other.
  func split(_ group: [String]) {
    cut = []
    for a in names { for b in names where group.contains(a) != group.contains(b) { cut.insert("\(a) \(b)") } }
  }

  // MARK: - Clients

  /// Sends `body`, the members of an object, and returns the name of the answer.
  func send(_ client: String = "c1", to node: String, _ body: String) -> String {
    let id = nextID
    nextID += 1
    let text = #"{"src":"\#(client)","dest":"\#(node)","body":{\#(body),"msg_id":\#(id)}}"#
    send(from: client, to: node, Array(text.utf8))
    return "\(client) \(id)"
  }

  /// The body of the answer, nil where none came within ten seconds.
  func ask(_ node: String, _ body: String) -> JSONValue? {
    let name = send(to: node, body)
    let end = now + 10_000
    while answers[name] == nil && now < end { step(until: end) }
    return answers[name]?.first
  }
}

extension JSONValue {
  var code: UInt64? { self["code"]?.unsigned }
  var type: String? { self["type"]?.string.map { String(decoding: $0, as: UTF8.self) } }
}
