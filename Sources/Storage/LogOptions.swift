import Base

/// The sizes of a log store.
package struct LogOptions: Sendable {
  /// One segment, in bytes: a multiple of 4096.
  package var segmentBytes = 16 << 20
  /// About the most that one batch holds; what is beyond waits for the next one.
  package var batchBytes = 4 << 20
  /// About how much of a snapshot is written at a time.
  package var pieceBytes = 256 << 10
  /// The largest payload of an entry: a value of 1 MiB, a value to compare with, and what stands beside them.
  package var maximumPayloadBytes = (2 << 20) + (8 << 10)

  package init() {}

  func check() {
    invariant(segmentBytes % Page.bytes == 0, "a log segment must be a multiple of 4096 bytes")
    invariant(
      segmentBytes >= Page.padded(max(batchBytes, maximumPayloadBytes) + 256),
      "a log segment of \(segmentBytes) bytes cannot hold the largest batch")
    invariant(batchBytes > 0 && pieceBytes > 0, "storage sizes must be above 0")
  }
}
