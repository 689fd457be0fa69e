package import Base

/// What a start found of a log, and the store to go on with.
package struct LogRecovery {
  package let store: LogStore
  /// Entries behind the snapshot.
  package let entries: Int
  /// At least so many bytes were being written at a crash, were never acknowledged, and are dropped.
  package let tornBytes: Int
  /// What was damaged; nil: nothing.
  package var damage: LogDamage?

  /// What the store begins with.
  struct State {
    var position: UInt64 = 0
    var segments: [LogStore.Segment] = []
    var used = 0
    var capacity: [Int: Int] = [:]
    var free: [Int] = []
    var snapshotCopy = 1
    var reach: UInt64 = 0
    var votes: VoteFile
  }
}

extension LogStore {
  /// Reads the newest snapshot and the log behind it into `holder`, and the term and the vote that stand apart from
  /// both.
  ///
  /// A torn tail is dropped. Where anything else cannot be read the log is damaged. Is nothing missing without the
  /// snapshot that is (an older one, or none, and the log behind it), that is all. Else the log is begun anew, behind
  /// the newest snapshot that is whole, and the holder is told that it has no vote until it has got back what it had
  /// (``LogHardState/isRecovering``).
  ///
  /// - Parameter noted: a position that this log is known to have had (R12). One that ends before it is damaged too,
  ///   though what is missing looks like a torn tail.
  /// - Throws: `damaged` where nobody else holds the log, or where the vote may be lost too: then nothing was changed,
  ///   and the node must not start.
  package static func recover(
    device: any Device, holder: any LogHolder, options: LogOptions, noted: UInt64 = 0
  ) throws(StorageError) -> LogRecovery {
    options.check()
    let files = try syncWhatIsThere(device).sorted()
    let votes = try VoteFile(from: device)
    let snapshots = try snapshotHeaders(device)
    let (found, passed, damage) = try readNewestWhole(device, files, snapshots) { snapshot, tail throws(StorageError) in
      try readWhole(device, holder, options, votes, snapshot, tail, noted)
    }
    if var recovery = found {
      guard let damage else { return recovery }
      try perform(passed.map { SnapshotFile.erasure(of: $0.copy) }, on: device)
      let kept = passed.count < snapshots.count ? snapshots[passed.count].position.index : 0
      recovery.damage = LogDamage(damage, kept: kept, isRecovering: false)
      return recovery
    }
    guard let damage else { invariantFailed("a log that is not damaged was not recovered") }
    guard holder.hasOthers, votes.last.generation > 0, !votes.isInDoubt else { throw damage }
    return try beginAnew(device, holder, options, votes, snapshots, files, damage)
  }

  /// Reads the log behind the newest snapshot with which nothing of it is missing; without any, it may still reach back
  /// to its beginning.
  ///
  /// - Returns: what `read` made of that, nil where nothing is whole; the snapshots that were passed over; what was
  ///   damaged first.
  static func readNewestWhole<R>(
    _ device: any Device, _ files: [Int], _ snapshots: [SnapshotFile.Header],
    _ read: (SnapshotFile.Header?, LogTail) throws(StorageError) -> R
  ) throws(StorageError) -> (result: R?, passed: ArraySlice<SnapshotFile.Header>, damage: StorageError?) {
    var damage: StorageError?
    do throws(StorageError) {
      let tail = try LogTail(device, files)
      for place in 0...snapshots.count {
        do throws(StorageError) {
          let result = try read(place < snapshots.count ? snapshots[place] : nil, tail)
          return (result, snapshots[..<place], damage)
        } catch {
          guard error.isDamage else { throw error }
          damage = damage ?? error
        }
      }
    } catch {
      guard error.isDamage else { throw error }
      damage = error
    }
    return (nil, snapshots[...], damage)
  }

  /// The snapshot, and a log behind it of which nothing is missing.
  private static func readWhole(
    _ device: any Device, _ holder: any LogHolder, _ options: LogOptions, _ votes: VoteFile,
    _ snapshot: SnapshotFile.Header?, _ tail: LogTail, _ noted: UInt64
  ) throws(StorageError) -> LogRecovery {
    var state = LogRecovery.State(votes: votes)
    if let snapshot { state.snapshotCopy = snapshot.copy }
    let (hard, entries) = try restoreWhole(device, holder, snapshot, tail, &state)
    guard state.position >= noted else {
      throw .damaged(
        file: .log(tail.live.last?.file ?? 0), offset: UInt64(state.used),
        reason: "it ends before block \(noted), which this node has had on the disk")
    }
    try state.votes.bringUpToDate(hard, position: state.position, on: device)
    try makeSegments(device, &state, options)
    return LogRecovery(
      store: LogStore(state, holder: holder, options: options), entries: entries, tornBytes: tail.tornBytes)
  }

