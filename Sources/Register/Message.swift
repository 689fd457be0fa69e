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
  /// for; or its record is damaged, and `promised` the reserve that only an accept above it heals (also the answer to a
  /// read, of no ballot then); or its promises may not go so high yet.
  case conflict(attempt: UInt64, Ballot, promised: Ballot)
  case readReply(attempt: UInt64, accepted: Ballot)
  /// The sender's epoch was too low (R11).
  case stale(attempt: UInt64, epoch: UInt32)
  /// R10: please coordinate this operation. `heard` and `deadline` are by the receiver's own clock (R8): the reading
  /// that the sender echoes, and the time after which the operation must not be started. `lo` and `known` serve R7.
  indirect case forward(attempt: UInt64, heard: Instant, deadline: Instant, lo: UInt64, known: Ballot, Operation)
  /// `takeOver`: all traffic of this key has come from you for a while; coordinate it yourself (R10).
  case forwardReply(attempt: UInt64, takeOver: Bool, Outcome)
  /// The keys you hold that begin with `prefix`, above `after`, at most `limit`.
  case list(attempt: UInt64, epoch: UInt32, prefix: [UInt8], after: [UInt8], limit: UInt32)
  case listReply(attempt: UInt64, more: Bool, keys: [[UInt8]])
  /// R13: every member of the epoch has accepted the tombstone of this ballot. No answer.
  case erase(attempt: UInt64, epoch: UInt32, key: [UInt8], Ballot)

  // Catching up (``CatchingUp``). Hashes are those of keys; `range` as in ``DigestRange``.

  /// What do you hold there that I do not? `leaves`: of a branch, the ones that are asked about.
  case compare(attempt: UInt64, epoch: UInt32, range: DigestRange, leaves: UInt64, digests: [UInt64])
  /// Which of the digests differ, by place; of a range that is no branch. Of the whole also ``differsAndFetches``.
  case differing(attempt: UInt64, places: UInt64)
  /// What the leaves of a branch that differ hold here: those of `leaves`. `rest`: they differ too, and are to be asked
  /// for again.
  case holdings(attempt: UInt64, leaves: UInt64, rest: UInt64, [Holding])
  /// The receiver holds these, and the sender does not.
  case want(attempt: UInt64, epoch: UInt32, [Wanted])
  /// The accept message of what the sender has accepted, at its own ballot: handled like a late copy of it. The ballot
  /// that it promises is the next one, as in each accept. `place`: which of those that were wanted.
  case relay(attempt: UInt64, place: UInt16, Ballot, chosen: UInt64, key: [UInt8], cell: [UInt8])
}

/// What digests are of: u8 0 of the whole partition, one; 1 of its 64 branches; 2 + n of the 64 leaves of branch n.
package enum DigestRange: Equatable, Sendable {
  case whole
  case branches
  case leaves(branch: Int)

  fileprivate var number: UInt8 {
    switch self {
    case .whole: 0
    case .branches: 1
    case .leaves(let branch): UInt8(2 + branch)
    }
  }

  fileprivate init(number: UInt8) throws(DecodeError) {
    switch number {
    case 0: self = .whole
    case 1: self = .branches
    case 2..<UInt8(2 + RangeDigests.fanOut): self = .leaves(branch: Int(number) - 2)
    default: throw .malformed
    }
  }

  fileprivate var digests: Int { self == .whole ? 1 : RangeDigests.fanOut }
}

/// 25 bytes: u64 hash, ballot, u8 1 where it is a value and 0 where it is a tombstone.
package struct Holding: Sendable {
  /// In one answer, and 4 bytes of a count besides; but for a leaf that alone holds more.
  static let maximum = 2600

  package let hash: UInt64
  package let ballot: Ballot
  package let isPresent: Bool
}

/// u64 hash, u16 place, u8 1 where a relay cannot help and an identity round is wanted, else 0; with 1 u64 the counter
/// above which that must be, or its sender refuses it: of what it has promised.
package struct Wanted: Sendable {
  static let maximum = 256

  package let hash: UInt64
  package let place: UInt16
  package let roundAbove: UInt64?
}

extension Message {
  /// It differs, and the one who answers is fetching what it lacks itself: most of what differs is that.
  static let differsAndFetches: UInt64 = 3

  package func encode(into writer: inout ByteWriter) {
    switch self {
    case .prepare(let attempt, let ballot, let key):
      writer.u8(1)
      writer.u64(attempt)
      ballot.encode(into: &writer)
      writer.blob(key)
    case .accept(let attempt, let ballot, let next, let chosen, let key, let cell):
      writer.append(1 + 8 + 16 + 16 + 8 + 10 + key.count + 10 + cell.count) { span in
        span.append(2)
        span.u64(attempt)
        ballot.encode(into: &span)
        next.encode(into: &span)
        span.u64(chosen)
        span.blob(key)
        span.blob(cell)
      }
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
      writer.append(1 + 8 + 16) { span in
        span.append(5)
        span.u64(attempt)
        ballot.encode(into: &span)
      }
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
    case .compare, .differing, .holdings, .want, .relay: encodeCatchingUp(into: &writer)
    }
  }

