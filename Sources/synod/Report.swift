import Client

/// What several verbs print alike.
enum Report {
  /// Says that a register is absent, and what to exit with.
  static func absent(_ key: RegisterKey, _ arguments: Arguments) -> ExitCode {
    if arguments.has("json") {
      var line = JSONLine()
      line.add("error", "absent")
      line.add("key", key.bytes)
      line.print()
    }
    Terminal.say("synod: \(key) is absent")
    return .absent
  }

  static func entry(_ key: RegisterKey, _ entry: Entry) -> JSONLine {
    var line = JSONLine()
    line.add("key", key.bytes)
    line.add("revision", entry.revision)
    line.add("value", entry.value)
    return line
  }

  static func put(_ key: RegisterKey, _ result: PutResult, _ arguments: Arguments) {
    guard arguments.has("json") else { return Terminal.print("\(result.revision)") }
    var line = JSONLine()
    line.add("key", key.bytes)
    line.add("revision", result.revision)
    if let created = result.created { line.add("created", created) } else { line.addNull("created") }
    line.print()
  }
}
