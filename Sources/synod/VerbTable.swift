/// Every verb there is, in the order of the help.
enum VerbTable {
  static let verbs: [any Verb.Type] = shipped + ofThisBuild

  private static let shipped: [any Verb.Type] = [
    DemoVerb.self, ServeVerb.self, GetVerb.self, PutVerb.self, CasVerb.self, DeleteVerb.self, AddVerb.self,
    AppendVerb.self, WatchVerb.self, LsVerb.self, LockVerb.self, MembersVerb.self, StatusVerb.self, ScrubVerb.self,
    BenchVerb.self, CompareVerb.self, SimulateVerb.self, CheckVerb.self, LabVerb.self, MaelstromVerb.self,
    HelpVerb.self,
  ]

  #if Mutants
    private static let ofThisBuild: [any Verb.Type] = [MutantsVerb.self]
  #else
    private static let ofThisBuild: [any Verb.Type] = []
  #endif

  static func verb(named name: String) -> (any Verb.Type)? { verbs.first { $0.name == name } }

  /// Runs the command line without the program's name; returns what the process ends with.
  static func run(_ words: [String]) -> Int32 {
    guard let first = words.first else {
      Terminal.say(HelpVerb.overview)
      return ExitCode.usage.rawValue
    }
    var wantsJSON = false
    do throws(Failure) {
      switch first {
      case "--version":
        Terminal.print("synod \(synodVersion)")
        return ExitCode.done.rawValue
      case "--help", "-h":
        Terminal.print(HelpVerb.overview)
        return ExitCode.done.rawValue
      default: break
      }
      guard let verb = verb(named: first) else {
        let hint = Nearest.word(to: first, among: verbs.map { $0.name }).map { "; did you mean \($0)?" } ?? ""
        throw .usage("no verb \(first)\(hint) (synod help lists them)")
      }
      // Before parsing, so that a usage error, too, is said as it was asked for.
      let own = words.dropFirst().prefix { $0 != "--" }
      if own.contains("--help") || own.contains("-h") {
        Terminal.print(HelpVerb.text(of: verb))
        return ExitCode.done.rawValue
      }
      wantsJSON = own.contains("--json")
      return try verb.run(try Arguments(words.dropFirst(), of: verb)).rawValue
    } catch {
      if wantsJSON, let json = error.json { Terminal.write(json) }
      Terminal.say("synod: \(error.message)")
      return error.code.rawValue
    }
  }
}
