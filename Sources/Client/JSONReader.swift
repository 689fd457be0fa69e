import Base

/// Reads one JSON text (RFC 8259), for what nodes answer: strict, and bounded in depth.
package struct JSONReader {
  private let bytes: [UInt8]
  private var index = 0

  /// Deeper texts are refused; each level is one call deep.
  private static let maximumDepth = 32

  private struct Malformed: Error {}

  /// nil if `bytes` are anything else than one JSON value with blanks around it.
  package static func read(_ bytes: [UInt8]) -> JSON? {
    var reader = JSONReader(bytes: bytes)
    do throws(Malformed) {
      let value = try reader.value(depth: 0)
      reader.skipBlanks()
      return reader.index == bytes.count ? value : nil
    } catch {
      return nil
    }
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private mutating func skipBlanks() {
    while index < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) { index += 1 }
  }

  /// Steps over `byte` if it comes next.
  private mutating func take(_ byte: Character) -> Bool {
    skipBlanks()
    guard index < bytes.count, bytes[index] == byte.asciiValue else { return false }
    index += 1
    return true
  }

  private mutating func take(word: StaticString) -> Bool {
    let end = index + word.utf8CodeUnitCount
    guard end <= bytes.count, word.equals(bytes[index..<end]) else { return false }
    index = end
    return true
  }

  private mutating func value(depth: Int) throws(Malformed) -> JSON {
    guard depth < JSONReader.maximumDepth else { throw Malformed() }
    skipBlanks()
    if take("{") { return try object(depth) }
    if take("[") { return try array(depth) }
    if take("\"") { return .string(try string()) }
    if take(word: "true") { return .bool(true) }
    if take(word: "false") { return .bool(false) }
    if take(word: "null") { return .null }
    return try number()
  }

  private mutating func object(_ depth: Int) throws(Malformed) -> JSON {
    var members: [JSON.Member] = []
    if take("}") { return .object(members) }
    repeat {
      guard take("\"") else { throw Malformed() }
      let name = try string()
      guard take(":") else { throw Malformed() }
      members.append(JSON.Member(name: name, value: try value(depth: depth + 1)))
    } while take(",")
    guard take("}") else { throw Malformed() }
    return .object(members)
  }

  private mutating func array(_ depth: Int) throws(Malformed) -> JSON {
    var elements: [JSON] = []
    if take("]") { return .array(elements) }
    repeat { elements.append(try value(depth: depth + 1)) } while take(",")
    guard take("]") else { throw Malformed() }
    return .array(elements)
  }

  private mutating func number() throws(Malformed) -> JSON {
    let start = index
    while index < bytes.count, "+-.eE0123456789".utf8.contains(bytes[index]) { index += 1 }
    let text = bytes[start..<index]
    // Enough to tell a number from rubbish; whoever wants an integer parses the text strictly.
    guard text.contains(where: { $0 >= 0x30 && $0 <= 0x39 }) else { throw Malformed() }
    return .number(Array(text))
  }

  /// The rest of a string whose opening quote has been read.
  private mutating func string() throws(Malformed) -> [UInt8] {
    var text: [UInt8] = []
    while true {
      let start = index
      while index < bytes.count, bytes[index] != 0x22, bytes[index] != 0x5C, bytes[index] >= 0x20 { index += 1 }
      text += bytes[start..<index]
      guard index < bytes.count else { throw Malformed() }
      let byte = bytes[index]
      index += 1
      if byte == 0x22 { return text }
      guard byte == 0x5C, index < bytes.count else { throw Malformed() }
      let escape = bytes[index]
      index += 1
      switch escape {
      case 0x22, 0x5C, 0x2F: text.append(escape)
      case UInt8(ascii: "b"): text.append(0x08)
      case UInt8(ascii: "f"): text.append(0x0C)
      case UInt8(ascii: "n"): text.append(0x0A)
      case UInt8(ascii: "r"): text.append(0x0D)
      case UInt8(ascii: "t"): text.append(0x09)
      case UInt8(ascii: "u"): text += Array(String(try scalar()).utf8)
      default: throw Malformed()
      }
    }
  }

  /// The scalar of `\uXXXX`, or of the surrogate pair that begins there.
  private mutating func scalar() throws(Malformed) -> Character {
    var code = try codeUnit()
    if code >= 0xD800 && code < 0xDC00 {
      guard take(word: "\\u") else { throw Malformed() }
      let low = try codeUnit()
      guard low >= 0xDC00 && low < 0xE000 else { throw Malformed() }
      code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(code) else { throw Malformed() }
    return Character(scalar)
  }

  private mutating func codeUnit() throws(Malformed) -> UInt32 {
    guard index + 4 <= bytes.count else { throw Malformed() }
    var code: UInt32 = 0
    for byte in bytes[index..<index + 4] {
      let digit = PercentCoding.hexadecimal(byte)
      guard digit < 16 else { throw Malformed() }
      code = code << 4 | UInt32(digit)
    }
    index += 4
    return code
  }
}
