import Client

enum DeleteVerb: Verb {
  static let name = "delete"
  static let summary = "delete a register"
  static let operands = "KEY"
  static let operandCount = 1...1
  static let flags = Array(ClientFlags.conditionFlags.prefix(2)) + ClientFlags.withJSON
  static let details = """
    Exits with 3 where the register was absent already, and with 4 where a condition does not hold. With --json:
    {"key":…,"deleted":true}.
    """

  static func run(_ arguments: Arguments) throws(Failure) -> ExitCode {
    let conditions = try ClientFlags.conditions(arguments)
    let client = try ClientFlags.client(arguments)
    let key = ClientFlags.key(arguments)
    let existed = try Failure.catching { () throws(ClientError) in try client.delete(key, if: conditions) }
    guard existed else { return Report.absent(key, arguments) }
    if arguments.has("json") {
      var line = JSONLine()
      line.add("key", key.bytes)
      line.add("deleted", true)
      line.print()
    }
    return .done
  }
}
