import Base
package import Replica

/// JSON (RFC 8259) straight into bytes.
package enum JSONText {
  /// Appends a string with its quotes. `text` must be UTF-8.
  package static func appendString(_ text: [UInt8], to output: inout [UInt8]) {
    output.append(0x22)
    var start = 0
    for index in 0..<text.count {
      let byte = text[index]
      guard byte < 0x20 || byte == 0x22 || byte == 0x5C else { continue }
      output.append(contentsOf: text[start..<index])
      appendEscape(byte, to: &output)
      start = index + 1
    }
    output.append(contentsOf: text[start...])
    output.append(0x22)
  }

  /// Appends `"name":"text"` where the bytes are UTF-8, `"name_base64":"…"` where they are not.
  package static func appendMember(_ name: StaticString, _ bytes: [UInt8], to output: inout [UInt8]) {
    output.append(0x22)
    output.append(name)
    if UTF8Validation.isValid(bytes) {
      output.append("\":")
      appendString(bytes, to: &output)
    } else {
      output.append("_base64\":\"")
      Base64.append(bytes, to: &output)
      output.append(0x22)
    }
  }

  /// Appends `{"revision":N,"value":…}`, null for nil.
  package static func append(_ current: Versioned?, to output: inout [UInt8]) {
    guard let current else {
      output.append("null")
      return
    }
    output.append("{\"revision\":")
    Decimal.append(current.revision, to: &output)
    output.append(0x2C)
    appendMember("value", current.value, to: &output)
    output.append(0x7D)
  }

  private static func appendEscape(_ byte: UInt8, to output: inout [UInt8]) {
    output.append(0x5C)
    switch byte {
    case 0x22, 0x5C: output.append(byte)
    case 0x08: output.append(UInt8(ascii: "b"))
    case 0x09: output.append(UInt8(ascii: "t"))
    case 0x0A: output.append(UInt8(ascii: "n"))
    case 0x0C: output.append(UInt8(ascii: "f"))
    case 0x0D: output.append(UInt8(ascii: "r"))
    default:
      output.append("u00")
      output.append(0x30 + (byte >> 4))
      let low = byte & 0xF
      output.append(low < 10 ? low + 0x30 : low + 0x57)
    }
  }
}
