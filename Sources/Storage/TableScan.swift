import Base

/// A slot that is neither zero nor valid. Whether it is a torn write or damage is known when the journals have been
/// read.
struct SuspectSlot {
  let partition: Int
  let offset: Int
  let slotClass: Int
  /// Nil where the key is unreadable too.
  let key: [UInt8]?
  /// Header and key as far as they fit, for ``RecordFrame/isTornRemnant(_:at:slotBytes:key:partition:)``.
  let head: [UInt8]
  /// The journals do not restore it.
  var isDamaged = false
}

/// Reads the table of one partition into its holder, in steps of bounded size.
struct TableScan {
  /// More cannot be torn writes: a background batch writes far fewer slots.
  private static let maximumSuspects = 1 << 16

  let table: PartitionTable
  private(set) var suspects: [SuspectSlot] = []
  private var window: FileWindow

  /// Opens the table; makes the file if it does not exist, or if its making was cut short.
  init(_ device: any Device, partition: Int, partitions: Int, growthBytes: Int) throws(StorageError) {
    var window = try FileWindow(device, .table(partition))
    if try !TableScan.isHeaderSound(&window, partition: partition, partitions: partitions) {
      try perform(
        [
          .preallocate(.table(partition), bytes: UInt64(PartitionTable.prefixBytes)),
          PartitionTable.headerChange(partition: partition, partitions: partitions),
        ], on: device)
      window = try FileWindow(device, .table(partition))
    }
    self.window = window
    table = PartitionTable(partition: partition, fileBytes: window.size, growthBytes: growthBytes)
  }

  /// False if the file was never more than begun.
  private static func isHeaderSound(
    _ window: inout FileWindow, partition: Int, partitions: Int
  ) throws(StorageError) -> Bool {
    let file = FileID.table(partition)
    if window.size >= 32, let start = try window.load(at: 0, count: 32) {
      let words = window.bytes.withUnsafeBytes { bytes in (0..<4).map { bytes.u64(start + $0 * 8) } }
      if words[0] == PartitionTable.magic, words[3] == Checksum.xxh64(window.bytes[start..<start + 24]) {
        let version = UInt32(truncatingIfNeeded: words[1])
        guard version <= PartitionTable.version else {
          throw .newerVersion(file: file, found: version, supported: PartitionTable.version)
        }
        guard Int(words[1] >> 32) == partition, Int(words[2]) == partitions else {
          throw .mismatch(
            file: file,
            reason:
              "it is the table of partition \(words[1] >> 32) of \(words[2]), not of \(partition) of \(partitions)")
        }
        return true
      }
    }
    // Whatever stands behind the header was written after it was durable.
    guard window.size <= PartitionTable.prefixBytes else {
      throw .damaged(file: file, offset: 0, reason: "its header is unreadable")
    }
    return false
  }

  mutating func run(_ restorer: RecordRestorer) throws(StorageError) {
    let units = PartitionTable.units(inFile: window.size)
    var unit = 0
    while unit < units {
      if let slotClass = try extentClass(at: unit) {
        table.adoptExtent(start: unit, slotClass: slotClass)
        try readSlots(start: unit, slotClass: slotClass, restorer)
        unit += SlotClass.all[slotClass].units
      } else {
        table.adoptUnformatted(unit, hasTornHeader: try checkUnformatted(unit))
        unit += 1
      }
    }
  }

  private mutating func extentClass(at unit: Int) throws(StorageError) -> Int? {
    let offset = PartitionTable.offset(ofUnit: unit)
    guard let start = try window.load(at: offset, count: SlotClass.unitBytes) else { return nil }
    guard
      let slotClass = PartitionTable.slotClass(
        inHeader: window.bytes, at: start, partition: table.partition, unit: unit),
      offset + SlotClass.all[slotClass].units * SlotClass.unitBytes <= window.size
    else { return nil }
    return slotClass
  }

  /// Whether the unit, which has no valid header, begins with a torn one.
  private mutating func checkUnformatted(_ unit: Int) throws(StorageError) -> Bool {
    let offset = PartitionTable.offset(ofUnit: unit)
    guard let start = try window.load(at: offset, count: SlotClass.unitBytes) else { return false }
    let body = start + SlotClass.extentHeaderBytes
    if isZero(start, SlotClass.unitBytes) { return false }
    guard isZero(body, SlotClass.unitBytes - SlotClass.extentHeaderBytes) else {
      throw .damaged(
        file: .table(table.partition), offset: UInt64(offset),
        reason: "the header of an extent that is in use is unreadable")
    }
    return true
  }

  private mutating func readSlots(start: Int, slotClass: Int, _ restorer: RecordRestorer) throws(StorageError) {
    let size = SlotClass.all[slotClass]
    let first = PartitionTable.offset(ofUnit: start)
    guard let base = try window.load(at: first, count: size.units * SlotClass.unitBytes) else { return }
    // From the back, because free slots are taken from the end of the list.
    for slot in stride(from: size.slots - 1, through: 0, by: -1) {
      let inExtent = SlotClass.extentHeaderBytes + slot * size.slotBytes
      let place = base + inExtent
      let offset = first + inExtent
      if let frame = RecordFrame.decode(window.bytes, at: place, end: place + size.slotBytes),
        frame.partition == table.partition
      {
        let index = try restorer.restore(
          frame, from: window.bytes, in: .table(table.partition), at: offset, isInTable: true)
        if let index {
          table.adopt(index, offset: offset, slotClass: slotClass)
        } else {
          table.adoptStale(offset: offset, slotClass: slotClass)
        }
      } else if isZero(place, size.slotBytes) {
        table.adoptFree(offset: offset, slotClass: slotClass)
      } else {
        try suspect(place, offset: offset, slotClass: slotClass)
      }
    }
  }

  private func isZero(_ place: Int, _ count: Int) -> Bool {
    window.bytes.withUnsafeBytes { UnsafeRawBufferPointer(rebasing: $0[place..<place + count]).isZero }
  }

  private mutating func suspect(_ place: Int, offset: Int, slotClass: Int) throws(StorageError) {
    let slotBytes = SlotClass.all[slotClass].slotBytes
    guard suspects.count < TableScan.maximumSuspects else {
      throw .damaged(
        file: .table(table.partition), offset: UInt64(offset), reason: "more records are unreadable than can be listed")
    }
    let headBytes = min(slotBytes, RecordFrame.headerBytes + 512)
    suspects.append(
      SuspectSlot(
        partition: table.partition, offset: offset, slotClass: slotClass,
        key: RecordFrame.salvageKey(window.bytes, at: place, slotBytes: slotBytes),
        head: Array(window.bytes[place..<place + headBytes])))
  }
}
