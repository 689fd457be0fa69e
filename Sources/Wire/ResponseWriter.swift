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

  /// Room for a status line, or for all of Connection, Content-Type and Content-Length.
  private static let usualFieldsBytes = 128

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
    bytes.append(addingCapacity: Self.usualFieldsBytes + date.fieldLine.count) { line in
      if let common = HTTPStatus.commonLine(status) {
        line.append(common)
      } else {
        line.append("HTTP/1.1 ")
        line.decimal(UInt64(status))
        line.append(HTTPCharacters.space)
        line.append(HTTPStatus.title(status))
        line.append("\r\n")
      }
      line.raw(date.fieldLine)
    }
  }

  /// `ETag: "REVISION"`.
  package mutating func entityTag(_ revision: UInt64) {
    bytes.append(addingCapacity: 32) { line in
      line.append("ETag: \"")
      line.decimal(revision)
      line.append("\"\r\n")
    }
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
    endFields(type, length: body.count) { $0.raw(body) }
  }

  package mutating func end(_ type: ContentType, _ body: StaticString) {
    invariant(!HTTPStatus.isBodiless(status), "an answer of this status has no body")
    endFields(type, length: body.utf8CodeUnitCount) { $0.append(body) }
  }

  /// Ends an answer without a body.
  package mutating func endEmpty() {
    endFields(nil, length: HTTPStatus.isBodiless(status) ? nil : 0) { _ in }
  }

  /// Ends an answer with the body `{"revision":N}` of a change.
  package mutating func endRevision(_ revision: UInt64) {
    endFields(.json, length: 13 + Decimal.digits(revision)) { body in
      body.append("{\"revision\":")
      body.decimal(revision)
      body.append(UInt8(ascii: "}"))
    }
  }

  /// Ends the fields of an answer whose length is not known; ``part(_:)`` and ``endParts()`` follow.
  ///
  /// Returns whether the connection must be closed behind it: an HTTP/1.0 client sees the end in no other way.
  package mutating func beginParts(_ type: ContentType) -> Bool {
    invariant(!HTTPStatus.isBodiless(status), "an answer of this status has no body")
    let chunked = exchange.version == .http11
    if !chunked { exchange.keepAlive = false }
    if chunked { bytes.append("Transfer-Encoding: chunked\r\n") }
    endFields(type, length: nil) { _ in }
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

  /// `body` writes as many bytes as `length` says; it is not asked to HEAD.
  @inline(__always)
  private mutating func endFields(_ type: ContentType?, length: Int?, _ body: (inout OutputSpan<UInt8>) -> Void) {
    guard case .fields = phase else { invariantFailed("an answer ended that had not begun") }
    phase = .between
    let exchange = exchange
    bytes.append(addingCapacity: Self.usualFieldsBytes + (exchange.isHead ? 0 : length ?? 0)) { rest in
      if !exchange.keepAlive {
        rest.append("Connection: close\r\n")
      } else if exchange.version == .http10 {
        rest.append("Connection: keep-alive\r\n")
      }
      if let type { rest.append(type.fieldLine) }
      if let length {
        rest.append("Content-Length: ")
        rest.decimal(UInt64(length))
        rest.append("\r\n")
      }
      rest.append("\r\n")
      if !exchange.isHead { body(&rest) }
    }
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
