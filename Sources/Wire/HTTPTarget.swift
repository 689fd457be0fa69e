/// The forms of a request target (RFC 9112 §3.2).
enum HTTPTarget {
  struct Parts {
    var path: Range<Int>
    var query: Range<Int>?
    var isAsterisk = false
  }

  /// Splits the target in `range` of `bytes` into path and query; throws 400 for a form that the method does not have.
  static func split(_ bytes: RawSpan, _ range: Range<Int>, _ method: HTTPMethod) throws(HTTPFault) -> Parts {
    var start = range.lowerBound
    if HTTPCharacters.byte(bytes, start) != slash {
      if range.count == 1, HTTPCharacters.byte(bytes, start) == asterisk {
        guard method == .options else { throw HTTPFault(400, "only OPTIONS has the target *") }
        return Parts(path: range, query: nil, isAsterisk: true)
      }
      start = try endOfAuthority(bytes, range)
    }
    let end = HTTPCharacters.first(questionMark, in: bytes, from: start, to: range.upperBound) ?? range.upperBound
    return Parts(path: start..<end, query: end < range.upperBound ? end + 1..<range.upperBound : nil)
  }

  /// uri-host [":" port], without user information (RFC 9110 §4.2.4 calls that an error), the host not empty.
  static func isAuthority(_ bytes: RawSpan, _ range: Range<Int>) -> Bool {
    var index = range.lowerBound
    guard index < range.upperBound else { return false }
    if HTTPCharacters.byte(bytes, index) == 0x5B {
      index += 1
      let literal = index
      while index < range.upperBound, isLiteralCharacter(HTTPCharacters.byte(bytes, index)) { index += 1 }
      guard index > literal, index < range.upperBound, HTTPCharacters.byte(bytes, index) == 0x5D else { return false }
      index += 1
    } else {
      let name = index
      while index < range.upperBound, isNameCharacter(HTTPCharacters.byte(bytes, index)) { index += 1 }
      guard index > name else { return false }
    }
    guard index < range.upperBound else { return true }
    guard HTTPCharacters.byte(bytes, index) == HTTPCharacters.colon else { return false }
    index += 1
    while index < range.upperBound, HTTPCharacters.byte(bytes, index) &- 0x30 < 10 { index += 1 }
    return index == range.upperBound
  }

  private static let slash: UInt8 = 0x2F
  private static let questionMark: UInt8 = 0x3F
  private static let asterisk: UInt8 = 0x2A

  /// For `http://host/path`: the offset of the path, which may be empty. The authority takes the place of Host, and as
  /// a node answers for any name, nothing more is done with it.
  private static func endOfAuthority(_ bytes: RawSpan, _ range: Range<Int>) throws(HTTPFault) -> Int {
    var start = range.lowerBound
    for scheme: StaticString in ["http://", "https://"] {
      let end = start + scheme.utf8CodeUnitCount
      if end <= range.upperBound, HTTPCharacters.equalsIgnoringCase(bytes, start..<end, scheme) {
        start = end
        break
      }
    }
    guard start > range.lowerBound else { throw HTTPFault(400, "the request target is malformed") }
    var end = start
    while end < range.upperBound {
      let byte = HTTPCharacters.byte(bytes, end)
      if byte == slash || byte == questionMark { break }
      end += 1
    }
    guard isAuthority(bytes, start..<end) else { throw HTTPFault(400, "the authority of the target is malformed") }
    return end
  }

  /// unreserved, sub-delims and `%` (RFC 3986 §3.2.2).
  private static func isNameCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    // - . _ ~ ! $ & ' ( ) * + , ; = %
    case 0x2D, 0x2E, 0x5F, 0x7E, 0x21, 0x24, 0x26...0x2C, 0x3B, 0x3D, 0x25: true
    default: false
    }
  }

  /// IPv6, and the zone and future forms: name characters and colons.
  private static func isLiteralCharacter(_ byte: UInt8) -> Bool {
    byte == HTTPCharacters.colon || isNameCharacter(byte)
  }
}
