import Base
import Wire

/// A JSON object under construction; ``name(_:)`` begins a member whose value the caller appends to ``bytes``.
struct JSONObject {
  var bytes: [UInt8] = [UInt8(ascii: "{")]

  mutating func name(_ name: StaticString) {
    bytes.append(bytes.count > 1 ? ",\"" : "\"")
    bytes.append(name)
    bytes.append("\":")
  }

  mutating func add(_ name: StaticString, _ number: UInt64) {
    self.name(name)
    Decimal.append(number, to: &bytes)
  }

  mutating func add(_ name: StaticString, optional number: UInt64?) {
    if let number { add(name, number) } else { addNull(name) }
  }

  mutating func add(_ name: StaticString, _ flag: Bool) {
    self.name(name)
    bytes.append(flag ? "true" : "false")
  }

  mutating func add(_ name: StaticString, text: String) {
    self.name(name)
    JSONText.appendString(Array(text.utf8), to: &bytes)
  }

  /// As text, or as `name_base64`.
  mutating func add(_ name: StaticString, bytes value: [UInt8]) {
    if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
    JSONText.appendMember(name, value, to: &bytes)
  }

  mutating func addNull(_ name: StaticString) {
    self.name(name)
    bytes.append("null")
  }

  consuming func finish() -> [UInt8] {
    bytes.append(UInt8(ascii: "}"))
    return bytes
  }
}
