import Base

/// Says how far the tables hold what a journal held, in one of the two first pages of the journal file.
///
///     0   u64  magic "SYNODJNL"
///     8   u32  format version, 1
///     12  u32  number of the journal
///     16  u64  bytes of a half
///     24  u64  flushed generation: the tables hold every record of this generation and of those before
///     32  u64  position: at least the last position of the flushed generation
///     40  u64  sequence: every sequence used so far in flushed generations is at most this
///     48  u64  checksum: XXH64 of bytes 0..<48
///
/// Valid if and only if magic, version, number and checksum hold and the half is a multiple of 4096 above 0. The valid
/// copy with the highest generation counts. Copies are written in turn (generation modulo 2), each only when the one
/// before is durable, so a torn write leaves the other: one generation older, and replaying a generation once too often
/// changes nothing.
struct JournalCheckpoint: Equatable {
  static let version: UInt32 = 1
  private static let magic: UInt64 = 0x4C4E_4A44_4F4E_5953

  var number: Int
  var halfBytes: Int
  var flushedGeneration: UInt64
  var position: UInt64
  var sequence: UInt64

  func change() -> DeviceChange {
    var writer = ByteWriter(reserving: Page.bytes)
    writer.u64(JournalCheckpoint.magic)
    writer.u32(JournalCheckpoint.version)
    writer.u32(UInt32(number))
    writer.u64(UInt64(halfBytes))
    writer.u64(flushedGeneration)
    writer.u64(position)
    writer.u64(sequence)
    writer.u64(Checksum.xxh64(writer.bytes))
    writer.bytes.append(contentsOf: repeatElement(0, count: Page.bytes - writer.count))
    return .write(.journal(number), at: (flushedGeneration & 1) * UInt64(Page.bytes), writer.bytes)
  }

  /// The valid copy with the highest generation, nil if there is none.
  static func read(_ window: inout FileWindow, number: Int) throws(StorageError) -> JournalCheckpoint? {
    var best: JournalCheckpoint?
    for copy in 0..<2 {
      guard let offset = try window.load(at: copy * Page.bytes, count: 56) else { continue }
      let found = try decode(Array(window.bytes[offset..<offset + 56]), number: number)
      if let found, found.flushedGeneration >= best?.flushedGeneration ?? 0 { best = found }
    }
    return best
  }

  private static func decode(_ bytes: [UInt8], number: Int) throws(StorageError) -> JournalCheckpoint? {
    let words = bytes.withUnsafeBytes { raw in (0..<7).map { raw.u64($0 * 8) } }
    guard words[0] == magic, words[6] == Checksum.xxh64(bytes[0..<48]) else { return nil }
    let found = UInt32(truncatingIfNeeded: words[1])
    guard found <= version else {
      throw .newerVersion(file: .journal(number), found: found, supported: version)
    }
    guard Int(words[1] >> 32) == number else {
      throw .mismatch(file: .journal(number), reason: "it was written as journal \(words[1] >> 32)")
    }
    guard words[2] > 0, words[2] % UInt64(Page.bytes) == 0, words[2] < 1 << 40 else { return nil }
    return JournalCheckpoint(
      number: number, halfBytes: Int(words[2]), flushedGeneration: words[3], position: words[4], sequence: words[5])
  }
}
