/// The field lines of one head: where they stand, and what they say about the message (RFC 9112 §5).
///
/// Offsets count from the first byte of the first line, so that they hold wherever the section stands.
struct HTTPFieldSection: Sendable {
  private(set) var fields: [HTTPRequest.Field] = []
  /// Of the names, as bits (``HTTPRequest/bit(ofNameLength:)``).
  private(set) var nameLengths: UInt64 = 0
  private(set) var facts = HTTPFramingFacts()

  /// Reads one field line, without its end, of the section that begins at `start`.
  mutating func readField(_ bytes: RawSpan, _ line: Range<Int>, _ start: Int) throws(HTTPFault) {
    if fields.isEmpty { fields.reserveCapacity(8) }
    var index = line.lowerBound
    while index < line.upperBound, HTTPCharacters.isToken(HTTPCharacters.byte(bytes, index)) { index += 1 }
    let name = line.lowerBound..<index
    // Covers a folded line, a blank before the colon, an empty name and a line without a colon (RFC 9112 §5.1, §5.2).
    guard !name.isEmpty, index < line.upperBound, HTTPCharacters.byte(bytes, index) == HTTPCharacters.colon else {
      throw HTTPFault(400, "a header field is malformed")
    }
    guard HTTPCharacters.isFieldContent(bytes, from: index + 1, to: line.upperBound) else {
      throw HTTPFault(400, "a header field holds a control character")
    }
    let value = HTTPCharacters.trimmed(bytes, index + 1..<line.upperBound)
    fields.append(
      HTTPRequest.Field(
        nameStart: UInt32(name.lowerBound - start), nameEnd: UInt32(name.upperBound - start),
        valueStart: UInt32(value.lowerBound - start), valueEnd: UInt32(value.upperBound - start)))
    nameLengths |= HTTPRequest.bit(ofNameLength: name.count)
    try facts.note(bytes, name: name, value: value)
  }
}

/// The field section of a connection's last request. Most clients send the same fields with each of their requests, and
/// to compare them takes a small part of what it takes to read them.
struct RepeatedFields: Sendable {
  /// With the empty line that ends it; empty: there was no request yet, or its section was long.
  private var bytes: [UInt8] = []
  private(set) var section = HTTPFieldSection()

  /// What a connection keeps beside its buffer is bounded by this.
  private static let maximumBytes = 512

  /// The length of the section, if it stands in `other` at `start`, whole; nil if something else does, or not all yet.
  func length(in other: RawSpan, at start: Int) -> Int? {
    guard !bytes.isEmpty, HTTPCharacters.holds(other, at: start, bytes.span.bytes) else { return nil }
    return bytes.count
  }

  /// Keeps what was read of `head[place]`.
  mutating func remember(_ read: HTTPFieldSection, of head: [UInt8], at place: Range<Int>) {
    bytes.removeAll(keepingCapacity: true)
    if place.count <= Self.maximumBytes {
      bytes.append(contentsOf: head[place])
      section = read
    } else {
      section = HTTPFieldSection()
    }
  }
}
