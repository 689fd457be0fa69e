enum HelpVerb: Verb {
  static let name = "help"
  static let summary = "show this list, or what a verb does"
  static let operands = "[VERB]"
  static let operandCount = 0...1
  static let flags: [Flag] = []
  static let details = "Shows the list of verbs, or the help of one of them."

  static func run(_ arguments: Arguments) throws(Failure) -> ExitCode {
    guard let name = arguments.operands.first else {
      Terminal.print(overview)
      return .done
    }
    guard let verb = VerbTable.verb(named: name) else {
      let hint = Nearest.word(to: name, among: VerbTable.verbs.map { $0.name }).map { "; did you mean \($0)?" } ?? ""
      throw .usage("no verb \(name)\(hint)")
    }
    Terminal.print(text(of: verb))
    return .done
  }

  static var overview: String {
    var lines = [
      "synod \(synodVersion): a replicated store of linearizable compare-and-set registers, without a log.", "",
      "usage: synod VERB [OPERANDS] [FLAGS]    synod VERB --help    synod --version", "",
    ]
    let width = VerbTable.verbs.map { $0.name.count }.max() ?? 0
    for verb in VerbTable.verbs { lines.append("  \(padded(verb.name, width))  \(verb.summary)") }
    lines += [
      "", "Exit codes: 0 done, 1 other failure, 2 usage, 3 absent, 4 condition did not hold, 5 not applied,",
      "6 outcome unknown (the change may or may not take effect; reading with ?settle tells).",
    ]
    return lines.joined(separator: "\n")
  }

  static func text(of verb: any Verb.Type) -> String {
    let operands = verb.operands.isEmpty ? "" : " \(verb.operands)"
    var lines = ["usage: synod \(verb.name)\(operands)", "", verb.details, ""]
    let flags = verb.flags + [Flag.help]
    let heads = flags.map { "--\($0.name)" + ($0.placeholder.map { " \($0)" } ?? "") }
    let width = heads.map(\.count).max() ?? 0
    for (flag, head) in zip(flags, heads) { lines.append("  \(padded(head, width))  \(flag.help)") }
    return lines.joined(separator: "\n")
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
