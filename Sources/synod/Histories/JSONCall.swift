import Base
import Linearizability
import Wire

/// Reads one call of ``JSONHistory``.
struct JSONCall {
  private let object: JSONValue
  private let line: Int

  init(_ object: JSONValue, _ line: Int) {
    self.object = object
    self.line = line
  }

  func call() throws(HistoryError) -> Call {
    guard let key = try text("key", in: object), 1...Key.maximumBytes ~= key.count else {
      throw fault("its key is none")
    }
    let invoked = try required("invoked")
    let call = Call(
      process: try required("process"), key: Key(key), action: try action(), condition: try condition(),
      id: try text("id", in: object), invoked: invoked, returned: try unsigned("returned", in: object),
      outcome: try outcome(), expired: try unsigned("expired", in: object))
    guard max(invoked, call.returned ?? 0, call.expired ?? 0) < .max else { throw fault("a stamp is too high") }
    if let returned = call.returned, returned < invoked { throw fault("it returned before it was invoked") }
    if let expired = call.expired, expired < invoked { throw fault("it expired before it was invoked") }
    if call.returned == nil, call.outcome != .unknown { throw fault("it never returned, but has an outcome") }
    guard fits(call) else { throw fault("its outcome is none of its op") }
    return call
  }

  private func fault(_ reason: String) -> HistoryError { HistoryError(line, reason) }

  /// Whether the outcome can be one of the action at all.
  private func fits(_ call: Call) -> Bool {
    switch call.outcome {
    case .unknown, .notApplied: return true
    case .read: return call.action == .read
    case .settled(_, let fate):
      guard case .settle(let target, _) = call.action else { return false }
      return fate == nil || target != nil
    case .absent: return call.action == .delete
    case .conditionFailed: return call.action.isChange && call.condition != .always
    case .notANumber:
      switch call.action {
      case .add, .max, .min: return true
      case .read, .settle, .put, .delete, .append: return false
      }
    case .changed(let change):
      guard call.action.isChange, change.revision != 0 else { return false }
      return change.replayed != true || call.id != nil
    }
  }

  private func required(_ name: StaticString) throws(HistoryError) -> UInt64 {
    guard let number = try unsigned(name, in: object) else { throw fault("\(name) is missing") }
    return number
  }

  private func unsigned(_ name: StaticString, in object: JSONValue) throws(HistoryError) -> UInt64? {
    guard let value = object[name], value != .null else { return nil }
    guard let number = value.unsigned else { throw fault("\(name) is not a whole number") }
    return number
  }

  private func boolean(_ name: StaticString) throws(HistoryError) -> Bool? {
    guard let value = object[name], value != .null else { return nil }
    guard let flag = value.boolean else { throw fault("\(name) is neither true nor false") }
    return flag
  }

  private func text(_ name: StaticString, in object: JSONValue) throws(HistoryError) -> [UInt8]? {
    if let value = object[name], value != .null {
      guard let text = value.string else { throw fault("\(name) is no text") }
      return text
    }
    guard case .object(let members) = object else { throw fault("it is no object") }
    let coded = Array("\(name)_base64".utf8)
    guard let member = members.first(where: { $0.name == coded }) else { return nil }
    guard let bytes = member.value.string.flatMap({ Base64.decode($0) }) else { throw fault("\(name)_base64 is none") }
    return bytes
  }

  private func revisions(_ name: StaticString) throws(HistoryError) -> [UInt64]? {
    guard let value = object[name], value != .null else { return nil }
    guard let list = value.array else { throw fault("\(name) is no list") }
    var numbers: [UInt64] = []
    for entry in list {
      guard let number = entry.unsigned else { throw fault("\(name) holds what is no revision") }
      numbers.append(number)
    }
    return numbers
  }

  private func action() throws(HistoryError) -> Call.Action {
    switch String(decoding: object["op"]?.string ?? [], as: UTF8.self) {
    case "read": return .read
    case "settle":
      return .settle(target: try text("target", in: object), known: try unsigned("known", in: object) ?? 0)
    case "put": return .put(try value())
    case "append": return .append(try value())
    case "delete": return .delete
    case "add": return .add(try operand())
    case "max": return .max(try operand())
    case "min": return .min(try operand())
    default: throw fault("its op is none")
    }
  }

  private func value() throws(HistoryError) -> [UInt8] {
    guard let value = try text("value", in: object) else { throw fault("value is missing") }
    return value
  }

  private func operand() throws(HistoryError) -> Int64 {
    guard let operand = object["operand"]?.signed else { throw fault("operand is no 64-bit integer") }
    return operand
  }

  private func condition() throws(HistoryError) -> Call.Condition {
    Call.Condition(
      exists: try boolean("if_exists"), revisionIn: try revisions("if_revision"),
      revisionNotIn: try revisions("if_not_revision"), value: try text("if_value", in: object))
  }

  private func sight() throws(HistoryError) -> Call.Sight {
    guard let seen = object["seen"] else { return .nothing }
    if seen == .null { return .absent }
    return .present(revision: try unsigned("revision", in: seen), value: try text("value", in: seen))
  }

  private func outcome() throws(HistoryError) -> Call.Outcome {
    switch String(decoding: object["outcome"]?.string ?? Array("unknown".utf8), as: UTF8.self) {
    case "read": return .read(try sight())
    case "settled": return .settled(try sight(), try fate())
    case "changed":
      let number = object["number"]
      guard number == nil || number == .null || number?.signed != nil else {
        throw fault("number is no 64-bit integer")
      }
      return .changed(
        Call.Change(
          revision: try unsigned("revision", in: object), created: try boolean("created"), number: number?.signed,
          length: try unsigned("length", in: object), replayed: try boolean("replayed")))
    case "absent": return .absent
    case "condition-failed": return .conditionFailed(try sight())
    case "not-a-number": return .notANumber
    case "not-applied": return .notApplied
    case "unknown": return .unknown
    default: throw fault("its outcome is none")
    }
  }

  private func fate() throws(HistoryError) -> Call.Fate? {
    guard let fate = object["fate"], fate != .null else { return nil }
    switch String(decoding: fate.string ?? [], as: UTF8.self) {
    case "applied": return .applied(revision: try unsigned("fate_revision", in: object))
    case "dead": return .dead
    case "forgotten": return .forgotten
    default: throw fault("its fate is none")
    }
  }
}
