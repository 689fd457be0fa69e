import Base

/// A whole record as it stands in journal blocks and in table slots, one and the same encoding in both.
///
///     0   u32  length: bytes of the frame, this header included
///     4   u16  key length, 0...512 (0: the register of the configuration)
///     6   u16  partition
///     8   u64  checksum: XXH64 of bytes 16..<length, seeded with bytes 0..<8
///     16  u64  sequence
///     24  u32  key checksum: low half of XXH64 of the key, seeded with bytes 4..<8
///     28  u32  payload length
///     32       key, then payload
///
/// Valid if and only if the length is 32 + key length + payload length and within the block or slot, the key length is
/// 0...512, and both checksums match.
///
/// A frame without a payload says that the record was erased. It stands in journals only.
///
/// Of two frames of one key the one with the higher sequence holds the same or a newer state, wherever they stand, so
/// replay needs no order: the highest wins. Key length, partition, key checksum and key are the same in all frames of a
/// key, so a slot torn while it was overwritten in place still tells its key.
struct RecordFrame {
  static let headerBytes = 32

  let length: Int
  let partition: Int
  let sequence: UInt64
  /// Where the key is in the bytes that were decoded.
  let key: Range<Int>
  let payload: Range<Int>

  /// Appends the frame of the record's present state. Returns whether the record is erased.
  @discardableResult
  static func append(
    _ index: UInt32, of holder: any RecordHolder, partition: Int, sequence: UInt64, to writer: inout ByteWriter
  ) -> Bool {
    let start = writer.count
    let key = holder.key(ofRecord: index)
    let identity = identity(keyLength: key.count, partition: partition)
    let keyChecksum = UInt64(UInt32(truncatingIfNeeded: Checksum.xxh64(key, seed: identity)))
    // One append of four words: field by field costs more than the checksums.
    let header = ((identity << 32).littleEndian, UInt64(0), sequence.littleEndian, keyChecksum.littleEndian)
    withUnsafeBytes(of: header) { writer.bytes.append(contentsOf: $0) }
    writer.bytes.append(contentsOf: key)
    holder.encodePayload(ofRecord: index, into: &writer)
    let length = writer.count - start
    writer.bytes.withUnsafeMutableBytes { bytes in
      let frame = UnsafeMutableRawBufferPointer(rebasing: bytes[start..<start + length])
      frame.storeBytes(of: UInt32(length).littleEndian, toByteOffset: 0, as: UInt32.self)
      let payloadLength = UInt32(length - headerBytes - key.count)
      frame.storeBytes(of: payloadLength.littleEndian, toByteOffset: 28, as: UInt32.self)
      let checksum = checksum(UnsafeRawBufferPointer(frame))
      frame.storeBytes(of: checksum.littleEndian, toByteOffset: 8, as: UInt64.self)
    }
    return length == headerBytes + key.count
  }

  /// The frame that begins at `offset` and ends at or before `end`, nil if there is no valid one.
  static func decode(_ bytes: [UInt8], at offset: Int, end: Int) -> RecordFrame? {
    guard offset >= 0, end <= bytes.count, end - offset >= headerBytes else { return nil }
    return bytes.withUnsafeBytes { all -> RecordFrame? in
      let length = Int(all.u32(offset))
      let keyLength = Int(all.u16(offset + 4))
      let payloadLength = Int(all.u32(offset + 28))
      guard keyLength <= 512, length <= end - offset,
        length == headerBytes + keyLength + payloadLength
      else { return nil }
      let frame = UnsafeRawBufferPointer(rebasing: all[offset..<offset + length])
      let isSound = checksum(frame) == frame.u64(8) && isKeySound(frame)
      guard isSound || !Guard.tableChecksum.isIn else { return nil }
      let keyStart = offset + headerBytes
      return RecordFrame(
        length: length, partition: Int(frame.u16(6)), sequence: frame.u64(16), key: keyStart..<keyStart + keyLength,
        payload: keyStart + keyLength..<offset + length)
    }
  }

