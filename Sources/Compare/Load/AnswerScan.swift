import Glibc

/// An answer at the start of a buffer, with only what a load generator must know of it.
///
/// The client library reads answers whole and keeps their fields; here that would cost more than the request did.
package struct AnswerScan {
  package enum Result {
    case whole(AnswerScan)
    /// It is not all there yet.
    case partial
    case malformed
  }

  package let status: Int
  /// The number in the `ETag`; 0 where there is none.
  package let revision: UInt64
  /// Whether the connection ends behind it.
  package let closes: Bool
  /// Where the body, undecoded, is in the buffer.
  package let body: Range<Int>

  /// Bytes up to the end of the answer.
  package var length: Int { body.upperBound }

  package static func scan(_ bytes: UnsafeRawBufferPointer) -> Result {
    guard let base = bytes.baseAddress else { return .partial }
    var status = 0
    var revision: UInt64 = 0
    var closes = false
    var contentLength = 0
    var isChunked = false
    var position = 0
    while true {
      guard let end = memchr(base + position, 0x0A, bytes.count - position) else {
        return position < 64 * 1024 ? .partial : .malformed
      }
      let next = UnsafeRawPointer(end) - base + 1
      let line = UnsafeRawBufferPointer(rebasing: bytes[position..<next])
      if position == 0 {
        guard line.count >= 14, line[0] == UInt8(ascii: "H"), line[8] == 0x20 else { return .malformed }
        status = number(line, 9, 12)
      } else if line.count <= 2 {
        position = next
        break
      } else {
        switch line[0] | 0x20 {
        case UInt8(ascii: "c"):
          if starts(line, "content-length:") { contentLength = number(line, 15, line.count) }
          if starts(line, "connection:") { closes = closes || contains(line, "close") }
        case UInt8(ascii: "e"):
          if starts(line, "etag:") { revision = UInt64(number(line, 5, line.count)) }
        case UInt8(ascii: "t"):
          if starts(line, "transfer-encoding:") { isChunked = contains(line, "chunked") }
        default: break
        }
      }
      position = next
    }
    guard status >= 200 else { return .malformed }
    if status == 204 || status == 304 { contentLength = 0 }
    if isChunked { return chunked(bytes, position, status, revision, closes) }
    guard position + contentLength <= bytes.count else { return .partial }
    return .whole(
      AnswerScan(status: status, revision: revision, closes: closes, body: position..<position + contentLength))
  }

  private static func chunked(
    _ bytes: UnsafeRawBufferPointer, _ start: Int, _ status: Int, _ revision: UInt64, _ closes: Bool
  ) -> Result {
    guard let base = bytes.baseAddress else { return .partial }
    var position = start
    while true {
      guard let end = memchr(base + position, 0x0A, bytes.count - position) else { return .partial }
      var size = 0
      var index = position
      while let digit = hexadecimal(bytes[index]) {
        size = size << 4 | digit
        index += 1
        if size > 1 << 30 { return .malformed }
      }
      if index == position { return .malformed }
      position = UnsafeRawPointer(end) - base + 1 + size + 2
      guard position <= bytes.count else { return .partial }
      if size == 0 {
        return .whole(AnswerScan(status: status, revision: revision, closes: closes, body: start..<position))
      }
    }
  }

  /// The first number that stands behind `name` in `bytes`; nil where there is none.
  package static func number(after name: StaticString, in bytes: UnsafeRawBufferPointer) -> UInt64? {
    let length = name.utf8CodeUnitCount
    guard bytes.count > length else { return nil }
    for start in 0..<bytes.count - length where memcmp(bytes.baseAddress! + start, name.utf8Start, length) == 0 {
      return UInt64(number(bytes, start + length, bytes.count))
    }
    return nil
  }

  /// The digits from `start` on, behind whatever is none.
  private static func number(_ line: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> Int {
    var value = 0
    var hasDigits = false
    for index in start..<end {
      let digit = line[index] &- UInt8(ascii: "0")
      if digit < 10 {
        value = value &* 10 &+ Int(digit)
        hasDigits = true
      } else if hasDigits {
        break
      }
    }
    return value
  }

  private static func hexadecimal(_ byte: UInt8) -> Int? {
    switch byte {
    case 0x30...0x39: Int(byte) - 0x30
    case 0x41...0x46: Int(byte) - 0x37
    case 0x61...0x66: Int(byte) - 0x57
    default: nil
    }
  }

  /// `name` is in lower case.
  private static func starts(_ line: UnsafeRawBufferPointer, _ name: StaticString) -> Bool {
    guard line.count >= name.utf8CodeUnitCount else { return false }
    for index in 0..<name.utf8CodeUnitCount where line[index] | 0x20 != name.utf8Start[index] | 0x20 { return false }
    return true
  }

  private static func contains(_ line: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
    let length = word.utf8CodeUnitCount
    guard line.count >= length else { return false }
    for start in 0...line.count - length where starts(UnsafeRawBufferPointer(rebasing: line[start...]), word) {
      return true
    }
    return false
  }
}
