import Base

/// The sizes of the stores of a node.
package struct StorageOptions: Sendable {
  /// One half of a journal ring, in bytes: a multiple of 4096.
  package var halfBytes = 32 << 20
  /// About how much one background batch writes to the tables.
  package var flushBytes = 256 << 10
  /// The most that one journal batch holds; what is beyond waits for the next one.
  package var batchBytes = 8 << 20
  /// A block of a batch is closed when it has reached this size, so that recovery reads in bounded steps.
  package var blockBytes = 1 << 20
  /// Table files grow by this much, a multiple of 64 KiB.
  package var growthBytes = 1 << 20
  /// The largest payload that a holder encodes: a value of 1 MiB and its window.
  package var maximumPayloadBytes = (1 << 20) + (8 << 10)

  package init() {}

  /// The most that one record can take in the journal.
  var maximumBlockBytes: Int {
    Page.padded(JournalBlock.headerBytes + RecordFrame.headerBytes + 512 + maximumPayloadBytes)
  }

  /// Stops the program when the sizes cannot work together: a record that fits into no half would stall the node for
  /// ever.
  func check() {
    invariant(halfBytes % Page.bytes == 0, "a journal half must be a multiple of 4096 bytes")
    invariant(
      halfBytes >= maximumBlockBytes,
      "a journal half of \(halfBytes) bytes cannot hold the largest record, \(maximumBlockBytes) bytes")
    invariant(
      growthBytes > 0 && growthBytes % SlotClass.unitBytes == 0, "tables must grow by a multiple of 65536 bytes")
    invariant(flushBytes > 0 && blockBytes > 0 && batchBytes > 0, "storage sizes must be above 0")
    invariant(
      RecordFrame.headerBytes + 512 + maximumPayloadBytes <= SlotClass.largest,
      "the largest record fits into no slot")
  }
}

/// The unit in which journals are written: no write of one batch touches a page of another.
enum Page {
  static let bytes = 4096

  @inline(__always)
  static func padded(_ count: Int) -> Int { (count + bytes - 1) & ~(bytes - 1) }
}
