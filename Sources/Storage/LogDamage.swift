import Base

/// What a start found damaged of a log, and what it did about it.
package struct LogDamage: Sendable {
  package let file: FileID
  package let offset: UInt64
  /// A whole clause for a person.
  package let reason: String
  /// The last entry that is left, in a snapshot; 0: none.
  package let keptIndex: UInt64
  /// The log was begun anew, and is to be fetched from the others. Else what is damaged was not needed.
  package let isRecovering: Bool

  /// - Parameter error: is `damaged`.
  init(_ error: StorageError, kept: UInt64, isRecovering: Bool) {
    guard case .damaged(let file, let offset, let reason) = error else {
      invariantFailed("a log was begun anew that is not damaged")
    }
    self.file = file
    self.offset = offset
    self.reason = reason
    keptIndex = kept
    self.isRecovering = isRecovering
  }

  /// One line for the operator.
  package var notice: String {
    let what = "\(file.description) is damaged at byte \(offset): \(reason). "
    guard isRecovering else { return what + "The log holds all that it held: nothing is lost" }
    return what + "The log behind entry \(keptIndex) is fetched again from the others; this node has no vote until it "
      + "holds all that it had"
  }
}

/// What can be read of a log that is damaged: enough to begin another one of which no block of it can be taken for a
/// part.
private struct LogRemains {
  var sequence: UInt64 = 0
  var position: UInt64 = 0
  var hard = LogHardState()

  mutating func read(_ device: any Device, file: Int) throws(StorageError) {
    var window = try FileWindow(device, .log(file))
    var offset = 0
    while offset + Page.bytes <= window.size {
      guard let block = try JournalBlock.read(&window, at: offset, end: window.size, journal: file),
        let start = try window.load(at: offset, count: block.length)
      else {
        offset += Page.bytes
        continue
      }
      sequence = max(sequence, block.generation)
      position = max(position, block.position)
      var reader = ByteReader(window.bytes, in: start + JournalBlock.headerBytes..<start + block.length)
      if case .hardState(let state)? = try? LogFrame(from: &reader) { hard.raise(to: state) }
      offset += block.paddedLength
    }
  }
}

extension LogStore {
  /// Blocks that cannot be read any more may have had higher positions than those that can, and peers remember the
  /// highest (R12): the new log begins so far above them as no log gets between two elections, or two starts.
  private static let leap: UInt64 = 1 << 40
  /// The same for segments, of which no later read may join old ones to the new.
  private static let sequenceLeap: UInt64 = 1 << 20

  /// Begins the log anew behind the newest snapshot that is whole. In this order: it is on the disk that the node has
  /// no vote, and only then is anything else changed; a crash in between repeats it.
  ///
  /// Why that is safe (the rest of the argument stands in `RaftLog`, `Recovering`): term and vote are those of before
  /// the damage, for they stand apart, and each batch that changes them writes them there. So no leader of a term lower
  /// than one in which this node acknowledged anything can feed it, and no vote is given twice. (On an *old copy* of
  /// the folder that is damaged too they are not, and the leap of the positions hides it from the peers: damage to a
  /// copy that must not be used at all is beyond what this guards against.)
  static func beginAnew(
    _ device: any Device, _ holder: any LogHolder, _ options: LogOptions, _ votes: VoteFile,
    _ snapshots: [SnapshotFile.Header], _ files: [Int], _ damage: StorageError
  ) throws(StorageError) -> LogRecovery {
    var state = LogRecovery.State(votes: votes)
    var remains = LogRemains()
    for file in files {
      try remains.read(device, file: file)
      state.capacity[file] = try FileWindow(device, .log(file)).size
    }
    let (kept, lost) = try restoreSnapshot(of: snapshots, device, holder)
    if let kept { state.snapshotCopy = kept.copy }
    let base = kept?.position ?? .zero
    var hard = LogHardState(term: base.term, commit: base.index)
    if Guard.voteIsKeptApart.isIn {
      hard.raise(to: votes.last.hard)
      hard.raise(to: remains.hard)
    }
    hard.isRecovering = true
    state.position = max(remains.position, votes.last.position) + leap
    try state.votes.bringUpToDate(hard, position: state.position, on: device)

    let file = files.last ?? 0
    let sequence = remains.sequence + sequenceLeap
    state.position += 1
    let block = firstBlock(hard, base, file: file, sequence: sequence, position: state.position)
    var changes = lost.map { SnapshotFile.erasure(of: $0) }
    changes.append(.preallocate(.log(file), bytes: UInt64(options.segmentBytes)))
    changes.append(.write(.log(file), at: 0, block))
    try perform(changes, on: device)
    state.segments = [Segment(sequence: sequence, file: file)]
    state.used = block.count
    state.reach = base.index
    state.capacity[file] = max(state.capacity[file] ?? 0, options.segmentBytes)
    state.free = files.filter { $0 != file }
    holder.restore(hard)
    holder.restore(base: base)
    guard holder.endRestore() else { throw damage }
    try makeSegments(device, &state, options)
    var recovery = LogRecovery(
      store: LogStore(state, holder: holder, options: options), entries: 0, tornBytes: 0)
    recovery.damage = LogDamage(damage, kept: base.index, isRecovering: true)
    return recovery
  }

  /// The newest one that is whole, and the copies that are not.
  private static func restoreSnapshot(
    of snapshots: [SnapshotFile.Header], _ device: any Device, _ holder: any LogHolder
  ) throws(StorageError) -> (kept: SnapshotFile.Header?, lost: [Int]) {
    var lost: [Int] = []
    for snapshot in snapshots {
      holder.beginRestore()
      do throws(StorageError) {
        var window = try FileWindow(device, .snapshot(snapshot.copy))
        try SnapshotFile.restore(snapshot, &window, to: holder)
        return (snapshot, lost)
      } catch {
        guard error.isDamage else { throw error }
        lost.append(snapshot.copy)
      }
    }
    holder.beginRestore()
    return (nil, lost)
  }

  private static func firstBlock(
    _ hard: LogHardState, _ base: LogPosition, file: Int, sequence: UInt64, position: UInt64
  ) -> [UInt8] {
    var writer = ByteWriter(reserving: Page.bytes)
    writer.bytes.append(contentsOf: repeatElement(0, count: JournalBlock.headerBytes))
    LogFrame.append(hard, to: &writer)
    LogFrame.append(base: base, to: &writer)
    let length = writer.count
    writer.bytes.append(contentsOf: repeatElement(0, count: Page.padded(length) - length))
    JournalBlock.seal(
      &writer.bytes, start: 0, length: length, journal: file, generation: sequence, position: position,
      batchPosition: position, frames: 2)
    return writer.bytes
  }
}
