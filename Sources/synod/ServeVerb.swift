import Base
import Glibc
import Host
import Lab
import Linux
import Server
import Storage

enum ServeVerb: Verb {
  static let name = "serve"
  static let summary = "run one node"
  static let operands = ""
  static let operandCount = 0...0
  static let flags = [
    Flag("id", "N", help: "this node's number, 1 to 65535, unique in its cluster"),
    Flag("listen", "HOST:PORT", help: "where clients connect, HTTP and lines alike"),
    Flag("peers", "1=HOST:PORT,…", help: "the first members' peer addresses, this node's own among them"),
    Flag(
      "join", "HOST:PORT",
      help: "instead of --peers: any member's client address; this node is to be added (synod members add)"),
    Flag("peer-listen", "HOST:PORT", help: "with --join: where its peers reach this node"),
    Flag("data", "DIR", help: "the data folder, made where it does not exist"),
    Flag("backend", "NAME", help: "register (the default) or raft; a data folder remembers its backend"),
    Flag("threads", "N", help: "event-loop threads, 1 to 16 (default 1); may differ from start to start"),
    Flag("request-timeout", "TIME", help: "the longest that a request may take (default 5s)"),
    Flag("max-value-bytes", "N", help: "the longest value, up to 1048576 (default 65536)"),
    Flag("max-connections", "N", help: "client connections at once, a thread (default 10000)"),
    Flag("idle-timeout", "TIME", help: "a connection that rests so long is closed (default 5m)"),
    Flag("read-timeout", "TIME", help: "a request must have come whole within this (default 30s)"),
    Flag("journal-bytes", "N", help: "size of a journal's half, at least 4194304 (default 33554432)"),
    Flag(
      "scrub-rate", "N",
      help: "register: bytes a second that are read in the background to find damage; 0: none (default 1048576)"),
    Flag(
      "cache-bytes", "N",
      help: "register: keep at most about so many bytes of values in memory, at least 1048576 (default: all of them)"),
    Flag(
      "round-timeout", "TIME",
      help: "register: without a quorum's answers for so long, ask again; above the round trip (default 150ms)"),
    Flag(
      "move-rate", "N",
      help: "register: in a change of members, so many registers a second while clients are busy (default 2000)"),
    Flag("heartbeat", "TIME", help: "raft: how often a leader says that it is alive (default 50ms)"),
    Flag("election-timeout", "TIME", help: "raft: without a leader for once to twice as long, elect (default 300ms)"),
    Flag(
      "resend-after", "TIME",
      help: "raft: what was not answered for so long is sent again; above the round trip (default 100ms)"),
    Flag("snapshot-log-bytes", "N", help: "raft: snapshot and trim when the log has grown so much (default 33554432)"),
    Flag("snapshot-log-entries", "N", help: "raft: or has so many entries (default 500000)"),
    Flag("retained-log-bytes", "N", help: "raft: kept below a snapshot for followers behind (default 16777216)"),
    Flag("retained-log-entries", "N", help: "raft: the same, in entries (default 100000)"),
    Flag(
      "lease-reads", "on|off",
      help: "raft: reads without a round (default off). CLOCK-DEPENDENT: right while no clock runs a third faster"),
    Flag(
      "token-file", "FILE", help: "lines of TOKEN ro|rw|admin [KEY-PREFIX]: clients need Authorization: Bearer TOKEN"),
    Flag("peer-secret-file", "FILE", help: "peers must prove that they know what stands in it"),
    Flag("trace", "FILE", help: "register: add each step to it, for the checker of Proofs/ (default: nowhere)"),
    Flag("config", "FILE", help: "lines of name = value for any of these flags; the command line wins"),
  ]
  static let details = """
    Runs until SIGTERM or SIGINT; then requests under way are answered, new ones refused, and it ends with 0. A new
    cluster serves when all its first members have met; after that a majority is enough. A data folder knows its
    cluster: on later starts --peers and --join may be stale or missing.

    A node that joins asks the cluster for its members (with SYNOD_TOKEN, where the cluster wants a token), serves
    clients by way of them at once, and votes when it has been added. A node that was removed answers what it has under
    way and ends with 0; it does not start on that folder again.

    Memory is asked for in huge pages (GLIBC_TUNABLES gets glibc.malloc.hugetlb=1, and the program begins once more);
    with GLIBC_TUNABLES=glibc.malloc.hugetlb=0 it is not.
    """

