import Base
import Linearizability
import Wire

enum CheckVerb: Verb {
  static let name = "check"
  static let summary = "tell whether a history is linearizable"
  static let operands = "FILE"
  static let operandCount = 1...1
  static let flags = [
    Flag("format", "NAME", help: "jepsen, jsonl or kv (default: what the file looks like)"),
    Flag("memory", "MIB", help: "what the search for one register may keep (default 512)"),
    Flag.json,
  ]
  static let details = """
    Reads the calls of a history (FILE - is standard input) and looks, register by register, for an order that explains
    all of them. Prints linearizable and exits with 0, or prints not linearizable, the smallest part that shows it, and
    exits with 1. A file that is no history, and a search that needs more than its limit, end with 1 and no verdict.
    With --json: {"linearizable":…,"format":…,"calls":N,"registers":N}, and where it is false "key" and "explanation".
    """

  static func run(_ arguments: Arguments) throws(Failure) -> ExitCode {
    let path = arguments.operands[0]
    let mebibytes = try arguments.unsigned("memory") ?? 512
    guard 1...65536 ~= mebibytes else { throw .usage("--memory \(mebibytes): 1 to 65536 are possible") }
    var format: HistoryFormat?
    if let name = arguments["format"] {
      format = HistoryFormat(rawValue: name)
      guard format != nil else { throw .usage("--format \(name): jepsen, jsonl or kv") }
    }
    let text = path == "-" ? try Terminal.readInput() : try Terminal.readFile(path)
    let name = path == "-" ? "standard input" : path
    if format == nil {
      format = HistoryFormat.guess(text)
      if let format { Terminal.say("synod: \(name) looks like --format \(format.rawValue)") }
    }
    guard let format else { throw Failure(.failure, "\(name): line 1: it looks like no format; --format names it") }
    let history: History
    do {
      history = try format.read(text)
    } catch {
      let place = error.line > 0 ? "line \(error.line): " : ""
      throw Failure(.failure, "\(name): \(place)\(error.reason)")
    }
    let verdict = Checker(limitBytes: Int(mebibytes) << 20).check(history)
    if case .undecided(let reason) = verdict { throw Failure(.failure, "\(name): undecided: \(reason)") }
    return report(verdict, history, format, asJSON: arguments.has("json"))
  }

  private static func report(
    _ verdict: Verdict, _ history: History, _ format: HistoryFormat, asJSON: Bool
  ) -> ExitCode {
    var explanation: Explanation?
    if case .notLinearizable(let found) = verdict { explanation = found }
    if asJSON {
      var line = JSONLine()
      line.add("linearizable", explanation == nil)
      line.add("format", format.rawValue)
      line.add("calls", UInt64(history.calls.count))
      line.add("registers", UInt64(history.registers.count))
      if let explanation {
        line.add("key", explanation.key.bytes)
        var list: [UInt8] = [UInt8(ascii: "[")]
        for (index, text) in explanation.lines.enumerated() {
          if index > 0 { list.append(UInt8(ascii: ",")) }
          JSONText.appendString(Array(text.utf8), to: &list)
        }
        line.add("explanation", raw: list + [UInt8(ascii: "]")])
      }
      line.print()
    } else if let explanation {
      Terminal.print(Terminal.coloured("not linearizable", .red))
      for line in explanation.lines { Terminal.print(line) }
    } else {
      Terminal.print(Terminal.coloured("linearizable", .green))
    }
    return explanation == nil ? .done : .failure
  }
}
