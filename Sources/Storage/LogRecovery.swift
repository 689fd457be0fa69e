package import Base

/// What a start found of a log, and the store to go on with.
package struct LogRecovery {
  package let store: LogStore
  /// Entries behind the snapshot.
  package let entries: Int
  /// At least so many bytes were being written at a crash, were never acknowledged, and are dropped.
  package let tornBytes: Int

  /// What the store begins with.
  struct State {
    var position: UInt64 = 0
    var segments: [LogStore.Segment] = []
    var used = 0
    var capacity: [Int: Int] = [:]
    var free: [Int] = []
    var snapshotCopy = 1
  }
}

extension LogStore {
  /// Reads the newest snapshot and the log behind it into `holder`.
  ///
  /// A torn tail is dropped. Whatever else cannot be read is damage: then nothing was changed, and the node must not
  /// start, for it may have lost votes or entries that others rely on.
  package static func recover(
    device: any Device, holder: any LogHolder, options: LogOptions
  ) throws(StorageError) -> LogRecovery {
    options.check()
    let files = try syncWhatIsThere(device)
    var state = LogRecovery.State()
    let hasSnapshot = try restoreSnapshot(device, holder, &state)
    var scans: [SegmentScan] = []
    for file in files.sorted() {
      let scan = try SegmentScan(device, file: file)
      state.capacity[file] = scan.fileBytes
      scans.append(scan)
    }
    let live = liveRun(scans)
    guard !hasSnapshot || !live.isEmpty else {
      throw .damaged(file: .log(0), offset: 0, reason: "there is a snapshot, and no log")
    }
    let newest = live.last?.sequence ?? 0
    var torn = 0
    for place in scans.indices {
      let isLive = live.contains { $0.file == scans[place].file }
      torn += try scans[place].checkTail(newest: newest, isLive: isLive)
    }
    var entries = 0
    for var scan in live {
      var segment = Segment(sequence: scan.sequence, file: scan.file)
      try scan.replay(to: holder, &segment, &entries)
      state.segments.append(segment)
      state.used = scan.end
      state.position = scan.lastPosition
    }
    guard holder.endRestore() else {
      throw .damaged(
        file: .log(live.last?.file ?? 0), offset: 0, reason: "what was read of the log does not fit together")
    }
    for scan in scans where !live.contains(where: { $0.file == scan.file }) { state.free.append(scan.file) }
    try makeSegments(device, &state, options)
    return LogRecovery(
      store: LogStore(state, holder: holder, options: options), entries: entries, tornBytes: torn)
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
        case .snapshot: break
        }
        changes.append(.preallocate(file, bytes: try device.size(of: file) ?? 0))
      }
    } catch { throw .device(error) }
    try perform(changes, on: device)
    return numbers
  }

  private static func restoreSnapshot(
    _ device: any Device, _ holder: any LogHolder, _ state: inout LogRecovery.State
  ) throws(StorageError) -> Bool {
    var newest: SnapshotFile.Header?
    for copy in 0..<2 {
      var window = try FileWindow(device, .snapshot(copy))
      guard let header = try SnapshotFile.readHeader(&window, copy: copy) else { continue }
      if header.position.index > newest?.position.index ?? 0 { newest = header }
    }
    guard let newest else { return false }
    state.snapshotCopy = newest.copy
    var window = try FileWindow(device, .snapshot(newest.copy))
    try SnapshotFile.restore(newest, &window, to: holder)
    return true
  }

  /// The segments that belong together, oldest first. Below a sequence or blocks that are missing there is nothing that
  /// is needed (a segment that was free, and is half overwritten), or else the holder finds the gap.
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

  /// Room to go on: the segment that is being written, and one more.
  private static func makeSegments(
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
