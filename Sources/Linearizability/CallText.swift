import Base

/// Calls and states as text for a person.
enum CallText {
  /// Longer values are cut.
  private static let shownBytes = 40

  static func line(_ item: Problem.Item) -> String {
    let call = item.call
    let until = item.isOptional ? "…" : String(call.returned ?? 0)
    let repeated = call.id.map { " id \(show($0))" } ?? ""
    return "[\(call.invoked), \(until)] process \(call.process): \(action(call))\(repeated) -> \(outcome(call.outcome))"
  }

  static func state(_ state: RegisterState, _ problem: Problem) -> String {
    guard let value = state.value else { return "absent" }
    let revision = problem.tracksRevisions ? " at revision \(state.isExact ? "" : ">= ")\(state.revision)" : ""
    return show(value) + revision
  }

  private static func action(_ call: Call) -> String {
    let action =
      switch call.action {
      case .read: "read"
      case .settle(let target, let known): "settle" + (target.map { " \(show($0)) known \(known)" } ?? "")
      case .put(let value): "put \(show(value))"
      case .delete: "delete"
      case .add(let number): "add \(number)"
      case .max(let number): "max \(number)"
      case .min(let number): "min \(number)"
      case .append(let value): "append \(show(value))"
      }
    var conditions: [String] = []
    if let exists = call.condition.exists { conditions.append(exists ? "it exists" : "it is absent") }
    if let revisions = call.condition.revisionIn { conditions.append("its revision is \(list(revisions))") }
    if let revisions = call.condition.revisionNotIn { conditions.append("its revision is not \(list(revisions))") }
    if let value = call.condition.value { conditions.append("it is \(show(value))") }
    guard !conditions.isEmpty else { return action }
    return action + " if " + joined(conditions, " and ")
  }

  private static func outcome(_ outcome: Call.Outcome) -> String {
    switch outcome {
    case .read(let seen): return sight(seen)
    case .settled(let seen, let fate):
      switch fate {
      case nil: return sight(seen)
      case .applied(let revision): return sight(seen) + ", applied" + (revision.map { " at revision \($0)" } ?? "")
      case .dead: return sight(seen) + ", dead"
      case .forgotten: return sight(seen) + ", forgotten"
      }
    case .changed(let change):
      var parts = ["done"]
      if let created = change.created { parts.append(created ? "created" : "replaced") }
      if let revision = change.revision { parts.append("revision \(revision)") }
      if let number = change.number { parts.append("number \(number)") }
      if let length = change.length { parts.append("length \(length)") }
      if change.replayed == true { parts.append("replayed") }
      return joined(parts, ", ")
    case .absent: return "absent"
    case .conditionFailed(.nothing): return "condition failed"
    case .conditionFailed(let seen): return "condition failed: " + sight(seen)
    case .notANumber: return "not a number"
    case .notApplied: return "not applied"
    case .unknown: return "unknown"
    }
  }

  private static func sight(_ sight: Call.Sight) -> String {
    switch sight {
    case .nothing: return "not seen"
    case .absent: return "absent"
    case .present(let revision, let value):
      var parts: [String] = []
      if let value { parts.append(show(value)) }
      if let revision { parts.append("at revision \(revision)") }
      return parts.isEmpty ? "present" : joined(parts, " ")
    }
  }

  /// In quotes, with what cannot be printed as a point.
  static func show(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = [UInt8(ascii: "\"")]
    for byte in bytes.prefix(shownBytes) { text.append(byte >= 0x20 && byte < 0x7F ? byte : UInt8(ascii: ".")) }
    text.append(UInt8(ascii: "\""))
    let cut = bytes.count > shownBytes ? "… (\(bytes.count) bytes)" : ""
    return String(decoding: text, as: UTF8.self) + cut
  }

  private static func list(_ numbers: [UInt64]) -> String { joined(numbers.map { "\($0)" }, " or ") }

  private static func joined(_ parts: [String], _ separator: String) -> String {
    var text = ""
    for (index, part) in parts.enumerated() { text += index == 0 ? part : separator + part }
    return text
  }
}
