import Base
import Wire

/// The words after a verb, sorted into flags, operands and the command after `--`.
struct Arguments {
  let operands: [String]
  /// What follows `--`.
  let command: [String]
  /// nil for a switch.
  private let values: [String: String?]

  /// Throws a usage error for an unknown flag (with the nearest known one), one that stands twice, lacks its value or
  /// must not have one, and for too few or too many operands. A single `-` is an operand, and so is `-5`.
  init(_ words: ArraySlice<String>, of verb: any Verb.Type) throws(Failure) {
    var operands: [String] = []
    var values: [String: String?] = [:]
    var rest = words
    var command: [String] = []
    while let word = rest.popFirst() {
      if word == "--" {
        command = Array(rest)
        break
      }
      guard word.hasPrefix("--") else {
        operands.append(word)
        continue
      }
      let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      guard let flag = verb.flags.first(where: { $0.name == name }) else {
        throw Arguments.unknown(name, verb)
      }
      guard values[name] == nil else { throw .usage("--\(name) stands twice") }
      if flag.placeholder == nil {
        guard parts.count == 1 else { throw .usage("--\(name) takes no value") }
        values[name] = .some(nil)
      } else if parts.count == 2 {
        values[name] = String(parts[1])
      } else {
        guard let value = rest.popFirst(), value != "--" else {
          throw .usage("--\(name) needs a value: --\(name) \(flag.placeholder ?? "")")
        }
        values[name] = value
      }
    }
    if !verb.takesCommand {
      // Behind `--` even what looks like a flag is an operand.
      operands += command
      command = []
    }
    guard operands.count >= verb.operandCount.lowerBound else {
      throw .usage("synod \(verb.name) needs \(verb.operands)")
    }
    guard operands.count <= verb.operandCount.upperBound else {
      throw .usage("\(operands[verb.operandCount.upperBound]) is one too many: synod \(verb.name) \(verb.operands)")
    }
    self.operands = operands
    self.command = command
    self.values = values
  }

  private static func unknown(_ name: String, _ verb: any Verb.Type) -> Failure {
    let known = verb.flags.map(\.name)
    let hint = Nearest.word(to: name, among: known).map { "; did you mean --\($0)?" } ?? ""
    return .usage("synod \(verb.name) has no flag --\(name)\(hint)")
  }

  func has(_ name: String) -> Bool { values[name] != nil }

  /// The value of a flag, nil where it does not stand.
  subscript(name: String) -> String? { values[name] ?? nil }

  func unsigned(_ name: String) throws(Failure) -> UInt64? {
    guard let text = self[name] else { return nil }
    guard let number = Decimal.unsigned(Array(text.utf8)[...]) else {
      throw .usage("--\(name) \(text): a whole number is wanted")
    }
    return number
  }

  /// A duration as everywhere: a whole number and `ms`, `s` or `m`.
  func milliseconds(_ name: String) throws(Failure) -> UInt64? {
    guard let text = self[name] else { return nil }
    guard let duration = DurationText.parse(Array(text.utf8)) else {
      throw .usage("--\(name) \(text): a duration is a whole number and ms, s or m, such as 800ms")
    }
    return duration.count
  }
}
