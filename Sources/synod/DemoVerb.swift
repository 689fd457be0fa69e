import Base
import Glibc
import Host
import Linux

enum DemoVerb: Verb {
  static let name = "demo"
  static let summary = "run a cluster of real node processes on this machine"
  static let operands = ""
  static let operandCount = 0...0
  static let flags = [
    Flag("nodes", "N", help: "1 to 9 (default 3)"),
    Flag("port", "PORT", help: "clients' port of node 1; the others follow (default 7001)"),
    Flag("backend", "NAME", help: "register (the default) or raft"),
    Flag("data", "DIR", help: "keep the data here (default: a temporary folder, removed at the end)"),
  ]
  static let details = """
    Prints `ready` when all nodes serve, then lines of curl to try. Reads commands from standard input:
      kill 2     kill -9 node 2            start 2    start it again
      pause 2    stop node 2's clock       resume 2   let it go on
      status     who is up, and ready      quit       stop all nodes and end
    End of input leaves it running; Ctrl-C or SIGTERM stops all nodes.
    """

  static func run(_ arguments: Arguments) throws(Failure) -> ExitCode {
    let count = Int(try arguments.unsigned("nodes") ?? 3)
    guard (1...9).contains(count) else { throw .usage("--nodes \(count): 1 to 9 is wanted") }
    let port = Int(try arguments.unsigned("port") ?? 7001)
    guard port > 0, port + count - 1 <= 65535 else { throw .usage("--port \(port): no port for each node there") }
    let backend = arguments["backend"] ?? "register"
    guard NodeState.Backend(name: backend) != nil else {
      throw .usage("--backend \(backend): register or raft is wanted")
    }
    var folder = arguments["data"] ?? ""
    do throws(SystemError) {
      if folder.isEmpty { folder = try temporaryFolder() }
      if mkdir(folder, 0o755) != 0 && errno != EEXIST { throw SystemError.last("mkdir \(folder)") }
    } catch {
      throw Failure(.failure, error.description)
    }
    defer { if arguments["data"] == nil { removeFolder(folder) } }
    let console = try DemoConsole(DemoCluster(count: count, port: port, backend: backend, folder: folder))
    return try console.run()
  }

  private static func temporaryFolder() throws(SystemError) -> String {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(parent)/synod-demo-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemError.last("mkdtemp") }
    return template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  }

  /// Removes a folder of known shape: files, and folders of files.
  private static func removeFolder(_ path: String) {
    guard let directory = opendir(path) else { return }
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name == "." || name == ".." { continue }
      if unlink("\(path)/\(name)") != 0 { removeFolder("\(path)/\(name)") }
    }
    closedir(directory)
    rmdir(path)
  }
}

/// Reads the demo's commands, and watches its nodes.
private final class DemoConsole {
  private let cluster: DemoCluster
  private let signals: SignalSource
  private var input: [UInt8] = []
  private var hasInput = true
  private var hasSaidReady = false

  /// A descriptor in a class, since the loop below needs to borrow it.
  private final class SignalSource {
    private let signals: SignalSet

    init() throws(SystemError) { signals = try SignalSet([SIGTERM, SIGINT, SIGCHLD]) }

    var number: Int32 { signals.number }

    func next() -> Int32? { signals.next() }
  }

  init(_ cluster: DemoCluster) throws(Failure) {
    self.cluster = cluster
    do throws(SystemError) { signals = try SignalSource() } catch { throw Failure(.failure, error.description) }
  }

