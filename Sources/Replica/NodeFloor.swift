package import Base

/// What a node has promised for all keys without a record, as hosts keep it and hand it on (R14; PROTOCOL, Membership,
/// step 2): the words of a ballot, highest first, and a revision. Each part is only ever raised by itself.
package struct NodeFloor: Equatable, Sendable {
  package var ballotHigh: UInt64
  package var ballotLow: UInt64
  package var revision: UInt64

  package init(ballotHigh: UInt64 = 0, ballotLow: UInt64 = 0, revision: UInt64 = 0) {
    self.ballotHigh = ballotHigh
    self.ballotLow = ballotLow
    self.revision = revision
  }

  package mutating func raise(to other: NodeFloor) {
    if (other.ballotHigh, other.ballotLow) > (ballotHigh, ballotLow) {
      ballotHigh = other.ballotHigh
      ballotLow = other.ballotLow
    }
    revision = max(revision, other.revision)
  }

  /// u64 ballot, high word; u64 ballot, low word; u64 revision.
  package func encode(into writer: inout ByteWriter) {
    writer.u64(ballotHigh)
    writer.u64(ballotLow)
    writer.u64(revision)
  }

  package init(from reader: inout ByteReader) throws(DecodeError) {
    ballotHigh = try reader.u64()
    ballotLow = try reader.u64()
    revision = try reader.u64()
  }
}
