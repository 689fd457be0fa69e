/// Appends little-endian fields to a byte array. Every format of the house is written through it.
@usableFromInline
package struct ByteWriter: Sendable {
  @usableFromInline package var bytes: [UInt8]

  package init(reserving capacity: Int = 0) {
    bytes = []
    bytes.reserveCapacity(capacity)
  }

  @inlinable package var count: Int { bytes.count }

  @inlinable @inline(__always)
  package mutating func u8(_ value: UInt8) { bytes.append(value) }
  @inlinable @inline(__always)
  package mutating func u16(_ value: UInt16) { integer(value) }
  @inlinable @inline(__always)
  package mutating func u32(_ value: UInt32) { integer(value) }
  @inlinable @inline(__always)
  package mutating func u64(_ value: UInt64) { integer(value) }

  @inlinable @inline(__always)
  package mutating func integer<T: FixedWidthInteger>(_ value: T) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(copying: $0) }
  }

  /// LEB128: seven bits a byte, lowest first; at most ten bytes.
  package mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// Appends what `fill` writes, at most `capacity` bytes: one look for room instead of one a field.
  @inlinable @inline(__always)
  package mutating func append(_ capacity: Int, _ fill: (inout OutputSpan<UInt8>) -> Void) {
    bytes.append(addingCapacity: capacity, initializingWith: fill)
  }

  /// How many bytes ``varint(_:)`` appends.
  @inlinable
  package static func varintBytes(_ value: UInt64) -> Int {
    max(1, (UInt64.bitWidth - value.leadingZeroBitCount + 6) / 7)
  }

  @inlinable @inline(__always)
  package mutating func raw(_ other: [UInt8]) { other.withUnsafeBytes { bytes.append(copying: $0) } }
  @inlinable @inline(__always)
  package mutating func raw(_ other: ArraySlice<UInt8>) { other.withUnsafeBytes { bytes.append(copying: $0) } }

  /// A varint length, then the bytes.
  package mutating func blob(_ other: [UInt8]) {
    varint(UInt64(other.count))
    raw(other)
  }

  /// Overwrites eight bytes written earlier at `offset`, such as a checksum over what followed.
  package mutating func patch(u64 value: UInt64, at offset: Int) { patch(value, at: offset) }
  package mutating func patch(u32 value: UInt32, at offset: Int) { patch(value, at: offset) }

  private mutating func patch<T: FixedWidthInteger>(_ value: T, at offset: Int) {
    invariant(offset >= 0 && offset + MemoryLayout<T>.size <= bytes.count, "patch outside of what was written")
    bytes.withUnsafeMutableBytes {
      $0.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
    }
  }
}

extension [UInt8] {
  /// Appends a copy of `other`, which must not be of this array. The general `append(contentsOf:)` does the same and
  /// costs more than the copy.
  @inlinable @inline(__always)
  package mutating func append(copying other: UnsafeRawBufferPointer) {
    guard let source = other.baseAddress else { return }
    append(addingCapacity: other.count) { span in
      span.withUnsafeMutableBufferPointer { room, count in
        UnsafeMutableRawBufferPointer(room).copyMemory(from: UnsafeRawBufferPointer(start: source, count: other.count))
        count = other.count
      }
    }
  }
}

extension OutputSpan where Element == UInt8 {
  @inlinable @inline(__always)
  package mutating func u64(_ value: UInt64) {
    invariant(freeCapacity >= 8, "no room was made for a field")
    withUnsafeMutableBufferPointer { room, count in
      UnsafeMutableRawBufferPointer(room).storeBytes(of: value.littleEndian, toByteOffset: count, as: UInt64.self)
      count += 8
    }
  }

  /// As ``ByteWriter/varint(_:)``.
  @inlinable @inline(__always)
  package mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }

  /// `other` must not be of the bytes that are written to.
  @inlinable @inline(__always)
  package mutating func raw(_ other: UnsafeRawBufferPointer) {
    guard let source = other.baseAddress else { return }
    invariant(freeCapacity >= other.count, "no room was made for a field")
    withUnsafeMutableBufferPointer { room, count in
      (UnsafeMutableRawPointer(room.baseAddress!) + count).copyMemory(from: source, byteCount: other.count)
      count += other.count
    }
  }

  @inlinable @inline(__always)
  package mutating func raw(_ other: [UInt8]) { other.withUnsafeBytes { raw($0) } }

  /// As ``ByteWriter/blob(_:)``.
  @inlinable @inline(__always)
  package mutating func blob(_ other: [UInt8]) {
    varint(UInt64(other.count))
    raw(other)
  }
}
