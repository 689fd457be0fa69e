import Base

/// The slots of one partition on disk, and which record is where.
///
///     0      u64 magic "SYNODTBL", u32 version, u32 partition, u32 number of partitions, u32 0,
///            u64 XXH64 of bytes 0..<24
///     4096   units of 64 KiB, each the start of an extent, a part of one, or unformatted
///            (zero, but for the torn header of one)
///
/// An extent is one or more units:
///
///     0   u32  magic "SYNX"
///     4   u16  slot class (``SlotClass``)
///     6   u16  units
///     8   u32  partition
///     12  u32  unit at which it begins
///     16  u64  XXH64 of bytes 0..<16
///     64       slots, each zero (free) or a ``RecordFrame`` with anything behind it
///
/// An extent is valid if and only if magic, checksum, partition, unit and class hold and its units are those of the
/// class.
///
/// - A record is overwritten in its slot only while the journal holds it whole, so a torn slot loses nothing.
/// - An extent's header is durable before any of its slots is used, so an unreadable header before zeroes means an
///   unformatted unit,
///   and before anything else means damage.
/// - A slot given up is zeroed after its record's new one is durable, and used again after the zeroes are durable, all
///   while the
///   journal holds the record: an old state never outlives a newer one, and a torn new frame stands among zeroes.
/// - The slot of an erased record is zeroed while the journal holds the record, in whatever state: the flush that frees
///   that half of the journal does it. Until then the record's number belongs to its key.
final class PartitionTable {
  static let version: UInt32 = 1
  static let prefixBytes = 4096
  static let magic: UInt64 = 0x4C42_5444_4F4E_5953
  static let extentMagic: UInt32 = 0x584E_5953

  struct Extent {
    let start: Int
    let slotClass: Int
    /// Slots that are not free: held by a record, or still to be zeroed.
    var used: Int
    /// Its header is not durable yet.
    var isFormatting: Bool

    var units: Int { SlotClass.all[slotClass].units }
  }

  let partition: Int
  private(set) var fileBytes: Int
  private let growthBytes: Int
  /// By record: offset in units of 64 bytes, shifted left by 8, and the slot class; 0 where the record has no slot.
  private(set) var locations: ContiguousArray<UInt64> = []
  /// Records that have a slot.
  private(set) var located = 0
  /// By slot class: offsets of free slots in units of 64 bytes.
  private var free: [ContiguousArray<UInt32>]
  private var extents: [Extent] = []
  /// By unit: the extent that holds it, -1 where unformatted.
  private var extentOfUnit: ContiguousArray<Int32> = []
  private var unformatted: [Range<Int>] = []
  /// Found at recovery.
  private var tornHeaders: [Int] = []

  /// Slots given up by the batch being gathered, by the batch in flight, and those being zeroed by it.
  private var givenUp: ContiguousArray<UInt64> = []
  private var toZero: ContiguousArray<UInt64> = []
  private var zeroing: ContiguousArray<UInt64> = []
  /// Extents whose header is in the batch in flight, and what is left of the room they were cut from.
  private var formatting: [Int] = []
  private var remainders: [Range<Int>] = []
  /// By slot class: slots wanted by records that wait for an extent.
  private var wanted: [Int]

  init(partition: Int, fileBytes: Int, growthBytes: Int) {
    self.growthBytes = growthBytes
    self.partition = partition
    self.fileBytes = fileBytes
    free = Array(repeating: [], count: SlotClass.all.count)
    wanted = Array(repeating: 0, count: SlotClass.all.count)
    let units = PartitionTable.units(inFile: fileBytes)
    extentOfUnit = ContiguousArray(repeating: -1, count: units)
  }

  static func units(inFile bytes: Int) -> Int { max(0, bytes - prefixBytes) / SlotClass.unitBytes }
  static func offset(ofUnit unit: Int) -> Int { prefixBytes + unit * SlotClass.unitBytes }

