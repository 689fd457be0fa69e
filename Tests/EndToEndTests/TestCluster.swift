import Foundation

/// A cluster of real `synod serve` processes on ports and in a folder of its own.
final class TestCluster: Sendable {
  let folder: TestFolder
  let ids: [Int]
  /// The first members; the other nodes are to be added.
  let first: [Int]
  private let clientPorts: [ReservedPort]
  private let peerPorts: [ReservedPort]
  private let flags: [String]
  private let processes = Locked<[Int: ServerProcess]>([:])

  /// Small, so that a test of some seconds goes through both halves.
  static let journalBytes = 4 << 20

  /// `SYNOD_TEST_BACKEND=raft` runs every test that does not name a backend itself on that one.
  static let backendName = ProcessInfo.processInfo.environment["SYNOD_TEST_BACKEND"] ?? "register"
  private static let backend = ["--backend", backendName]
  /// The file that acknowledged writes go to first.
  static let journalName = backendName == "raft" ? "log.01" : "journal.00"

  private init(size: Int, first: Int?, flags: [String]) throws {
    folder = try TestFolder()
    ids = Array(1...size)
    self.first = Array(1...(first ?? size))
    clientPorts = try ids.map { _ in try ReservedPort() }
    peerPorts = try ids.map { _ in try ReservedPort() }
    self.flags = flags
  }

  /// Starts a cluster for `body`; whatever happens in there, no process and no file is left.
  static func with<R>(
    size: Int = 3, first: Int? = nil, flags: [String] = [], starting: Bool = true, _ body: (TestCluster) throws -> R
  ) throws -> R {
    let cluster = try TestCluster(size: size, first: first, flags: flags)
    defer { cluster.stop() }
    if starting { try cluster.startAll() }
    return try body(cluster)
  }

  /// The same for a whole suite.
  static func with(size: Int = 3, flags: [String] = [], _ body: (TestCluster) async throws -> Void) async throws {
    let cluster = try TestCluster(size: size, first: nil, flags: flags)
    defer { cluster.stop() }
    try cluster.startAll()
    try await body(cluster)
  }

  private func stop() {
    for process in processes.with({ Array($0.values) }) { process.stop() }
    folder.remove()
  }

  // MARK: - Processes

  func clientPort(_ id: Int) -> UInt16 { clientPorts[id - 1].number }
  func peerPort(_ id: Int) -> UInt16 { peerPorts[id - 1].number }
  var peers: String { first.map { "\($0)=127.0.0.1:\(peerPort($0))" }.joined(separator: ",") }
  func dataName(_ id: Int) -> String { "data\(id)" }
  func dataPath(_ id: Int) -> String { "\(folder.path)/\(dataName(id))" }

  /// What node `id` is started with. `data` stands for another folder of this cluster's.
  func arguments(_ id: Int, data: String? = nil, extra: [String] = []) -> [String] {
    [
      "serve", "--id", "\(id)", "--listen", "127.0.0.1:\(clientPort(id))",
    ] + membership(id) + [
      "--data", data.map { "\(folder.path)/\($0)" } ?? dataPath(id),
    ] + (extra.contains("--journal-bytes") ? [] : ["--journal-bytes", "\(Self.journalBytes)"])
      + (flags.contains("--backend") ? [] : Self.backend) + flags + extra
  }

  private func membership(_ id: Int) -> [String] {
    first.contains(id)
      ? ["--peers", peers]
      : ["--join", "127.0.0.1:\(clientPort(1))", "--peer-listen", "127.0.0.1:\(peerPort(id))"]
  }

  @discardableResult
  func start(
    _ id: Int, data: String? = nil, extra: [String] = [], environment: [String: String] = [:]
  ) throws -> ServerProcess {
    // One that still runs holds the ports and the folder.
    processes.with { $0[id] }?.stop()
    let process = try ServerProcess(
      arguments(id, data: data, extra: extra), name: "node\(id)", folder: folder, environment: environment)
    processes.with { $0[id] = process }
    return process
  }

  func startAll() throws {
    for id in first { try start(id) }
    try waitUntilReady(first)
  }

  func process(_ id: Int) throws -> ServerProcess {
    guard let process = processes.with({ $0[id] }) else {
      throw NeverHappened(description: "node \(id) was started")
    }
    return process
  }

  /// kill -9, and reaped.
  func kill(_ id: Int) throws { try process(id).stop() }

  /// SIGTERM; returns the exit code.
  func terminate(_ id: Int) throws -> Int32 {
    try process(id).send(SIGTERM)
    return try process(id).waitForEnd()
  }

  /// Runs node `id` once more until it ends by itself.
  func runToEnd(
    _ id: Int, data: String? = nil, extra: [String] = [], environment: [String: String] = [:]
  ) throws -> (code: Int32, output: String, errors: String) {
    try ServerProcess.run(arguments(id, data: data, extra: extra), in: folder, environment: environment)
  }

  // MARK: - Clients

  func connect(_ id: Int) throws -> RawConnection { try RawConnection(port: clientPort(id)) }

  /// One request on a connection of its own.
  func ask(
    _ id: Int, _ method: String, _ target: String, _ fields: [String] = [], body: String? = nil
  ) throws -> HTTPAnswer {
    try connect(id).ask(method, target, fields, body: body.map { Array($0.utf8) })
  }

  func isReady(_ id: Int) -> Bool { (try? ask(id, "GET", "/readyz").status) == 200 }

  /// Waits until these nodes answer 200 to readyz, and each reaches each other one of them: a node is ready with any
  /// majority, and a test that goes on to kill one of that majority must not find the other link still being made.
  /// Throws what a node has said if one ends instead.
  func waitUntilReady(_ wanted: [Int]? = nil) throws {
    for id in wanted ?? ids {
      let process = try process(id)
      try waitUntil("node \(id) is ready; it says: \(process.errors)") {
        if let code = process.ending() {
          throw NeverHappened(description: "node \(id) has ended with \(code): \(process.errors)")
        }
        return isReady(id)
      }
    }
    for id in wanted ?? ids {
      try waitUntil("node \(id) reaches the others") { try reaches(id, (wanted ?? ids).filter { $0 != id }) }
    }
  }

  /// What a node's status says of its peers; true where a token is needed to ask.
  private func reaches(_ id: Int, _ others: [Int]) throws -> Bool {
    let answer = try ask(id, "GET", "/v1/status")
    guard answer.status == 200 else { return answer.status == 401 }
    let status = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]
    let peers = status?["peers"] as? [[String: Any]] ?? []
    let reached = peers.filter { $0["reachable"] as? Bool == true }.compactMap { $0["id"] as? Int }
    return others.allSatisfy { reached.contains($0) }
  }
}
