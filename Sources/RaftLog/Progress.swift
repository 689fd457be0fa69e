import Base

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

  init(next: UInt64, heardAt: Instant) {
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
  /// Parts that were sent and not confirmed, from number `first` on, kept to be sent again.
  var pieces: ContiguousArray<[UInt8]> = []
  var first: UInt32 = 0
  /// Of `pieces`, how many were sent since the last sign of loss.
  var sent = 0
  var sentAt: Instant
  var progressAt: Instant

  init(_ image: Image, now: Instant) {
    self.image = image
    sentAt = now
    progressAt = now
  }
}

/// What a leader knows, for one term.
final class Leadership {
  /// By member index; this node's own tells what of its log is durable.
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

  var transfer: (target: Int, until: Instant, isSent: Bool)?

  var named: NamedAppends

  init(members: Int, next: UInt64, commit: UInt64, now: Instant) {
    named = NamedAppends(from: next)
    progress = ContiguousArray(repeating: Progress(next: next, heardAt: now), count: members)
    heartbeatAt = now
    countedFrom = commit
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
