/// A flag of a verb: `--name value` or `--name=value`; without a placeholder it takes no value.
struct Flag {
  /// Without the dashes.
  let name: String
  /// What stands for the value in the help, nil for a switch.
  let placeholder: String?
  /// One clause, lower case, with the default.
  let help: String

  init(_ name: String, _ placeholder: String? = nil, help: String) {
    self.name = name
    self.placeholder = placeholder
    self.help = help
  }

  /// Understood by every verb.
  static let help = Flag("help", help: "show this text")
  /// Of every verb that prints data.
  static let json = Flag("json", help: "print JSON, one value a line")
}
