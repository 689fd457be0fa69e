import Base
import Client
import Compare
import Glibc
import Linux
import Workload

enum BenchVerb: Verb {
  static let name = "bench"
  static let summary = "load a running cluster, and tell its latency"
  static let operands = ""
  static let operandCount = 0...0
  static let flags =
    [
      Flag("workload", "NAME", help: "see above (default put)"),
      Flag("clients", "N", help: "connections, spread over the endpoints (default 64)"),
      Flag("rate", "R", help: "open loop: start R operations a second, whatever became of those before"),
      Flag("arrivals", "steady|poisson", help: "open loop: how the starts are spaced (default steady)"),
      Flag("pipeline", "N", help: "requests under way on each connection, 1 to 256 (default 1)"),
      Flag("keys", "N", help: "how many keys (default 10000)"),
      Flag("hot-keys", "N", help: "how many of them the hot workloads share (default 1)"),
      Flag("distribution", "uniform|zipf", help: "instead of the workload's own"),
      Flag("value-bytes", "N", help: "the length of written values (default 16)"),
      Flag("duration", "TIME", help: "how long to measure (default 10s)"),
      Flag("operations", "N", help: "closed loop: end after so many operations, the warm-up's included"),
      Flag("warm-up", "TIME", help: "how long to load before measuring (default 1s)"),
      Flag("timeout", "TIME", help: "after this a request counts as lost (default 5s)"),
      Flag("seed", "N", help: "of keys, operations and arrivals (default 1)"),
      Flag("no-fill", help: "do not write every key once before a workload that reads"),
    ] + ClientFlags.flags.filter { $0.name != "timeout" } + [Flag.json]
  static let details = """
    Runs from one thread against any cluster. Workloads:
    \(Profile.all.map { "  \(padded($0.name)) \($0.summary)" }.joined(separator: "\n"))
    Without --rate each connection starts a request when its last one is answered (a closed loop): throughput is the
    result, and a stall of the cluster also stalls the load. With --rate latency is counted from when an operation was
    meant to start (an open loop): a stall shows in every operation that users would have begun meanwhile.

    Outcomes: ok; failed (certainly not carried out, or a read without an answer); unknown (a change without a clear
    answer). Latency is that of the ok ones, to within 1 %. Ctrl-C ends it early and prints what was measured. Exits
    with 1 where nothing was carried out.
    """

  private static func padded(_ text: String) -> String {
    text + String(repeating: " ", count: max(0, 8 - text.count))
  }

  static func run(_ arguments: Arguments) throws(Failure) -> ExitCode {
    var options = try loadOptions(arguments)
    do throws(SystemError) {
      let watch = try LoadWatch()
      options.endpoints = try reachable(options.endpoints)
      if options.profile.needsFilling && !arguments.has("no-fill") {
        guard try fill(options, watch) else { return .failure }
      }
      let result = try watch.run(options, label: options.profile.name)
      if arguments.has("json") {
        LoadReport.json(options, result).print()
      } else {
        Terminal.print(LoadReport.text(options, result))
      }
      return result.counts.ok > 0 ? .done : .failure
    } catch {
      throw Failure(.failure, error.description)
    }
  }

  private static func loadOptions(_ arguments: Arguments) throws(Failure) -> LoadOptions {
    let name = arguments["workload"] ?? "put"
    guard let profile = Profile.named(name) else {
      let names = Profile.all.map(\.name)
      let hint = Nearest.word(to: name, among: names).map { "; did you mean \($0)?" } ?? ""
      throw .usage("no workload \(name)\(hint) (there are \(names.joined(separator: ", ")))")
    }
    let endpoints = try ClientFlags.endpoints(arguments).map { HostPort(host: $0.host, port: $0.port) }
    var options = LoadOptions(endpoints: endpoints, profile: profile)
    options.token = try ClientFlags.options(arguments).token
    if let clients = try number(arguments, "clients", 1...20_000) { options.clients = clients }
    if let depth = try number(arguments, "pipeline", 1...LoadOptions.maximumDepth) { options.depth = depth }
    if let keys = try number(arguments, "keys", 1...1_000_000_000) { options.keys = keys }
    if let keys = try number(arguments, "hot-keys", 1...1000) { options.hotKeys = keys }
    if let bytes = try number(arguments, "value-bytes", 0...1 << 20) { options.valueBytes = bytes }
    if let seed = try arguments.unsigned("seed") { options.seed = seed }
    options.operationLimit = try arguments.unsigned("operations")
    if let time = try ServeVerb.duration(arguments, "duration") { options.milliseconds = time.count }
    options.warmUpMilliseconds = try arguments.milliseconds("warm-up") ?? 1000
    if let time = try ServeVerb.duration(arguments, "timeout") { options.timeoutMilliseconds = time.count }
    switch arguments["distribution"] {
    case nil: break
    case "uniform": options.distribution = .uniform
    case "zipf": options.distribution = .ycsb
    default: throw .usage("--distribution: uniform or zipf is wanted")
    }
    options.pace = try pace(arguments)
    return options
  }

  private static func pace(_ arguments: Arguments) throws(Failure) -> LoadOptions.Pace {
    let spacing: ArrivalSchedule.Spacing
    switch arguments["arrivals"] {
    case nil, "steady": spacing = .steady
    case "poisson": spacing = .poisson
    default: throw .usage("--arrivals: steady or poisson is wanted")
    }
    guard let rate = try number(arguments, "rate", 1...10_000_000) else {
      if arguments.has("arrivals") { throw .usage("--arrivals is of an open loop: give --rate") }
      return .closed
    }
    return .open(perSecond: Double(rate), spacing: spacing)
  }

  private static func number(_ arguments: Arguments, _ name: String, _ range: ClosedRange<Int>) throws(Failure)
    -> Int?
  {
    let range = UInt64(range.lowerBound)...UInt64(range.upperBound)
    return try ServeVerb.number(arguments, name, range).map { Int($0) }
  }

  /// The endpoints where somebody listens; says which ones do not. Throws where nobody does.
  private static func reachable(_ endpoints: [HostPort]) throws(SystemError) -> [HostPort] {
    var found: [HostPort] = []
    var failure: SystemError?
    for endpoint in endpoints {
      do throws(SystemError) {
        _ = try Socket.connect(to: endpoint, deadline: MonotonicClock.now() + 2000)
        found.append(endpoint)
      } catch {
        Terminal.say("synod: \(endpoint) is left out: \(error.reason)")
        failure = error
      }
    }
    guard found.isEmpty, let failure else { return found }
    throw SystemError(call: failure.call, code: failure.code, clause: "no endpoint can be reached")
  }

  /// Writes every key once. False where that was not possible.
  private static func fill(_ options: LoadOptions, _ watch: LoadWatch) throws(SystemError) -> Bool {
    var filling = options
    filling.pace = .eachKeyOnce
    // A workload that only reads would read each key once.
    if let writes = Profile.named("put") { filling.profile = writes }
    filling.clients = min(64, options.keys)
    filling.depth = 8
    filling.operationLimit = nil
    filling.warmUpMilliseconds = 0
    filling.milliseconds = 3_600_000
    filling.windowMilliseconds = 1000
    filling.keys = options.profile.keys == .hot ? options.hotKeys : options.keys
    let result = try watch.run(filling, label: "fill")
    guard result.counts.ok < UInt64(filling.keys) else { return true }
    Terminal.say("synod: the keys could not be written: \(result.lastFailure ?? "it was interrupted")")
    return false
  }
}
