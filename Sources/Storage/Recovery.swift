package import Base

/// A record that the disk lost and the journals do not restore. Its holder knows of it, and must not answer for it as
/// if it were empty.
package struct DamagedRecord: Equatable, Sendable {
  package let partition: Int
  /// Where its slot is in the table.
  package let offset: UInt64
  /// Nil where the key is unreadable too: then nobody knows which record it is, and the node must be replaced.
  package let key: [UInt8]?

  package init(partition: Int, offset: UInt64, key: [UInt8]?) {
    self.partition = partition
    self.offset = offset
    self.key = key
  }
}

/// What a start found, and the stores to go on with.
package struct Recovery {
  /// By shard. Empty if records are damaged whose keys are lost too: then nothing that was on disk was changed, and the
  /// node must not start.
  package fileprivate(set) var stores: [RecordStore] = []
  package fileprivate(set) var damaged: [DamagedRecord] = []
  /// Slots in which one bit was wrong, and is right again.
  package fileprivate(set) var mended = 0
  package fileprivate(set) var records = 0
  package fileprivate(set) var journalEntries = 0
  /// At least so many bytes were being written at a crash, were never acknowledged, and are dropped.
  package fileprivate(set) var tornBytes = 0
}

extension RecordStore {
  /// Reads the tables of all partitions and all journals that exist into `holders` (by partition), writes what only the
  /// journals held to the tables, and begins the journals of `shards` stores; store s owns the partitions p with p %
  /// shards == s.
  ///
  /// The number of shards may differ from the last time, the number of partitions may not. A crash at any point of it
  /// is as if it had not begun: journals are begun anew, and those of shards that are no more removed, only when the
  /// tables are durable.
  ///
  /// - Parameter noted: positions that journals are known to have had, by number (R12). What is missing at the end of
  ///   one that ends before looks like a torn write, but is damage.
  package static func recover(
    device: any Device, shards: Int, holders: [any RecordHolder], options: StorageOptions, noted: [Int: UInt64] = [:]
  ) throws(StorageError) -> Recovery {
    options.check()
    invariant(shards > 0 && holders.count > 0 && holders.count <= 1 << 16, "a node has 1 to 65536 partitions")
    var recovery = Recovery()
    let numbers = try syncWhatIsThere(device)
    let restorer = RecordRestorer(holders)
    var scans: [JournalScan] = []
    for number in numbers { scans.append(try JournalScan(device, number: number)) }
    try checkSizes(device, scans)
    var (tables, suspects) = try readTables(device, restorer, growthBytes: options.growthBytes)
    guard restorer.records == 0 || scans.contains(where: { $0.checkpoint != nil }) else {
      throw .damaged(file: .journal(0), offset: 0, reason: "the tables hold records, and there is no journal")
    }
    var (listed, lists) = try replay(&scans, restorer, &recovery)
    try checkPositions(scans, noted)
    recovery.records = restorer.records
    let mended = try mend(&suspects, tables, restorer, device)
    recovery.mended = mended.count
    recovery.damaged = judge(&suspects, tables, restorer, listed)
    if recovery.damaged.contains(where: { $0.key == nil }) { return recovery }
    mark(suspects.filter { $0.isDamaged }, tables, restorer)
    try checkRecords(scans, tables, listed)
    for holder in holders { holder.recordsAreRestored() }
    recovery.records = restorer.records + recovery.damaged.count
    listed = []
    suspects = []

    var sequence = restorer.highestSequence
    for scan in scans { sequence = max(sequence, scan.checkpoint?.sequence ?? 0) }
    try perform(mended, on: device)
    for table in tables { try perform(table.tornHeaderChanges(), on: device) }
    // Element by element: Embedded Swift cannot convert an array to one of optionals.
    let flush = TableFlush(holders: holders, tables: tables.map { Optional($0) })
    flush.begin(&lists)
    while let changes = flush.nextChanges(bytes: 4 << 20, sequence: &sequence, taken: { _, _ in }) {
      try perform(changes, on: device)
      flush.completed()
    }
    let checkpoints = try beginJournals(device, scans, tables, shards: shards, sequence: sequence, options)
    for entry in flush.erased { holders[Int(entry >> 32)].release(UInt32(entry & 0xFFFF_FFFF)) }
    recovery.records -= flush.erased.count
    for shard in 0..<shards {
      var owned: [PartitionTable?] = []
      for partition in tables.indices { owned.append(partition % shards == shard ? tables[partition] : nil) }
      recovery.stores.append(
        RecordStore(
          shard: shard, checkpoint: checkpoints[shard], sequence: sequence, holders: holders, tables: owned,
          options: options))
    }
    tables = []
    return recovery
  }

  private static func checkPositions(_ scans: [JournalScan], _ noted: [Int: UInt64]) throws(StorageError) {
    for scan in scans {
      guard let position = noted[scan.number], scan.position < position else { continue }
      throw .damaged(
        file: .journal(scan.number), offset: UInt64(2 * Page.bytes),
        reason: "it ends before block \(position), which this node has had on the disk")
    }
  }

