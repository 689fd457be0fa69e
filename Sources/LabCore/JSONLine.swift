import Base
import Wire

/// JSON, written straight into bytes. Members and elements put their own commas.
struct JSONLine {
  private(set) var bytes: [UInt8] = []
  private var isFirst = true

  init(reserving count: Int = 4096) { bytes.reserveCapacity(count) }

  private mutating func comma() {
    if !isFirst { bytes.append(UInt8(ascii: ",")) }
    isFirst = false
  }

  private mutating func enclosed(_ open: UInt8, _ close: UInt8, _ body: (inout JSONLine) -> Void) {
    bytes.append(open)
    isFirst = true
    body(&self)
    isFirst = false
    bytes.append(close)
  }

  mutating func object(_ body: (inout JSONLine) -> Void) {
    comma()
    enclosed(UInt8(ascii: "{"), UInt8(ascii: "}"), body)
  }

  mutating func array(_ body: (inout JSONLine) -> Void) {
    comma()
    enclosed(UInt8(ascii: "["), UInt8(ascii: "]"), body)
  }

  private mutating func name(_ name: StaticString) {
    comma()
    bytes.append(UInt8(ascii: "\""))
    bytes.append(name)
    bytes.append("\":")
  }

  mutating func object(_ name: StaticString, _ body: (inout JSONLine) -> Void) {
    self.name(name)
    enclosed(UInt8(ascii: "{"), UInt8(ascii: "}"), body)
  }

  mutating func array(_ name: StaticString, _ body: (inout JSONLine) -> Void) {
    self.name(name)
    enclosed(UInt8(ascii: "["), UInt8(ascii: "]"), body)
  }

  mutating func add(_ name: StaticString, _ number: UInt64) {
    self.name(name)
    Decimal.append(number, to: &bytes)
  }

  mutating func add(_ name: StaticString, _ truth: Bool) {
    self.name(name)
    bytes.append(truth ? "true" : "false")
  }

  mutating func add(_ name: StaticString, _ text: String) {
    self.name(name)
    JSONText.appendString(Array(text.utf8), to: &bytes)
  }

  mutating func element(_ number: UInt64) {
    comma()
    Decimal.append(number, to: &bytes)
  }

  mutating func element(_ truth: Bool) {
    comma()
    bytes.append(truth ? "1" : "0")
  }

  mutating func element(_ text: String) {
    comma()
    JSONText.appendString(Array(text.utf8), to: &bytes)
  }

  mutating func elementNull() {
    comma()
    bytes.append("null")
  }
}

extension StaticString {
  /// The same as a string.
  var text: String { withUTF8Buffer { String(decoding: $0, as: UTF8.self) } }
}
