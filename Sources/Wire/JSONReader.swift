import Base

/// The recursive descent behind ``JSONValue/parse(_:maximumDepth:)-(ArraySlice<UInt8>,_)``.
struct JSONReader {
  private let text: ArraySlice<UInt8>
  private var index: Int

  init(_ text: ArraySlice<UInt8>) {
    self.text = text
    index = text.startIndex
  }

  mutating func requireEnd() throws(JSONError) {
    skipBlanks()
    guard index == text.endIndex else { throw fault("there is more behind the value") }
  }

  mutating func value(depthLeft: Int) throws(JSONError) -> JSONValue {
    skipBlanks()
    guard index < text.endIndex else { throw fault("a value is missing") }
    switch text[index] {
    case 0x7B: return try object(depthLeft)
    case 0x5B: return try array(depthLeft)
    case 0x22: return .string(try string())
    case 0x2D, 0x30...0x39: return try number()
    case UInt8(ascii: "t"):
      try literal("true")
      return .boolean(true)
    case UInt8(ascii: "f"):
      try literal("false")
      return .boolean(false)
    case UInt8(ascii: "n"):
      try literal("null")
      return .null
    default: throw fault("a value is missing")
    }
  }

  private func fault(_ reason: StaticString) -> JSONError { JSONError(offset: index - text.startIndex, reason: reason) }

  private mutating func skipBlanks() {
    while index < text.endIndex {
      switch text[index] {
      case 0x20, 0x09, 0x0A, 0x0D: index += 1
      default: return
      }
    }
  }

  /// Steps over `byte` if it comes next, blanks before it left out.
  private mutating func take(_ byte: UInt8) -> Bool {
    skipBlanks()
    guard index < text.endIndex, text[index] == byte else { return false }
    index += 1
    return true
  }

  private mutating func literal(_ word: StaticString) throws(JSONError) {
    guard word.equals(text[index...].prefix(word.utf8CodeUnitCount)) else { throw fault("a value is missing") }
    index += word.utf8CodeUnitCount
  }

  private mutating func array(_ depthLeft: Int) throws(JSONError) -> JSONValue {
    // The recursion is bounded by this alone; without it a text of brackets overflows the stack.
    guard depthLeft > 0 else { throw fault("it is nested too deep") }
    index += 1
    var values: [JSONValue] = []
    if take(0x5D) { return .array(values) }
    while true {
      values.append(try value(depthLeft: depthLeft - 1))
      if take(0x5D) { return .array(values) }
      guard take(0x2C) else { throw fault("a comma or ] is missing") }
    }
  }

  private mutating func object(_ depthLeft: Int) throws(JSONError) -> JSONValue {
    guard depthLeft > 0 else { throw fault("it is nested too deep") }
    index += 1
    var members: [JSONValue.Member] = []
    if take(0x7D) { return .object(members) }
    while true {
      skipBlanks()
      guard index < text.endIndex, text[index] == 0x22 else { throw fault("a name is missing") }
      let name = try string()
      guard take(0x3A) else { throw fault("a colon is missing") }
      members.append(JSONValue.Member(name: name, value: try value(depthLeft: depthLeft - 1)))
      if take(0x7D) { break }
      guard take(0x2C) else { throw fault("a comma or } is missing") }
    }
    guard !Self.hasDuplicates(members) else { throw fault("a name stands twice") }
    return .object(members)
  }

  private static func hasDuplicates(_ members: [JSONValue.Member]) -> Bool {
    if members.count <= 16 {
      for index in members.indices.dropFirst() {
        for earlier in 0..<index where members[earlier].name == members[index].name { return true }
      }
      return false
    }
    // Comparing each with each would let a large object take the node's time.
    let names = members.map { $0.name }.sorted { $0.lexicographicallyPrecedes($1) }
    for index in 1..<names.count where names[index - 1] == names[index] { return true }
    return false
  }