  static func headerChange(partition: Int, partitions: Int) -> DeviceChange {
    var writer = ByteWriter(reserving: 32)
    writer.u64(magic)
    writer.u32(version)
    writer.u32(UInt32(partition))
    writer.u32(UInt32(partitions))
    writer.u32(0)
    writer.u64(Checksum.xxh64(writer.bytes))
    return .write(.table(partition), at: 0, writer.bytes)
  }

  // MARK: Flushing

  /// Adds the write of the record's frame to `changes`; false if its slot class has no free slot: the record waits
  /// until the extent that is now being made is durable.
  func write(_ index: Int, frame: [UInt8], into changes: inout [DeviceChange]) -> Bool {
    while locations.count <= index { locations.append(0) }
    let slotClass = SlotClass.index(for: frame.count)
    let present = locations[index]
    if present != 0 {
      let presentClass = Int(present & 0xFF)
      // A record that shrinks a little keeps its slot, or one that swings about a boundary would move each time.
      if slotClass <= presentClass && slotClass + 2 >= presentClass {
        changes.append(.write(.table(partition), at: (present >> 8) * 64, frame))
        return true
      }
    }
    guard let slot = free[slotClass].popLast() else {
      wanted[slotClass] += 1
      return false
    }
    if present != 0 { givenUp.append(present) } else { located += 1 }
    locations[index] = UInt64(slot) << 8 | UInt64(slotClass)
    extents[extent(ofSlot: locations[index])].used += 1
    changes.append(.write(.table(partition), at: UInt64(slot) * 64, frame))
    return true
  }

  @inline(__always)
  func slot(of index: Int) -> (offset: UInt64, bytes: Int)? {
    guard index < locations.count, locations[index] != 0 else { return nil }
    return ((locations[index] >> 8) * 64, SlotClass.all[Int(locations[index] & 0xFF)].slotBytes)
  }

  /// The record's slot, in units of 64 bytes from the file's beginning; 0 where it has none.
  @inline(__always)
  func place(of index: Int) -> UInt64 { index < locations.count ? locations[index] >> 8 : 0 }

  /// The record was erased, and the journal holds it: its slot is zeroed with this batch. Returns the bytes of that.
  func erase(_ index: Int) -> Int {
    guard index < locations.count, locations[index] != 0 else { return 0 }
    let slot = locations[index]
    locations[index] = 0
    located -= 1
    toZero.append(slot)
    return SlotClass.all[Int(slot & 0xFF)].slotBytes
  }

  /// Adds the zeroing of slots given up by earlier batches, and the making of extents that records wait for.
  func finishBatch(into changes: inout [DeviceChange]) {
    zeroing = toZero
    toZero = []
    for slot in zeroing {
      let bytes = SlotClass.all[Int(slot & 0xFF)].slotBytes
      changes.append(.write(.table(partition), at: (slot >> 8) * 64, [UInt8](repeating: 0, count: bytes)))
    }
    for slotClass in wanted.indices where wanted[slotClass] > 0 {
      makeExtents(slotClass, slots: wanted[slotClass], into: &changes)
      wanted[slotClass] = 0
    }
  }

  /// The batch is durable.
  func completedBatch() {
    for slot in zeroing {
      extents[extent(ofSlot: slot)].used -= 1
      free[Int(slot & 0xFF)].append(UInt32(slot >> 8))
    }
    zeroing = []
    toZero = givenUp
    givenUp = []
    for index in formatting {
      extents[index].isFormatting = false
      addFreeSlots(ofExtent: index)
    }
    formatting = []
    unformatted.append(contentsOf: remainders)
    remainders = []
  }

  var hasSlotsToZero: Bool { !toZero.isEmpty || !givenUp.isEmpty }

  // MARK: Space

  private func extent(ofSlot slot: UInt64) -> Int {
    Int(extentOfUnit[(Int(slot >> 8) * 64 - PartitionTable.prefixBytes) / SlotClass.unitBytes])
  }

