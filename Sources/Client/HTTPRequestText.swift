import Base

/// A request before it is bound to an endpoint and a deadline.
struct HTTPRequestText {
  let method: StaticString
  /// Percent-encoded, with the query.
  private(set) var target: [UInt8]
  private var fields: [UInt8] = []
  var body: [UInt8]?
  private var hasQuery = false

  init(_ method: StaticString, _ path: StaticString) {
    self.method = method
    target = []
    target.append(path)
  }

  init(_ method: StaticString, of key: RegisterKey) {
    self.init(method, "/v1/kv/")
    PercentCoding.append(key.bytes, to: &target)
  }

  mutating func query(_ name: StaticString, _ value: [UInt8]? = nil) {
    target.append(hasQuery ? UInt8(ascii: "&") : UInt8(ascii: "?"))
    hasQuery = true
    target.append(name)
    guard let value else { return }
    target.append(UInt8(ascii: "="))
    PercentCoding.append(value, keepingSlashes: false, to: &target)
  }

  mutating func query(_ name: StaticString, _ value: some BinaryInteger) { query(name, Array(String(value).utf8)) }

  /// `value` must not hold a line end, see ``isClean(_:)``.
  mutating func field(_ name: StaticString, _ value: String) {
    fields.append(name)
    fields.append(": ")
    fields += Array(value.utf8)
    fields.append("\r\n")
  }

  /// The entity tag of a revision.
  mutating func field(_ name: StaticString, tag revision: UInt64) { field(name, "\"\(revision)\"") }

  mutating func conditions(_ conditions: [Condition]) {
    var matches: [String] = []
    var mismatches: [String] = []
    for condition in conditions {
      switch condition {
      case .revision(let revision): matches.append("\"\(revision)\"")
      case .notRevision(let revision): mismatches.append("\"\(revision)\"")
      case .exists: matches.append("*")
      case .absent: mismatches.append("*")
      case .value(let value): query("expect", value)
      }
    }
    for match in matches { field("If-Match", match) }
    for mismatch in mismatches { field("If-None-Match", mismatch) }
  }

  /// Whether `text` may stand in a header field: visible ASCII and blanks.
  static func isClean(_ text: String) -> Bool { text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } }

  /// The bytes to send. `timeoutMilliseconds` tells the node when to give up.
  func serialized(to endpoint: Endpoint, token: String?, timeoutMilliseconds: UInt64) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(target.count + fields.count + (body?.count ?? 0) + 200)
    text.append(method)
    text.append(UInt8(ascii: " "))
    text += target
    text.append(" HTTP/1.1\r\nHost: ")
    text += Array(endpoint.description.utf8)
    text.append("\r\nSynod-Timeout: ")
    Decimal.append(timeoutMilliseconds, to: &text)
    text.append("ms\r\n")
    if let token {
      text.append("Authorization: Bearer ")
      text += Array(token.utf8)
      text.append("\r\n")
    }
    text += fields
    if let body {
      text.append("Content-Length: ")
      Decimal.append(UInt64(body.count), to: &text)
      text.append("\r\n")
    }
    text.append("\r\n")
    if let body { text += body }
    return text
  }
}
