package import Base

/// What peers send each other: frames, one behind the other on a connection. A frame carries all messages of one turn
/// of the loop to one peer.
///
/// ```
/// offset  size
///      0     2   magic 0x5953 ("SY")
///      2     1   format version, 1
///      3     1   kind, what the body is; the peers' business
///      4     4   length of the body in bytes
///      8     8   XXH64 of the body, seeded with the eight bytes before
///     16         body
/// ```
/// Integers are little-endian. A frame is valid if and only if magic and version are these, the length is at most what
/// the reader allows, and the checksum is right; the seed makes it cover the header too.
package struct Frame: Sendable, Equatable {
  package static let headerBytes = 16
  package static let version: UInt8 = 1
  static let magic: UInt16 = 0x5953

  package let kind: UInt8
  /// Those in which it came: a frame of a turn's messages is not copied to be read.
  private let bytes: [UInt8]
  private let place: Range<Int>

  package init(kind: UInt8, body: [UInt8]) { self.init(kind: kind, bytes: body, place: body.indices) }

  init(kind: UInt8, bytes: [UInt8], place: Range<Int>) {
    self.kind = kind
    self.bytes = bytes
    self.place = place
  }

  /// A copy, for what is kept or compared.
  package var body: [UInt8] { Array(bytes[place]) }
  /// Of the body.
  package var reader: ByteReader { ByteReader(bytes, in: place) }

  package static func == (a: Frame, b: Frame) -> Bool { a.kind == b.kind && a.bytes[a.place] == b.bytes[b.place] }

  /// Begins a frame at the end of `writer`: the body is written behind it, then ``seal(_:from:)`` completes it.
  /// Returns where it began.
  package static func begin(_ kind: UInt8, in writer: inout ByteWriter) -> Int {
    let start = writer.count
    writer.u16(magic)
    writer.u8(version)
    writer.u8(kind)
    writer.u32(0)
    writer.u64(0)
    return start
  }

  /// Completes the frame that began at `start` and reaches to the end of `writer`.
  package static func seal(_ writer: inout ByteWriter, from start: Int) {
    let length = writer.count - start - headerBytes
    invariant(length >= 0 && length <= UInt32.max, "a frame of no possible length")
    writer.patch(u32: UInt32(length), at: start + 4)
    writer.patch(u64: checksum(writer.bytes, start, length), at: start + 8)
  }

  /// The checksum of the frame at `start` with a body of `length` bytes.
  static func checksum(_ bytes: [UInt8], _ start: Int, _ length: Int) -> UInt64 {
    bytes.withUnsafeBytes { all in
      let seed = UInt64(littleEndian: all.loadUnaligned(fromByteOffset: start, as: UInt64.self))
      let body = start + headerBytes..<start + headerBytes + length
      return Checksum.xxh64(UnsafeRawBufferPointer(rebasing: all[body]), seed: seed)
    }
  }
}

/// Why a connection between peers cannot be read on. There is no way to find the next frame: it is closed.
package enum FrameError: Error, Sendable, Equatable {
  /// The other end speaks something else.
  case badMagic
  case unknownVersion(UInt8)
  case tooLong(bytes: UInt64)
  case badChecksum
}
