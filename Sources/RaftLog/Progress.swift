import Base
import Replica

/// How far a follower is, as its leader knows.
struct Progress {
  enum State {
    /// Where the logs meet is not known: one append at a time. `isWaiting`: it is on its way.
    case probing(isWaiting: Bool)
    /// Appends follow each other without waiting, within the window.
    case replicating
    /// The log does not reach back far enough.
    case snapshotting(SnapshotStream)
  }

  let id: NodeID
  var state = State.probing(isWaiting: false)
  /// The follower holds the log up to here, durably.
  var match: UInt64 = 0
  /// The next entry to be sent.
  var next: UInt64
  /// Of each append on its way: its last entry and its bytes. Oldest first, from `head` on.
  private var window: ContiguousArray<(last: UInt64, bytes: Int)> = []
  private var head = 0
  private var windowBytes = 0
  /// The last answer of this term.
  var heardAt: Instant
  /// The highest heartbeat round that was answered.
  var round: UInt64 = 0
  /// Whether it has a vote: not while its log, which was damaged, is sent to it again.
  var counts = true

  init(_ id: NodeID, next: UInt64, heardAt: Instant) {
    self.id = id
    self.next = next
    self.heardAt = heardAt
  }

  func isWindowFull(_ options: RaftOptions) -> Bool {
    window.count - head >= options.windowMessages || windowBytes >= options.windowBytes
  }

  mutating func sent(through last: UInt64, bytes: Int) {
    window.append((last, bytes))
    windowBytes += bytes
    next = last + 1
  }

  mutating func matched(_ index: UInt64) {
    match = max(match, index)
    next = max(next, match + 1)
    while head < window.count, window[head].last <= index {
      windowBytes -= window[head].bytes
      head += 1
    }
    if 2 * head > window.count {
      window.removeFirst(head)
      head = 0
    }
  }

  /// The follower does not hold the entry at `index`.
  mutating func forget(from index: UInt64) { if index <= match { match = 0 } }

  mutating func probe(from next: UInt64) {
    self.next = next
    state = .probing(isWaiting: false)
    window.removeAll(keepingCapacity: true)
    head = 0
    windowBytes = 0
  }
}

/// An image on its way to one follower.
final class SnapshotStream {
  let image: Image
  /// As of the image's position.
  let configuration: [UInt8]
  /// Parts that were sent and not confirmed, from number `first` on, kept to be sent again.
  var pieces: ContiguousArray<[UInt8]> = []
  var first: UInt32 = 0
  /// Of `pieces`, how many were sent since the last sign of loss.
  var sent = 0
  var sentAt: Instant
  var progressAt: Instant

  init(_ image: Image, _ configuration: [UInt8], now: Instant) {
    self.image = image
    self.configuration = configuration
    sentAt = now
    progressAt = now
  }
}

/// What a leader knows, for one term.
final class Leadership {
  /// The members, by their places in the configuration (this node's own tells what of its log is durable), then those
  /// that have no vote: who is about to enter, and who has left.
  var progress: ContiguousArray<Progress>
  /// The last entry for which this node has asked to hear when it is durable.
  var announced: UInt64 = 0
  var heartbeatAt: Instant
  var uncommittedBytes = 0
  /// The commit index when it was elected: what lies above counts into `uncommittedBytes` until it is applied.
  let countedFrom: UInt64

  /// ReadIndex (6.4): a read is confirmed by answers to a heartbeat round that began after it came. Each round has a
  /// number of its own, also when an earlier one is sent again.
  var round: UInt64 = 0
  var gathered: [Reading] = []
  var gatheredRemote: [(node: NodeID, attempt: UInt64)] = []
  var rounds: [ReadRound] = []
  /// Rounds whose answers are still to come, with the time at which they began, for the lease.
  var begun: ContiguousArray<(round: UInt64, at: Instant)> = []
  var leaseFrom: Instant?

  /// A change of membership that waits for those who enter.
  var change: Change?
  var leaving: [Leaving] = []

  var transfer: (target: NodeID, until: Instant, isSent: Bool)?

  var named: NamedAppends

  init(_ members: [Member], next: UInt64, commit: UInt64, now: Instant) {
    named = NamedAppends(from: next)
    progress = []
    for member in members { progress.append(Progress(member.id, next: next, heardAt: now)) }
    heartbeatAt = now
    countedFrom = commit
  }

  func place(of node: NodeID) -> Int? {
    for place in progress.indices where progress[place].id == node { return place }
    return nil
  }

  /// Whether a node that is no member is sent the log all the same.
  func isLearner(_ node: NodeID) -> Bool {
    leaving.contains { $0.id == node } || change?.newcomers.contains { $0.id == node } ?? false
  }
}

/// Reads that one heartbeat round confirms.
struct ReadRound {
  let round: UInt64
  /// The commit index when the round began.
  let index: UInt64
  var own: [Reading]
  var remote: [(node: NodeID, attempt: UInt64)]
}
