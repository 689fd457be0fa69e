/// What a reader throws when the bytes do not hold what they should. The caller says which format, and where.
@usableFromInline
package enum DecodeError: Error, Equatable {
  /// The bytes end inside a field.
  case truncated
  /// A field holds a value that the format does not allow.
  case malformed
}

/// Reads little-endian fields from a byte array, bounds-checked; the counterpart of ``ByteWriter``.
@usableFromInline
package struct ByteReader: Sendable {
  @usableFromInline package let bytes: [UInt8]
  @usableFromInline package internal(set) var offset: Int
  @usableFromInline package let end: Int

  package init(_ bytes: [UInt8]) {
    self.bytes = bytes
    offset = 0
    end = bytes.count
  }

  package init(_ slice: ArraySlice<UInt8>) { self.init(Array(slice)) }

  /// Reads `bytes[range]` only.
  @inlinable
  package init(_ bytes: [UInt8], in range: Range<Int>) {
    invariant(range.lowerBound >= 0 && range.upperBound <= bytes.count, "reader outside of its bytes")
    self.bytes = bytes
    offset = range.lowerBound
    end = range.upperBound
  }

  @inlinable package var remaining: Int { end - offset }
  @inlinable package var isAtEnd: Bool { offset == end }

  @inlinable @inline(__always)
  package mutating func u8() throws(DecodeError) -> UInt8 {
    guard offset < end else { throw .truncated }
    defer { offset += 1 }
    return bytes[offset]
  }
  @inlinable @inline(__always)
  package mutating func u16() throws(DecodeError) -> UInt16 { try integer(UInt16.self) }
  @inlinable @inline(__always)
  package mutating func u32() throws(DecodeError) -> UInt32 { try integer(UInt32.self) }
  @inlinable @inline(__always)
  package mutating func u64() throws(DecodeError) -> UInt64 { try integer(UInt64.self) }

  @inlinable @inline(__always)
  package mutating func integer<T: FixedWidthInteger>(_ type: T.Type) throws(DecodeError) -> T {
    let size = MemoryLayout<T>.size
    guard remaining >= size else { throw .truncated }
    let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: T.self) }
    offset += size
    return T(littleEndian: value)
  }

  @inlinable @inline(__always)
  package mutating func varint() throws(DecodeError) -> UInt64 {
    var place = offset
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      guard place < end else { throw .truncated }
      let byte = bytes[place]
      place += 1
      // The tenth byte holds one bit only; more would be cut off silently.
      if shift == 63 && byte > 1 { throw .malformed }
      value |= UInt64(byte & 0x7F) &<< shift
      if byte < 0x80 { break }
      shift += 7
    }
    offset = place
    return value
  }

  /// The next `count` bytes, copied out.
  @inlinable
  package mutating func raw(_ count: Int) throws(DecodeError) -> [UInt8] {
    let range = try skip(count)
    return bytes.withUnsafeBytes { Array(UnsafeRawBufferPointer(rebasing: $0[range])) }
  }

  /// Steps over `count` bytes and says where they are.
  @inlinable
  package mutating func skip(_ count: Int) throws(DecodeError) -> Range<Int> {
    guard count >= 0, remaining >= count else { throw .truncated }
    defer { offset += count }
    return offset..<offset + count
  }

  /// A varint length, then that many bytes; refuses lengths above `maximum`.
  @inlinable
  package mutating func blob(maximum: Int = .max) throws(DecodeError) -> [UInt8] {
    let length = try varint()
    guard length <= UInt64(maximum) else { throw .malformed }
    guard length <= UInt64(remaining) else { throw .truncated }
    return try raw(Int(length))
  }
}