  private mutating func number() throws(JSONError) -> JSONValue {
    let start = index
    let isNegative = text[index] == 0x2D
    if isNegative { index += 1 }
    let digits = index
    try skipDigits()
    guard text[digits] != 0x30 || index == digits + 1 else { throw fault("a number begins with a zero") }
    let integer = text[digits..<index]
    var isWhole = true
    if index < text.endIndex, text[index] == 0x2E {
      isWhole = false
      index += 1
      try skipDigits()
    }
    if index < text.endIndex, text[index] | 0x20 == UInt8(ascii: "e") {
      isWhole = false
      index += 1
      if index < text.endIndex, text[index] == 0x2B || text[index] == 0x2D { index += 1 }
      try skipDigits()
    }
    if isWhole, isNegative, let number = Decimal.integer(text[start..<index]) {
      return number == 0 ? .unsigned(0) : .negative(number)
    }
    if isWhole, !isNegative, let number = Decimal.unsigned(integer) { return .unsigned(number) }
    return .number(Array(text[start..<index]))
  }

  private mutating func skipDigits() throws(JSONError) {
    let start = index
    while index < text.endIndex, text[index] &- 0x30 < 10 { index += 1 }
    guard index > start else { throw fault("a digit is missing") }
  }

  private mutating func string() throws(JSONError) -> [UInt8] {
    index += 1
    var decoded: [UInt8] = []
    var start = index
    while index < text.endIndex {
      let byte = text[index]
      if byte == 0x22 {
        decoded.append(contentsOf: text[start..<index])
        // Escapes yield whole characters, so the whole is UTF-8 exactly if what was written plainly is.
        guard UTF8Validation.isValid(decoded) else { throw fault("a string is not UTF-8") }
        index += 1
        return decoded
      }
      guard byte >= 0x20 else { throw fault("a string holds a control character") }
      if byte == 0x5C {
        decoded.append(contentsOf: text[start..<index])
        index += 1
        try escape(into: &decoded)
        start = index
      } else {
        index += 1
      }
    }
    throw fault("a string has no end")
  }

  /// What follows a backslash.
  private mutating func escape(into decoded: inout [UInt8]) throws(JSONError) {
    guard index < text.endIndex else { throw fault("a string has no end") }
    let byte = text[index]
    index += 1
    switch byte {
    case 0x22, 0x5C, 0x2F: decoded.append(byte)
    case UInt8(ascii: "b"): decoded.append(0x08)
    case UInt8(ascii: "f"): decoded.append(0x0C)
    case UInt8(ascii: "n"): decoded.append(0x0A)
    case UInt8(ascii: "r"): decoded.append(0x0D)
    case UInt8(ascii: "t"): decoded.append(0x09)
    case UInt8(ascii: "u"): Self.appendUTF8(try codePoint(), to: &decoded)
    default: throw fault("an escape is unknown")
    }
  }

  /// The four digits after `\u`, and the other half of a surrogate pair.
  private mutating func codePoint() throws(JSONError) -> UInt32 {
    let first = try codeUnit()
    guard first & 0xF800 == 0xD800 else { return first }
    guard first < 0xDC00, text.endIndex - index >= 2, text[index] == 0x5C, text[index + 1] == UInt8(ascii: "u") else {
      throw fault("a surrogate stands alone")
    }
    index += 2
    let second = try codeUnit()
    guard second & 0xFC00 == 0xDC00 else { throw fault("a surrogate stands alone") }
    return 0x1_0000 + ((first & 0x3FF) << 10 | (second & 0x3FF))
  }

  private mutating func codeUnit() throws(JSONError) -> UInt32 {
    guard text.endIndex - index >= 4 else { throw fault("an escape is cut off") }
    var unit: UInt32 = 0
    for _ in 0..<4 {
      let digit = PercentCoding.hexadecimal(text[index])
      guard digit < 16 else { throw fault("an escape is malformed") }
      unit = unit << 4 | UInt32(digit)
      index += 1
    }
    return unit
  }

  private static func appendUTF8(_ point: UInt32, to output: inout [UInt8]) {
    func tail(_ shift: UInt32) -> UInt8 { 0x80 | UInt8(truncatingIfNeeded: point >> shift & 0x3F) }
    switch point {
    case 0..<0x80:
      output.append(UInt8(truncatingIfNeeded: point))
    case 0x80..<0x800:
      output.append(0xC0 | UInt8(truncatingIfNeeded: point >> 6))
      output.append(tail(0))
    case 0x800..<0x1_0000:
      output.append(0xE0 | UInt8(truncatingIfNeeded: point >> 12))
      output.append(tail(6))
      output.append(tail(0))
    default:
      output.append(0xF0 | UInt8(truncatingIfNeeded: point >> 18))
      output.append(tail(12))
      output.append(tail(6))
      output.append(tail(0))
    }
  }
}
