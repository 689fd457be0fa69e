import Base

/// A place on the disk that does not read as it should.
package struct ScrubFinding: Equatable, Sendable {
  package let file: FileID
  package let offset: UInt64
  /// Where it is a record, and tells its key.
  package let key: [UInt8]?

  package init(file: FileID, offset: UInt64, key: [UInt8]? = nil) {
    self.file = file
    self.offset = offset
    self.key = key
  }
}

/// What became of a finding.
package enum ScrubOutcome: Sendable {
  /// What the node holds in memory is written there again.
  case rewritten
  /// The record was found damaged before; the node waits until it is healed.
  case abstaining
  /// Memory holds no more of this record than the disk: its holder is to read it again.
  case dropped(partition: Int, record: UInt32)
  /// Nothing is there any more.
  case gone
}

/// Reads the table of one partition and checks every checksum, extent by extent. It holds nothing and changes nothing,
/// so a thread of its own may do it while the node runs; then what is just being written may look damaged for a moment.
package struct TableScrub {
  package private(set) var bytes: UInt64 = 0
  package private(set) var records: UInt64 = 0
  private let device: any Device
  private let partition: Int
  let fileBytes: Int
  /// The next one; -1: the file's own header.
  private var unit = -1

  package init(_ device: any Device, partition: Int) throws(StorageError) {
    self.device = device
    self.partition = partition
    do throws(DeviceError) {
      fileBytes = Int(try device.size(of: .table(partition)) ?? 0)
    } catch { throw .device(error) }
  }

  /// Reads on, about 64 KiB or one extent; false when the end was reached.
  package mutating func step(into findings: inout [ScrubFinding]) throws(StorageError) -> Bool {
    if unit < 0 {
      unit = 0
      guard fileBytes > 0 else { return false }
      if !(try isHeaderSound()) { findings.append(ScrubFinding(file: .table(partition), offset: 0)) }
      return true
    }
    guard unit < PartitionTable.units(inFile: fileBytes) else { return false }
    let start = PartitionTable.offset(ofUnit: unit)
    var content = try read(start, SlotClass.unitBytes)
    guard let number = PartitionTable.slotClass(inHeader: content, at: 0, partition: partition, unit: unit) else {
      let isUnused = content.withUnsafeBytes {
        UnsafeRawBufferPointer(rebasing: $0[SlotClass.extentHeaderBytes...]).isZero
      }
      if !isUnused { findings.append(ScrubFinding(file: .table(partition), offset: UInt64(start))) }
      unit += 1
      return true
    }
    let slotClass = SlotClass.all[number]
    if slotClass.units > 1 {
      content += try read(start + SlotClass.unitBytes, (slotClass.units - 1) * SlotClass.unitBytes)
    }
    unit += slotClass.units
    for slot in 0..<slotClass.slots {
      let place = SlotClass.extentHeaderBytes + slot * slotClass.slotBytes
      guard place + slotClass.slotBytes <= content.count else { break }
      guard !TableScrub.isSound(content, place, slotClass.slotBytes, partition: partition, records: &records) else {
        continue
      }
      findings.append(
        ScrubFinding(
          file: .table(partition), offset: UInt64(start + place),
          key: RecordFrame.salvageKey(content, at: place, slotBytes: slotClass.slotBytes)))
    }
    return true
  }

  private static func isSound(
    _ content: [UInt8], _ place: Int, _ slotBytes: Int, partition: Int, records: inout UInt64
  ) -> Bool {
    if content.withUnsafeBytes({ UnsafeRawBufferPointer(rebasing: $0[place..<place + slotBytes]).isZero }) {
      return true
    }
    guard let frame = RecordFrame.decode(content, at: place, end: place + slotBytes), frame.partition == partition
    else { return false }
    records += 1
    return true
  }

  private mutating func isHeaderSound() throws(StorageError) -> Bool {
    let head = try read(0, min(32, fileBytes))
    guard head.count == 32 else { return false }
    let words = head.withUnsafeBytes { bytes in (0..<4).map { bytes.u64($0 * 8) } }
    return words[0] == PartitionTable.magic && words[3] == Checksum.xxh64(head[0..<24])
  }

  private mutating func read(_ offset: Int, _ count: Int) throws(StorageError) -> [UInt8] {
    bytes += UInt64(count)
    do throws(DeviceError) {
      return try device.read(.table(partition), at: UInt64(offset), count: count)
    } catch { throw .device(error) }
  }
}

extension PartitionTable {
  /// The class of the extent whose header begins at `start`, nil where it is not valid.
  static func slotClass(inHeader bytes: [UInt8], at start: Int, partition: Int, unit: Int) -> Int? {
    guard start + SlotClass.extentHeaderBytes <= bytes.count else { return nil }
    return bytes.withUnsafeBytes { bytes -> Int? in
      let header = UnsafeRawBufferPointer(rebasing: bytes[start..<start + 16])
      let slotClass = Int(header.u16(4))
      guard header.u32(0) == PartitionTable.extentMagic, Checksum.xxh64(header) == bytes.u64(start + 16),
        header.u32(8) == UInt32(partition), header.u32(12) == UInt32(unit), slotClass < SlotClass.all.count,
        Int(header.u16(6)) == SlotClass.all[slotClass].units
      else { return nil }
      return slotClass
    }
  }

  /// What is at a place of the file, as this table knows it.
  enum Place {
    case fileHeader
    case extentHeader(DeviceChange)
    case free(slotBytes: Int)
    case record(Int)
    case nothing
  }

  func place(at offset: Int) -> Place {
    if offset < PartitionTable.prefixBytes { return .fileHeader }
    let unit = (offset - PartitionTable.prefixBytes) / SlotClass.unitBytes
    guard let header = extentHeaderChange(ofUnit: unit) else { return .nothing }
    if offset == header.offset { return .extentHeader(header.change) }
    if let index = locations.firstIndex(where: { $0 != 0 && Int($0 >> 8) * 64 == offset }) { return .record(index) }
    return isFree(offset, header.slotClass) ? .free(slotBytes: SlotClass.all[header.slotClass].slotBytes) : .nothing
  }
}
