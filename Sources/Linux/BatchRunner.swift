import Storage

/// Carries out the changes of one batch and syncs what they touched. One for each thread that does so.
struct BatchRunner {
  private let folder: DataFolder
  /// Room for writes that lie end to end, put together so that they cost one system call. Kept from batch to batch.
  private var joined: [UInt8] = []
  private var touched: [(file: OpenFile, metadata: Bool)] = []
  private var direct: DirectJournal
  /// A file that was made or removed since the folder was last synced.
  private var entryChanged: FileID?

  /// Bytes. Longer writes gain nothing from a copy.
  private static let joinLimit = 1 << 18

  init(_ folder: DataFolder) {
    self.folder = folder
    direct = DirectJournal(folder)
  }

  /// After a failure, of this batch or any earlier one of the folder, everything fails with the first failure.
  mutating func run(_ changes: [DeviceChange]) throws(DeviceError) {
    if let failure = folder.failure { throw failure }
    do throws(DeviceError) {
      if let write = try direct.write(of: changes) { return try write.file.write(write.bytes, at: write.offset) }
      try apply(changes)
      try sync()
    } catch {
      throw folder.fail(error)
    }
  }

  private mutating func apply(_ changes: [DeviceChange]) throws(DeviceError) {
    var index = 0
    while index < changes.count {
      switch changes[index] {
      case .write(let id, at: let offset, let bytes):
        index += 1
        let run = BatchRunner.runLength(changes, after: index, of: id, from: offset + UInt64(bytes.count), bytes.count)
        if run == 0 {
          try write(id, offset, bytes)
        } else {
          joined.removeAll(keepingCapacity: true)
          joined.append(contentsOf: bytes)
          for case .write(_, at: _, let more) in changes[index..<index + run] { joined.append(contentsOf: more) }
          index += run
          try write(id, offset, joined)
        }
      case .preallocate(let id, let bytes):
        index += 1
        let file = try file(id)
        touch(file, metadata: try file.preallocate(bytes))
      case .truncate(let id, let bytes):
        index += 1
        let file = try file(id)
        try file.truncate(bytes)
        touch(file, metadata: true)
      case .remove(let id):
        index += 1
        try folder.remove(id)
        touched.removeAll { $0.file.id == id }
        entryChanged = id
      }
    }
  }

  /// How many of the changes from `index` on continue a write of `count` bytes that ended at `end`.
  private static func runLength(
    _ changes: [DeviceChange], after index: Int, of id: FileID, from end: UInt64, _ count: Int
  ) -> Int {
    var length = 0
    var end = end
    var total = count
    while index + length < changes.count, case .write(id, at: end, let more) = changes[index + length],
      total + more.count <= joinLimit
    {
      end += UInt64(more.count)
      total += more.count
      length += 1
    }
    return length
  }

  private mutating func write(_ id: FileID, _ offset: UInt64, _ bytes: [UInt8]) throws(DeviceError) {
    let file = try file(id)
    touch(file, metadata: try file.write(bytes.span.bytes, at: offset))
  }

  private mutating func file(_ id: FileID) throws(DeviceError) -> OpenFile {
    let (file, created) = try folder.file(id)
    if created {
      entryChanged = id
      touch(file, metadata: true)
    }
    return file
  }

  private mutating func touch(_ file: OpenFile, metadata: Bool) {
    for index in touched.indices where touched[index].file === file {
      touched[index].metadata = touched[index].metadata || metadata
      return
    }
    touched.append((file, metadata))
  }

  private mutating func sync() throws(DeviceError) {
    for (file, metadata) in touched { try file.sync(metadata: metadata) }
    touched.removeAll(keepingCapacity: true)
    guard let id = entryChanged else { return }
    try folder.sync(for: id)
    entryChanged = nil
  }
}
