extension [UInt8] {
  /// Appends the UTF-8 bytes of a literal, without a `String` in between.
  @inlinable @inline(__always)
  package mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { append(copying: UnsafeRawBufferPointer($0)) }
  }
}

extension OutputSpan where Element == UInt8 {
  /// Appends the UTF-8 bytes of a literal.
  @inlinable @inline(__always)
  package mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { raw(UnsafeRawBufferPointer($0)) }
  }
}

extension StaticString {
  /// Whether `bytes` are exactly the bytes of this literal.
  @inlinable @inline(__always)
  package func equals(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard bytes.count == utf8CodeUnitCount else { return false }
    return withUTF8Buffer { literal in
      bytes.withUnsafeBufferPointer { other in
        for index in 0..<literal.count where literal[index] != other[index] { return false }
        return true
      }
    }
  }

  @inlinable @inline(__always)
  package func equals(_ bytes: [UInt8]) -> Bool { equals(bytes[...]) }

  /// Whether `bytes` are those of this lower-case ASCII literal, letters of either case counting as one.
  @inlinable @inline(__always)
  package func equalsIgnoringCase(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard bytes.count == utf8CodeUnitCount else { return false }
    return withUTF8Buffer { literal in
      bytes.withUnsafeBufferPointer { other in
        for index in 0..<literal.count {
          let byte = other[index]
          // Only A…Z fold: `@` and `[` stand one step outside and must not become other characters.
          let folded = byte &- 0x41 < 26 ? byte | 0x20 : byte
          if literal[index] != folded { return false }
        }
        return true
      }
    }
  }
}
