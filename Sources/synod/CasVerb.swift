import Client

enum CasVerb: Verb {
  static let name = "cas"
  static let summary = "set a register's value if it is what you think it is"
  static let operands = "KEY NEW --if-revision N | --if-value V | --if-absent"
  static let operandCount = 2...2
  static let flags = ClientFlags.conditionFlags + ClientFlags.withJSON
  static let details = """
    Compares and sets in one step, and prints the new revision. Where the condition does not hold, nothing changes and
    the exit code is 4; --json then prints {"error":"condition-failed","current":{"revision":N,"value":…}}, with null
    for an absent register. NEW - reads standard input.
    """

  static func run(_ arguments: Arguments) throws(Failure) -> ExitCode {
    let conditions = try ClientFlags.conditions(arguments)
    guard !conditions.isEmpty else {
      throw .usage("synod cas needs a condition: --if-revision N, --if-value V or --if-absent")
    }
    guard arguments.operands[1] != "-" || arguments["if-value"] != "-" else {
      throw .usage("NEW and --if-value cannot both be standard input")
    }
    let client = try ClientFlags.client(arguments)
    let key = ClientFlags.key(arguments)
    let value = try ClientFlags.value(arguments.operands[1])
    let result = try Failure.catching { () throws(ClientError) in try client.put(key, value, if: conditions) }
    Report.put(key, result, arguments)
    return .done
  }
}
