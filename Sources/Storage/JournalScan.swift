import Base

/// What recovery finds in a journal file: its live blocks, and where they end.
struct JournalScan {
  let number: Int
  /// Nil where the file does not exist, or its making was cut short: nothing was ever acknowledged from it.
  private(set) var checkpoint: JournalCheckpoint?
  /// In the order in which they were written.
  private(set) var blocks: [JournalBlock] = []
  /// The position of the last live block, or the checkpoint's.
  private(set) var position: UInt64 = 0
  /// No block of a higher generation was found, live or not.
  private(set) var highestGeneration: UInt64 = 0
  /// Bytes of blocks that were being written at a crash and are dropped. A lower bound: of a block whose header is torn
  /// too nobody can tell the length.
  private(set) var tornBytes = 0
  /// The checkpoint is the last that was written: what was flushed since, if anything, is live here.
  private(set) var isCheckpointLast = true

  private var window: FileWindow

  init(_ device: any Device, number: Int) throws(StorageError) {
    self.number = number
    window = try FileWindow(device, .journal(number))
    guard window.size > 0 else { return }
    guard let checkpoint = try JournalCheckpoint.read(&window, number: number) else {
      try checkNeverUsed()
      return
    }
    self.checkpoint = checkpoint
    position = checkpoint.position
    highestGeneration = checkpoint.flushedGeneration
    try findLive(checkpoint)
  }

  /// Calls `body` with each record of the live blocks, oldest first.
  mutating func forEachRecord(
    _ body: (_ frame: RecordFrame, _ bytes: [UInt8]) throws(StorageError) -> Void
  ) throws(StorageError) {
    for block in blocks {
      guard let start = try window.load(at: block.offset, count: block.length) else {
        throw damaged(block.offset, "the file became shorter while it was read")
      }
      let end = start + block.length
      var offset = start + JournalBlock.headerBytes
      for _ in 0..<block.frames {
        guard let frame = RecordFrame.decode(window.bytes, at: offset, end: end) else {
          throw damaged(block.offset + offset - start, "a record in a sound block is not valid")
        }
        try body(frame, window.bytes)
        offset += frame.length
      }
      guard offset == end else { throw damaged(block.offset, "a block holds more than its records") }
    }
  }

  /// Without a checkpoint the file is new if no block was ever written to it. (Checkpoints come into being with the
  /// file, before any block.)
  private mutating func checkNeverUsed() throws(StorageError) {
    var offset = Journal.prefixBytes
    while offset < window.size {
      if try JournalBlock.read(&window, at: offset, end: window.size, journal: number) != nil {
        throw damaged(0, "both copies of its checkpoint are unreadable, and it holds blocks")
      }
      offset += Page.bytes
    }
  }

  private mutating func findLive(_ checkpoint: JournalCheckpoint) throws(StorageError) {
    let halfBytes = checkpoint.halfBytes
    var halves: [[JournalBlock]] = []
    for half in 0..<2 {
      halves.append(try validBlocks(half: half, halfBytes: halfBytes, above: checkpoint.flushedGeneration))
    }
    for half in 0..<2 {
      for block in halves[half] { highestGeneration = max(highestGeneration, block.generation) }
    }
    // Generation g is begun only after g - 2 was flushed, also where the checkpoint that said so is unreadable.
    var flushed = checkpoint.flushedGeneration
    var expected: UInt64? = checkpoint.position + 1
    if highestGeneration > flushed + 2 {
      flushed = highestGeneration - 2
      isCheckpointLast = false
      expected = nil
    }
    let elder = flushed + 1
    let younger = flushed + 2
    for generation in elder...younger {
      let half = Int(generation & 1)
      let found = halves[half].filter { $0.generation == generation }
      let isLast = generation == younger || halves[1 - half].allSatisfy { $0.generation != younger }
      expected = try appendRun(
        found, from: Journal.start(ofHalf: half, halfBytes: halfBytes), expected: expected, isLast: isLast)
    }
  }

  /// Takes the consecutive blocks from the start of a half; returns the position that must come next.
  ///
  /// What follows a gap was never acknowledged only if it belongs to the batch in which the gap is, the last one of
  /// all: then its batch began at or before the gap. Anything else was acknowledged, and so was what the gap held.
  private mutating func appendRun(
    _ found: [JournalBlock], from start: Int, expected first: UInt64?, isLast: Bool
  ) throws(StorageError) -> UInt64? {
    var offset = start
    var expected = first
    var rest = found[...]
    while let block = rest.first, block.offset == offset, expected == nil || block.position == expected {
      blocks.append(block)
      position = max(position, block.position)
      offset += block.paddedLength
      expected = block.position + 1
      rest = rest.dropFirst()
    }
    for block in rest {
      guard isLast, let expected, block.batchPosition <= expected, block.position > expected else {
        throw damaged(offset, "a block is missing or unreadable that a later one, at byte \(block.offset), follows")
      }
      tornBytes += block.paddedLength
    }
    if isLast, let torn = try headerOfTornBlock(at: offset, position: expected) { tornBytes += torn }
    return expected
  }

  /// The padded length of the block that was being written at `offset`, if its header got there.
  private mutating func headerOfTornBlock(at offset: Int, position: UInt64?) throws(StorageError) -> Int? {
    guard let position, let header = try window.load(at: offset, count: JournalBlock.headerBytes) else { return nil }
    return window.bytes.withUnsafeBytes { bytes -> Int? in
      bytes.u64(header + 24) == position ? Page.padded(Int(bytes.u32(header + 4))) : nil
    }
  }

  /// All valid blocks of a half with a generation above `flushed`, whether or not they belong to a run.
  private mutating func validBlocks(half: Int, halfBytes: Int, above flushed: UInt64) throws(StorageError)
    -> [JournalBlock]
  {
    var found: [JournalBlock] = []
    var offset = Journal.start(ofHalf: half, halfBytes: halfBytes)
    let end = min(offset + halfBytes, window.size)
    while offset < end {
      let block = try JournalBlock.read(&window, at: offset, end: end, journal: number)
      guard let block, block.generation > flushed else {
        // Page by page through stale blocks too: the next live one may begin inside of what was one.
        offset += Page.bytes
        continue
      }
      guard block.generation & 1 == UInt64(half) else {
        throw damaged(offset, "a block of generation \(block.generation) stands in the wrong half")
      }
      found.append(block)
      offset += block.paddedLength
    }
    return found
  }

  private func damaged(_ offset: Int, _ reason: String) -> StorageError {
    .damaged(file: .journal(number), offset: UInt64(offset), reason: reason)
  }
}