  /// Syncs the files, and returns the numbers of the journals.
  ///
  /// After a crash of the process alone the page cache holds more than the disk. What is read and acted upon here must
  /// not vanish when the machine loses power next.
  private static func syncWhatIsThere(_ device: any Device) throws(StorageError) -> [Int] {
    var numbers: [Int] = []
    let files: [FileID]
    do throws(DeviceError) { files = try device.files() } catch { throw .device(error) }
    var changes: [DeviceChange] = []
    for file in files {
      let size: UInt64?
      do throws(DeviceError) { size = try device.size(of: file) } catch { throw .device(error) }
      switch file {
      case .superblock: continue
      case .journal(let number): numbers.append(number)
      case .table, .log, .snapshot, .vote: break
      }
      changes.append(.preallocate(file, bytes: size ?? 0))
    }
    try perform(changes, on: device)
    return numbers.sorted()
  }

  /// A table never grows shorter. Looked at before anything is written: a table that is missing would be made anew.
  private static func checkSizes(_ device: any Device, _ scans: [JournalScan]) throws(StorageError) {
    for scan in scans {
      for mark in scan.checkpoint?.tables ?? [] {
        let size: UInt64?
        do throws(DeviceError) { size = try device.size(of: .table(mark.partition)) } catch { throw .device(error) }
        guard Int(size ?? 0) >= mark.fileBytes else {
          throw .damaged(
            file: .table(mark.partition), offset: size ?? 0, reason: "it is shorter than \(mark.fileBytes) bytes")
        }
      }
    }
  }

  /// Of the records that a table held when a half of the journal was last flushed, each has its slot still, or stands
  /// in a live journal. Those that changed since may be of either kind, so fewer losses than they are go unseen.
  private static func checkRecords(
    _ scans: [JournalScan], _ tables: [PartitionTable], _ lists: [ContiguousArray<UInt32>]
  ) throws(StorageError) {
    for scan in scans where scan.isCheckpointLast {
      for mark in scan.checkpoint?.tables ?? [] where mark.partition < tables.count {
        let table = tables[mark.partition]
        var left = table.located
        for index in lists[mark.partition] {
          // Counted once, whether it has a slot or not.
          if !table.isLocated(Int(index)) { left += 1 }
        }
        guard left >= mark.records else {
          throw .damaged(
            file: .table(mark.partition), offset: 0,
            reason: "\(mark.records - left) of the \(mark.records) records that it held are gone without a trace")
        }
      }
    }
  }

  private static func readTables(_ device: any Device, _ restorer: RecordRestorer, growthBytes: Int)
    throws(StorageError)
    -> (tables: [PartitionTable], suspects: [SuspectSlot])
  {
    var tables: [PartitionTable] = []
    var suspects: [SuspectSlot] = []
    for partition in restorer.holders.indices {
      var scan = try TableScan(
        device, partition: partition, partitions: restorer.holders.count, growthBytes: growthBytes)
      try scan.run(restorer)
      tables.append(scan.table)
      suspects += scan.suspects
    }
    return (tables, suspects)
  }

  /// Applies the live blocks of all journals; returns by partition the records that stand in them, and those of them
  /// that they hold in a newer state than the tables.
  private static func replay(
    _ scans: inout [JournalScan], _ restorer: RecordRestorer, _ recovery: inout Recovery
  ) throws(StorageError) -> (all: [ContiguousArray<UInt32>], newer: [ContiguousArray<UInt32>]) {
    var all = [ContiguousArray<UInt32>](repeating: [], count: restorer.holders.count)
    var newer = all
    let isListed: UInt8 = 1
    let isNewer: UInt8 = 2
    var marks = [ContiguousArray<UInt8>](repeating: [], count: restorer.holders.count)
    for place in scans.indices {
      let file = FileID.journal(scans[place].number)
      try scans[place].forEachRecord { (frame: RecordFrame, bytes: [UInt8]) throws(StorageError) in
        recovery.journalEntries += 1
        let restored = try restorer.restore(frame, from: bytes, in: file, at: 0)
        let index = restorer.number(of: frame, in: bytes)
        let partition = frame.partition
        while marks[partition].count <= index { marks[partition].append(0) }
        if marks[partition][index] & isListed == 0 { all[partition].append(UInt32(index)) }
        if restored != nil && marks[partition][index] & isNewer == 0 { newer[partition].append(UInt32(index)) }
        marks[partition][index] |= isListed | (restored == nil ? 0 : isNewer)
      }
      recovery.tornBytes += scans[place].tornBytes
    }
    return (all, newer)
  }

