package import Base
package import Replica

/// What Raft replicas say to each other. Every message bears its sender's term.
///
///     u8 kind (and 0x80 where the sender has no vote and does not count, for its log was damaged), u64 term, then the
///     fields of the case in their order
///     (index, term, attempt, round, instant: u64; position: index and term; flag: u8 0 or 1; bytes: varint length
///     first)
package enum Message: Sendable {
  /// Would you vote for me in `next`? Changes nothing at the receiver (dissertation, 9.6).
  case preVote(next: UInt64, last: LogPosition)
  case preVoteReply(next: UInt64, granted: Bool)
  /// `isTransfer`: the leader itself asked for it, so whoever heard of that leader lately votes all the same.
  case requestVote(last: LogPosition, isTransfer: Bool)
  case vote(granted: Bool)
  /// The entries behind `previous`.
  case append(previous: LogPosition, commit: UInt64, entries: [(term: UInt64, payload: [UInt8])])
  /// The follower holds, durably, the leader's log up to `match`.
  case appended(match: UInt64)
  /// `previous` does not stand in the follower's log. `hint`: the last position there that may stand in the leader's.
  /// As an answer to a heartbeat ``toStranger``: by its own log the follower is a member, and must be told otherwise.
  case mismatch(previous: UInt64, hint: LogPosition)
  /// The leader is alive, and asks who still follows it (`round`). `sent`: up to there entries were sent;
  /// ``toStranger``: the receiver is none of those who are sent any.
  case heartbeat(commit: UInt64, round: UInt64, sent: UInt64)
  /// `matched`: up to there the follower holds the leader's log; `isDurable`: all of it on stable storage.
  case heartbeatReply(round: UInt64, sent: UInt64, matched: UInt64, isDurable: Bool)
  /// Part `number` of an image of the state after `position`.
  case snapshot(
    position: LogPosition, configuration: [UInt8], number: UInt32, isLast: Bool, piece: [UInt8])
  /// The follower has the parts before `next`. `isInstalled`: it holds that state, durably, or a later one.
  case snapshotReply(index: UInt64, next: UInt32, isInstalled: Bool)
  /// Leadership transfer: begin an election at once (dissertation, 3.10).
  case timeoutNow
  /// Please append this operation in your present term, which must be this message's.
  case forward(attempt: UInt64, Forward)
  /// What came of a forward; nil: it was not started in this term, and never will be.
  case forwardReply(attempt: UInt64, Outcome?)
  /// A copy of a forward came that was taken up before: in the log of this message's term it stands at `last` or below,
  /// or else nowhere, and never will.
  case forwardRepeated(attempt: UInt64, last: UInt64)
  /// How far must the state be applied for a read that begins now? (6.4)
  case readIndex(attempt: UInt64)
  case readIndexReply(attempt: UInt64, index: UInt64)
  /// To itself: this node's own log is durable up to `match`.
  case durable(match: UInt64)
  /// Please append a marker of this name: the sender's log was damaged.
  case markerWanted(attempt: UInt64)
}

extension Message {
  package static let toStranger = UInt64.max

  private static let noVote: UInt8 = 0x80

  /// - Parameter counts: false of a node whose log was damaged.
  package func encode(term: UInt64, counts: Bool = true, into writer: inout ByteWriter) {
    writer.u8(kind.rawValue | (counts ? 0 : Self.noVote))
    writer.u64(term)
    switch self {
    case .preVote(let next, let last):
      writer.u64(next)
      writer.position(last)
    case .preVoteReply(let next, let granted):
      writer.u64(next)
      writer.u8(granted ? 1 : 0)
    case .requestVote(let last, let isTransfer):
      writer.position(last)
      writer.u8(isTransfer ? 1 : 0)
    case .vote(let granted): writer.u8(granted ? 1 : 0)
    case .append(let previous, let commit, let entries):
      writer.position(previous)
      writer.u64(commit)
      writer.varint(UInt64(entries.count))
      for entry in entries {
        writer.varint(entry.term)
        writer.blob(entry.payload)
      }
    case .appended(let match), .durable(let match): writer.u64(match)
    case .mismatch(let previous, let hint):
      writer.u64(previous)
      writer.position(hint)
    case .heartbeat(let commit, let round, let sent):
      writer.u64(commit)
      writer.u64(round)
      writer.u64(sent)
    case .heartbeatReply(let round, let sent, let matched, let isDurable):
      writer.u64(round)
      writer.u64(sent)
      writer.u64(matched)
      writer.u8(isDurable ? 1 : 0)
    case .snapshot(let position, let configuration, let number, let isLast, let piece):
      writer.position(position)
      writer.blob(configuration)
      writer.u32(number)
      writer.u8(isLast ? 1 : 0)
      writer.blob(piece)
    case .snapshotReply(let index, let next, let isInstalled):
      writer.u64(index)
      writer.u32(next)
      writer.u8(isInstalled ? 1 : 0)
    case .timeoutNow: break
    case .forward(let attempt, let forward):
      writer.u64(attempt)
      forward.encode(into: &writer)
    case .forwardReply(let attempt, let outcome):
      writer.u64(attempt)
      writer.u8(outcome == nil ? 0 : 1)
      outcome?.encode(into: &writer)
    case .readIndex(let attempt), .markerWanted(let attempt): writer.u64(attempt)
    case .readIndexReply(let attempt, let index), .forwardRepeated(let attempt, let index):
      writer.u64(attempt)
      writer.u64(index)
    }
  }