  private func addFreeSlots(ofExtent index: Int) {
    let slotClass = SlotClass.all[extents[index].slotClass]
    let first = PartitionTable.offset(ofUnit: extents[index].start) + SlotClass.extentHeaderBytes
    // From the back, because free slots are taken from the end of the list.
    for slot in stride(from: slotClass.slots - 1, through: 0, by: -1) {
      free[extents[index].slotClass].append(UInt32((first + slot * slotClass.slotBytes) / 64))
    }
  }

  private func makeExtents(_ slotClass: Int, slots: Int, into changes: inout [DeviceChange]) {
    let size = SlotClass.all[slotClass]
    // A quarter more than there is, up to 1 MiB, so that a growing table waits for headers only now and then.
    var existing = 0
    for extent in extents where extent.slotClass == slotClass { existing += 1 }
    let ahead = min(existing / 4, max(1, 16 / size.units))
    let count = max((slots + size.slots - 1) / size.slots, ahead)
    for _ in 0..<count {
      let start = takeUnits(size.units, for: slotClass, into: &changes)
      let index = extents.count
      invariant(index < Int(Int32.max), "a table has too many extents")
      extents.append(Extent(start: start, slotClass: slotClass, used: 0, isFormatting: true))
      for unit in start..<start + size.units { extentOfUnit[unit] = Int32(index) }
      formatting.append(index)
      changes.append(
        .write(.table(partition), at: UInt64(PartitionTable.offset(ofUnit: start)), extentHeader(slotClass, start)))
    }
  }

  /// Units for a new extent: unformatted ones, else those of an extent that fell empty, else new ones at the end of the
  /// file.
  private func takeUnits(_ count: Int, for slotClass: Int, into changes: inout [DeviceChange]) -> Int {
    if let place = unformatted.firstIndex(where: { $0.count >= count }) {
      let range = unformatted[place]
      if range.count == count {
        unformatted.remove(at: place)
      } else {
        unformatted[place] = range.lowerBound + count..<range.upperBound
      }
      return range.lowerBound
    }
    let empty = extents.firstIndex { extent in
      extent.used == 0 && !extent.isFormatting && extent.slotClass != slotClass && extent.units >= count
    }
    if let empty { return takeEmptyExtent(empty, units: count) }
    return grow(by: count, into: &changes)
  }

  private func takeEmptyExtent(_ index: Int, units count: Int) -> Int {
    let extent = extents[index]
    let range = extent.start..<extent.start + extent.units
    let low = UInt32(PartitionTable.offset(ofUnit: range.lowerBound) / 64)
    let high = UInt32(PartitionTable.offset(ofUnit: range.upperBound) / 64)
    free[extent.slotClass].removeAll { $0 >= low && $0 < high }
    for unit in range { extentOfUnit[unit] = -1 }
    // The last extent takes the number that became free.
    let last = extents.count - 1
    if index != last {
      extents[index] = extents[last]
      for unit in extents[index].start..<extents[index].start + extents[index].units {
        extentOfUnit[unit] = Int32(index)
      }
      for place in formatting.indices where formatting[place] == last { formatting[place] = index }
    }
    extents.removeLast()
    // The rest is free only when the new header is durable: else the old header could come back and cover it.
    if range.count > count { remainders.append(range.lowerBound + count..<range.upperBound) }
    return range.lowerBound
  }

  private func grow(by count: Int, into changes: inout [DeviceChange]) -> Int {
    let start = extentOfUnit.count
    let needed = PartitionTable.offset(ofUnit: start + count) - PartitionTable.prefixBytes
    let steps = (needed + growthBytes - 1) / growthBytes
    fileBytes = PartitionTable.prefixBytes + steps * growthBytes
    invariant(fileBytes / 64 < Int(clamping: UInt32.max), "the table of a partition cannot be larger than 256 GiB")
    changes.append(.preallocate(.table(partition), bytes: UInt64(fileBytes)))
    let units = PartitionTable.units(inFile: fileBytes)
    extentOfUnit.append(contentsOf: repeatElement(-1, count: units - start))
    if units > start + count { unformatted.append(start + count..<units) }
    return start
  }