  /// Tells torn writes, whose records the journals hold, from damage; torn slots are given to their tables to be
  /// zeroed.
  private static func judge(
    _ suspects: inout [SuspectSlot], _ tables: [PartitionTable], _ restorer: RecordRestorer,
    _ lists: [ContiguousArray<UInt32>]
  ) -> [DamagedRecord] {
    var damaged: [DamagedRecord] = []
    for place in suspects.indices {
      let suspect = suspects[place]
      let holder = restorer.holders[suspect.partition]
      let isTorn = lists[suspect.partition].contains { index in
        let key = holder.key(ofRecord: index)
        if let known = suspect.key { return known == key }
        return RecordFrame.isTornRemnant(
          suspect.head, at: 0, slotBytes: suspect.head.count, key: key, partition: suspect.partition)
      }
      if isTorn {
        tables[suspect.partition].adoptStale(offset: suspect.offset, slotClass: suspect.slotClass)
      } else {
        suspects[place].isDamaged = true
        damaged.append(
          DamagedRecord(partition: suspect.partition, offset: UInt64(suspect.offset), key: suspect.key))
      }
    }
    return damaged
  }

  /// Where one bit is all that is wrong, and the key with it, the slot is put right.
  private static func mend(
    _ suspects: inout [SuspectSlot], _ tables: [PartitionTable], _ restorer: RecordRestorer, _ device: any Device
  ) throws(StorageError) -> [DeviceChange] {
    var changes: [DeviceChange] = []
    var left: [SuspectSlot] = []
    for suspect in suspects {
      let file = FileID.table(suspect.partition)
      let table = tables[suspect.partition]
      let slotBytes = SlotClass.all[suspect.slotClass].slotBytes
      guard suspect.key == nil, slotBytes <= RecordFrame.longestMended else {
        left.append(suspect)
        continue
      }
      var bytes: [UInt8]
      do throws(DeviceError) {
        bytes = try device.read(file, at: UInt64(suspect.offset), count: slotBytes)
      } catch { throw .device(error) }
      if RecordFrame.isOneBit(bytes) {
        table.adoptStale(offset: suspect.offset, slotClass: suspect.slotClass)
        changes.append(.write(file, at: UInt64(suspect.offset), [UInt8](repeating: 0, count: slotBytes)))
      } else if let frame = RecordFrame.mend(&bytes), frame.partition == suspect.partition {
        if let index = try restorer.restore(frame, from: bytes, in: file, at: suspect.offset) {
          table.adopt(index, offset: suspect.offset, slotClass: suspect.slotClass)
        } else {
          table.adoptStale(offset: suspect.offset, slotClass: suspect.slotClass)
        }
        changes.append(.write(file, at: UInt64(suspect.offset), bytes))
      } else {
        left.append(suspect)
      }
    }
    suspects = left
    return changes
  }

  /// The holders hear of damaged records. Their slots stay theirs: what heals a record is written over the damage, or
  /// elsewhere, and then the slot is zeroed, all while the journal holds it.
  private static func mark(_ damaged: [SuspectSlot], _ tables: [PartitionTable], _ restorer: RecordRestorer) {
    for slot in damaged {
      guard let key = slot.key else { continue }
      let index = restorer.holders[slot.partition].recordIndex(forKey: key)
      restorer.holders[slot.partition].markDamaged(index)
      tables[slot.partition].adopt(Int(index), offset: slot.offset, slotClass: slot.slotClass)
    }
  }

  /// Marks all that the journals hold as flushed, makes missing journals, and removes those that no shard has any more.
  private static func beginJournals(
    _ device: any Device, _ scans: [JournalScan], _ tables: [PartitionTable], shards: Int, sequence: UInt64,
    _ options: StorageOptions
  ) throws(StorageError) -> [JournalCheckpoint] {
    var checkpoints: [JournalCheckpoint] = []
    // The first journal takes over the positions of those that are removed, so that the sum over the node never falls.
    var inherited: UInt64 = 0
    for scan in scans where scan.number >= shards { inherited += scan.position }
    // And a journal that is made again begins above where it ever was: peers remember each journal's position (R12).
    let highest = inherited + (scans.map { $0.position }.max() ?? 0)
    for number in 0..<shards {
      let scan = scans.first { $0.number == number }
      // One generation is skipped: its half may hold the remains of a batch that was never acknowledged.
      var checkpoint = JournalCheckpoint(
        number: number, halfBytes: options.halfBytes, flushedGeneration: (scan?.highestGeneration ?? 0) + 1,
        position: (scan?.position ?? highest) + (number == 0 ? inherited : 0), sequence: sequence)
      for table in tables where table.partition % shards == number { checkpoint.tables.append(table.mark) }
      let file = FileID.journal(number)
      let bytes = Journal.fileBytes(halfBytes: options.halfBytes)
      // Both copies, one after the other, so that at each moment one of them is sound.
      try perform([.preallocate(file, bytes: bytes), checkpoint.change()], on: device)
      checkpoint.flushedGeneration += 1
      try perform([checkpoint.change()], on: device)
      let size: UInt64?
      do throws(DeviceError) { size = try device.size(of: file) } catch { throw .device(error) }
      if let size, size > bytes { try perform([.truncate(file, bytes: bytes)], on: device) }
      checkpoints.append(checkpoint)
    }
    let removed = scans.filter { $0.number >= shards }
    try perform(removed.map { .remove(.journal($0.number)) }, on: device)
    return checkpoints
  }
}
