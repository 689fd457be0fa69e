import Base

/// Term and vote of a replication log (Raft, figure 2), kept apart from the log: what a node has voted must outlive its
/// log, and damage in that, for a vote that is forgotten may be given twice. Two files, `vote.0` and `vote.1`, that say
/// the same; each has two pages of 4096 bytes that are written in turn.
///
///     0   u64  magic "SYNODVOT"
///     8   u32  format version, 1
///     12  u32  bit 0: the log was damaged, and the node has no vote until it has got it back
///     16  u64  generation, from 1; generation g stands in page g modulo 2
///     24  u64  term
///     32  u64  the node that has the vote in that term; 0: nobody
///     40  u64  position of the block of the log that was written with it
///     48  u64  checksum: XXH64 of bytes 0..<48
///     56       zeros
///
/// Valid if and only if magic, checksum and version hold, and the generation is one of its page. The valid page with
/// the highest generation counts. A write that is torn, in both files, leaves the page before it; nothing that rests on
/// it had left the node. Where a page is unreadable in both files for another reason, a vote may be lost: then a log
/// that is damaged too cannot be begun anew.
struct VoteFile {
  struct Record: Equatable {
    var generation: UInt64 = 0
    var hard = LogHardState()
    var position: UInt64 = 0
  }

  private static let magic: UInt64 = 0x544F_5644_4F4E_5953
  private static let version: UInt32 = 1

  /// The last one that was written, or found; generation 0: there is none.
  private(set) var last = Record()
  /// Not all pages read as they should.
  private(set) var isWorn = false
  /// The newest page may be lost in both files.
  private(set) var isInDoubt = false

  init() {}

  init(from device: any Device) throws(StorageError) {
    var pages: [(record: Record?, isZero: Bool)] = []
    for copy in 0..<2 {
      var window = try FileWindow(device, .vote(copy))
      for page in 0..<2 { pages.append(try Self.read(&window, page: page, copy: copy)) }
    }
    for page in pages {
      if let record = page.record, record.generation > last.generation { last = record }
    }
    guard last.generation > 0 else {
      isInDoubt = pages.contains { !$0.isZero }
      isWorn = isInDoubt
      return
    }
    for page in 0..<2 {
      let copies = [pages[page], pages[2 + page]]
      // Before the second generation the other page has never been written.
      let isWritten = last.generation > 1 || page == 1
      let newest = copies.compactMap { $0.record?.generation }.max()
      isInDoubt = isInDoubt || newest == nil && copies.allSatisfy { isWritten || !$0.isZero }
      isWorn = isWorn || isWritten && copies.contains { $0.record == nil || $0.record?.generation != newest }
    }
  }

  /// A page that is not there reads as zeros.
  private static func read(
    _ window: inout FileWindow, page: Int, copy: Int
  ) throws(StorageError) -> (record: Record?, isZero: Bool) {
    guard let start = try window.load(at: page * Page.bytes, count: Page.bytes) else {
      return (nil, window.size <= page * Page.bytes)
    }
    let (words, isZero) = window.bytes.withUnsafeBytes { bytes in
      let page = UnsafeRawBufferPointer(rebasing: bytes[start..<start + Page.bytes])
      return ((0..<7).map { page.u64($0 * 8) }, page.isZero)
    }
    guard words[0] == magic, Checksum.xxh64(window.bytes[start..<start + 48]) == words[6] else { return (nil, isZero) }
    let found = UInt32(truncatingIfNeeded: words[1])
    guard found <= version else { throw .newerVersion(file: .vote(copy), found: found, supported: version) }
    guard words[2] > 0, words[2] & 1 == UInt64(page), words[4] <= UInt64(UInt16.max) else { return (nil, false) }
    let hard = LogHardState(term: words[3], vote: UInt16(words[4]), isRecovering: (words[1] >> 32) & 1 == 1)
    return (Record(generation: words[2], hard: hard, position: words[5]), false)
  }

  /// Whether this says something else than was written last.
  func isNews(_ hard: LogHardState) -> Bool {
    last.hard.term != hard.term || last.hard.vote != hard.vote || last.hard.isRecovering != hard.isRecovering
  }

  /// The next generation, to both files: of one batch, before which the one before it is durable.
  mutating func nextChanges(_ hard: LogHardState, position: UInt64) -> [DeviceChange] {
    last = Record(generation: last.generation + 1, hard: hard, position: position)
    last.hard.commit = 0
    var writer = ByteWriter(reserving: Page.bytes)
    writer.u64(Self.magic)
    writer.u32(Self.version)
    writer.u32(hard.isRecovering ? 1 : 0)
    writer.u64(last.generation)
    writer.u64(hard.term)
    writer.u64(UInt64(hard.vote))
    writer.u64(position)
    writer.u64(Checksum.xxh64(writer.bytes))
    writer.bytes.append(contentsOf: repeatElement(0, count: Page.bytes - writer.count))
    let offset = (last.generation & 1) * UInt64(Page.bytes)
    return [.write(.vote(0), at: offset, writer.bytes), .write(.vote(1), at: offset, writer.bytes)]
  }

  /// At the start: writes `hard` where the files do not say it yet, or not in all their pages.
  mutating func bringUpToDate(
    _ hard: LogHardState, position: UInt64, on device: any Device
  ) throws(StorageError) {
    guard isWorn || isNews(hard) || last.position < position else { return }
    for _ in 0..<(isWorn ? 2 : 1) { try perform(nextChanges(hard, position: position), on: device) }
    isWorn = false
  }
}
