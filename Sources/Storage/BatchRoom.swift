import Base

/// The memory of a journal's last batch, for the next one. Its device has let go of it by then; if not, the next one
/// has memory of its own.
///
/// A large piece that is asked for and given back each turn has the allocator put all of its small ones in order.
struct BatchRoom {
  private static let mostBytes = 1 << 18

  private var bytes: [UInt8] = []
  private var lastBytes = 0

  /// An empty writer with room for somewhat more than the last batch, at most `limit` bytes.
  mutating func take(limit: Int = .max) -> ByteWriter {
    var writer = ByteWriter()
    swap(&writer.bytes, &bytes)
    writer.bytes.removeAll(keepingCapacity: true)
    writer.bytes.reserveCapacity(min(limit, lastBytes + lastBytes / 4 + Page.bytes))
    return writer
  }

  /// Notes the batch that was made of it.
  mutating func keep(_ batch: [UInt8]) {
    lastBytes = batch.count
    if batch.count <= Self.mostBytes { bytes = batch }
  }
}
