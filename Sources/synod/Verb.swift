/// One verb of the command line. Each has a file of its own and is listed in ``VerbTable``.
protocol Verb: SendableMetatype {
  static var name: String { get }
  /// A line for the list of verbs, without a full stop.
  static var summary: String { get }
  /// What follows the name in the usage line, flags left out, such as `KEY VALUE`.
  static var operands: String { get }
  /// How many operands there may be; what follows `--` is not counted.
  static var operandCount: ClosedRange<Int> { get }
  /// Whether words may follow `--`, which are another program's.
  static var takesCommand: Bool { get }
  /// Paragraphs of help below the usage line.
  static var details: String { get }
  /// All but `--help`.
  static var flags: [Flag] { get }

  static func run(_ arguments: Arguments) throws(Failure) -> ExitCode
}

extension Verb {
  static var takesCommand: Bool { false }
}