  static func run(_ arguments: Arguments) throws(Failure) -> ExitCode {
    // First: a file that is read here may be a pipe, which tells its content once.
    ThisProgram.askForHugePages()
    let arguments = try withConfiguration(arguments)
    let options = try nodeOptions(arguments)
    let raft = try RaftFlags.options(arguments)
    let roundTimeout = try duration(arguments, "round-timeout")
    let cacheBytes = try number(arguments, "cache-bytes", 1 << 20...1 << 50).map { Int($0) }
    if cacheBytes != nil && options.backend != .register {
      throw .usage("--cache-bytes: the raft backend holds all values in memory")
    }
    let moveRate = try number(arguments, "move-rate", 1...1_000_000) ?? 2000
    if let text = ClientFlags.environment("SYNOD_EXIT_WITH_PARENT") {
      // A comparison gives its process id, a demo only the wish.
      if let parent = Int32(text), parent > 1 {
        guard ChildProcess.dieWithParent(parent) else { return .done }
      } else {
        ChildProcess.endThisWithParent()
      }
    }
    let address = options.listen.description
    let id = options.id.value
    do throws(NodeError) {
      let makeReplicas = Backend.makeReplicas(
        maximumValueBytes: options.host.maximumValueBytes, requestTimeout: options.host.requestTimeout,
        roundTimeout: roundTimeout, carriedPerSecond: moveRate, cacheBytes: cacheBytes,
        isTraced: options.traceFile != nil, raft: raft)
      try Node.run(options, makeReplicas: makeReplicas) { event in
        switch event {
        case .serving: Terminal.print("node \(id) serves clients at \(address)")
        case .listening: break
        case .notice(let text): Terminal.say("synod: node \(id): \(text)")
        case .failed(let reason):
          Terminal.say("synod: node \(id): \(reason)")
          exit(ExitCode.failure.rawValue)
        }
      }
    } catch {
      throw Failure(.failure, "node \(id): \(error.message)")
    }
    return .done
  }

