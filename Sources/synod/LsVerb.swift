import Client

enum LsVerb: Verb {
  static let name = "ls"
  static let summary = "list keys"
  static let operands = "[PREFIX]"
  static let operandCount = 0...1
  static let flags =
    [
      Flag("long", help: "print REVISION and a tab before each key"),
      Flag("values", help: "with --json, the values too"),
      Flag("limit", "N", help: "end after so many keys (default: all)"),
      Flag("after", "KEY", help: "begin behind this key"),
    ] + ClientFlags.withJSON
  static let details = """
    Prints the keys that begin with PREFIX, a line each, sorted by their bytes. Every register whose write was
    acknowledged before is there; what changes meanwhile may or may not show. A key that holds a line end is better read
    with --json: {"key":…,"revision":N} (key_base64 where it is not UTF-8).
    """

  /// So many keys are asked for at once.
  private static let pageSize: UInt64 = 1000

  static func run(_ arguments: Arguments) throws(Failure) -> ExitCode {
    let client = try ClientFlags.client(arguments)
    let prefix = RegisterKey(arguments.operands.first ?? "")
    let values = arguments.has("values")
    if values, !arguments.has("json") { throw .usage("--values goes with --json") }
    var left = try arguments.unsigned("limit") ?? .max
    var after = arguments["after"].map { RegisterKey($0) }
    while left > 0 {
      let limit = Int(min(left, pageSize))
      let page = try Failure.catching { () throws(ClientError) in
        try client.list(prefix: prefix, after: after, limit: limit, values: values)
      }
      show(page.keys, arguments)
      guard page.more, let last = page.keys.last else { break }
      after = last.key
      left -= min(left, UInt64(page.keys.count))
    }
    return .done
  }

  private static func show(_ keys: [ListedKey], _ arguments: Arguments) {
    var output: [UInt8] = []
    for listed in keys {
      if arguments.has("json") {
        var line = JSONLine()
        line.add("key", listed.key.bytes)
        line.add("revision", listed.revision)
        if let value = listed.value { line.add("value", value) }
        line.print()
        continue
      }
      if arguments.has("long") { output += Array("\(listed.revision)\t".utf8) }
      output += listed.key.bytes + [UInt8(ascii: "\n")]
    }
    Terminal.write(output)
  }
}
