import Base

/// Reads one file of a log: the chain of live blocks from its beginning.
struct SegmentScan {
  let file: Int
  let fileBytes: Int
  /// Of the first block; 0 where there is none.
  private(set) var sequence: UInt64 = 0
  private(set) var blocks = 0
  private(set) var firstPosition: UInt64 = 0
  private(set) var lastPosition: UInt64 = 0
  /// Where the last live block ends.
  private(set) var end = 0
  private var window: FileWindow

  init(_ device: any Device, file: Int) throws(StorageError) {
    self.file = file
    window = try FileWindow(device, .log(file))
    fileBytes = window.size
    while let block = try JournalBlock.read(&window, at: end, end: fileBytes, journal: file) {
      if blocks == 0 {
        sequence = block.generation
        firstPosition = block.position
      } else if block.generation != sequence || block.position != lastPosition + 1 {
        break
      }
      blocks += 1
      lastPosition = block.position
      end += block.paddedLength
    }
  }

  /// Looks behind the last live block, where there may be the remains of one torn write and blocks of earlier uses of
  /// the file, but none that would be live. Returns the bytes that were torn.
  mutating func checkTail(newest: UInt64, isLive: Bool) throws(StorageError) -> Int {
    var torn = 0
    var offset = end
    while offset + Page.bytes <= fileBytes {
      guard let start = try window.load(at: offset, count: Page.bytes) else { break }
      let (isMagic, isZero) = window.bytes.withUnsafeBytes { bytes in
        let page = UnsafeRawBufferPointer(rebasing: bytes[start..<start + Page.bytes])
        return (JournalBlock.hasMagic(page), page.isZero)
      }
      if isMagic, let block = try JournalBlock.read(&window, at: offset, end: fileBytes, journal: file) {
        let isBehind = isLive && block.generation == sequence && block.position > lastPosition
        guard !isBehind, block.generation <= newest else {
          throw .damaged(
            file: .log(file), offset: UInt64(end), reason: "a block is unreadable that others follow")
        }
        offset += block.paddedLength
        continue
      }
      if !isZero && sequence == newest { torn += Page.bytes }
      offset += Page.bytes
    }
    return torn
  }

  /// - Parameters:
  ///   - hard: the last hard state that was read.
  ///   - reach: the last entry that was read; at first, the last one that the snapshot covers.
  mutating func replay(
    to holder: any LogHolder, _ segment: inout LogStore.Segment, _ entries: inout Int, _ hard: inout LogHardState,
    _ reach: inout UInt64
  ) throws(StorageError) {
    var offset = 0
    let covered = reach
    while offset < end {
      guard let block = try JournalBlock.read(&window, at: offset, end: fileBytes, journal: file),
        let start = try window.load(at: offset, count: block.length)
      else { throw damaged(offset, "a block that was read before cannot be read again") }
      var reader = ByteReader(window.bytes, in: start + JournalBlock.headerBytes..<start + block.length)
      do throws(DecodeError) {
        while !reader.isAtEnd {
          switch try LogFrame(from: &reader) {
          case .hardState(let state):
            hard = state
            holder.restore(state)
          case .base(let base):
            reach = max(base.index, covered)
            holder.restore(base: base)
          case .reach(let before):
            // Without this a log whose last segment holds no entry yet would seem to hold none at all.
            guard before <= reach else { throw .malformed }
          case .entry(let position, let payload):
            segment.highestIndex = max(segment.highestIndex, position.index)
            reach = max(position.index, covered)
            entries += 1
            guard holder.restore(position, payload: window.bytes[payload]) else { throw .malformed }
          }
        }
      } catch {
        throw damaged(offset, "an entry before those of this block is missing, or a frame does not decode")
      }
      offset += block.paddedLength
    }
  }

  private func damaged(_ offset: Int, _ reason: String) -> StorageError {
    .damaged(file: .log(file), offset: UInt64(offset), reason: reason)
  }
}

/// The files of a log, each with its chain of live blocks.
struct LogTail {
  private(set) var scans: [SegmentScan] = []
  /// The segments that belong together, oldest first.
  let live: [SegmentScan]
  private(set) var tornBytes = 0

  /// - Throws: `damaged` where a block cannot be read that others follow.
  init(_ device: any Device, _ files: [Int]) throws(StorageError) {
    for file in files { scans.append(try SegmentScan(device, file: file)) }
    live = Self.liveRun(scans)
    let newest = live.last?.sequence ?? 0
    for place in scans.indices {
      let isLive = live.contains { $0.file == scans[place].file }
      tornBytes += try scans[place].checkTail(newest: newest, isLive: isLive)
    }
  }

  /// Below a sequence or blocks that are missing there is nothing that is needed (a segment that was free, and is half
  /// overwritten), or else the holder finds the gap.
  private static func liveRun(_ scans: [SegmentScan]) -> [SegmentScan] {
    var run: [SegmentScan] = []
    for scan in scans.filter({ $0.blocks > 0 }).sorted(by: { $0.sequence > $1.sequence }) {
      if let above = run.last {
        guard scan.sequence + 1 == above.sequence, scan.lastPosition + 1 == above.firstPosition else { break }
      }
      run.append(scan)
    }
    return run.reversed()
  }
}
