import Compare
import Glibc
import Linux

enum CompareVerb: Verb {
  static let name = "compare"
  static let summary = "run the same work on registers and on a log, and report"
  static let operands = ""
  static let operandCount = 0...0
  static let flags = [
    Flag("scenario", "NAME,…", help: "which ones (default all)"),
    Flag("quick", help: "short measurements: all scenarios in at most five minutes"),
    Flag(
      "out", "DIR", help: "where report.html and report.json go, and the clusters' data meanwhile (default compare)"),
    Flag("against", "etcd", help: "a third cluster, of the etcd on the PATH, as a yardstick"),
    Flag("huge", help: "10,000,000 keys in `keys` as well: some ten minutes more, and 32 GiB of memory"),
    Flag(
      "simulate-links",
      help: "cut and delayed links in the simulator, as where namespaces are missing (isolate, one-way, wide, jitter)"),
    Flag("render", help: "measure nothing: make the page, headlines.md and plots/*.svg from DIR/report.json"),
    Flag("seed", "N", help: "of keys, operations and arrivals (default 1)"),
    Flag.json,
  ]
  static let details = """
    Starts clusters of three real node processes, one at a time, on this machine, loads and harms them, and writes
    DIR/report.html and DIR/report.json after each scenario; tables go to standard output. Scenarios:
    \(Scenario.all.map { "  \(padded($0.name)) \($0.title)" }.joined(separator: "\n"))
    Cut and delayed links (isolate, one-way, wide, jitter) need network namespaces, and so root; where there are none
    the simulator runs the same nodes on made-up links instead, and the report says so. A slow disk needs root and
    control groups, and is left out, with the reason, where there are none.

    After an interruption the same command goes on with the scenarios that are missing. Ctrl-C stops all nodes. Exits
    with 1 where a scenario failed or the report is not complete. With --json the report itself goes to standard output.
    """

  private static func padded(_ text: String) -> String {
    text + String(repeating: " ", count: max(0, 10 - text.count))
  }

  static func run(_ arguments: Arguments) throws(Failure) -> ExitCode {
    let scenarios = try scenarios(arguments["scenario"] ?? "all")
    let folder = arguments["out"] ?? "compare"
    guard !folder.isEmpty else { throw .usage("--out: a folder is wanted") }
    if arguments.has("render") {
      do throws(CompareError) { try Comparison.render(folder) } catch { throw Failure(.failure, error.reason) }
      return .done
    }
    var options = Stage.Options(folder: folder)
    options.isQuick = arguments.has("quick")
    options.isHuge = arguments.has("huge")
    options.simulatesLinks = arguments.has("simulate-links")
    if let seed = try arguments.unsigned("seed") { options.seed = seed }
    switch arguments["against"] {
    case nil: break
    case "etcd":
      for program in ["etcd", "setpriv"] where Command.find(program) == nil {
        throw Failure(.failure, "--against etcd: there is no \(program) on the PATH")
      }
      options.stores.append(.etcd)
    default: throw .usage("--against \(arguments["against"] ?? ""): etcd is all there is")
    }
    do throws(CompareError) {
      return try compare(scenarios, options, arguments)
    } catch {
      throw Failure(.failure, error.reason)
    }
  }

  private static func scenarios(_ text: String) throws(Failure) -> [Scenario] {
    if text == "all" { return Scenario.all }
    var chosen: [Scenario] = []
    for name in text.split(separator: ",").map(String.init) {
      guard let scenario = Scenario.named(name) else {
        let names = Scenario.all.map(\.name)
        let hint = Nearest.word(to: name, among: names).map { "; did you mean \($0)?" } ?? ""
        throw .usage("no scenario \(name)\(hint) (there are \(names.joined(separator: ", ")))")
      }
      guard !chosen.contains(where: { $0.name == name }) else { throw .usage("--scenario: \(name) stands twice") }
      chosen.append(scenario)
    }
    guard !chosen.isEmpty else { throw .usage("--scenario: a name is wanted") }
    return chosen
  }

  /// Ctrl-C and the like, remembered.
  private final class Interruption {
    private let signals: SignalSet
    private(set) var hasCome = false

    init() throws(SystemError) { signals = try SignalSet([SIGINT, SIGTERM, SIGHUP]) }

    func check() -> Bool {
      while signals.next() != nil { hasCome = true }
      return hasCome
    }
  }

  private static func compare(
    _ scenarios: [Scenario], _ options: Stage.Options, _ arguments: Arguments
  ) throws(CompareError) -> ExitCode {
    let interruption: Interruption
    do throws(SystemError) { interruption = try Interruption() } catch { throw .failed(error.description) }
    try Folder.make(options.folder)
    let stage = Stage(options, isInterrupted: interruption.check) { line in
      if Terminal.errorIsTerminal { Terminal.sayInPlace(line) } else { Terminal.say(line) }
    }
    let environment = try Environment.current(version: synodVersion, command: commandLine, stage: options)
    let comparison = Comparison(scenarios, on: stage, environment: environment)
    if !comparison.resumed.isEmpty {
      Terminal.say("synod: going on after \(comparison.resumed.joined(separator: ", "))")
    }
    var ending: CompareError?
    do throws(CompareError) { try comparison.run() } catch { ending = error }
    if Terminal.errorIsTerminal { Terminal.sayInPlace("") }
    let report = comparison.report
    if arguments.has("json") {
      Terminal.write(report.json.filter { $0 != 0x0A } + [0x0A])
    } else {
      Terminal.print(ReportTable.text(report) { Terminal.coloured($0, .bold) })
    }
    Terminal.say("synod: \(options.folder)/\(Comparison.pageName), \(options.folder)/\(Comparison.jsonName)")
    if let ending {
      let done = "\(report.finished) of \(scenarios.count) scenarios are there; the same command goes on from here"
      Terminal.say("synod: \(ending.reason): \(done)")
      return .failure
    }
    let failed = report.results.compactMap { result in
      if case .failed(let reason) = result.ending { "\(result.name): \(reason)" } else { nil }
    }
    for reason in failed { Terminal.say("synod: \(reason)") }
    return failed.isEmpty ? .done : .failure
  }

  /// What was typed, for the report.
  private static var commandLine: String {
    (["synod"] + CommandLine.arguments.dropFirst()).joined(separator: " ")
  }
}
