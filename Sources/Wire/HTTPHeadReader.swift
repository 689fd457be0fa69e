/// Reads the request line and the field lines of one request as they arrive (RFC 9112 §2.2, §3, §5).
///
/// It looks at each byte once, however small the pieces: whole lines are parsed when their line feed is there, and the
/// search for the next one goes on where it stopped. Offsets count from the first byte of the head.
struct HTTPHeadReader: Sendable {
  private let limits: HTTPLimits
  /// Bytes already searched for a line feed.
  private var searched = 0
  private var lineStart = 0
  private var fieldSectionStart = 0
  private var hasRequestLine = false

  private var method: HTTPMethod?
  private var version = HTTPVersion.http11
  private var target = 0..<0
  private var section = HTTPFieldSection()
  /// The section is that of the request before, which was read already.
  private var isRepeated = false

  init(limits: HTTPLimits) { self.limits = limits }

  /// Whether nothing of a request line has been read.
  var isUntouched: Bool { searched == 0 }

  /// Reads on in `bytes`, whose head begins at `start`. Returns the length of the head once its empty line is there.
  /// `repeated`: the fields of the request before.
  mutating func read(
    _ bytes: RawSpan, from start: Int, _ repeated: borrowing RepeatedFields
  ) throws(HTTPFault) -> Int? {
    while let lineFeed = HTTPCharacters.lineFeed(in: bytes, from: start + searched) {
      // A line may end in a line feed alone (RFC 9112 §2.2); a carriage return anywhere else is refused below.
      let hasReturn = lineFeed > start + lineStart && HTTPCharacters.byte(bytes, lineFeed - 1) == 0x0D
      let line = start + lineStart..<(hasReturn ? lineFeed - 1 : lineFeed)
      searched = lineFeed + 1 - start
      lineStart = searched
      if !hasRequestLine {
        try checkRequestLine(bytes, line)
        try readRequestLine(bytes, line, start)
        hasRequestLine = true
        fieldSectionStart = searched
        if let length = repeated.length(in: bytes, at: start + searched) {
          section = repeated.section
          isRepeated = true
          searched += length
          return searched
        }
      } else {
        guard searched - fieldSectionStart <= limits.fieldSectionBytes else { throw Self.fieldsTooLarge }
        if line.isEmpty { return searched }
        guard section.fields.count < limits.fieldCount else {
          throw HTTPFault(431, "there are too many header fields")
        }
        try section.readField(bytes, line, start + fieldSectionStart)
      }
    }
    searched = bytes.byteCount - start
    if !hasRequestLine {
      try checkRequestLine(bytes, start + lineStart..<bytes.byteCount)
    } else if searched - fieldSectionStart > limits.fieldSectionBytes {
      throw Self.fieldsTooLarge
    }
    return nil
  }

  /// The request whose head was read, `length` bytes from `start` on. The reader begins anew.
  mutating func finish(
    _ bytes: [UInt8], from start: Int, length: Int, _ repeated: inout RepeatedFields
  ) throws(HTTPFault) -> HTTPRequest {
    let facts = section.facts
    let framing = try facts.framing(version)
    // Only now: a request that is also malformed is told that first.
    guard let method else { throw HTTPFault(501, "the method is not known here") }
    let parts = try HTTPTarget.split(bytes.span.bytes.extracting(start..<start + length), target, method)
    if !isRepeated { repeated.remember(section, of: bytes, at: start + fieldSectionStart..<start + length) }
    defer { self = HTTPHeadReader(limits: limits) }
    return HTTPRequest(
      method: method, version: version, framing: framing, keepAlive: facts.keepAlive(version),
      expectsContinue: facts.expectsContinue && version == .http11 && framing != .none, isAsterisk: parts.isAsterisk,
      head: bytes, start: start, length: length, pathRange: parts.path, queryRange: parts.query,
      fieldsStart: fieldSectionStart, fields: section.fields, nameLengths: section.nameLengths)
  }

  private static let fieldsTooLarge = HTTPFault(431, "the header section is too large")

  private func checkRequestLine(_ bytes: RawSpan, _ line: Range<Int>) throws(HTTPFault) {
    guard line.count > limits.requestLineBytes else { return }
    // RFC 9112 §3: a target that is too long is 414, a method longer than any known is 501.
    for index in line.prefix(32) where HTTPCharacters.byte(bytes, index) == HTTPCharacters.space {
      throw HTTPFault(414, "the request line is too long")
    }
    throw HTTPFault(501, "the method is not known here")
  }

  private mutating func readRequestLine(_ bytes: RawSpan, _ line: Range<Int>, _ start: Int) throws(HTTPFault) {
    var index = line.lowerBound
    var packed: UInt64 = 0
    while index < line.upperBound {
      let byte = HTTPCharacters.byte(bytes, index)
      if byte == HTTPCharacters.space { break }
      guard HTTPCharacters.isToken(byte) else { throw HTTPFault(400, "the request line is malformed") }
      packed = packed << 8 | UInt64(byte)
      index += 1
    }
    guard index > line.lowerBound, index < line.upperBound else {
      throw HTTPFault(400, "the request line is malformed")
    }

    // One space, the target, one space, the version: eight bytes at the very end.
    let targetStart = index + 1
    let targetEnd = line.upperBound - 9
    guard targetEnd > targetStart, HTTPCharacters.byte(bytes, targetEnd) == HTTPCharacters.space else {
      throw HTTPFault(400, "the request line is malformed")
    }
    guard HTTPCharacters.isTarget(bytes, from: targetStart, to: targetEnd) else {
      throw HTTPFault(400, "the request target is malformed")
    }
    let name = UInt64(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: targetEnd + 1, as: UInt64.self))
    let major = UInt8(truncatingIfNeeded: name >> 16) &- 0x30
    let minor = UInt8(truncatingIfNeeded: name) &- 0x30
    guard name & 0xFFFF_FFFF_FF00_FF00 == 0x4854_5450_2F00_2E00, major < 10, minor < 10 else {
      throw HTTPFault(400, "the protocol version is malformed")
    }
    guard major == 1 else { throw HTTPFault(505, "only HTTP/1.1 and HTTP/1.0 are spoken here") }
    version = minor == 0 ? .http10 : .http11
    // Of a longer name the last eight bytes are left, none of them zero, which no method here fills.
    method = HTTPMethod(packed: packed)
    target = targetStart - start..<targetEnd - start
  }
}
