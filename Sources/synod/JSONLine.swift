import Base
import Wire

/// One JSON object on one line, built member by member.
struct JSONLine {
  private var bytes: [UInt8] = [UInt8(ascii: "{")]

  private mutating func comma() {
    if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
  }

  private mutating func name(_ name: StaticString) {
    comma()
    bytes.append(UInt8(ascii: "\""))
    bytes.append(name)
    bytes.append("\":")
  }

  /// `"name":"text"`, or `"name_base64"` where the bytes are not UTF-8.
  mutating func add(_ name: StaticString, _ value: [UInt8]) {
    comma()
    JSONText.appendMember(name, value, to: &bytes)
  }

  mutating func add(_ name: StaticString, _ text: String) { add(name, Array(text.utf8)) }

  mutating func add(_ name: StaticString, _ number: UInt64) {
    self.name(name)
    Decimal.append(number, to: &bytes)
  }

  mutating func add(_ name: StaticString, _ number: Int64) {
    self.name(name)
    Decimal.append(number, to: &bytes)
  }

  mutating func add(_ name: StaticString, _ flag: Bool) {
    self.name(name)
    bytes.append(flag ? "true" : "false")
  }

  mutating func addNull(_ name: StaticString) {
    self.name(name)
    bytes.append("null")
  }

  /// A member whose value is JSON text already.
  mutating func add(_ name: StaticString, raw json: [UInt8]) {
    self.name(name)
    bytes += json
  }

  var object: [UInt8] { bytes + [UInt8(ascii: "}")] }
  var line: [UInt8] { bytes + [UInt8(ascii: "}"), UInt8(ascii: "\n")] }

  func print() { Terminal.write(line) }
}