  /// The hash of the key of a prepare, an accept or a read, without the rest of it; nil for all others.
  package static func hashOfKey(in message: ByteReader) -> UInt64? {
    var reader = message
    do throws(DecodeError) {
      switch try reader.u8() {
      case 1: _ = try reader.skip(8 + 16)
      case 2: _ = try reader.skip(8 + 16 + 16 + 8)
      case 3: _ = try reader.skip(8 + 4)
      default: return nil
      }
      let length = try reader.varint()
      guard length <= UInt64(Key.maximumBytes) else { return nil }
      let range = try reader.skip(Int(length))
      return reader.bytes.withUnsafeBytes { Checksum.xxh64(UnsafeRawBufferPointer(rebasing: $0[range])) }
    } catch {
      return nil
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
    default: self = try Self.catchingUp(kind, attempt, &reader)
    }
    guard reader.isAtEnd else { throw .malformed }
  }
}

// Those of catching up: counts are varints before what they count.
extension Message {
  private func encodeCatchingUp(into writer: inout ByteWriter) {
    switch self {
    case .compare(let attempt, let epoch, let range, let leaves, let digests):
      writer.u8(14)
      writer.u64(attempt)
      writer.u32(epoch)
      writer.u8(range.number)
      writer.u64(leaves)
      for digest in digests { writer.u64(digest) }
    case .differing(let attempt, let places):
      writer.u8(15)
      writer.u64(attempt)
      writer.u64(places)
    case .holdings(let attempt, let leaves, let rest, let holdings):
      writer.u8(16)
      writer.u64(attempt)
      writer.u64(leaves)
      writer.u64(rest)
      writer.varint(UInt64(holdings.count))
      for holding in holdings {
        writer.u64(holding.hash)
        holding.ballot.encode(into: &writer)
        writer.u8(holding.isPresent ? 1 : 0)
      }
    case .want(let attempt, let epoch, let wanted):
      writer.u8(17)
      writer.u64(attempt)
      writer.u32(epoch)
      writer.varint(UInt64(wanted.count))
      for one in wanted {
        writer.u64(one.hash)
        writer.u16(one.place)
        writer.u8(one.roundAbove == nil ? 0 : 1)
        if let above = one.roundAbove { writer.u64(above) }
      }
    case .relay(let attempt, let place, let ballot, let chosen, let key, let cell):
      writer.u8(18)
      writer.u64(attempt)
      writer.u16(place)
      ballot.encode(into: &writer)
      writer.u64(chosen)
      writer.blob(key)
      writer.blob(cell)
    case .prepare, .accept, .read, .promise, .accepted, .conflict, .readReply, .stale, .forward, .forwardReply, .list,
      .listReply, .erase:
      invariantFailed("this message is none of catching up")
    }
  }

  private static func catchingUp(
    _ kind: UInt8, _ attempt: UInt64, _ reader: inout ByteReader
  ) throws(DecodeError) -> Message {
    switch kind {
    case 14:
      let epoch = try reader.u32()
      let range = try DigestRange(number: try reader.u8())
      let leaves = try reader.u64()
      var digests: [UInt64] = []
      for _ in 0..<range.digests { digests.append(try reader.u64()) }
      return .compare(attempt: attempt, epoch: epoch, range: range, leaves: leaves, digests: digests)
    case 15: return .differing(attempt: attempt, places: try reader.u64())
    case 16:
      let leaves = try reader.u64()
      let rest = try reader.u64()
      var holdings: [Holding] = []
      for _ in 0..<(try reader.varint()) {
        let hash = try reader.u64()
        let ballot = try Ballot(from: &reader)
        holdings.append(Holding(hash: hash, ballot: ballot, isPresent: try reader.u8() != 0))
      }
      return .holdings(attempt: attempt, leaves: leaves, rest: rest, holdings)
    case 17:
      let epoch = try reader.u32()
      let count = try reader.varint()
      guard count <= UInt64(Wanted.maximum) else { throw .malformed }
      var wanted: [Wanted] = []
      for _ in 0..<count {
        let hash = try reader.u64()
        let place = try reader.u16()
        let above = try reader.u8() == 0 ? nil : try reader.u64()
        guard above ?? 0 < 1 << (Ballot.counterBits - 1) else { throw .malformed }
        wanted.append(Wanted(hash: hash, place: place, roundAbove: above))
      }
      return .want(attempt: attempt, epoch: epoch, wanted)
    case 18:
      let place = try reader.u16()
      let ballot = try Ballot(from: &reader)
      let chosen = try reader.u64()
      let key = try reader.key()
      let cell = try reader.blob()
      guard cell.count >= 10, !key.isEmpty else { throw .malformed }
      return .relay(attempt: attempt, place: place, ballot, chosen: chosen, key: key, cell: cell)
    default: throw .malformed
    }
  }
}
