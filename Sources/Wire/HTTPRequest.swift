package enum HTTPVersion: UInt8, Sendable, Equatable {
  case http10
  /// Also any later 1.x, which RFC 9110 §2.5 has us treat as the highest minor version that we know.
  case http11
}

/// One request, whole; its target and fields are ranges of the bytes as they came. (It has no initializer of its own,
/// which would copy it.)
package struct HTTPRequest: Sendable {
  /// How the end of the body is found (RFC 9112 §6.3).
  package enum Framing: Sendable, Equatable {
    /// Neither Content-Length nor Transfer-Encoding: there is no body, and a PUT is answered 411.
    case none
    case length(UInt64)
    case chunked
  }

  /// Counted from the first byte of the first field.
  struct Field: Sendable {
    var nameStart: UInt32
    var nameEnd: UInt32
    var valueStart: UInt32
    var valueEnd: UInt32
  }

  package let method: HTTPMethod
  package let version: HTTPVersion
  package let framing: Framing
  /// Whether the connection stays open after the answer, as far as the client is concerned.
  package let keepAlive: Bool
  /// `Expect: 100-continue` of an HTTP/1.1 client.
  package let expectsContinue: Bool
  /// `OPTIONS *`: the whole server is meant, and ``path`` is `*`.
  package let isAsterisk: Bool
  /// The content, with any chunked coding taken off; empty where the body is streamed.
  package internal(set) var body: [UInt8] = []

  /// Bytes as they came: request line and fields from `start` on, the first byte of the method. They may be all that
  /// the parser holds, so that a request that is whole costs no copy.
  private(set) var head: [UInt8]
  private(set) var start: Int
  let length: Int
  /// Counted from the first byte of the method.
  let pathRange: Range<Int>
  let queryRange: Range<Int>?
  /// Where the fields begin, counted from the first byte of the method.
  let fieldsStart: Int
  let fields: [Field]
  /// Of the names of the fields, as bits: most fields that are looked for are not there.
  let nameLengths: UInt64

  private static let rootPath: [UInt8] = [0x2F]

  /// The path as it was sent, percent-encoded, beginning with `/`; `/` where an absolute target has none.
  package var path: ArraySlice<UInt8> { pathRange.isEmpty ? Self.rootPath[...] : bytes(pathRange) }
  /// What stands behind the first `?`, as it was sent; nil without one.
  package var query: ArraySlice<UInt8>? { queryRange.map { bytes($0) } }

  package var hasQuery: Bool { queryRange != nil }

  @inline(__always)
  private func bytes(_ range: Range<Int>) -> ArraySlice<UInt8> {
    head[start + range.lowerBound..<start + range.upperBound]
  }

  /// Lengths from 63 on share a bit.
  @inline(__always)
  static func bit(ofNameLength length: Int) -> UInt64 { 1 << UInt64(min(length, 63)) }

  /// Keeps a copy of its own bytes only: it is to wait for its body, while the parser goes on with its own.
  mutating func detach() {
    head = Array(head[start..<start + length])
    start = 0
  }

  package var fieldCount: Int { fields.count }

  /// The name of a field, in the case in which it was sent.
  package func fieldName(_ index: Int) -> ArraySlice<UInt8> {
    bytes(fieldsStart + Int(fields[index].nameStart)..<fieldsStart + Int(fields[index].nameEnd))
  }

  /// The value of one field line, without the blanks around it.
  package func fieldValue(_ index: Int) -> ArraySlice<UInt8> {
    bytes(fieldsStart + Int(fields[index].valueStart)..<fieldsStart + Int(fields[index].valueEnd))
  }

  /// The value of the field `name` (a lower-case literal), nil if there is none. Repeated lines are one list, joined in
  /// their order by `, ` (RFC 9110 §5.3).
  package func value(of name: StaticString) -> ArraySlice<UInt8>? {
    guard let first = index(of: name, from: 0) else { return nil }
    guard var next = index(of: name, from: first + 1) else { return fieldValue(first) }
    var joined = Array(fieldValue(first))
    while true {
      joined.append(HTTPCharacters.comma)
      joined.append(HTTPCharacters.space)
      joined.append(contentsOf: fieldValue(next))
      guard let following = index(of: name, from: next + 1) else { return joined[...] }
      next = following
    }
  }

  /// The value of a field that is no list, nil if there is none.
  ///
  /// Throws 400 where the field stands twice: which of two tokens or keys was meant must not be guessed.
  package func singleValue(of name: StaticString) throws(HTTPFault) -> ArraySlice<UInt8>? {
    guard let first = index(of: name, from: 0) else { return nil }
    if index(of: name, from: first + 1) != nil {
      throw HTTPFault(400, "a field that takes one value was sent more than once", close: false)
    }
    return fieldValue(first)
  }

  private func index(of name: StaticString, from first: Int) -> Int? {
    let length = name.utf8CodeUnitCount
    guard nameLengths & Self.bit(ofNameLength: length) != 0 else { return nil }
    let bytes = head.span.bytes
    let origin = start + fieldsStart
    for index in first..<max(first, fields.count) {
      let field = fields[index]
      guard Int(field.nameEnd &- field.nameStart) == length else { continue }
      let place = origin + Int(field.nameStart)..<origin + Int(field.nameEnd)
      if HTTPCharacters.equalsIgnoringCase(bytes, place, name) { return index }
    }
    return nil
  }
}
