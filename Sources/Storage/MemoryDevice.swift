package import Base

/// A device in memory that can crash, for tests and the simulator.
///
/// It keeps what is on stable storage apart from what a process would see (the page cache): a batch reaches the disk
/// when it is completed, and ``kill()`` leaves the changes of batches in flight visible but not yet durable.
package final class MemoryDevice: Device {
  /// What a disk writes whole or not at all.
  package static let sectorBytes = 512

  private var disk: [FileID: SparseFile] = [:]
  /// Differs from `disk` only where `unsynced` has changes.
  private var cache: [FileID: SparseFile] = [:]
  private var unsynced: [DeviceChange] = []
  private var inFlight: [[DeviceBatch]] = [[], []]

  /// Fault: the next batch, submitted or performed, fails with this error, and all after it.
  package var failNext: DeviceError?
  /// Fault: all files together cannot grow beyond this.
  package var capacityBytes: Int?
  /// What made the device refuse everything.
  package private(set) var failure: DeviceError?
  /// Batches made durable so far, those of ``perform(_:)`` included.
  package private(set) var syncs = 0
  /// Test hook: `perform` refuses when this many more were carried out, leaving its changes in flight, as a crash in
  /// mid-recovery does.
  package var performsLeft: Int?

  package init() {}

  /// Another device with what is on stable storage here.
  package func copy() -> MemoryDevice {
    let copy = MemoryDevice()
    copy.disk = disk
    copy.cache = disk
    return copy
  }

  /// The bytes of all files together.
  package var usedBytes: Int { cache.values.reduce(0) { $0 + $1.size } }

  // MARK: Device

  package func size(of file: FileID) throws(DeviceError) -> UInt64? { cache[file].map { UInt64($0.size) } }

  package func read(_ file: FileID, at offset: UInt64, count: Int) throws(DeviceError) -> [UInt8] {
    guard let found = cache[file] else {
      throw DeviceError(operation: "read", file: file, reason: "No such file or directory")
    }
    return found.read(at: Int(offset), count: count)
  }

  package func files() throws(DeviceError) -> [FileID] {
    cache.keys.sorted { MemoryDevice.order($0) < MemoryDevice.order($1) }
  }

  package func perform(_ changes: [DeviceChange]) throws(DeviceError) {
    if let left = performsLeft {
      guard left > 0 else {
        let error = DeviceError(operation: "sync", file: .superblock(0), reason: "the process was stopped")
        inFlight[1].append(DeviceBatch(lane: .background, token: 0, changes: changes))
        failure = error
        throw error
      }
      performsLeft = left - 1
    }
    if let error = carryOut(changes) { throw error }
  }

  package func submit(_ batch: DeviceBatch) { inFlight[batch.lane.rawValue].append(batch) }

  // MARK: Driving

  package func pending(_ lane: DeviceBatch.Lane) -> Int { inFlight[lane.rawValue].count }

  /// Makes the oldest batch of the lane durable, nil if there is none.
  package func complete(next lane: DeviceBatch.Lane) -> DeviceCompletion? {
    guard let batch = inFlight[lane.rawValue].first else { return nil }
    inFlight[lane.rawValue].removeFirst()
    return DeviceCompletion(lane: lane, token: batch.token, failure: carryOut(batch.changes))
  }

  /// Completes all batches, the journal's first.
  package func completeAll() -> [DeviceCompletion] {
    var completions: [DeviceCompletion] = []
    for lane in [DeviceBatch.Lane.journal, .background] {
      while let completion = complete(next: lane) { completions.append(completion) }
    }
    return completions
  }

  /// The machine loses power: of what was not synced each sector is on the disk or is not. Only the first batch of a
  /// lane had begun.
  package func crash(using random: inout SeededRandom) {
    var halfDone = unsynced
    // The lanes ran beside each other: either may have got farther.
    let lanes = random.below(2) == 0 ? [0, 1] : [1, 0]
    for lane in lanes { halfDone += inFlight[lane].first?.changes ?? [] }
    tear(halfDone, using: &random)
    restart()
  }

  /// The process dies, the machine goes on: what had begun is visible, and durable only with the next sync of its file.
  package func kill(using random: inout SeededRandom) {
    for lane in 0..<2 {
      guard let batch = inFlight[lane].first else { continue }
      let begun = Int(random.below(UInt64(batch.changes.count) + 1))
      for change in batch.changes.prefix(begun) {
        MemoryDevice.apply(change, to: &cache)
        unsynced.append(change)
      }
    }
    inFlight = [[], []]
    failure = nil
    failNext = nil
    performsLeft = nil
  }

  /// Fault: inverts bits of a byte, on the disk and in what is read.
  package func flip(_ file: FileID, at offset: Int, bits: UInt8) {
    guard let byte = disk[file]?.read(at: offset, count: 1).first else { return }
    disk[file]?.write([byte ^ bits], at: offset)
    cache[file]?.write([byte ^ bits], at: offset)
  }

  // MARK: Inside

  private func carryOut(_ changes: [DeviceChange]) -> DeviceError? {
    if failure == nil, let planned = failNext { failure = planned }
    if failure == nil, let full = fullDisk(changes) { failure = full }
    if let failure {
      unsynced += changes
      return failure
    }
    var touched: [FileID] = []
    for change in changes {
      MemoryDevice.apply(change, to: &cache)
      let file = MemoryDevice.file(of: change)
      if !touched.contains(file) { touched.append(file) }
    }
    // A sync takes along whatever the page cache held of the file.
    for file in touched { disk[file] = cache[file] }
    if !unsynced.isEmpty { unsynced.removeAll { touched.contains(MemoryDevice.file(of: $0)) } }
    syncs += 1
    return nil
  }

  private func fullDisk(_ changes: [DeviceChange]) -> DeviceError? {
    guard let capacityBytes else { return nil }
    var sizes = cache.mapValues { $0.size }
    for change in changes {
      let file = MemoryDevice.file(of: change)
      switch change {
      case .write(_, let offset, let bytes): sizes[file] = max(sizes[file] ?? 0, Int(offset) + bytes.count)
      case .preallocate(_, let bytes): sizes[file] = max(sizes[file] ?? 0, Int(bytes))
      case .truncate(_, let bytes): sizes[file] = Int(bytes)
      case .remove: sizes[file] = nil
      }
      if sizes.values.reduce(0, +) > capacityBytes {
        return DeviceError(operation: "write", file: file, reason: "No space left on device")
      }
    }
    return nil
  }

  private func tear(_ changes: [DeviceChange], using random: inout SeededRandom) {
    for change in changes {
      guard case .write(let file, let offset, let bytes) = change else {
        if random.below(2) == 0 { MemoryDevice.apply(change, to: &disk) }
        continue
      }
      switch random.below(4) {
      case 0: break
      case 1: MemoryDevice.apply(change, to: &disk)
      case 2: writeSectors(file, Int(offset), bytes, cut: Int(random.below(UInt64(bytes.count) + 1)), nil)
      default: writeSectors(file, Int(offset), bytes, cut: bytes.count, random.next())
      }
    }
  }

  /// Writes the sectors of `bytes` up to the one in which `cut` falls, without it; with a seed, a random choice of
  /// them.
  private func writeSectors(_ file: FileID, _ offset: Int, _ bytes: [UInt8], cut: Int, _ seed: UInt64?) {
    var random = SeededRandom(seed: seed ?? 0)
    var start = 0
    while start < bytes.count {
      let end = min(bytes.count, start + MemoryDevice.sectorBytes - (offset + start) % MemoryDevice.sectorBytes)
      if end <= cut && (seed == nil || random.below(2) == 0) {
        disk[file, default: SparseFile()].write(bytes[start..<end], at: offset + start)
      }
      start = end
    }
  }

  private func restart() {
    cache = disk
    unsynced = []
    inFlight = [[], []]
    failure = nil
    failNext = nil
    performsLeft = nil
  }

  private static func apply(_ change: DeviceChange, to files: inout [FileID: SparseFile]) {
    switch change {
    case .write(let file, let offset, let bytes): files[file, default: SparseFile()].write(bytes[...], at: Int(offset))
    case .preallocate(let file, let bytes): files[file, default: SparseFile()].extend(to: Int(bytes))
    case .truncate(let file, let bytes): files[file, default: SparseFile()].truncate(to: Int(bytes))
    case .remove(let file): files[file] = nil
    }
  }

  private static func file(of change: DeviceChange) -> FileID {
    switch change {
    case .write(let file, _, _), .preallocate(let file, _), .truncate(let file, _), .remove(let file): return file
    }
  }

  private static func order(_ file: FileID) -> Int {
    switch file {
    case .superblock(let copy): return copy
    case .journal(let number): return 1 << 20 + number
    case .table(let partition): return 2 << 20 + partition
    case .log(let segment): return 3 << 20 + segment
    case .snapshot(let copy): return 4 << 20 + copy
    case .vote(let copy): return 5 << 20 + copy
    }
  }
}