  func run() throws(Failure) -> ExitCode {
    defer { cluster.stopAll() }
    for node in cluster.nodes { try cluster.start(node.id) }
    while true {
      var watched = [pollfd(fd: signals.number, events: Int16(POLLIN), revents: 0)]
      if hasInput { watched.append(pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)) }
      _ = poll(&watched, nfds_t(watched.count), hasSaidReady ? -1 : 20)
      while let signal = signals.next() {
        if signal == SIGTERM || signal == SIGINT { return .done }
      }
      for (id, ending) in cluster.reap() {
        Terminal.say("node \(id) has ended by itself (\(ending)); start \(id) starts it again")
        // A node that cannot even start has said why; a demo without it would only puzzle.
        if !hasSaidReady { return .failure }
      }
      if !hasSaidReady && cluster.isReady() { sayReady() }
      if hasInput, watched.count > 1, watched[1].revents != 0, try readCommands() { return .done }
    }
  }

  private func sayReady() {
    hasSaidReady = true
    Terminal.print("ready")
    for node in cluster.nodes {
      Terminal.print("node \(node.id): http://\(node.http)  pid \(node.process?.pid ?? 0)")
    }
    let first = cluster.nodes[0].http
    let second = cluster.nodes[1 % cluster.nodes.count].http
    let third = cluster.nodes[2 % cluster.nodes.count].http
    Terminal.print(
      """
      try:
        curl -i -X PUT http://\(first)/v1/kv/greeting -d hello
        curl -i http://\(second)/v1/kv/greeting
        curl -i -X PUT http://\(third)/v1/kv/greeting -H 'If-Match: "1"' -d 'hello again'
        curl -i -X PUT http://\(first)/v1/kv/greeting -H 'If-Match: "1"' -d 'too late'
      commands: kill N, start N, pause N, resume N, status, quit
      """)
  }

  /// True when the demo is to end.
  private func readCommands() throws(Failure) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = read(STDIN_FILENO, &buffer, buffer.count)
    guard count > 0 else {
      hasInput = false
      return false
    }
    input += buffer[..<count]
    while let end = input.firstIndex(of: UInt8(ascii: "\n")) {
      let line = String(decoding: input[..<end], as: UTF8.self)
      input.removeSubrange(...end)
      if try carryOut(line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" }).map(String.init)) {
        return true
      }
    }
    return false
  }

  private func carryOut(_ words: [String]) throws(Failure) -> Bool {
    guard let verb = words.first else { return false }
    switch (verb, words.count) {
    case ("quit", 1): return true
    case ("status", 1):
      for node in cluster.nodes {
        let readiness = node.state == .running ? (cluster.isReady(node) ? ", ready" : ", not ready") : ""
        Terminal.print("node \(node.id): \(node.state.rawValue)\(readiness)  http://\(node.http)")
      }
    case ("kill", 2), ("start", 2), ("pause", 2), ("resume", 2):
      guard let id = Int(words[1]), cluster.nodes.indices.contains(id - 1) else {
        Terminal.say("no node \(words[1]): 1 to \(cluster.nodes.count)")
        return false
      }
      try carryOut(verb, id)
    default:
      Terminal.say("commands: kill N, start N, pause N, resume N, status, quit")
    }
    return false
  }

  private func carryOut(_ verb: String, _ id: Int) throws(Failure) {
    let state = cluster.nodes[id - 1].state
    switch (verb, state) {
    case ("kill", .running), ("kill", .paused):
      cluster.send(id, signal: SIGKILL, becoming: .down)
      Terminal.print("killed \(id)")
    case ("start", .down):
      try waitUntilReaped(id)
      try cluster.start(id)
      Terminal.print("started \(id)")
    case ("pause", .running):
      cluster.send(id, signal: SIGSTOP, becoming: .paused)
      Terminal.print("paused \(id)")
    case ("resume", .paused):
      cluster.send(id, signal: SIGCONT, becoming: .running)
      Terminal.print("resumed \(id)")
    default:
      Terminal.say("node \(id) is \(state.rawValue): nothing to \(verb)")
    }
  }

  /// A killed process holds its ports and its folder until the kernel is done with it.
  private func waitUntilReaped(_ id: Int) throws(Failure) {
    while cluster.nodes[id - 1].process != nil {
      _ = cluster.reap()
      usleep(1000)
    }
  }
}
