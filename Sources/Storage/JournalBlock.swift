import Base

/// A block of a journal, or of a log (``LogStore``): the frames of a batch, or of a part of a large one.
///
///     0   u32  magic "SYNJ"
///     4   u32  length: bytes of header and frames, without the padding to a multiple of 4096
///     8   u64  checksum: XXH64 of bytes 16..<length, seeded with bytes 0..<8
///     16  u64  generation of the half, from 1
///     24  u64  position of this block in the life of the journal, from 1
///     32  u64  position of the first block of the same batch
///     40  u32  number of frames
///     44  u32  number of the journal
///     48       frames (``RecordFrame``), one after the other
///
/// Valid if and only if magic, length, journal number and checksum hold; that its generation and position fit is judged
/// by ``JournalScan``.
struct JournalBlock {
  static let headerBytes = 48
  private static let magic: UInt32 = 0x4A4E_5953

  /// Where the block begins in the file.
  let offset: Int
  let length: Int
  let generation: UInt64
  let position: UInt64
  let batchPosition: UInt64
  let frames: Int

  var paddedLength: Int { Page.padded(length) }

  /// Fills in the header of the block that stands at `start..<start + length` of the batch.
  static func seal(
    _ bytes: inout [UInt8], start: Int, length: Int, journal: Int, generation: UInt64, position: UInt64,
    batchPosition: UInt64, frames: Int
  ) {
    bytes.withUnsafeMutableBytes { all in
      let block = UnsafeMutableRawBufferPointer(rebasing: all[start..<start + length])
      block.storeBytes(of: magic.littleEndian, toByteOffset: 0, as: UInt32.self)
      block.storeBytes(of: UInt32(length).littleEndian, toByteOffset: 4, as: UInt32.self)
      block.storeBytes(of: generation.littleEndian, toByteOffset: 16, as: UInt64.self)
      block.storeBytes(of: position.littleEndian, toByteOffset: 24, as: UInt64.self)
      block.storeBytes(of: batchPosition.littleEndian, toByteOffset: 32, as: UInt64.self)
      block.storeBytes(of: UInt32(frames).littleEndian, toByteOffset: 40, as: UInt32.self)
      block.storeBytes(of: UInt32(journal).littleEndian, toByteOffset: 44, as: UInt32.self)
      let checksum = checksum(UnsafeRawBufferPointer(block))
      block.storeBytes(of: checksum.littleEndian, toByteOffset: 8, as: UInt64.self)
    }
  }

  /// Whether a block may begin here.
  static func hasMagic(_ bytes: UnsafeRawBufferPointer) -> Bool { bytes.u32(0) == magic }

  /// The block at `offset` of the file that ends at or before `end`, nil if there is no valid one.
  static func read(_ window: inout FileWindow, at offset: Int, end: Int, journal: Int) throws(StorageError)
    -> JournalBlock?
  {
    guard offset + Page.bytes <= end, let header = try window.load(at: offset, count: Page.bytes) else { return nil }
    let (isMagic, length) = window.bytes.withUnsafeBytes { bytes in
      (bytes.u32(header) == magic && bytes.u32(header + 44) == UInt32(journal), Int(bytes.u32(header + 4)))
    }
    guard isMagic, length >= headerBytes, length <= end - offset,
      let start = try window.load(at: offset, count: length)
    else { return nil }
    return window.bytes.withUnsafeBytes { all -> JournalBlock? in
      let bytes = UnsafeRawBufferPointer(rebasing: all[start..<start + length])
      guard checksum(bytes) == bytes.u64(8) || !Guard.journalChecksum.isIn else { return nil }
      return JournalBlock(
        offset: offset, length: length, generation: bytes.u64(16), position: bytes.u64(24),
        batchPosition: bytes.u64(32), frames: Int(bytes.u32(40)))
    }
  }

  private static func checksum(_ block: UnsafeRawBufferPointer) -> UInt64 {
    Checksum.xxh64(UnsafeRawBufferPointer(rebasing: block[16...]), seed: block.u64(0))
  }
}
