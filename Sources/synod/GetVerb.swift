import Client

enum GetVerb: Verb {
  static let name = "get"
  static let summary = "print a register's value"
  static let operands = "KEY"
  static let operandCount = 1...1
  static let flags = [Flag("revision", help: "print the revision instead of the value")] + ClientFlags.withJSON
  static let details = """
    Prints the newest value, byte for byte; at a terminal with a line end behind it. Exits with 3 where the register
    is absent. With --json: {"key":…,"revision":N,"value":…}, or value_base64 where the bytes are not UTF-8.
    """

  static func run(_ arguments: Arguments) throws(Failure) -> ExitCode {
    let client = try ClientFlags.client(arguments)
    let key = ClientFlags.key(arguments)
    let found = try Failure.catching { () throws(ClientError) in try client.get(key) }
    guard let entry = found else { return Report.absent(key, arguments) }
    if arguments.has("json") {
      Report.entry(key, entry).print()
    } else if arguments.has("revision") {
      Terminal.print("\(entry.revision)")
    } else {
      Terminal.show(entry.value)
    }
    return .done
  }
}
