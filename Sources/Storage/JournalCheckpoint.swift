import Base

/// How a table was left by a flush.
struct TableMark: Equatable {
  let partition: Int
  let records: Int
  let fileBytes: Int
}

/// Says how far the tables hold what a journal held, in one of the two first pages of the journal file.
///
///     0   u64  magic "SYNODJNL"
///     8   u32  format version, 2 (1: without what stands behind the checksum, and of the first 48 bytes alone)
///     12  u32  number of the journal
///     16  u64  bytes of a half
///     24  u64  flushed generation: the tables hold every record of this generation and of those before
///     32  u64  position: at least the last position of the flushed generation
///     40  u64  sequence: every sequence used so far in flushed generations is at most this
///     48  u64  checksum: XXH64 of bytes 56..<64 + 16 n, seeded with the XXH64 of bytes 0..<48
///     56  u64  n, at most 252
///     64       n times: u32 partition, u32 records in its table, u64 bytes of its table: as the flush has left them
///              (``TableMark``); n is 0 where there are more
///
/// Valid if and only if magic, version, number and checksum hold and the half is a multiple of 4096 above 0. The valid
/// copy with the highest generation counts. Copies are written in turn (generation modulo 2), each only when the one
/// before is durable, so a torn write leaves the other: one generation older, and replaying a generation once too often
/// changes nothing.
///
/// What is said of the tables is there to find what no checksum can: a table that was cut short, and slots that have
/// become zeros, as free ones are. A table never grows shorter, and of the records that were in it then each is in it
/// still, or in a journal that is live.
struct JournalCheckpoint: Equatable {
  static let version: UInt32 = 2
  private static let magic: UInt64 = 0x4C4E_4A44_4F4E_5953
  private static let maximumMarks = 252

  var number: Int
  var halfBytes: Int
  var flushedGeneration: UInt64
  var position: UInt64
  var sequence: UInt64
  /// Of the journal's own partitions.
  var tables: [TableMark] = []

  func change() -> DeviceChange {
    var writer = ByteWriter(reserving: Page.bytes)
    writer.u64(JournalCheckpoint.magic)
    writer.u32(JournalCheckpoint.version)
    writer.u32(UInt32(number))
    writer.u64(UInt64(halfBytes))
    writer.u64(flushedGeneration)
    writer.u64(position)
    writer.u64(sequence)
    let marks = tables.count <= JournalCheckpoint.maximumMarks ? tables : []
    var body = ByteWriter(reserving: 8 + 16 * marks.count)
    body.u64(UInt64(marks.count))
    for mark in marks {
      body.u32(UInt32(mark.partition))
      body.u32(UInt32(mark.records))
      body.u64(UInt64(mark.fileBytes))
    }
    writer.u64(Checksum.xxh64(body.bytes, seed: Checksum.xxh64(writer.bytes)))
    writer.raw(body.bytes)
    writer.bytes.append(contentsOf: repeatElement(0, count: Page.bytes - writer.count))
    return .write(.journal(number), at: (flushedGeneration & 1) * UInt64(Page.bytes), writer.bytes)
  }

  /// The valid copy with the highest generation, nil if there is none.
  static func read(_ window: inout FileWindow, number: Int) throws(StorageError) -> JournalCheckpoint? {
    var best: JournalCheckpoint?
    for copy in 0..<2 {
      guard let offset = try window.load(at: copy * Page.bytes, count: Page.bytes) else { continue }
      let found = try decode(Array(window.bytes[offset..<offset + Page.bytes]), number: number)
      if let found, found.flushedGeneration >= best?.flushedGeneration ?? 0 { best = found }
    }
    return best
  }

  private static func decode(_ bytes: [UInt8], number: Int) throws(StorageError) -> JournalCheckpoint? {
    let words = bytes.withUnsafeBytes { raw in (0..<8).map { raw.u64($0 * 8) } }
    let found = UInt32(truncatingIfNeeded: words[1])
    let head = Checksum.xxh64(bytes[0..<48])
    let marks = found > 1 ? Int(truncatingIfNeeded: words[7]) : 0
    guard words[0] == magic, 0...maximumMarks ~= marks,
      words[6] == (found > 1 ? Checksum.xxh64(bytes[56..<64 + 16 * marks], seed: head) : head)
    else { return nil }
    guard found <= version else {
      throw .newerVersion(file: .journal(number), found: found, supported: version)
    }
    guard Int(words[1] >> 32) == number else {
      throw .mismatch(file: .journal(number), reason: "it was written as journal \(words[1] >> 32)")
    }
    guard words[2] > 0, words[2] % UInt64(Page.bytes) == 0, words[2] < 1 << 40 else { return nil }
    var checkpoint = JournalCheckpoint(
      number: number, halfBytes: Int(words[2]), flushedGeneration: words[3], position: words[4], sequence: words[5])
    bytes.withUnsafeBytes { raw in
      for place in 0..<marks {
        let start = 64 + 16 * place
        checkpoint.tables.append(
          TableMark(
            partition: Int(raw.u32(start)), records: Int(raw.u32(start + 4)),
            fileBytes: Int(truncatingIfNeeded: raw.u64(start + 8))))
      }
    }
    return checkpoint
  }
}