  private func extentHeader(_ slotClass: Int, _ start: Int) -> [UInt8] {
    var writer = ByteWriter(reserving: SlotClass.extentHeaderBytes)
    writer.u32(PartitionTable.extentMagic)
    writer.u16(UInt16(slotClass))
    writer.u16(UInt16(SlotClass.all[slotClass].units))
    writer.u32(UInt32(partition))
    writer.u32(UInt32(start))
    writer.u64(Checksum.xxh64(writer.bytes))
    return writer.bytes + [UInt8](repeating: 0, count: SlotClass.extentHeaderBytes - writer.count)
  }

  func isLocated(_ index: Int) -> Bool { index < locations.count && locations[index] != 0 }

  var mark: TableMark { TableMark(partition: partition, records: located, fileBytes: fileBytes) }

  /// The header of the extent in which the unit lies, as it should stand on the disk; nil where there is none.
  func extentHeaderChange(ofUnit unit: Int) -> (offset: Int, slotClass: Int, change: DeviceChange)? {
    guard unit < extentOfUnit.count, extentOfUnit[unit] >= 0 else { return nil }
    let extent = extents[Int(extentOfUnit[unit])]
    guard !extent.isFormatting else { return nil }
    let offset = PartitionTable.offset(ofUnit: extent.start)
    return (
      offset, extent.slotClass,
      .write(.table(partition), at: UInt64(offset), extentHeader(extent.slotClass, extent.start))
    )
  }

  func isFree(_ offset: Int, _ slotClass: Int) -> Bool { free[slotClass].contains(UInt32(offset / 64)) }

  // MARK: Recovery

  /// Takes over an extent found on disk; returns its number. Its slots are told one by one.
  func adoptExtent(start: Int, slotClass: Int) {
    let index = extents.count
    extents.append(Extent(start: start, slotClass: slotClass, used: 0, isFormatting: false))
    for unit in start..<start + SlotClass.all[slotClass].units { extentOfUnit[unit] = Int32(index) }
  }

  func adoptUnformatted(_ unit: Int, hasTornHeader: Bool) {
    if hasTornHeader { tornHeaders.append(unit) }
    if let last = unformatted.last, last.upperBound == unit {
      unformatted[unformatted.count - 1] = last.lowerBound..<unit + 1
    } else {
      unformatted.append(unit..<unit + 1)
    }
  }

  /// What must be durable before the first flush: a torn header could come to lie within a slot of a larger extent.
  func tornHeaderChanges() -> [DeviceChange] {
    tornHeaders.map { unit in
      .write(
        .table(partition), at: UInt64(PartitionTable.offset(ofUnit: unit)),
        [UInt8](repeating: 0, count: SlotClass.extentHeaderBytes))
    }
  }

  func adoptFree(offset: Int, slotClass: Int) { free[slotClass].append(UInt32(offset / 64)) }

  /// The slot holds the newest state of the record found so far; an older slot of it is to be zeroed.
  func adopt(_ index: Int, offset: Int, slotClass: Int) {
    while locations.count <= index { locations.append(0) }
    if locations[index] != 0 { toZero.append(locations[index]) } else { located += 1 }
    locations[index] = UInt64(offset / 64) << 8 | UInt64(slotClass)
    extents[extent(ofSlot: locations[index])].used += 1
  }

  /// The slot holds nothing that is needed, and is not zero.
  func adoptStale(offset: Int, slotClass: Int) {
    let slot = UInt64(offset / 64) << 8 | UInt64(slotClass)
    extents[extent(ofSlot: slot)].used += 1
    toZero.append(slot)
  }
}
