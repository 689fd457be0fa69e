/// The character classes of RFC 9110 §5.6, as bit sets in registers: no table in memory, no lazy initialisation.
enum HTTPCharacters {
  static let carriageReturn: UInt8 = 0x0D
  static let lineFeed: UInt8 = 0x0A
  static let space: UInt8 = 0x20
  static let tab: UInt8 = 0x09
  static let colon: UInt8 = 0x3A
  static let comma: UInt8 = 0x2C

  /// tchar: letters, digits and ! # $ % & ' * + - . ^ _ ` | ~
  @inline(__always)
  static func isToken(_ byte: UInt8) -> Bool {
    let word: UInt64 = byte & 0x40 == 0 ? 0x03FF_6CFA_0000_0000 : 0x57FF_FFFF_C7FF_FFFE
    return byte < 0x80 && (word >> UInt64(byte & 0x3F)) & 1 == 1
  }

  /// SP or HTAB.
  @inline(__always)
  static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab }

  /// What a field value may hold: visible characters, blanks, and bytes above 0x7F.
  @inline(__always)
  static func isFieldContent(_ byte: UInt8) -> Bool { (byte >= 0x20 && byte != 0x7F) || byte == tab }

  /// The first line feed in `bytes[from...]`, nil if there is none.
  @inline(__always)
  static func lineFeed(in bytes: RawSpan, from: Int) -> Int? {
    first(lineFeed, in: bytes, from: from, to: bytes.byteCount)
  }

  /// The first `wanted` in `bytes[from..<to]`, nil if there is none.
  @inline(__always)
  static func first(_ wanted: UInt8, in bytes: RawSpan, from: Int, to: Int) -> Int? {
    var index = from
    while index + 8 <= to {
      let word = UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
      let hit = zeroBytes(word ^ (UInt64(wanted) &* 0x0101_0101_0101_0101))
      // Exact for the lowest one, which is the first in the buffer.
      if hit != 0 { return index + hit.trailingZeroBitCount / 8 }
      index += 8
    }
    while index < to {
      if byte(bytes, index) == wanted { return index }
      index += 1
    }
    return nil
  }

  /// The classic test for a zero byte: the high bit of each byte that is zero, and maybe that of one above such a byte.
  @inline(__always)
  private static func zeroBytes(_ word: UInt64) -> UInt64 {
    (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
  }

  /// What a request target may hold. Bytes above 0x7F are let through: people type keys into curl as they are, and no
  /// other reading of them exists.
  @inline(__always)
  private static func isTarget(_ byte: UInt8) -> Bool { byte > 0x20 && byte != 0x7F && byte != 0x23 }

  /// Whether all of `bytes[from..<to]` may stand in a request target.
  @inline(__always)
  static func isTarget(_ bytes: RawSpan, from: Int, to: Int) -> Bool {
    var index = from
    while index + 8 <= to {
      let word = bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
      // Flags a byte that may not, and maybe a neighbour too; then the bytes are looked at one by one.
      let below = (word &- 0x2121_2121_2121_2121) & ~word & 0x8080_8080_8080_8080
      if below | zeroBytes(word ^ 0x7F7F_7F7F_7F7F_7F7F) | zeroBytes(word ^ 0x2323_2323_2323_2323) != 0 {
        for position in index..<index + 8 where !isTarget(byte(bytes, position)) { return false }
      }
      index += 8
    }
    while index < to {
      if !isTarget(byte(bytes, index)) { return false }
      index += 1
    }
    return true
  }

  /// Whether all of `bytes[from..<to]` is field content.
  @inline(__always)
  static func isFieldContent(_ bytes: RawSpan, from: Int, to: Int) -> Bool {
    var index = from
    while index + 8 <= to {
      let word = bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
      // Flags a byte below 0x20, or 0x7F. It may flag a neighbour too; then the bytes are looked at one by one.
      let below = (word &- 0x2020_2020_2020_2020) & ~word & 0x8080_8080_8080_8080
      if below | zeroBytes(word ^ 0x7F7F_7F7F_7F7F_7F7F) != 0 {
        for position in index..<index + 8 where !isFieldContent(byte(bytes, position)) { return false }
      }
      index += 8
    }
    while index < to {
      if !isFieldContent(byte(bytes, index)) { return false }
      index += 1
    }
    return true
  }

  @inline(__always)
  static func byte(_ bytes: RawSpan, _ index: Int) -> UInt8 {
    bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)
  }

  /// Whether `bytes[range]` is this lower-case literal, whatever the case of its letters.
  @inline(__always)
  static func equalsIgnoringCase(_ bytes: RawSpan, _ range: Range<Int>, _ literal: StaticString) -> Bool {
    guard range.count == literal.utf8CodeUnitCount else { return false }
    let start = literal.utf8Start
    for index in 0..<range.count {
      let byte = byte(bytes, range.lowerBound + index)
      // Only A…Z fold: `@` and `[` stand one step outside and must not become other characters.
      let folded = byte &- 0x41 < 26 ? byte | 0x20 : byte
      if folded != start[index] { return false }
    }
    return true
  }

  /// Whether `other` stands in `bytes` at `start`, whole.
  @inline(__always)
  static func holds(_ bytes: RawSpan, at start: Int, _ other: RawSpan) -> Bool {
    let count = other.byteCount
    guard bytes.byteCount - start >= count else { return false }
    var index = 0
    while index + 8 <= count {
      let word = bytes.unsafeLoadUnaligned(fromByteOffset: start + index, as: UInt64.self)
      guard word == other.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self) else { return false }
      index += 8
    }
    while index < count {
      guard byte(bytes, start + index) == byte(other, index) else { return false }
      index += 1
    }
    return true
  }

  /// The parts of a comma-separated list in `bytes[range]`, without the blanks around them, empty ones left out.
  @inline(__always)
  static func forEachListElement(_ bytes: RawSpan, _ range: Range<Int>, _ body: (Range<Int>) -> Void) {
    var start = range.lowerBound
    while start <= range.upperBound {
      var end = start
      while end < range.upperBound, byte(bytes, end) != comma { end += 1 }
      let element = trimmed(bytes, start..<end)
      if !element.isEmpty { body(element) }
      start = end + 1
    }
  }

  @inline(__always)
  static func trimmed(_ bytes: RawSpan, _ range: Range<Int>) -> Range<Int> {
    var start = range.lowerBound
    var end = range.upperBound
    while start < end, isBlank(byte(bytes, start)) { start += 1 }
    while end > start, isBlank(byte(bytes, end - 1)) { end -= 1 }
    return start..<end
  }
}
