import Base

/// The answers of one connection, one behind the other (RFC 9110 §6, RFC 9112 §4): ``begin(_:_:_:)``, any fields, then
/// one of the `end` functions, which adds Connection, Content-Type, Content-Length and the body.
///
/// The owner takes ``bytes`` out whenever it can send them.
package struct ResponseWriter: Sendable {
  private enum Phase {
    case between
    case fields
    /// A body of unknown length is under way; it is chunked, or ends with the connection (HTTP/1.0).
    case parts(chunked: Bool)
  }

  package var bytes: [UInt8] = []
  private var phase = Phase.between
  private var exchange = HTTPExchange(keepAlive: true)
  private var status = 0

  package init() {}

  /// Takes out what has been written.
  package mutating func take() -> [UInt8] {
    let taken = bytes
    bytes = []
    return taken
  }

  /// `100 Continue`, the interim answer.
  package mutating func interimContinue() {
    requireBetween()
    bytes.append("HTTP/1.1 100 Continue\r\n\r\n")
  }

  /// Begins an answer: status line and Date. The version is always ours (RFC 9110 §6.2).
  package mutating func begin(_ status: Int, _ exchange: HTTPExchange, _ date: HTTPDate) {
    requireBetween()
    phase = .fields
    self.exchange = exchange
    self.status = status
    if let line = HTTPStatus.commonLine(status) {
      bytes.append(line)
    } else {
      bytes.append("HTTP/1.1 ")
      Decimal.append(UInt64(status), to: &bytes)
      bytes.append(HTTPCharacters.space)
      bytes.append(HTTPStatus.title(status))
      bytes.append("\r\n")
    }
    bytes.append(contentsOf: date.fieldLine)
  }

  /// `ETag: "REVISION"`.
  package mutating func entityTag(_ revision: UInt64) {
    bytes.append("ETag: \"")
    Decimal.append(revision, to: &bytes)
    bytes.append("\"\r\n")
  }

  package mutating func field(_ name: StaticString, _ value: StaticString) {
    bytes.append(name)
    bytes.append(": ")
    bytes.append(value)
    bytes.append("\r\n")
  }

  package mutating func field(_ name: StaticString, _ value: UInt64) {
    bytes.append(name)
    bytes.append(": ")
    Decimal.append(value, to: &bytes)
    bytes.append("\r\n")
  }

  /// `value` must be field content: no control bytes.
  package mutating func field(_ name: StaticString, _ value: [UInt8]) {
    invariant(
      HTTPCharacters.isFieldContent(value.span.bytes, from: 0, to: value.count), "a field would split the answer")
    bytes.append(name)
    bytes.append(": ")
    bytes.append(contentsOf: value)
    bytes.append("\r\n")
  }

  /// Ends an answer that has this body. To HEAD, only its length is said.
  package mutating func end(_ type: ContentType, _ body: [UInt8]) {
    invariant(!HTTPStatus.isBodiless(status), "an answer of this status has no body")
    endFields(type, length: body.count)
    if !exchange.isHead { bytes.append(contentsOf: body) }
  }

  package mutating func end(_ type: ContentType, _ body: StaticString) {
    invariant(!HTTPStatus.isBodiless(status), "an answer of this status has no body")
    endFields(type, length: body.utf8CodeUnitCount)
    if !exchange.isHead { bytes.append(body) }
  }

  /// Ends an answer without a body.
  package mutating func endEmpty() {
    endFields(nil, length: HTTPStatus.isBodiless(status) ? nil : 0)
  }

  /// Ends an answer with the body `{"revision":N}` of a change.
  package mutating func endRevision(_ revision: UInt64) {
    endFields(.json, length: 13 + Self.digits(revision))
    guard !exchange.isHead else { return }
    bytes.append("{\"revision\":")
    Decimal.append(revision, to: &bytes)
    bytes.append(UInt8(ascii: "}"))
  }

  /// Ends the fields of an answer whose length is not known; ``part(_:)`` and ``endParts()`` follow.
  ///
  /// Returns whether the connection must be closed behind it: an HTTP/1.0 client sees the end in no other way.
  package mutating func beginParts(_ type: ContentType) -> Bool {
    invariant(!HTTPStatus.isBodiless(status), "an answer of this status has no body")
    let chunked = exchange.version == .http11
    if !chunked { exchange.keepAlive = false }
    if chunked { bytes.append("Transfer-Encoding: chunked\r\n") }
    endFields(type, length: nil)
    phase = .parts(chunked: chunked)
    return !exchange.keepAlive
  }

  package mutating func part(_ data: [UInt8]) {
    guard case .parts(let chunked) = phase else { invariantFailed("a part outside of a body of parts") }
    // An empty chunk would be the last one.
    guard !exchange.isHead, !data.isEmpty else { return }
    if chunked {
      appendHexadecimal(data.count)
      bytes.append("\r\n")
    }
    bytes.append(contentsOf: data)
    if chunked { bytes.append("\r\n") }
  }

  package mutating func endParts() {
    guard case .parts(let chunked) = phase else { invariantFailed("the end of parts outside of a body of parts") }
    if chunked, !exchange.isHead { bytes.append("0\r\n\r\n") }
    phase = .between
  }

  private func requireBetween() {
    if case .between = phase { return }
    invariantFailed("an answer began inside of another")
  }

  private mutating func endFields(_ type: ContentType?, length: Int?) {
    guard case .fields = phase else { invariantFailed("an answer ended that had not begun") }
    phase = .between
    if !exchange.keepAlive {
      bytes.append("Connection: close\r\n")
    } else if exchange.version == .http10 {
      bytes.append("Connection: keep-alive\r\n")
    }
    if let type { bytes.append(type.fieldLine) }
    if let length {
      bytes.append("Content-Length: ")
      Decimal.append(UInt64(length), to: &bytes)
      bytes.append("\r\n\r\n")
    } else {
      bytes.append("\r\n")
    }
  }

  private static func digits(_ value: UInt64) -> Int {
    var count = 1
    var rest = value
    while rest >= 10 {
      rest /= 10
      count += 1
    }
    return count
  }

  private mutating func appendHexadecimal(_ value: Int) {
    var shift = (Int.bitWidth - value.leadingZeroBitCount - 1) / 4 * 4
    while shift >= 0 {
      let nibble = UInt8(truncatingIfNeeded: value >> shift) & 0xF
      bytes.append(nibble < 10 ? nibble + 0x30 : nibble + 0x57)
      shift -= 4
    }
  }
}
