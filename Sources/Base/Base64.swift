/// Base64 with the standard alphabet and padding (RFC 4648 §4).
package enum Base64 {
  /// Appends the padded text of `bytes`, without line breaks.
  package static func append(_ bytes: [UInt8], to output: inout [UInt8]) {
    output.reserveCapacity(output.count + (bytes.count + 2) / 3 * 4)
    var index = 0
    while index + 3 <= bytes.count {
      let group = UInt32(bytes[index]) << 16 | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2])
      output.append(character(group >> 18))
      output.append(character(group >> 12))
      output.append(character(group >> 6))
      output.append(character(group))
      index += 3
    }
    switch bytes.count - index {
    case 1:
      let group = UInt32(bytes[index]) << 16
      output.append(character(group >> 18))
      output.append(character(group >> 12))
      output.append(0x3D)
      output.append(0x3D)
    case 2:
      let group = UInt32(bytes[index]) << 16 | UInt32(bytes[index + 1]) << 8
      output.append(character(group >> 18))
      output.append(character(group >> 12))
      output.append(character(group >> 6))
      output.append(0x3D)
    default:
      break
    }
  }

  /// The bytes that `text` stands for; nil unless it is canonical: padded to a multiple of four, no blanks, and the
  /// bits that the padding leaves over are zero, so that two texts never stand for the same bytes.
  package static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    guard text.count % 4 == 0 else { return nil }
    guard !text.isEmpty else { return [] }
    var padding = 0
    if text[text.endIndex - 1] == 0x3D { padding = text[text.endIndex - 2] == 0x3D ? 2 : 1 }
    var decoded: [UInt8] = []
    decoded.reserveCapacity(text.count / 4 * 3)
    var group: UInt32 = 0
    var held = 0
    for byte in text[text.startIndex..<text.endIndex - padding] {
      let bits = value(byte)
      guard bits < 64 else { return nil }
      group = group << 6 | UInt32(bits)
      held += 1
      if held == 4 {
        decoded.append(UInt8(truncatingIfNeeded: group >> 16))
        decoded.append(UInt8(truncatingIfNeeded: group >> 8))
        decoded.append(UInt8(truncatingIfNeeded: group))
        (group, held) = (0, 0)
      }
    }
    switch padding {
    case 1:
      guard group & 0b11 == 0 else { return nil }
      decoded.append(UInt8(truncatingIfNeeded: group >> 10))
      decoded.append(UInt8(truncatingIfNeeded: group >> 2))
    case 2:
      guard group & 0b1111 == 0 else { return nil }
      decoded.append(UInt8(truncatingIfNeeded: group >> 4))
    default:
      break
    }
    return decoded
  }

  package static func decode(_ text: [UInt8]) -> [UInt8]? { decode(text[...]) }

  private static func character(_ bits: UInt32) -> UInt8 {
    let value = UInt8(truncatingIfNeeded: bits & 63)
    switch value {
    case 0..<26: return value + 0x41
    case 26..<52: return value - 26 + 0x61
    case 52..<62: return value - 52 + 0x30
    case 62: return 0x2B
    default: return 0x2F
    }
  }

  private static func value(_ character: UInt8) -> UInt8 {
    switch character {
    case 0x41...0x5A: return character - 0x41
    case 0x61...0x7A: return character - 0x61 + 26
    case 0x30...0x39: return character - 0x30 + 52
    case 0x2B: return 62
    case 0x2F: return 63
    default: return 255
    }
  }
}
