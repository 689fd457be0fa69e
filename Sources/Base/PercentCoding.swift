/// Percent-encoding (RFC 3986 §2.1).
package enum PercentCoding {
  /// The bytes that `bytes` stands for; nil where a `%` is not followed by two hexadecimal digits.
  ///
  /// With `plusIsSpace` a `+` stands for a space, as in the queries that forms and client libraries write.
  package static func decode(_ bytes: ArraySlice<UInt8>, plusIsSpace: Bool = false) -> [UInt8]? {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(bytes.count)
    var index = bytes.startIndex
    while index < bytes.endIndex {
      let byte = bytes[index]
      index += 1
      if byte == 0x25 {
        guard bytes.endIndex - index >= 2 else { return nil }
        let high = hexadecimal(bytes[index])
        let low = hexadecimal(bytes[index + 1])
        guard high < 16, low < 16 else { return nil }
        decoded.append(high << 4 | low)
        index += 2
      } else if byte == 0x2B, plusIsSpace {
        decoded.append(0x20)
      } else {
        decoded.append(byte)
      }
    }
    return decoded
  }

  package static func decode(_ bytes: [UInt8], plusIsSpace: Bool = false) -> [UInt8]? {
    decode(bytes[...], plusIsSpace: plusIsSpace)
  }

  /// Appends `bytes` so that they may stand in a path or a query: all but the unreserved characters of RFC 3986 §2.3
  /// are encoded, and `/` only where `keepingSlashes` is false.
  package static func append(_ bytes: [UInt8], keepingSlashes: Bool = true, to output: inout [UInt8]) {
    for byte in bytes {
      if isUnreserved(byte) || (keepingSlashes && byte == 0x2F) {
        output.append(byte)
      } else {
        output.append(0x25)
        output.append(digit(byte >> 4))
        output.append(digit(byte & 0xF))
      }
    }
  }

  /// The value of a hexadecimal digit of either case, 255 for any other byte.
  @inline(__always)
  package static func hexadecimal(_ byte: UInt8) -> UInt8 {
    let digit = byte &- 0x30
    if digit < 10 { return digit }
    let letter = (byte | 0x20) &- 0x61
    return letter < 6 ? letter + 10 : 255
  }

  private static func digit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? nibble + 0x30 : nibble + 0x37 }

  private static func isUnreserved(_ byte: UInt8) -> Bool {
    if (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 { return true }
    return byte == 0x2D || byte == 0x2E || byte == 0x5F || byte == 0x7E
  }
}
