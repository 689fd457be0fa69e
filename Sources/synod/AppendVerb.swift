import Client

enum AppendVerb: Verb {
  static let name = "append"
  static let summary = "append to a register's value"
  static let operands = "KEY VALUE"
  static let operandCount = 2...2
  static let flags = ClientFlags.withJSON
  static let details = """
    Appends the bytes of VALUE (- reads standard input) and prints the new revision; an absent register counts as
    empty. With --json: {"key":…,"revision":N,"length":L}.
    """

  static func run(_ arguments: Arguments) throws(Failure) -> ExitCode {
    let client = try ClientFlags.client(arguments)
    let key = ClientFlags.key(arguments)
    let value = try ClientFlags.value(arguments.operands[1])
    let result = try Failure.catching { () throws(ClientError) in try client.append(key, value) }
    if arguments.has("json") {
      var line = JSONLine()
      line.add("key", key.bytes)
      line.add("revision", result.revision)
      if let length = result.length { line.add("length", length) } else { line.addNull("length") }
      line.print()
    } else {
      Terminal.print("\(result.revision)")
    }
    return .done
  }
}
