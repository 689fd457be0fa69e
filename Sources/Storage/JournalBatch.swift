import Base

/// The bytes of one journal write, read back: for who watches from outside what is on the disk.
package enum JournalBatch {
  /// Calls `body` with the partition, the key, and the payload of each record, in their order.
  package static func forEachRecord(
    in bytes: [UInt8], _ body: (_ partition: Int, _ key: ArraySlice<UInt8>, _ payload: ArraySlice<UInt8>) -> Void
  ) {
    var block = 0
    while block + JournalBlock.headerBytes <= bytes.count {
      let (length, frames) = bytes.withUnsafeBytes { (Int($0.u32(block + 4)), Int($0.u32(block + 40))) }
      let isWhole = length >= JournalBlock.headerBytes && block + length <= bytes.count
      invariant(isWhole, "a journal write holds half a block")
      var place = block + JournalBlock.headerBytes
      for _ in 0..<frames {
        guard let frame = RecordFrame.decode(bytes, at: place, end: block + length) else {
          invariantFailed("a journal write holds a record that is not valid")
        }
        body(frame.partition, bytes[frame.key], bytes[frame.payload])
        place += frame.length
      }
      block += Page.padded(length)
    }
  }
}