  /// The key of a slot whose frame is not valid, nil if the key is damaged too.
  static func salvageKey(_ bytes: [UInt8], at offset: Int, slotBytes: Int) -> [UInt8]? {
    bytes.withUnsafeBytes { all -> [UInt8]? in
      let slot = UnsafeRawBufferPointer(rebasing: all[offset..<offset + slotBytes])
      let keyLength = Int(slot.u16(4))
      guard keyLength <= 512, headerBytes + keyLength <= slotBytes, isKeySound(slot) else { return nil }
      return Array(slot[headerBytes..<headerBytes + keyLength])
    }
  }

  /// Longer slots are not mended: each bit that is tried costs a checksum of the whole.
  static let longestMended = 64 << 10

  /// Finds the one bit of header or key that is wrong, and puts it right. Nil where it is not one bit: that another
  /// frame should come of it by chance is one in 2^50, for the checksum has 64 bits and some thousand bits are tried.
  static func mend(_ slot: inout [UInt8]) -> RecordFrame? {
    for place in 0..<min(slot.count, headerBytes + 512) {
      for bit in 0..<8 {
        slot[place] ^= 1 << UInt8(bit)
        if let frame = decode(slot, at: 0, end: slot.count) { return frame }
        slot[place] ^= 1 << UInt8(bit)
      }
    }
    return nil
  }

  /// A free slot in which one bit is wrong.
  static func isOneBit(_ slot: [UInt8]) -> Bool {
    var bits = 0
    for byte in slot where byte != 0 { bits += byte.nonzeroBitCount }
    return bits == 1
  }

  /// Whether the slot can be what a torn write of this key into a zeroed slot, or a torn zeroing of this key's slot,
  /// leaves: each byte of the part that is the same in all frames of the key is the key's or zero.
  static func isTornRemnant(_ bytes: [UInt8], at offset: Int, slotBytes: Int, key: [UInt8], partition: Int) -> Bool {
    guard headerBytes + key.count <= slotBytes else { return false }
    let identity = identity(keyLength: key.count, partition: partition)
    let keyChecksum = UInt32(truncatingIfNeeded: Checksum.xxh64(key, seed: identity))
    for place in 0..<4 {
      let shift = UInt64(place * 8)
      let inIdentity = UInt8(truncatingIfNeeded: identity >> shift)
      let inChecksum = UInt8(truncatingIfNeeded: UInt64(keyChecksum) >> shift)
      if bytes[offset + 4 + place] != 0 && bytes[offset + 4 + place] != inIdentity { return false }
      if bytes[offset + 24 + place] != 0 && bytes[offset + 24 + place] != inChecksum { return false }
    }
    for place in 0..<key.count {
      let byte = bytes[offset + headerBytes + place]
      if byte != 0 && byte != key[place] { return false }
    }
    return true
  }

  private static func identity(keyLength: Int, partition: Int) -> UInt64 {
    UInt64(keyLength) | UInt64(partition) << 16
  }

  private static func checksum(_ frame: UnsafeRawBufferPointer) -> UInt64 {
    Checksum.xxh64(UnsafeRawBufferPointer(rebasing: frame[16...]), seed: frame.u64(0))
  }

  private static func isKeySound(_ frame: UnsafeRawBufferPointer) -> Bool {
    let keyLength = Int(frame.u16(4))
    let key = UnsafeRawBufferPointer(rebasing: frame[headerBytes..<headerBytes + keyLength])
    return UInt32(truncatingIfNeeded: Checksum.xxh64(key, seed: UInt64(frame.u32(4)))) == frame.u32(24)
  }
}

extension UnsafeRawBufferPointer {
  @inline(__always)
  func u16(_ offset: Int) -> UInt16 { loadUnaligned(fromByteOffset: offset, as: UInt16.self).littleEndian }
  @inline(__always)
  func u32(_ offset: Int) -> UInt32 { loadUnaligned(fromByteOffset: offset, as: UInt32.self).littleEndian }
  @inline(__always)
  func u64(_ offset: Int) -> UInt64 { loadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian }

  /// Whether every byte is zero.
  var isZero: Bool {
    var offset = 0
    while offset + 32 <= count {
      let low = loadUnaligned(fromByteOffset: offset, as: SIMD4<UInt64>.self)
      if low != .zero { return false }
      offset += 32
    }
    while offset + 8 <= count {
      if loadUnaligned(fromByteOffset: offset, as: UInt64.self) != 0 { return false }
      offset += 8
    }
    while offset < count {
      if self[offset] != 0 { return false }
      offset += 1
    }
    return true
  }
}
