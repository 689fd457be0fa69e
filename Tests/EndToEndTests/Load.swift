import Foundation

/// Clients that write, compare and set, add and read through all nodes at once, and remember what they were told.
final class Load: Sendable {
  private let cluster: TestCluster
  private let nodes: [Int]
  private let clients: Int
  private let keys: Int
  private let name: String
  private let attempts = Locked<[Attempt]>([])
  private let isOver = Locked(false)

  init(_ cluster: TestCluster, nodes: [Int]? = nil, clients: Int = 4, keys: Int = 6, name: String = "load") {
    self.cluster = cluster
    self.nodes = nodes ?? cluster.first
    self.clients = clients
    self.keys = keys
    self.name = name
  }

  /// Runs beside `body`; returns the history, with a last read of every key through every node.
  func run(_ body: () throws -> Void) throws -> [Attempt] {
    let group = DispatchGroup()
    for client in 0..<clients {
      group.enter()
      Thread.detachNewThread { [self] in
        defer { group.leave() }
        work(client)
      }
    }
    defer {
      isOver.with { $0 = true }
      group.wait()
    }
    try body()
    isOver.with { $0 = true }
    group.wait()
    try readAll()
    return attempts.value
  }

  /// Reads every key through every node; a read that does not come through is tried again.
  func readAll() throws {
    for node in nodes {
      for key in allKeys {
        var connection = try? cluster.connect(node)
        try waitUntil("\(key) can be read at node \(node)") {
          let attempt = Self.attempt(Attempt(key: key, kind: .read, start: 0, end: 0, result: .unknown), connection)
          switch attempt.result {
          case .found, .absent:
            attempts.with { $0.append(attempt) }
            return true
          case .applied, .refused, .unknown:
            connection = try? cluster.connect(node)
            return false
          }
        }
      }
    }
  }

  var history: [Attempt] { attempts.value }

  /// Waits until so many more changes were acknowledged.
  func waitForAcknowledged(_ more: Int) throws {
    let target = acknowledged + more
    try waitUntil("\(more) more changes are acknowledged") { acknowledged >= target }
  }

  /// Waits until so many more requests have come to any end.
  func waitForAttempts(_ more: Int) throws {
    let target = attempts.with { $0.count } + more
    try waitUntil("\(more) more requests have ended") { attempts.with { $0.count } >= target }
  }

  private var acknowledged: Int {
    attempts.with { attempts in
      attempts.count { if case .applied = $0.result { true } else { false } }
    }
  }

  private var registers: [String] { (0..<keys).map { "\(name)/register\($0)" } }
  private var counters: [String] { (0..<2).map { "\(name)/counter\($0)" } }
  private var allKeys: [String] { registers + counters }

  private func work(_ client: Int) {
    var connections: [Int: RawConnection] = [:]
    var known: [String: UInt64] = [:]
    var number = -1
    while !isOver.value {
      number += 1
      let node = nodes[(number + client) % nodes.count]
      if connections[node] == nil { connections[node] = try? cluster.connect(node) }
      let register = registers[number / 3 % registers.count]
      var attempt = Attempt(
        key: register, kind: .put, value: "\(client).\(number)", start: 0, end: 0, result: .unknown)
      switch number % 5 {
      case 0: break
      case 1, 3: attempt.kind = .compareAndSet(known[register] ?? 0)
      case 2: attempt.kind = .read
      default:
        attempt.kind = .add
        attempt.key = counters[client % counters.count]
      }
      let made = Self.attempt(attempt, connections[node])
      attempts.with { $0.append(made) }
      switch made.result {
      case .applied(let revision), .found(let revision, _): known[made.key] = revision
      case .absent: known[made.key] = 0
      case .refused, .unknown:
        // A new connection, and no storm against a node that is down.
        connections[node] = nil
        letOthersRun(milliseconds: 2)
      }
    }
  }

  private static func now() -> UInt64 { DispatchTime.now().uptimeNanoseconds }

  /// Sends the request and reads the answer; nil stands for a connection that could not be made.
  private static func attempt(_ wanted: Attempt, _ connection: RawConnection?) -> Attempt {
    var attempt = wanted
    attempt.start = now()
    attempt.result = connection.map { ask(&attempt, $0) } ?? .refused
    attempt.end = now()
    return attempt
  }

  private static func ask(_ attempt: inout Attempt, _ connection: RawConnection) -> Attempt.Result {
    let target = "/v1/kv/" + attempt.key
    let answer: HTTPAnswer
    do {
      switch attempt.kind {
      case .put: answer = try connection.ask("PUT", target, body: Array(attempt.value.utf8))
      case .compareAndSet(let revision):
        let condition = revision == 0 ? "If-None-Match: *" : "If-Match: \"\(revision)\""
        answer = try connection.ask("PUT", target, [condition], body: Array(attempt.value.utf8))
      case .add: answer = try connection.ask("POST", target + "?add=1")
      case .read: answer = try connection.ask("GET", target)
      }
    } catch {
      return .unknown
    }
    switch answer.status {
    case 200 where attempt.kind == .read: return .found(answer.revision ?? 0, answer.text)
    case 200, 201:
      if attempt.kind == .add { attempt.value = answer.text }
      return .applied(answer.revision ?? 0)
    case 404: return .absent
    case 412:
      guard let current = answer.json["current"] as? [String: Any] else { return .absent }
      return .found(current["revision"] as? UInt64 ?? 0, current["value"] as? String ?? "")
    case 429, 503: return .refused
    default: return .unknown
    }
  }
}
