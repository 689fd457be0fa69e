import Base

/// Makes a replication log durable: segments that clients wait for, snapshots that nobody waits for.
///
///     log.NN   blocks (``JournalBlock``), from byte 0, each padded to a multiple of 4096 bytes. Its generation is the
///              sequence of the segment, its journal number that of the file. Frames: ``LogFrame``.
///
/// Segments are preallocated files that are used again under a higher sequence when a snapshot covers all their
/// entries. A block is live if and only if it is valid, has its segment's sequence, and those before it in the file are
/// live with consecutive positions; segments follow each other with consecutive sequences and positions. One batch is
/// in flight at a time, and it is one block, so a torn write is the last of its log and touches nothing that was
/// acknowledged. Term and vote are written a second time, apart from the log (``VoteFile``), with each batch that
/// changes them.
///
/// It does no IO: it hands out batches for the ``Device`` and is told their completions. Made by
/// ``recover(device:holder:options:)``.
package final class LogStore: ReplicaStore {
  struct Segment {
    let sequence: UInt64
    let file: Int
    /// The highest index of any entry that was ever written to it.
    var highestIndex: UInt64 = 0
  }

  package private(set) var openTicket: UInt64 = 1
  package private(set) var durableTicket: UInt64 = 0
  package private(set) var position: UInt64
  package private(set) var isStalled = false
  package private(set) var failure: DeviceError?

  private let holder: any LogHolder
  private let options: LogOptions
  /// The position of the last block that was handed out.
  private var lastPosition: UInt64
  /// Oldest first; the last one is being written. Empty before the first block of a new folder.
  private var segments: [Segment]
  /// Bytes of the last segment that hold blocks.
  private var used: Int
  /// Of each file that exists.
  private var capacity: [Int: Int]
  /// Files that no live segment is in.
  private var free: [Int]
  private var isDirty = false
  private var room = BatchRoom()

  private struct Flight {
    let token: UInt64
    /// The ticket that is durable with this batch, 0 for none.
    let ticket: UInt64
    let position: UInt64
  }
  private var flight: Flight?
  private var journalToken: UInt64 = 0

  private enum Background {
    case idle
    case preallocating(file: Int)
    case writing(SnapshotWriter)
    /// All pieces are durable; the header that makes them a snapshot is in flight.
    case finishing(SnapshotWriter)
  }
  private var background = Background.idle
  /// The snapshot that is being written, between its batches.
  private var writer: SnapshotWriter?
  private var backgroundToken: UInt64 = RecordStore.tokenBit
  /// The copy that holds the last durable snapshot.
  private var snapshotCopy: Int
  private var votes: VoteFile
  /// The last entry in the blocks so far, or that a snapshot covers.
  private var reach: UInt64

  init(_ state: LogRecovery.State, holder: any LogHolder, options: LogOptions) {
    self.holder = holder
    self.options = options
    position = state.position
    lastPosition = state.position
    segments = state.segments
    used = state.used
    capacity = state.capacity
    free = state.free
    snapshotCopy = state.snapshotCopy
    votes = state.votes
    reach = state.reach
  }

  // MARK: - The log

  package func markDirty(partition: Int, index: UInt32) { isDirty = true }

  package func sealIfPossible() -> DeviceBatch? {
    guard failure == nil, flight == nil, !isStalled, isDirty else { return nil }
    var writer = room.take()
    writer.bytes.append(contentsOf: repeatElement(0, count: JournalBlock.headerBytes))
    let hard = holder.hardState
    LogFrame.append(hard, to: &writer)
    LogFrame.append(reach: reach, to: &writer)
    var frames = 2
    if let base = holder.unsavedBase {
      LogFrame.append(base: base, to: &writer)
      frames += 1
    }
    var taken: UInt64 = 0
    var isComplete = true
    if let unsaved = holder.unsaved {
      for index in unsaved {
        if writer.count >= options.batchBytes {
          isComplete = false
          break
        }
        let before = writer.count
        LogFrame.append(entry: index, of: holder, to: &writer)
        // A batch must fit into a segment, whatever the last entry's size.
        if taken > 0, Page.padded(writer.count) > options.segmentBytes {
          writer.bytes.removeLast(writer.count - before)
          isComplete = false
          break
        }
        frames += 1
        taken = index
      }
    }
    let length = writer.count
    writer.bytes.append(contentsOf: repeatElement(0, count: Page.padded(length) - length))
    guard hasRoom(writer.count) else { return nil }
    let last = segments.count - 1
    JournalBlock.seal(
      &writer.bytes, start: 0, length: length, journal: segments[last].file, generation: segments[last].sequence,
      position: lastPosition + 1, batchPosition: lastPosition + 1, frames: frames)
    segments[last].highestIndex = max(segments[last].highestIndex, taken)
    if taken > 0 { reach = taken } else if let base = holder.unsavedBase { reach = base.index }
    holder.saved(through: taken)
    room.keep(writer.bytes)
    lastPosition += 1
    journalToken += 1
    flight = Flight(token: journalToken, ticket: isComplete ? openTicket : 0, position: lastPosition)
    if isComplete { openTicket += 1 }
    isDirty = !isComplete
    let offset = UInt64(used)
    used += writer.count
    var changes = [DeviceChange.write(.log(segments[last].file), at: offset, writer.bytes)]
    if votes.isNews(hard) { changes += votes.nextChanges(hard, position: lastPosition) }
    return DeviceBatch(lane: .journal, token: journalToken, changes: changes)
  }

  /// Makes sure that the last segment has room for `bytes`, in a new one if need be; false where none is ready.
  private func hasRoom(_ bytes: Int) -> Bool {
    if let last = segments.last, used + bytes <= capacity[last.file] ?? 0 { return true }
    guard let file = free.popLast() else {
      isStalled = true
      return false
    }
    invariant(bytes <= capacity[file] ?? 0, "a batch is larger than a log segment")
    segments.append(Segment(sequence: (segments.last?.sequence ?? 0) + 1, file: file))
    used = 0
    return true
  }

  // MARK: - In the background

  package func nextFlushBatch() -> DeviceBatch? {
    guard failure == nil, case .idle = background else { return nil }
    if free.isEmpty {
      // One segment ahead, so that nobody waits for its blocks to be made.
      let file = (capacity.keys.max() ?? -1) + 1
      background = .preallocating(file: file)
      return batch([.preallocate(.log(file), bytes: UInt64(options.segmentBytes))])
    }
    if let finished = writer, finished.isWhole {
      background = .finishing(finished)
      writer = nil
      return batch(finished.headerChanges())
    }
    guard let piece = holder.nextSnapshotPiece(maximumBytes: options.pieceBytes) else { return nil }
    var next = writer ?? SnapshotWriter(piece, copy: 1 - snapshotCopy)
    // Another image than the last piece's: that snapshot was given up.
    if next.image != piece.image { next = SnapshotWriter(piece, copy: 1 - snapshotCopy) }
    let changes = next.changes(adding: piece)
    background = .writing(next)
    return batch(changes)
  }

  private func batch(_ changes: [DeviceChange]) -> DeviceBatch {
    backgroundToken += 1
    return DeviceBatch(lane: .background, token: backgroundToken, changes: changes)
  }

  // MARK: - Completions

  @discardableResult
  package func completed(_ completion: DeviceCompletion) -> Bool {
    switch completion.lane {
    case .journal:
      guard let flight, flight.token == completion.token else { return false }
      if fails(completion) { return true }
      self.flight = nil
      position = flight.position
      if flight.ticket > 0 { durableTicket = flight.ticket }
    case .background:
      guard completion.token == backgroundToken else { return false }
      if fails(completion) { return true }
      backgroundCompleted()
    }
    return true
  }

  private func backgroundCompleted() {
    let done = background
    background = .idle
    switch done {
    case .idle: break
    case .preallocating(let file):
      capacity[file] = options.segmentBytes
      free.append(file)
      isStalled = false
    case .writing(let snapshot): writer = snapshot
    case .finishing(let snapshot):
      snapshotCopy = snapshot.copy
      release(upTo: snapshot.position.index)
      holder.snapshotIsDurable(image: snapshot.image, snapshot.position, bytes: UInt64(snapshot.fileBytes))
    }
  }

  /// Segments of which the snapshot covers every entry are free. Not the last one, which also holds the hard state.
  private func release(upTo index: UInt64) {
    while segments.count > 1, segments[0].highestIndex <= index {
      free.append(segments.removeFirst().file)
      isStalled = false
    }
  }

  /// A log has no tables.
  package func rewrite(_ finding: ScrubFinding) -> ScrubOutcome { .gone }

  /// A store that has seen a failure never goes on: nobody knows what reached the disk.
  private func fails(_ completion: DeviceCompletion) -> Bool {
    if let error = completion.failure, failure == nil { failure = error }
    return failure != nil
  }
}
