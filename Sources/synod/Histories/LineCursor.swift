import Base

/// Reads one line of a history from its left to its right.
struct LineCursor {
  private var text: ArraySlice<UInt8>
  private let number: Int

  init(_ text: ArraySlice<UInt8>, _ number: Int) {
    self.text = text
    self.number = number
  }

  mutating func expect(_ word: StaticString) throws(HistoryError) {
    guard word.equals(text.prefix(word.utf8CodeUnitCount)) else { throw HistoryError(number, "\(word) is missing") }
    text = text.dropFirst(word.utf8CodeUnitCount)
  }

  func expectEnd() throws(HistoryError) {
    guard text.isEmpty else { throw HistoryError(number, "there is more behind its end") }
  }

  mutating func skipBlanks() { text = text.drop { $0 == 0x20 || $0 == 0x09 } }

  /// Letters, digits and dashes.
  mutating func word() -> ArraySlice<UInt8> {
    let word = text.prefix { $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A || $0 >= 0x30 && $0 <= 0x39 || $0 == 0x2D }
    text = text.dropFirst(word.count)
    return word
  }

  mutating func unsigned() throws(HistoryError) -> UInt64 {
    guard let number = Decimal.unsigned(word()) else { throw HistoryError(number, "a process is a number") }
    return number
  }

  mutating func rest() -> ArraySlice<UInt8> {
    defer { text = [] }
    return text
  }

  /// A text in quotes with its escapes undone; nil for nil.
  mutating func string() throws(HistoryError) -> [UInt8]? {
    guard text.first == UInt8(ascii: "\"") else {
      try expect("nil")
      return nil
    }
    text = text.dropFirst()
    var bytes: [UInt8] = []
    while let byte = text.popFirst() {
      if byte == UInt8(ascii: "\"") { return bytes }
      guard byte == UInt8(ascii: "\\") else {
        bytes.append(byte)
        continue
      }
      switch text.popFirst() {
      case UInt8(ascii: "\""): bytes.append(UInt8(ascii: "\""))
      case UInt8(ascii: "\\"): bytes.append(UInt8(ascii: "\\"))
      case UInt8(ascii: "n"): bytes.append(0x0A)
      case UInt8(ascii: "t"): bytes.append(0x09)
      case UInt8(ascii: "r"): bytes.append(0x0D)
      default: throw HistoryError(number, "an escape is unknown")
      }
    }
    throw HistoryError(number, "a text has no end")
  }
}