  /// The first byte of a message.
  package enum Kind: UInt8, Sendable {
    case preVote = 1
    case preVoteReply, requestVote, vote, append, appended, mismatch, heartbeat, heartbeatReply, snapshot
    case snapshotReply, timeoutNow, forward, forwardReply, readIndex, readIndexReply, durable, markerWanted
    case forwardRepeated

    /// Of the first byte.
    package init?(first byte: UInt8) { self.init(rawValue: byte & ~Message.noVote) }
  }

  /// Whether the sender of an encoded message has a vote, and counts.
  package static func counts(first byte: UInt8) -> Bool { byte & noVote == 0 }

  static func counts(_ reader: ByteReader) -> Bool {
    var reader = reader
    return (try? reader.u8()).map(counts(first:)) ?? true
  }

  /// Whether a follower tells its leader by it that it still follows.
  var isAnswerToLeader: Bool {
    switch self {
    case .appended, .mismatch, .heartbeatReply, .snapshotReply: true
    case .preVote, .preVoteReply, .requestVote, .vote, .append, .heartbeat, .snapshot, .timeoutNow, .forward,
      .forwardReply, .forwardRepeated, .readIndex, .readIndexReply, .durable, .markerWanted:
      false
    }
  }

  package var kind: Kind {
    switch self {
    case .preVote: .preVote
    case .preVoteReply: .preVoteReply
    case .requestVote: .requestVote
    case .vote: .vote
    case .append: .append
    case .appended: .appended
    case .mismatch: .mismatch
    case .heartbeat: .heartbeat
    case .heartbeatReply: .heartbeatReply
    case .snapshot: .snapshot
    case .snapshotReply: .snapshotReply
    case .timeoutNow: .timeoutNow
    case .forward: .forward
    case .forwardReply: .forwardReply
    case .readIndex: .readIndex
    case .readIndexReply: .readIndexReply
    case .durable: .durable
    case .markerWanted: .markerWanted
    case .forwardRepeated: .forwardRepeated
    }
  }

  /// The sender's term and the message.
  package static func decode(_ reader: inout ByteReader) throws(DecodeError) -> (term: UInt64, message: Message) {
    guard let kind = Kind(first: try reader.u8()) else { throw .malformed }
    let term = try reader.u64()
    let message = try Message(kind, &reader)
    guard reader.isAtEnd else { throw .malformed }
    return (term, message)
  }

  private init(_ kind: Kind, _ reader: inout ByteReader) throws(DecodeError) {
    switch kind {
    case .preVote:
      let next = try reader.u64()
      self = .preVote(next: next, last: try reader.position())
    case .preVoteReply:
      let next = try reader.u64()
      self = .preVoteReply(next: next, granted: try reader.boolean())
    case .requestVote:
      let last = try reader.position()
      self = .requestVote(last: last, isTransfer: try reader.boolean())
    case .vote: self = .vote(granted: try reader.boolean())
    case .append:
      let previous = try reader.position()
      let commit = try reader.u64()
      let count = try reader.varint()
      guard count <= UInt64(reader.remaining) else { throw .truncated }
      var entries: [(term: UInt64, payload: [UInt8])] = []
      entries.reserveCapacity(Int(count))
      for _ in 0..<count {
        let term = try reader.varint()
        entries.append((term, try reader.blob()))
      }
      self = .append(previous: previous, commit: commit, entries: entries)
    case .appended: self = .appended(match: try reader.u64())
    case .mismatch:
      let previous = try reader.u64()
      self = .mismatch(previous: previous, hint: try reader.position())
    case .heartbeat:
      let commit = try reader.u64()
      let round = try reader.u64()
      self = .heartbeat(commit: commit, round: round, sent: try reader.u64())
    case .heartbeatReply:
      let round = try reader.u64()
      let sent = try reader.u64()
      let matched = try reader.u64()
      self = .heartbeatReply(round: round, sent: sent, matched: matched, isDurable: try reader.boolean())
    case .snapshot:
      let position = try reader.position()
      let configuration = try reader.blob(maximum: 1 << 16)
      let number = try reader.u32()
      let isLast = try reader.boolean()
      self = .snapshot(
        position: position, configuration: configuration, number: number, isLast: isLast, piece: try reader.blob())
    case .snapshotReply:
      let index = try reader.u64()
      let next = try reader.u32()
      self = .snapshotReply(index: index, next: next, isInstalled: try reader.boolean())
    case .timeoutNow: self = .timeoutNow
    case .forward:
      let attempt = try reader.u64()
      self = .forward(attempt: attempt, try Forward(from: &reader))
    case .forwardReply:
      let attempt = try reader.u64()
      self = .forwardReply(attempt: attempt, try reader.boolean() ? try Outcome(from: &reader) : nil)
    case .readIndex: self = .readIndex(attempt: try reader.u64())
    case .readIndexReply:
      let attempt = try reader.u64()
      self = .readIndexReply(attempt: attempt, index: try reader.u64())
    case .durable: self = .durable(match: try reader.u64())
    case .markerWanted: self = .markerWanted(attempt: try reader.u64())
    case .forwardRepeated:
      let attempt = try reader.u64()
      self = .forwardRepeated(attempt: attempt, last: try reader.u64())
    }
  }
}

extension ByteWriter {
  mutating func position(_ position: LogPosition) {
    u64(position.index)
    u64(position.term)
  }
}

extension ByteReader {
  mutating func position() throws(DecodeError) -> LogPosition {
    let index = try u64()
    return LogPosition(index: index, term: try u64())
  }
  mutating func boolean() throws(DecodeError) -> Bool {
    let byte = try u8()
    guard byte <= 1 else { throw .malformed }
    return byte == 1
  }
}
