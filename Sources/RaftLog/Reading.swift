import Base
import Replica

/// A read of a client of this node.
enum Reading {
  case register(Request)
  case listing(ListRequest)

  var deadline: Instant {
    switch self {
    case .register(let request): request.deadline
    case .listing(let request): request.deadline
    }
  }
}

/// Reads whose index was asked of the leader.
struct RemoteReads {
  /// Each time under a number of its own. An answer to any of them counts: the reads came before all of them. Without
  /// the earlier ones no read would end where the way there and back is longer than the time between two.
  var attempts: [UInt64]
  var sentAt: Instant
  var reads: [Reading]
}

/// A read that is answered when its register exists at another revision, or when its time is over.
struct ParkedRead {
  let key: Key
  let unlessRevision: UInt64
  let until: Instant
}

/// A change or a settle of a client of this node, until its outcome is known.
struct Proposal {
  enum State: Equatable {
    /// No node can have started it.
    case unsent
    /// The leader of `term`, and only in that term, may have appended it. `copies`: sent again so often.
    case sent(term: UInt64, to: NodeID, at: Instant, copies: Int)
    /// It may stand in a snapshot that was installed here: its outcome can no longer be seen (R8).
    case undecidable
  }

  let operation: Operation
  let token: UInt64
  let deadline: Instant
  let origin: NameOrigin
  var state = State.unsent
  /// Of what was sent: no later entry of that term can be its own, as the leader said when it was sent a copy.
  var standsUpTo: UInt64?
}
