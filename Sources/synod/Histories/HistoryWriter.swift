import Base
package import Linearizability
import Wire

/// Writes a history in the format that ``JSONHistory`` reads.
package enum HistoryWriter {
  package static func lines(_ history: History) -> [UInt8] {
    var output: [UInt8] = []
    var header = JSONLine()
    header.add("history", "synod")
    header.add("version", UInt64(1))
    header.add("calls", UInt64(history.calls.count))
    output += header.line
    for call in history.calls { output += line(call) }
    return output
  }

  private static func line(_ call: Call) -> [UInt8] {
    var line = JSONLine()
    line.add("process", call.process)
    line.add("key", call.key.bytes)
    add(call.action, to: &line)
    add(call.condition, to: &line)
    if let id = call.id { line.add("id", id) }
    line.add("invoked", call.invoked)
    if let returned = call.returned { line.add("returned", returned) }
    if let expired = call.expired { line.add("expired", expired) }
    add(call.outcome, to: &line)
    return line.line
  }

  private static func add(_ action: Call.Action, to line: inout JSONLine) {
    switch action {
    case .read: line.add("op", "read")
    case .settle(let target, let known):
      line.add("op", "settle")
      if let target { line.add("target", target) }
      line.add("known", known)
    case .put(let value):
      line.add("op", "put")
      line.add("value", value)
    case .append(let value):
      line.add("op", "append")
      line.add("value", value)
    case .delete: line.add("op", "delete")
    case .add(let operand):
      line.add("op", "add")
      line.add("operand", operand)
    case .max(let operand):
      line.add("op", "max")
      line.add("operand", operand)
    case .min(let operand):
      line.add("op", "min")
      line.add("operand", operand)
    }
  }

  private static func add(_ condition: Call.Condition, to line: inout JSONLine) {
    if let exists = condition.exists { line.add("if_exists", exists) }
    if let revisions = condition.revisionIn { line.add("if_revision", raw: list(revisions)) }
    if let revisions = condition.revisionNotIn { line.add("if_not_revision", raw: list(revisions)) }
    if let value = condition.value { line.add("if_value", value) }
  }

  private static func add(_ outcome: Call.Outcome, to line: inout JSONLine) {
    switch outcome {
    case .read(let sight):
      line.add("outcome", "read")
      add(sight, to: &line)
    case .settled(let sight, let fate):
      line.add("outcome", "settled")
      add(sight, to: &line)
      switch fate {
      case nil: break
      case .applied(let revision):
        line.add("fate", "applied")
        if let revision { line.add("fate_revision", revision) }
      case .dead: line.add("fate", "dead")
      case .forgotten: line.add("fate", "forgotten")
      }
    case .changed(let change):
      line.add("outcome", "changed")
      if let revision = change.revision { line.add("revision", revision) }
      if let created = change.created { line.add("created", created) }
      if let number = change.number { line.add("number", number) }
      if let length = change.length { line.add("length", length) }
      if let replayed = change.replayed { line.add("replayed", replayed) }
    case .conditionFailed(let sight):
      line.add("outcome", "condition-failed")
      add(sight, to: &line)
    case .absent: line.add("outcome", "absent")
    case .notANumber: line.add("outcome", "not-a-number")
    case .notApplied: line.add("outcome", "not-applied")
    case .unknown: line.add("outcome", "unknown")
    }
  }

  private static func add(_ sight: Call.Sight, to line: inout JSONLine) {
    switch sight {
    case .nothing: break
    case .absent: line.addNull("seen")
    case .present(let revision, let value):
      var seen = JSONLine()
      if let revision { seen.add("revision", revision) }
      if let value { seen.add("value", value) }
      line.add("seen", raw: seen.object)
    }
  }

  private static func list(_ numbers: [UInt64]) -> [UInt8] {
    var text: [UInt8] = [UInt8(ascii: "[")]
    for (index, number) in numbers.enumerated() {
      if index > 0 { text.append(UInt8(ascii: ",")) }
      Decimal.append(number, to: &text)
    }
    return text + [UInt8(ascii: "]")]
  }
}
