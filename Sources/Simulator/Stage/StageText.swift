import Base
package import Linearizability
package import Replica

/// Words for what is watched. Keys and values of a stage are short texts.
package enum StageText {
  package static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
  static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

  /// `deleted` for a tombstone.
  package static func value(ofCell cell: [UInt8]) -> String {
    guard let cell = try? Cell.decode(cell) else { return "?" }
    guard let value = cell.value else { return "deleted" }
    return shortened(Array(value))
  }

  static func fields(ofCell cell: [UInt8]) -> [(name: String, value: String)] {
    guard let cell = try? Cell.decode(cell) else { return [] }
    return [
      ("value", cell.value.map { shortened(Array($0)) } ?? "deleted"), ("revision", "\(cell.revision)"),
      ("remembers", "its last \(cell.window.count) changes"),
    ]
  }

  /// A value in a few characters; of the register of the members, who they are.
  static func shortened(_ value: [UInt8]) -> String {
    if let configuration = Configuration(encoded: value) { return text(configuration) }
    return shortened(text(value))
  }

  /// At most twelve characters.
  static func shortened(_ text: String) -> String {
    text.utf8.count > 12 ? String(decoding: text.utf8.prefix(11), as: UTF8.self) + "…" : text
  }

  package static func text(_ operation: Operation) -> String {
    let key = Self.key(operation.key.bytes)
    switch operation.action {
    case .read: return "get \(key)"
    case .settle: return "settle \(key)"
    case .put(let value): return "\(key)=\(shortened(value))"
    case .delete: return "delete \(key)"
    case .add(let number): return "\(key)+\(number)"
    case .max(let number): return "\(key) max \(number)"
    case .min(let number): return "\(key) min \(number)"
    case .append(let tail): return "\(key) append \(shortened(text(tail)))"
    }
  }

  static func text(_ outcome: Outcome) -> String {
    switch outcome {
    case .read(let content), .settled(let content, _):
      return content.map { "\(shortened($0.value)), revision \($0.revision)" } ?? "absent"
    case .changed(let revision, _, let replayed): return "done, revision \(revision)\(replayed ? ", before" : "")"
    case .absent: return "absent"
    case .conditionFailed: return "condition failed"
    case .refused: return "refused"
    case .unknown: return "unknown"
    }
  }

  // MARK: - Calls

  package static func text(_ call: Call) -> String {
    let key = text(call.key.bytes)
    var words =
      switch call.action {
      case .read: "get \(key)"
      case .settle(let target, _): target.map { "settle \(key), what of \(text($0))?" } ?? "settle \(key)"
      case .put(let value): "put \(key) \(shortened(text(value)))"
      case .delete: "delete \(key)"
      case .add(let number): "add \(key) \(number)"
      case .max(let number): "max \(key) \(number)"
      case .min(let number): "min \(key) \(number)"
      case .append(let tail): "append \(key) \(shortened(text(tail)))"
      }
    if let exists = call.condition.exists { words += exists ? " if it exists" : " if it is absent" }
    if let revision = call.condition.revisionIn?.first { words += " if at revision \(revision)" }
    return words
  }

  /// What its client heard.
  package static func text(_ outcome: Call.Outcome) -> String {
    switch outcome {
    case .read(let sight), .settled(let sight, nil): return text(sight)
    case .settled(let sight, let fate?):
      switch fate {
      case .applied(let revision): return text(sight) + "; applied" + (revision.map { " at revision \($0)" } ?? "")
      case .dead: return text(sight) + "; dead, never will be"
      case .forgotten: return text(sight) + "; forgotten"
      }
    case .changed(let change):
      var words = "done"
      if let revision = change.revision { words += ", revision \(revision)" }
      if let number = change.number { words += ", now \(number)" }
      if change.replayed == true { words += ", done before" }
      return words
    case .absent: return "absent"
    case .conditionFailed(let sight): return "condition failed: \(text(sight))"
    case .notANumber: return "not a number"
    case .notApplied: return "refused: nothing was changed"
    case .unknown: return "unknown"
    }
  }

  private static func text(_ sight: Call.Sight) -> String {
    switch sight {
    case .nothing: return "not seen"
    case .absent: return "absent"
    case .present(let revision, let value):
      let words = value.map { shortened(text($0)) } ?? "present"
      return revision.map { "\(words), revision \($0)" } ?? words
    }
  }
}
