import Base

/// Writes the latest state of records that changed to their slots, batch by batch. Shared by the running store and by
/// recovery.
final class TableFlush {
  /// A change costs about this much beside its bytes, so that many small records do not make a batch of endless length.
  private static let changeBytes = 512
  /// As many records are put in the order of their slots at a time: a millisecond's work.
  private static let maximumRun = 16384

  private let holders: [any RecordHolder]
  /// By partition; nil where another store owns it.
  private let tables: [PartitionTable?]
  /// By partition: records still to be written, taken from the end.
  private var queue: [ContiguousArray<UInt32>]
  private var partition = 0
  /// Taken from the partition's queue, in the order of the file from the end on, so that what shares a page or stands
  /// beside it goes to the disk together: the slot's place in the high half, the record in the low one.
  private var run: ContiguousArray<UInt64> = []
  /// Records that wait for an extent, partition in the high half.
  private var waiting: ContiguousArray<UInt64> = []
  private var isInFlight = false
  /// Erased records that this flush has met, partition in the high half.
  private(set) var erased: ContiguousArray<UInt64> = []

  init(holders: [any RecordHolder], tables: [PartitionTable?]) {
    self.holders = holders
    self.tables = tables
    queue = Array(repeating: [], count: tables.count)
  }

  /// Exchanges the empty lists of the last flush for those of the next.
  func begin(_ lists: inout [ContiguousArray<UInt32>]) {
    invariant(partition >= queue.count || queue.allSatisfy { $0.isEmpty }, "a flush began before the last one ended")
    swap(&queue, &lists)
    partition = 0
    erased = []
  }

  /// The next batch, nil when all records are in their slots and what they left behind is zeroed.
  ///
  /// `taken` is told each record before it is encoded, `sequence` grows with each frame.
  func nextChanges(
    bytes budget: Int, sequence: inout UInt64, taken: (_ partition: Int, _ index: Int) -> Void
  ) -> [DeviceChange]? {
    invariant(!isInFlight, "two background batches at once")
    var changes: [DeviceChange] = []
    var size = 0
    let again = waiting
    waiting = []
    for entry in again {
      size += put(Int(entry >> 32), Int(entry & 0xFFFF_FFFF), &sequence, &changes)
    }
    while size < budget, let (partition, index) = next() {
      taken(partition, index)
      size += put(partition, index, &sequence, &changes)
    }
    for table in tables { table?.finishBatch(into: &changes) }
    // Erased records that never had a slot make an empty batch, and there may be more behind them.
    let isOver = partition >= queue.count && waiting.isEmpty
    if isOver && changes.isEmpty && tables.allSatisfy({ !($0?.hasSlotsToZero ?? false) }) { return nil }
    isInFlight = true
    return changes
  }

  /// Of the tables, when all is in its place.
  var marks: [TableMark] {
    var marks: [TableMark] = []
    for table in tables { if let table { marks.append(table.mark) } }
    return marks
  }

  /// Nil where another store owns the partition.
  func table(_ partition: Int) -> PartitionTable? { partition < tables.count ? tables[partition] : nil }

  /// Where the record was written last; nil: nowhere.
  @inline(__always)
  func slot(partition: Int, index: Int) -> (offset: UInt64, bytes: Int)? { tables[partition]?.slot(of: index) }

  func completed() {
    isInFlight = false
    for table in tables { table?.completedBatch() }
  }

  private func next() -> (partition: Int, index: Int)? {
    while run.isEmpty {
      guard partition < queue.count else { return nil }
      if queue[partition].isEmpty { partition += 1 } else { takeRun() }
    }
    return run.popLast().map { (partition, Int($0 & 0xFFFF_FFFF)) }
  }

  private func takeRun() {
    let count = min(queue[partition].count, TableFlush.maximumRun)
    for index in queue[partition].suffix(count) {
      run.append((tables[partition]?.place(of: Int(index)) ?? 0) << 32 | UInt64(index))
    }
    queue[partition].removeLast(count)
    run.sort(by: >)
  }

  private func put(_ partition: Int, _ index: Int, _ sequence: inout UInt64, _ changes: inout [DeviceChange]) -> Int {
    guard Guard.halfIsFlushed.isIn else { return 0 }
    guard let table = tables[partition] else { invariantFailed("a record of a partition that this store does not own") }
    sequence += 1
    var writer = ByteWriter(reserving: 256)
    let isErased = RecordFrame.append(
      UInt32(index), of: holders[partition], partition: partition, sequence: sequence, to: &writer)
    if isErased {
      erased.append(UInt64(partition) << 32 | UInt64(index))
      return table.erase(index) + TableFlush.changeBytes
    }
    if !table.write(index, frame: writer.bytes, into: &changes) {
      waiting.append(UInt64(partition) << 32 | UInt64(index))
    }
    return writer.count + TableFlush.changeBytes
  }
}
