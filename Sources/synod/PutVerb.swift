import Client

enum PutVerb: Verb {
  static let name = "put"
  static let summary = "set a register's value"
  static let operands = "KEY VALUE"
  static let operandCount = 2...2
  static let flags = ClientFlags.withJSON
  static let details = """
    Creates or replaces the register and prints its new revision. VALUE - reads standard input. With --json:
    {"key":…,"revision":N,"created":true|false}.
    """

  static func run(_ arguments: Arguments) throws(Failure) -> ExitCode {
    let client = try ClientFlags.client(arguments)
    let key = ClientFlags.key(arguments)
    let value = try ClientFlags.value(arguments.operands[1])
    Report.put(key, try Failure.catching { () throws(ClientError) in try client.put(key, value) }, arguments)
    return .done
  }
}
