package import Base
package import Replica

/// What register replicas of one partition say to each other.
///
/// A request carries an `attempt`, a number that its sender never uses twice; the answer carries it back.
///
///     u8 kind, then the fields of the case in their order
///     (ballot: 16 bytes; attempt, revision, instant: u64; epoch: u32; key, cell: varint length + bytes)
package enum Message: Sendable {
  case prepare(attempt: UInt64, Ballot, key: [UInt8])
  /// `next`: the ballot that the acceptor promises along with this accept (R5). `chosen`: the highest revision that
  /// the proposer knows to be chosen.
  case accept(attempt: UInt64, Ballot, next: Ballot, chosen: UInt64, key: [UInt8], cell: [UInt8])
  /// R6: which ballot is accepted?
  case read(attempt: UInt64, epoch: UInt32, key: [UInt8])
  /// `accepted` is zero, and the cell empty, where nothing is accepted; then `erased` is the floor's revision (R14).
  case promise(attempt: UInt64, Ballot, accepted: Ballot, erased: UInt64, cell: [UInt8])
  case accepted(attempt: UInt64, Ballot)
  /// The acceptor has promised `promised`, which is not below (prepare) or above (accept) the ballot that was asked
  /// for.
  case conflict(attempt: UInt64, Ballot, promised: Ballot)
  case readReply(attempt: UInt64, accepted: Ballot)
  /// The sender's epoch was too low (R11).
  case stale(attempt: UInt64, epoch: UInt32)
  /// R10: please coordinate this operation. `heard` and `deadline` are by the receiver's own clock (R8): the reading
  /// that the sender echoes, and the time after which the operation must not be started. `lo` and `known` serve R7.
  case forward(attempt: UInt64, heard: Instant, deadline: Instant, lo: UInt64, known: Ballot, Operation)
  /// `takeOver`: all traffic of this key has come from you for a while; coordinate it yourself (R10).
  case forwardReply(attempt: UInt64, takeOver: Bool, Outcome)
  /// The keys you hold that begin with `prefix`, above `after`, at most `limit`.
  case list(attempt: UInt64, epoch: UInt32, prefix: [UInt8], after: [UInt8], limit: UInt32)
  case listReply(attempt: UInt64, more: Bool, keys: [[UInt8]])
  /// R13: every member of the epoch has accepted the tombstone of this ballot. No answer.
  case erase(attempt: UInt64, epoch: UInt32, key: [UInt8], Ballot)
}

extension Message {
  package func encode(into writer: inout ByteWriter) {
    switch self {
    case .prepare(let attempt, let ballot, let key):
      writer.u8(1)
      writer.u64(attempt)
      ballot.encode(into: &writer)
      writer.blob(key)
    case .accept(let attempt, let ballot, let next, let chosen, let key, let cell):
      writer.u8(2)
      writer.u64(attempt)
      ballot.encode(into: &writer)
      next.encode(into: &writer)
      writer.u64(chosen)
      writer.blob(key)
      writer.blob(cell)
    case .read(let attempt, let epoch, let key):
      writer.u8(3)
      writer.u64(attempt)
      writer.u32(epoch)
      writer.blob(key)
    case .promise(let attempt, let ballot, let accepted, let erased, let cell):
      writer.u8(4)
      writer.u64(attempt)
      ballot.encode(into: &writer)
      accepted.encode(into: &writer)
      writer.u64(erased)
      writer.blob(cell)
    case .accepted(let attempt, let ballot):
      writer.u8(5)
      writer.u64(attempt)
      ballot.encode(into: &writer)
    case .conflict(let attempt, let ballot, let promised):
      writer.u8(6)
      writer.u64(attempt)
      ballot.encode(into: &writer)
      promised.encode(into: &writer)
    case .readReply(let attempt, let accepted):
      writer.u8(7)
      writer.u64(attempt)
      accepted.encode(into: &writer)
    case .stale(let attempt, let epoch):
      writer.u8(8)
      writer.u64(attempt)
      writer.u32(epoch)
    case .forward(let attempt, let heard, let deadline, let lo, let known, let operation):
      writer.u8(9)
      writer.u64(attempt)
      writer.u64(heard.nanoseconds)
      writer.u64(deadline.nanoseconds)
      writer.u64(lo)
      known.encode(into: &writer)
      operation.encode(into: &writer)
    case .forwardReply(let attempt, let takeOver, let outcome):
      writer.u8(10)
      writer.u64(attempt)
      writer.u8(takeOver ? 1 : 0)
      outcome.encode(into: &writer)
    case .list(let attempt, let epoch, let prefix, let after, let limit):
      writer.u8(11)
      writer.u64(attempt)
      writer.u32(epoch)
      writer.blob(prefix)
      writer.blob(after)
      writer.u32(limit)
    case .listReply(let attempt, let more, let keys):
      writer.u8(12)
      writer.u64(attempt)
      writer.u8(more ? 1 : 0)
      writer.varint(UInt64(keys.count))
      for key in keys { writer.blob(key) }
    case .erase(let attempt, let epoch, let key, let ballot):
      writer.u8(13)
      writer.u64(attempt)
      writer.u32(epoch)
      writer.blob(key)
      ballot.encode(into: &writer)
    }
  }

