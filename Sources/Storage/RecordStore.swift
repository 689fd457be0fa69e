import Base

/// Makes the records of one event-loop thread durable: a journal that clients wait for, tables that nobody waits for.
///
/// It does no IO: it hands out batches for the ``Device`` and is told their completions. After a failure it hands out
/// none for ever. The stores of a node are made by ``recover(device:shards:holders:options:)``.
package final class RecordStore {
  /// Background tokens of the store have this bit; an owner that submits batches of its own in that lane leaves it
  /// clear.
  package static let tokenBit: UInt64 = 1 << 63

  private static let dirty: UInt8 = 1 << 2
  private static let inFlush: UInt8 = 1 << 3

  package let shard: Int
  /// The ticket of the batch being gathered. What is marked now is durable when ``durableTicket`` has reached this
  /// number.
  package private(set) var openTicket: UInt64 = 1
  package private(set) var durableTicket: UInt64 = 0
  /// The number of the last durable block of this journal (R12). Never falls, also over restarts; nor does the sum over
  /// a node's stores when their number changes.
  package private(set) var position: UInt64
  /// Both halves of the ring are in use: nothing can be sealed until the flush ends. The owner refuses new work
  /// meanwhile.
  package private(set) var isStalled = false
  package private(set) var failure: DeviceError?

  private let options: StorageOptions
  private let holders: [any RecordHolder]
  private let flush: TableFlush
  private var journal: Journal
  private var sequence: UInt64

  /// By partition and record: bits 0 and 1: listed as changed in that half; bit 2: in the open batch; bit 3: in the
  /// flush that is under way.
  private var flags: [ContiguousArray<UInt8>]
  /// By half and partition: the records that changed in it, each once.
  private var changed: [[ContiguousArray<UInt32>]]
  /// The open batch, oldest first; partition in the high half.
  private var open: ContiguousArray<UInt64> = []
  /// How many at the front of `open` belong to an earlier ticket, whose batch was too large for one write; and that
  /// ticket.
  private var owed: (count: Int, ticket: UInt64) = (0, 0)
  private var room = BatchRoom()

  private struct JournalFlight {
    let token: UInt64
    /// The ticket that is durable with this batch, 0 for none.
    let ticket: UInt64
    let position: UInt64
  }
  private var journalFlight: JournalFlight?
  private var journalToken: UInt64 = 0

  private enum Flushing {
    case idle
    case betweenBatches
    case writing
    /// All records are in their slots; the checkpoint that frees the half is in flight.
    case checkpointing
  }
  private var flushing = Flushing.idle
  /// The records that the flush under way has taken, partition in the high half.
  private var inFlush: ContiguousArray<UInt64> = []
  private var backgroundToken: UInt64 = RecordStore.tokenBit
  /// Headers and free slots that are to be written again as they should be; and whether that is in flight.
  private var mending: [DeviceChange] = []
  private var isMending = false

  init(
    shard: Int, checkpoint: JournalCheckpoint, sequence: UInt64, holders: [any RecordHolder], tables: [PartitionTable?],
    options: StorageOptions
  ) {
    self.shard = shard
    self.options = options
    self.holders = holders
    self.sequence = sequence
    journal = Journal(after: checkpoint)
    position = checkpoint.position
    flush = TableFlush(holders: holders, tables: tables)
    flags = []
    for table in tables { flags.append(ContiguousArray(repeating: 0, count: table?.locations.count ?? 0)) }
    let none = [ContiguousArray<UInt32>](repeating: [], count: holders.count)
    changed = [none, none]
  }

  // MARK: Journal

  /// The record changed: the open batch will hold its state as it is when the batch is sealed.
  package func markDirty(partition: Int, index: UInt32) {
    let index = Int(index)
    if index >= flags[partition].count {
      flags[partition].append(contentsOf: repeatElement(0, count: index + 1 - flags[partition].count))
    }
    if flags[partition][index] & RecordStore.dirty != 0 { return }
    flags[partition][index] |= RecordStore.dirty
    open.append(UInt64(partition) << 32 | UInt64(index))
  }

  package var hasOpenRecords: Bool { !open.isEmpty }

  /// The batch for the journal lane, nil if one is in flight, nothing is open, or the ring is full.
  ///
  /// While one batch syncs, the next gathers.
  package func sealIfPossible() -> DeviceBatch? {
    guard failure == nil, journalFlight == nil, !isStalled, !open.isEmpty else { return nil }
    let limit =
      journal.isOtherHalfFree
      ? min(max(options.batchBytes, options.maximumBlockBytes), journal.halfBytes)
      : min(options.batchBytes, journal.room)
    var writer = room.take(limit: limit)
    let (blocks, taken) = encodeBlocks(&writer, limit: limit)
    guard taken > 0 else {
      invariant(!journal.isOtherHalfFree, "a record is larger than what the storage options allow")
      isStalled = true
      return nil
    }
    if writer.count > journal.room { turn() }
    list(taken)
    let first = journal.position + 1
    for (place, block) in blocks.enumerated() {
      JournalBlock.seal(
        &writer.bytes, start: block.start, length: block.length, journal: journal.number,
        generation: journal.generation, position: first + UInt64(place), batchPosition: first, frames: block.frames)
    }
    room.keep(writer.bytes)
    let offset = journal.take(bytes: writer.count, blocks: blocks.count)
    journalToken += 1
    journalFlight = JournalFlight(token: journalToken, ticket: ticketOf(taken), position: journal.position)
    return DeviceBatch(
      lane: .journal, token: journalToken, changes: [.write(.journal(journal.number), at: offset, writer.bytes)])
  }

  /// Encodes open records, from the oldest, as long as the padded blocks take at most `limit` bytes.
  private func encodeBlocks(_ writer: inout ByteWriter, limit: Int)
    -> (blocks: [(start: Int, length: Int, frames: Int)], taken: Int)
  {
    var blocks: [(start: Int, length: Int, frames: Int)] = []
    var start = 0
    var frames = 0
    var taken = 0
    let header = (UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0))
    while taken < open.count {
      if frames == 0 {
        start = writer.count
        withUnsafeBytes(of: header) { writer.bytes.append(contentsOf: $0) }
      }
      let before = writer.count
      let partition = Int(open[taken] >> 32)
      sequence += 1
      RecordFrame.append(
        UInt32(truncatingIfNeeded: open[taken]), of: holders[partition], partition: partition, sequence: sequence,
        to: &writer)
      if Page.padded(writer.count) > limit {
        writer.bytes.removeLast(writer.count - (frames == 0 ? start : before))
        break
      }
      taken += 1
      frames += 1
      if writer.count - start >= options.blockBytes {
        blocks.append((start, writer.count - start, frames))
        pad(&writer)
        frames = 0
      }
    }
    if frames > 0 {
      blocks.append((start, writer.count - start, frames))
      pad(&writer)
    }
    return (blocks, taken)
  }

  private func pad(_ writer: inout ByteWriter) {
    writer.bytes.append(contentsOf: repeatElement(0, count: Page.padded(writer.count) - writer.count))
  }

  /// Goes on in the other half; the full one is to be flushed.
  private func turn() {
    let full = journal.half
    journal.turn()
    flush.begin(&changed[full])
    flushing = .betweenBatches
  }

  /// Notes the first `count` open records as changed in the present half.
  private func list(_ count: Int) {
    let half = journal.half
    let bit = UInt8(1) << UInt8(half)
    for place in 0..<count {
      let partition = Int(open[place] >> 32)
      let index = Int(open[place] & 0xFFFF_FFFF)
      let before = flags[partition][index]
      flags[partition][index] = (before & ~RecordStore.dirty) | bit
      if before & bit == 0 { changed[half][partition].append(UInt32(index)) }
    }
  }

  /// Takes the first `count` records out of the open batch; returns the ticket that is durable with them, 0 for none.
  ///
  /// A batch too large for one write is owed: later marks get a later ticket, and the owed one is durable with the last
  /// of its records. A mark of a record that is still owed needs nothing more, since it will be encoded after the mark.
  private func ticketOf(_ count: Int) -> UInt64 {
    if count == open.count {
      open.removeAll(keepingCapacity: true)
      owed = (0, 0)
      openTicket += 1
      return openTicket - 1
    }
    open.removeFirst(count)
    let covered = owed.count > 0 && count >= owed.count ? owed.ticket : 0
    if owed.count > count {
      owed.count -= count
    } else {
      owed = (open.count, openTicket)
      openTicket += 1
    }
    return covered
  }

  // MARK: Flush

  /// The next batch for the background lane, nil if there is nothing to flush or one is in flight.
  package func nextFlushBatch() -> DeviceBatch? {
    guard failure == nil, !isMending else { return nil }
    if !mending.isEmpty, flushing == .idle || flushing == .betweenBatches {
      isMending = true
      backgroundToken += 1
      let changes = mending
      mending = []
      return DeviceBatch(lane: .background, token: backgroundToken, changes: changes)
    }
    guard flushing == .betweenBatches else { return nil }
    let bit = UInt8(1) << UInt8(1 - journal.half)
    backgroundToken += 1
    var next = sequence
    let changes = flush.nextChanges(bytes: options.flushBytes, sequence: &next) { partition, index in
      flags[partition][index] = flags[partition][index] & ~bit | RecordStore.inFlush
      inFlush.append(UInt64(partition) << 32 | UInt64(index))
    }
    sequence = next
    if let changes {
      flushing = .writing
      return DeviceBatch(lane: .background, token: backgroundToken, changes: changes)
    }
    flushing = .checkpointing
    let checkpoint = journal.checkpoint(sequence: sequence, flush.marks)
    return DeviceBatch(lane: .background, token: backgroundToken, changes: [checkpoint.change()])
  }

  // MARK: Completions

  /// Takes note of a completion; false if it is not of a batch of this store.
  @discardableResult
  package func completed(_ completion: DeviceCompletion) -> Bool {
    switch completion.lane {
    case .journal:
      guard let flight = journalFlight, flight.token == completion.token else { return false }
      if fails(completion) { return true }
      journalFlight = nil
      position = flight.position
      if flight.ticket > 0 { durableTicket = flight.ticket }
    case .background:
      guard completion.token == backgroundToken, isMending || flushing == .writing || flushing == .checkpointing
      else { return false }
      if fails(completion) { return true }
      if isMending {
        isMending = false
        return true
      }
      if flushing == .writing {
        flush.completed()
        flushing = .betweenBatches
      } else {
        journal.flushed()
        for entry in inFlush { flags[Int(entry >> 32)][Int(entry & 0xFFFF_FFFF)] &= ~RecordStore.inFlush }
        inFlush.removeAll(keepingCapacity: true)
        releaseErased()
        flushing = .idle
        isStalled = false
      }
    }
    return true
  }

  /// The tables hold nothing any more of what was erased. Where no other half of the journal, nor the open batch, has
  /// to do with it either, its number is free: a later flush would look for it under that.
  private func releaseErased() {
    for entry in flush.erased {
      let partition = Int(entry >> 32)
      let index = Int(entry & 0xFFFF_FFFF)
      if flags[partition][index] == 0 { holders[partition].release(UInt32(index)) }
    }
  }

  // MARK: Scrubbing

  /// A scrub could not read this place. What should stand there is known, and is written again: a record by way of the
  /// journal, so that it is safe at once.
  package func rewrite(_ finding: ScrubFinding) -> ScrubOutcome {
    guard case .table(let partition) = finding.file, failure == nil, let table = flush.table(partition),
      flushing == .idle || flushing == .betweenBatches
    else { return .gone }
    switch table.place(at: Int(finding.offset)) {
    case .nothing: return .gone
    case .record(let index):
      if holders[partition].isDamaged(UInt32(index)) { return .abstaining }
      if holders[partition].isDropped(UInt32(index)) { return .dropped(partition: partition, record: UInt32(index)) }
      // Where the journal holds it, its slot is written soon anyway.
      let isInJournal = index < flags[partition].count && flags[partition][index] != 0
      if !isInJournal { markDirty(partition: partition, index: UInt32(index)) }
    case .free(let slotBytes):
      mending.append(.write(finding.file, at: finding.offset, [UInt8](repeating: 0, count: slotBytes)))
    case .extentHeader(let change): mending.append(change)
    case .fileHeader: mending.append(PartitionTable.headerChange(partition: partition, partitions: holders.count))
    }
    return .rewritten
  }

  // MARK: Reading again

  package func isSettled(partition: Int, index: UInt32) -> Bool {
    let index = Int(index)
    return (index >= flags[partition].count || flags[partition][index] == 0)
      && flush.slot(partition: partition, index: index) != nil
  }

  package func read(partition: Int, index: UInt32) -> DeviceRead? {
    guard let slot = flush.slot(partition: partition, index: Int(index)) else { return nil }
    return DeviceRead(
      file: .table(partition), offset: slot.offset, count: slot.bytes,
      token: UInt64(partition) << 32 | UInt64(index))
  }

  package func record(in bytes: [UInt8], partition: Int) -> (key: ArraySlice<UInt8>, payload: ArraySlice<UInt8>)? {
    guard let frame = RecordFrame.decode(bytes, at: 0, end: bytes.count), frame.partition == partition else {
      return nil
    }
    return (bytes[frame.key], bytes[frame.payload])
  }

  /// A store that has seen a failure never goes on: nobody knows what reached the disk.
  private func fails(_ completion: DeviceCompletion) -> Bool {
    if let error = completion.failure, failure == nil { failure = error }
    return failure != nil
  }
}