  /// Only reads.
  static func restoreWhole(
    _ device: any Device, _ holder: any LogHolder, _ snapshot: SnapshotFile.Header?, _ tail: LogTail,
    _ state: inout LogRecovery.State
  ) throws(StorageError) -> (hard: LogHardState, entries: Int) {
    holder.beginRestore()
    state.reach = snapshot?.position.index ?? 0
    if let snapshot {
      var window = try FileWindow(device, .snapshot(snapshot.copy))
      try SnapshotFile.restore(snapshot, &window, to: holder)
    }
    for scan in tail.scans { state.capacity[scan.file] = scan.fileBytes }
    let live = tail.live
    guard snapshot == nil || !live.isEmpty else {
      throw .damaged(file: .log(0), offset: 0, reason: "there is a snapshot, and no log")
    }
    var entries = 0
    var hard = LogHardState()
    for var scan in live {
      var segment = Segment(sequence: scan.sequence, file: scan.file)
      try scan.replay(to: holder, &segment, &entries, &hard, &state.reach)
      state.segments.append(segment)
      state.used = scan.end
      state.position = scan.lastPosition
    }
    let last = state.votes.last
    // The block with which the vote was written may have been torn. More than one is not: they had been synced.
    guard state.position + 1 >= last.position else {
      throw .damaged(
        file: .log(live.last?.file ?? 0), offset: UInt64(state.used),
        reason: "it ends with block \(state.position), and has had block \(last.position)")
    }
    // Each of the two may hold the batch of the last moment without the other: nothing rests on it, and it does no
    // harm.
    hard.raise(to: last.hard)
    hard.isRecovering = last.hard.isRecovering
    holder.restore(hard)
    guard holder.endRestore() else {
      throw .damaged(
        file: .log(live.last?.file ?? 0), offset: 0, reason: "what was read of the log does not fit together")
    }
    for scan in tail.scans where !live.contains(where: { $0.file == scan.file }) { state.free.append(scan.file) }
    return (hard, entries)
  }

  /// Syncs the files, and returns the numbers of the segments.
  ///
  /// After a crash of the process alone the page cache holds more than the disk. What is read and acted upon here must
  /// not vanish when the machine loses power next.
  private static func syncWhatIsThere(_ device: any Device) throws(StorageError) -> [Int] {
    var numbers: [Int] = []
    var changes: [DeviceChange] = []
    do throws(DeviceError) {
      for file in try device.files() {
        switch file {
        case .superblock, .journal, .table: continue
        case .log(let number): numbers.append(number)
        case .snapshot, .vote: break
        }
        changes.append(.preallocate(file, bytes: try device.size(of: file) ?? 0))
      }
    } catch { throw .device(error) }
    try perform(changes, on: device)
    return numbers
  }

  /// Those that are complete, the newest first.
  static func snapshotHeaders(_ device: any Device) throws(StorageError) -> [SnapshotFile.Header] {
    var headers: [SnapshotFile.Header] = []
    for copy in 0..<2 {
      var window = try FileWindow(device, .snapshot(copy))
      if let header = try SnapshotFile.readHeader(&window, copy: copy) { headers.append(header) }
    }
    return headers.sorted { $0.position.index > $1.position.index }
  }

  /// Room to go on: the segment that is being written, and one more.
  static func makeSegments(
    _ device: any Device, _ state: inout LogRecovery.State, _ options: LogOptions
  ) throws(StorageError) {
    let wanted = state.segments.isEmpty ? 2 : 1
    while state.free.count < wanted {
      let file = (state.capacity.keys.max() ?? -1) + 1
      state.capacity[file] = 0
      state.free.append(file)
    }
    for file in state.free where state.capacity[file] ?? 0 < options.segmentBytes {
      try perform([.preallocate(.log(file), bytes: UInt64(options.segmentBytes))], on: device)
      state.capacity[file] = options.segmentBytes
    }
  }
}
