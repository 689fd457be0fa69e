package import Base
package import Replica

/// A change or a settle on its way to the leader.
///
///     instants: u64; u32 longest value in bytes; varint lo (0: none), varint since, operation
package struct Forward: Sendable {
  /// R8: the receiver's own clock as the sender last heard it, and the deadline by that clock.
  package let heard: Instant
  package let deadline: Instant
  package let maximumValueBytes: UInt32
  package let origin: NameOrigin
  package let operation: Operation

  func encode(into writer: inout ByteWriter) {
    writer.u64(heard.nanoseconds)
    writer.u64(deadline.nanoseconds)
    writer.u32(maximumValueBytes)
    writer.varint(origin.lo ?? 0)
    writer.varint(origin.since)
    operation.encode(into: &writer)
  }
}

extension Forward {
  init(from reader: inout ByteReader) throws(DecodeError) {
    heard = Instant(nanoseconds: try reader.u64())
    deadline = Instant(nanoseconds: try reader.u64())
    maximumValueBytes = try reader.u32()
    let lo = try reader.varint()
    origin = NameOrigin(lo: lo == 0 ? nil : lo, since: try reader.varint())
    operation = try Operation(from: &reader)
  }
}

/// What a node had applied when a request with a client's own name came to it (R7): a repeat of the request, by way of
/// another node, may have been applied since.
package struct NameOrigin: Sendable {
  /// The lowest revision at which such a repeat may stand; nil for a request without a name, which has none.
  package let lo: UInt64?
  /// The last applied entry, if its register did not name the request; else 0.
  package let since: UInt64

  static let unnamed = NameOrigin(lo: nil, since: 0)
}
