import Base
import Client

enum AddVerb: Verb {
  static let name = "add"
  static let summary = "add to the number that a register holds"
  static let operands = "KEY [N]"
  static let operandCount = 1...2
  static let flags = ClientFlags.withJSON
  static let details = """
    Adds N (1 if it is left out, may be negative) and prints the new number; an absent register counts as 0. Exits with
    5 where the value is no 64-bit integer, or would overflow. With --json: {"key":…,"revision":N,"value":N}.
    """

  static func run(_ arguments: Arguments) throws(Failure) -> ExitCode {
    let text = arguments.operands.count > 1 ? arguments.operands[1] : "1"
    guard let delta = Decimal.integer(Array(text.utf8)[...]) else {
      throw .usage("\(text) is no 64-bit integer")
    }
    let client = try ClientFlags.client(arguments)
    let key = ClientFlags.key(arguments)
    let result = try Failure.catching { () throws(ClientError) in try client.add(key, delta) }
    if arguments.has("json") {
      var line = JSONLine()
      line.add("key", key.bytes)
      line.add("revision", result.revision)
      if let value = result.value { line.add("value", value) } else { line.addNull("value") }
      line.print()
    } else if let value = result.value {
      Terminal.print("\(value)")
    } else {
      Terminal.say("synod: added, at revision \(result.revision); the sum was lost with the answer")
    }
    return .done
  }
}
