import Base
import Wire

/// JSON text, with a line for each member of the outer levels, so that people and `diff` can read it.
struct JSONWriter {
  private(set) var bytes: [UInt8] = []
  private var needsComma = false

  private mutating func separate() {
    if needsComma { bytes.append(",") }
    needsComma = false
  }

  mutating func object(_ body: (inout JSONWriter) -> Void) { nest("{", "}", body) }
  mutating func array(_ body: (inout JSONWriter) -> Void) { nest("[", "]", body) }

  private mutating func nest(_ open: StaticString, _ close: StaticString, _ body: (inout JSONWriter) -> Void) {
    separate()
    bytes.append(open)
    body(&self)
    bytes.append(close)
    needsComma = true
  }

  mutating func name(_ name: String) {
    separate()
    JSONText.appendString(Array(name.utf8), to: &bytes)
    bytes.append(":")
  }

  mutating func newLine() {
    separate()
    bytes.append("\n")
  }

  mutating func text(_ text: String) {
    separate()
    JSONText.appendString(Array(text.utf8), to: &bytes)
    needsComma = true
  }

  /// What is no finite number becomes null.
  mutating func number(_ number: Double) {
    separate()
    if let whole = Int64(exactly: number) {
      Decimal.append(whole, to: &bytes)
    } else if number.isFinite {
      bytes += Array("\(number)".utf8)
    } else {
      bytes.append("null")
    }
    needsComma = true
  }

  mutating func null() {
    separate()
    bytes.append("null")
    needsComma = true
  }

  mutating func boolean(_ flag: Bool) {
    separate()
    bytes.append(flag ? "true" : "false")
    needsComma = true
  }

  mutating func member(_ name: String, _ text: String) {
    self.name(name)
    self.text(text)
  }

  mutating func member(_ name: String, _ number: Double) {
    self.name(name)
    self.number(number)
  }

  mutating func member(_ name: String, optional text: String?) {
    self.name(name)
    if let text { self.text(text) } else { null() }
  }

  mutating func member(_ name: String, _ list: [String]) {
    self.name(name)
    array { for entry in list { $0.text(entry) } }
  }

  mutating func member(_ name: String, _ list: [Double]) {
    self.name(name)
    array { for entry in list { $0.number(entry) } }
  }
}
