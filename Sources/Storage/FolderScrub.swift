import Base

/// Reads the whole folder of a node that is stopped, and changes nothing.
package enum FolderScrub {
  package struct Report: Sendable {
    package var bytes: UInt64 = 0
    package var records: UInt64 = 0
    /// A line each: what is damaged, and what becomes of it at the next start.
    package var damage: [String] = []
    /// Whether the node can start.
    package var isLost = false
  }

  package static func read(_ device: any Device) throws(StorageError) -> Report {
    var report = Report()
    let files: [FileID]
    do throws(DeviceError) { files = try device.files() } catch { throw .device(error) }
    var sound = 0
    for copy in 0..<2 {
      if try Superblock.isSound(copy, on: device) {
        sound += 1
      } else {
        report.damage.append("superblock \(copy) is damaged: it is written again from the other copy")
      }
    }
    if sound == 0 { report.lose("both copies of the superblock are damaged") }
    var journals = Journals()
    var partitions: Set<Int> = []
    for file in files {
      switch file {
      case .journal(let number): readJournal(device, number, &journals, &report)
      case .table(let partition): partitions.insert(partition)
      case .superblock, .log, .snapshot, .vote: break
      }
    }
    if files.contains(where: { $0.isOfLog }) { try readLog(device, files, &report) }
    for mark in journals.marks { partitions.insert(mark.partition) }
    for partition in partitions.sorted() { try readTable(device, partition, journals, &report) }
    return report
  }

  /// What the journals say.
  private struct Journals {
    /// By partition: keys of records in live blocks.
    var keys: [Int: Set<[UInt8]>] = [:]
    var marks: [TableMark] = []
  }

  private static func readJournal(
    _ device: any Device, _ number: Int, _ journals: inout Journals, _ report: inout Report
  ) {
    do throws(StorageError) {
      report.bytes += UInt64(try FileWindow(device, .journal(number)).size)
      var scan = try JournalScan(device, number: number)
      var found: [(partition: Int, key: [UInt8])] = []
      try scan.forEachRecord { (frame: RecordFrame, bytes: [UInt8]) throws(StorageError) in
        found.append((frame.partition, Array(bytes[frame.key])))
      }
      for record in found { journals.keys[record.partition, default: []].insert(record.key) }
      if scan.isCheckpointLast { journals.marks += scan.checkpoint?.tables ?? [] }
    } catch {
      report.lose(error.description)
    }
  }

  private static func readTable(
    _ device: any Device, _ partition: Int, _ journals: Journals, _ report: inout Report
  ) throws(StorageError) {
    var scrub = try TableScrub(device, partition: partition)
    var findings: [ScrubFinding] = []
    while try scrub.step(into: &findings) {}
    report.bytes += scrub.bytes
    report.records += scrub.records
    let journaled = journals.keys[partition] ?? []
    for mark in journals.marks where mark.partition == partition {
      let left = Int(scrub.records) + findings.count { $0.key != nil } + journaled.count
      if scrub.fileBytes < mark.fileBytes {
        report.lose("table \(partition) is cut short: it has \(scrub.fileBytes) bytes of \(mark.fileBytes)")
      } else if left < mark.records {
        report.lose("table \(partition) has lost \(mark.records - left) of its \(mark.records) records without a trace")
      }
    }
    for finding in findings {
      let place = "\(finding.file.description) at byte \(finding.offset)"
      let isHeader =
        finding.offset < UInt64(PartitionTable.prefixBytes)
        || (Int(finding.offset) - PartitionTable.prefixBytes) % SlotClass.unitBytes == 0
      guard let key = finding.key else {
        if isHeader {
          report.lose("\(place): a header is damaged")
        } else {
          report.damage.append(
            "\(place): a record does not tell its key: put right where one bit is wrong, or the journal holds it; "
              + "else the node does not start, and must be replaced")
        }
        continue
      }
      let name = "\(place): register \(String(decoding: key, as: UTF8.self))"
      report.damage.append(
        name
          + (journaled.contains(key)
            ? " is torn: the journal holds it" : " is damaged: it abstains until the others have healed it"))
    }
  }
}

extension FolderScrub.Report {
  mutating func lose(_ line: String) {
    damage.append(line)
    isLost = true
  }
}