  /// Adds what the configuration file says and the command line does not.
  private static func withConfiguration(_ arguments: Arguments) throws(Failure) -> Arguments {
    guard let path = arguments["config"] else { return arguments }
    var words: [String] = []
    let text = String(decoding: try Terminal.readFile(path), as: UTF8.self)
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let content = trimmed(line)
      if content.isEmpty || content.hasPrefix("#") { continue }
      let parts = content.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(trimmed)
      guard parts.count == 2, !parts[0].isEmpty, parts[0] != "config" else {
        throw .usage("\(path), line \(number + 1): name = value is wanted")
      }
      if !arguments.has(parts[0]) { words.append("--\(parts[0])=\(parts[1])") }
    }
    for flag in flags {
      if let value = arguments[flag.name] { words.append("--\(flag.name)=\(value)") }
    }
    return try Arguments(words[...], of: ServeVerb.self)
  }

  private static func trimmed(_ text: some StringProtocol) -> String {
    let isBlank = { (character: Character) in character == " " || character == "\t" || character == "\r" }
    var slice = Substring(text)
    while let first = slice.first, isBlank(first) { slice.removeFirst() }
    while let last = slice.last, isBlank(last) { slice.removeLast() }
    return String(slice)
  }

  private static func nodeOptions(_ arguments: Arguments) throws(Failure) -> NodeOptions {
    guard let id = try number(arguments, "id", 1...65535) else { throw .usage("--id is missing: this node's number") }
    guard let listen = arguments["listen"] else { throw .usage("--listen is missing: HOST:PORT for clients") }
    guard let address = HostPort(listen) else { throw .usage("--listen \(listen): HOST:PORT is wanted") }
    guard let folder = arguments["data"], !folder.isEmpty else { throw .usage("--data is missing: the data folder") }
    guard let backend = NodeState.Backend(name: arguments["backend"] ?? "register") else {
      throw .usage("--backend \(arguments["backend"] ?? ""): register or raft is wanted")
    }
    var options = NodeOptions(
      id: NodeID(UInt16(id)), listen: address, peers: try peers(arguments["peers"]), dataFolder: folder,
      backend: backend, version: synodVersion)
    options.host.labPage = { LabPage.bytes }
    options.joining = try JoinFlags.joining(arguments)
    if let threads = try number(arguments, "threads", 1...16) { options.threads = Int(threads) }
    options.traceFile = arguments["trace"]
    if options.traceFile != nil && options.backend != .register {
      throw .usage("--trace: the proofs are about registers; --backend raft has no such trace")
    }
    if let bytes = try number(arguments, "max-value-bytes", 1...1 << 20) { options.host.maximumValueBytes = Int(bytes) }
    if let count = try number(arguments, "max-connections", 1...1_000_000) { options.host.maximumSessions = Int(count) }
    if let bytes = try number(arguments, "journal-bytes", 4 << 20...4 << 30) {
      options.storage.halfBytes = Int(bytes / 4096 * 4096)
      options.log.segmentBytes = max(options.log.segmentBytes, options.storage.halfBytes)
    }
    if let bytes = try number(arguments, "scrub-rate", 0...1 << 40) { options.scrubBytesPerSecond = bytes }
    if let time = try duration(arguments, "request-timeout") { options.host.requestTimeout = time }
    if let time = try duration(arguments, "idle-timeout") { options.host.idleTimeout = time }
    if let time = try duration(arguments, "read-timeout") { options.host.requestReadTimeout = time }
    if let path = arguments["token-file"] {
      let file = try Terminal.readFile(path)
      do throws(TokenFileError) {
        options.tokens = try TokenTable(parsing: file)
      } catch {
        throw Failure(.failure, "\(path), line \(error.line): \(error.reason)")
      }
    }
    if let path = arguments["peer-secret-file"] {
      let secret = try Terminal.readFile(path).filter { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
      guard secret.count >= 16 else { throw Failure(.failure, "\(path): a secret of at least 16 bytes is wanted") }
      options.peerSecret = secret
    }
    return options
  }

  private static func peers(_ text: String?) throws(Failure) -> [(id: NodeID, address: HostPort)] {
    guard let text else { return [] }
    var peers: [(id: NodeID, address: HostPort)] = []
    for entry in text.split(separator: ",") {
      let parts = entry.split(separator: "=", maxSplits: 1)
      guard parts.count == 2, let id = UInt16(parts[0]), id > 0, let address = HostPort(parts[1]) else {
        throw .usage("--peers: \(entry): ID=HOST:PORT is wanted")
      }
      guard !peers.contains(where: { $0.id.value == id || $0.address == address }) else {
        throw .usage("--peers: \(entry): this id or address stands twice")
      }
      peers.append((NodeID(id), address))
    }
    guard (1...9).contains(peers.count) else { throw .usage("--peers: 1 to 9 members are possible") }
    return peers
  }

  static func number(_ arguments: Arguments, _ name: String, _ range: ClosedRange<UInt64>) throws(Failure)
    -> UInt64?
  {
    guard let number = try arguments.unsigned(name) else { return nil }
    guard range.contains(number) else {
      throw .usage("--\(name) \(number): \(range.lowerBound) to \(range.upperBound) is wanted")
    }
    return number
  }

  static func duration(_ arguments: Arguments, _ name: String) throws(Failure) -> Milliseconds? {
    guard let count = try arguments.milliseconds(name) else { return nil }
    guard count > 0 else { throw .usage("--\(name): more than nothing is wanted") }
    return Milliseconds(count)
  }
}
