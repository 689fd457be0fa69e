package import Base

/// One line of `POST /v1/batch` (CONTRACT §1).
///
/// ```
/// {"op":"get|put|cas|delete|add","key":…,"value":…,"if_revision":N,"if_absent":true,"if_value":…,"delta":N}
/// ```
/// Bytes that are not UTF-8 stand as `key_base64`, `value_base64`, `if_value_base64`. `put` and `cas` need a value,
/// `cas` at least one condition, `add` a delta; nothing else may stand there, and `get` takes no condition.
package struct BatchLine: Sendable, Equatable {
  package enum Verb: Sendable, Equatable {
    case get, put, compareAndSet, delete, add
  }

  /// Lines in one batch.
  package static let maximumLines = 256

  package let verb: Verb
  package let key: Key
  package private(set) var value: [UInt8]?
  package private(set) var ifRevision: UInt64?
  package private(set) var ifAbsent = false
  package private(set) var ifValue: [UInt8]?
  package private(set) var delta: Int64?

  package var hasCondition: Bool { ifRevision != nil || ifAbsent || ifValue != nil }

  /// Where the lines of a body are: LF or CR LF between them, empty ones left out. Throws 413 above 256 lines.
  package static func ranges(in body: [UInt8]) throws(HTTPFault) -> [Range<Int>] {
    var found: [Range<Int>] = []
    var start = 0
    while start < body.count {
      let lineFeed = HTTPCharacters.lineFeed(in: body.span.bytes, from: start) ?? body.count
      let hasReturn = lineFeed > start && body[lineFeed - 1] == HTTPCharacters.carriageReturn
      let line = start..<(hasReturn ? lineFeed - 1 : lineFeed)
      if !line.isEmpty {
        guard found.count < maximumLines else { throw HTTPFault(413, "a batch has at most 256 lines", close: false) }
        found.append(line)
      }
      start = lineFeed + 1
    }
    return found
  }

  /// Throws 400 for anything but such a line, 413 for a value above `valueLimitBytes`, 414 for a key that is too long.
  package static func parse(_ text: ArraySlice<UInt8>, valueLimitBytes: Int) throws(HTTPFault) -> BatchLine {
    let json: JSONValue
    do throws(JSONError) { json = try JSONValue.parse(text, maximumDepth: 4) } catch { throw refused(error.reason) }
    guard case .object(let members) = json else { throw refused("a line must be an object") }
    var verb: Verb?
    var key: [UInt8]?
    var fields = Fields()
    for member in members {
      if StaticString("op").equals(member.name) {
        verb = member.value.string.flatMap { Self.verb($0) }
      } else if StaticString("key").equals(member.name) || StaticString("key_base64").equals(member.name) {
        try once(&key, try bytes(member))
      } else {
        try fields.note(member)
      }
    }
    guard let verb else { throw refused("op must be get, put, cas, delete or add") }
    guard let key else { throw refused("key is missing") }
    try fields.check(verb)
    if let value = fields.value, value.count > valueLimitBytes {
      throw HTTPFault(413, "the value is larger than the limit", close: false)
    }
    return BatchLine(
      verb: verb, key: try KeyCoding.key(key), value: fields.value, ifRevision: fields.ifRevision,
      ifAbsent: fields.ifAbsent, ifValue: fields.ifValue, delta: fields.delta)
  }

  private struct Fields {
    var value: [UInt8]?
    var ifRevision: UInt64?
    var ifAbsent = false
    var ifValue: [UInt8]?
    var delta: Int64?

    mutating func note(_ member: JSONValue.Member) throws(HTTPFault) {
      let name = member.name
      if StaticString("value").equals(name) || StaticString("value_base64").equals(name) {
        try once(&value, try bytes(member))
      } else if StaticString("if_value").equals(name) || StaticString("if_value_base64").equals(name) {
        try once(&ifValue, try bytes(member))
      } else if StaticString("if_revision").equals(name) {
        guard let revision = member.value.unsigned else { throw refused("if_revision must be a revision") }
        ifRevision = revision
      } else if StaticString("if_absent").equals(name) {
        guard let flag = member.value.boolean else { throw refused("if_absent must be true or false") }
        ifAbsent = flag
      } else if StaticString("delta").equals(name) {
        guard let number = member.value.signed else { throw refused("delta must be a 64-bit integer") }
        delta = number
      } else {
        throw refused("the line has an unknown field")
      }
    }

    func check(_ verb: Verb) throws(HTTPFault) {
      let hasCondition = ifRevision != nil || ifAbsent || ifValue != nil
      let needsValue = verb == .put || verb == .compareAndSet
      guard needsValue == (value != nil) else {
        throw refused(needsValue ? "value is missing" : "this op takes no value")
      }
      guard (verb == .add) == (delta != nil) else {
        throw refused(verb == .add ? "delta is missing" : "this op takes no delta")
      }
      if verb == .compareAndSet, !hasCondition { throw refused("cas needs if_revision, if_absent or if_value") }
      if verb == .get, hasCondition { throw refused("get takes no condition") }
    }
  }

  private static func refused(_ reason: StaticString) -> HTTPFault { HTTPFault(400, reason, close: false) }

  private static func verb(_ name: [UInt8]) -> Verb? {
    if StaticString("get").equals(name) { return .get }
    if StaticString("put").equals(name) { return .put }
    if StaticString("cas").equals(name) { return .compareAndSet }
    if StaticString("delete").equals(name) { return .delete }
    if StaticString("add").equals(name) { return .add }
    return nil
  }

  /// A text and its base64 twin exclude each other.
  private static func once(_ field: inout [UInt8]?, _ bytes: [UInt8]) throws(HTTPFault) {
    guard field == nil else { throw refused("a field stands both as text and as base64") }
    field = bytes
  }

  private static func bytes(_ member: JSONValue.Member) throws(HTTPFault) -> [UInt8] {
    guard let text = member.value.string else { throw refused("keys and values must be strings") }
    guard StaticString("_base64").equals(member.name.suffix(7)) else { return text }
    guard let bytes = Base64.decode(text) else { throw refused("the base64 is malformed") }
    return bytes
  }
}