  package init(from reader: inout ByteReader) throws(DecodeError) {
    let kind = try reader.u8()
    let attempt = try reader.u64()
    switch kind {
    case 1:
      let ballot = try Ballot(from: &reader)
      self = .prepare(attempt: attempt, ballot, key: try reader.key())
    case 2:
      let ballot = try Ballot(from: &reader)
      let next = try Ballot(from: &reader)
      let chosen = try reader.u64()
      let key = try reader.key()
      let cell = try reader.blob()
      guard cell.count >= 10 else { throw .malformed }
      self = .accept(attempt: attempt, ballot, next: next, chosen: chosen, key: key, cell: cell)
    case 3:
      let epoch = try reader.u32()
      self = .read(attempt: attempt, epoch: epoch, key: try reader.key())
    case 4:
      let ballot = try Ballot(from: &reader)
      let accepted = try Ballot(from: &reader)
      let erased = try reader.u64()
      let cell = try reader.blob()
      guard (accepted == .zero) == cell.isEmpty else { throw .malformed }
      self = .promise(attempt: attempt, ballot, accepted: accepted, erased: erased, cell: cell)
    case 5: self = .accepted(attempt: attempt, try Ballot(from: &reader))
    case 6:
      let ballot = try Ballot(from: &reader)
      self = .conflict(attempt: attempt, ballot, promised: try Ballot(from: &reader))
    case 7: self = .readReply(attempt: attempt, accepted: try Ballot(from: &reader))
    case 8: self = .stale(attempt: attempt, epoch: try reader.u32())
    case 9:
      let heard = Instant(nanoseconds: try reader.u64())
      let deadline = Instant(nanoseconds: try reader.u64())
      let lo = try reader.u64()
      let known = try Ballot(from: &reader)
      let operation = try Operation(from: &reader)
      self = .forward(attempt: attempt, heard: heard, deadline: deadline, lo: lo, known: known, operation)
    case 10:
      let takeOver = try reader.u8() != 0
      self = .forwardReply(attempt: attempt, takeOver: takeOver, try Outcome(from: &reader))
    case 11:
      let epoch = try reader.u32()
      let prefix = try reader.blob(maximum: Key.maximumBytes)
      let after = try reader.blob(maximum: Key.maximumBytes)
      self = .list(attempt: attempt, epoch: epoch, prefix: prefix, after: after, limit: try reader.u32())
    case 12:
      let more = try reader.u8() != 0
      var keys: [[UInt8]] = []
      for _ in 0..<(try reader.varint()) { keys.append(try reader.key()) }
      self = .listReply(attempt: attempt, more: more, keys: keys)
    case 13:
      let epoch = try reader.u32()
      let key = try reader.key()
      self = .erase(attempt: attempt, epoch: epoch, key: key, try Ballot(from: &reader))
    default: throw .malformed
    }
    guard reader.isAtEnd else { throw .malformed }
  }
}
