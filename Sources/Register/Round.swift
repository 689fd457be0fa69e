import Base
import Replica

/// An operation that waits for its outcome, with what R7 and R8 need to know of its earlier attempts.
struct Pending {
  enum Origin {
    /// A client of this node.
    case client(token: UInt64)
    /// Another node forwarded it; the answer goes back under `attempt`.
    case peer(NodeID, attempt: UInt64)
    /// A read on behalf of a listing of this node.
    case listing(attempt: UInt64, place: Int)
    /// A round of this node's own that carries a register over into the joint epoch.
    case carrying(epoch: UInt32)
    /// A round of this node's own that brings a tombstone to every member; the number of such rounds before it.
    case collecting(rounds: Int)
    /// A round of this node's own that brings a register to a member that lacks it.
    case catchingUp
    /// A round of this node's own that heals a damaged record.
    case repairing
    /// Answered already, because its deadline passed; the round that carries it goes on.
    case abandoned
  }

  var operation: Operation
  var origin: Origin
  /// R8: past this the operation is abandoned; no ballot is ever raised for it again.
  var deadline: Instant
  /// R7: the lowest revision at which any attempt may have placed the change; nil if there was no attempt.
  var lo: UInt64?
  /// R4: sent in an accept, or forwarded: only a prepare and accept round decides it now.
  var needsFullRound: Bool
  /// R10: one hop only.
  var mayForward: Bool
  /// So many members have sent it back to this node, which is none, as not started.
  var relays: UInt8 = 0
  /// Of an operation that was forwarded, which the other node may still start until the deadline: the `lo` that it
  /// was sent. A round of this node can then find that the change took effect, but not that it never will (R8).
  var elsewhereLo: UInt64?
  /// Of a forwarded operation: the ballot that its sender knew. While this node's reign has lasted since then, no one
  /// can have placed the operation elsewhere, and `lo` need not be asked (R7).
  var knownBallot: Ballot?
  var wait: Request.Wait?
  /// What it came to when the fold that it is in was evaluated last.
  var verdict = Verdict.undecidable

  /// Whether "not applied" would be a guess: an accept or a forward that carries the change has left this node (R8).
  var mayHaveTakenEffect: Bool { needsFullRound && operation.action.isChange && Guard.sentIsUnknown.isIn }

  /// A round of this node's own whose pass comes again, and that was preempted already: the members begin such rounds
  /// for one register at once, and else would duel without end, past the reserves, and in a client's way. (Not at the
  /// first time: only the refusal tells the counter above which the next has to be, R2.)
  func givesWay(after preemptions: Int) -> Bool {
    switch origin {
    case .collecting, .catchingUp: preemptions > 0
    default: false
    }
  }

  /// Where R7 cannot tell. What another node forwarded here and was never sent in an accept goes back as not started:
  /// that node knows whether it has tried the change itself.
  var undecidedOutcome: Outcome {
    if case .peer = origin, !needsFullRound { return .refused(.expired) }
    return .unknown
  }

  /// What it is told once the cell is chosen on which the verdict rests.
  var outcome: Outcome {
    switch verdict {
    case .applied(let outcome, _), .observed(let outcome), .marked(let outcome): outcome
    case .undecidable: undecidedOutcome
    }
  }

  /// Sets the verdict.
  mutating func evaluate(on cell: inout Cell, lo: UInt64?, maximumValueBytes: Int) {
    verdict = cell.evaluate(operation, lo: lo, isFresh: !needsFullRound, maximumValueBytes: maximumValueBytes)
    judge(cell)
  }

  /// As another operation under the same name.
  mutating func evaluate(_ other: Operation, on cell: inout Cell, lo: UInt64?, maximumValueBytes: Int) {
    verdict = cell.evaluate(other, lo: lo, isFresh: !needsFullRound, maximumValueBytes: maximumValueBytes)
    judge(cell)
  }

  /// R8: no "not applied" while the node that it was forwarded to may yet start it.
  private mutating func judge(_ cell: Cell) {
    if let elsewhereLo, !cell.isFinal(verdict, of: operation.id, from: elsewhereLo) { verdict = .undecidable }
  }

  /// R7, R4: an accept that carries it leaves: from here on, only a new prepare shows what became of a change.
  mutating func noteSent() {
    guard case .applied(_, let revision) = verdict else { return }
    lo = min(lo ?? revision, revision)
    needsFullRound = Guard.sentChangeIsPrepared.isIn
  }

  /// Nil: no earlier attempt can have been carried out where the base was chosen in this node's reign since
  /// `reignStart`.
  func lo(reignStart: UInt64, node: NodeID, boot: UInt64) -> UInt64? {
    guard let knownBallot, !needsFullRound, reignStart != 0 else { return lo }
    let isCovered = knownBallot.node == node && knownBallot.boot == boot && knownBallot.counter >= reignStart
    return isCovered ? nil : lo
  }
}

extension Pending {
  /// A client's operation of which no attempt was made yet. (Inlined, and one expression: else its parts are copied.)
  @inline(__always)
  init(_ request: consuming Request, mayForward: Bool) {
    self.init(
      operation: request.operation, origin: .client(token: request.token), deadline: request.deadline, lo: nil,
      needsFullRound: request.operation.action.isSettle, mayForward: mayForward, wait: request.wait)
  }
}

/// What a fold was applied to: an accepted cell, or an absent register at the floor's revision.
struct Base {
  /// Zero: nothing is accepted.
  let ballot: Ballot
  /// For the trace; nil where there is none.
  let cell: Cell?
}

/// What a fold came to: the new cell. Each operation bears its verdict.
struct Folded {
  var cell: Cell
  /// Changes that were applied.
  var changes = 0
  /// Whether the cell differs from its base, by a change or a dead mark.
  var isChanged = false
}

/// The one round of a key that is under way at this proposer, and what waits for the next.
struct Round {
  /// Each phase holds what is valid in it, and only that.
  enum Phase {
    /// Nothing is under way: the round is about to begin, or its place is free.
    case idle
    case preparing(Preparing)
    case accepting(Accepting)
    case reading(Reading)
    /// The cell of the record is being read from the disk (``Caching``).
    case loading
    /// Preempted; the jitter ends duels (R10).
    case backingOff
  }

  struct Preparing {
    let ballot: Ballot
    var votes = BitSet()
    var refused = BitSet()
    /// Of the promises so far: the accepted cell of the highest ballot.
    var best = Ballot.zero
    var bestCell: [UInt8] = []
    /// Counts only where no promise holds a cell (R14).
    var erased: UInt64 = 0
  }

  struct Accepting {
    let ballot: Ballot
    var votes = BitSet()
    var refused = BitSet()
    /// The counter of the first ballot in this unbroken chain of chosen ballots (R5, R7).
    let reignStart: UInt64
  }

  struct Reading {
    /// What this node has accepted, and every member of the quorum must report (R6).
    let accepted: Ballot
    var asked: BitSet
    var votes = BitSet()
    var mismatched = BitSet()
  }

  var key: Key
  var phase = Phase.idle
  /// Unique in the life of this replica; answers to anything older are dropped.
  var attempt: UInt64 = 0
  /// The operations that this round decides.
  var fold: [Pending] = []
  /// Those that came while it was under way, first come first served.
  var waiting: [Pending] = []
  /// R2: the highest counter that any conflict has told of.
  var seenCounter: UInt64 = 0
  var preemptions = 0
  /// No operation in the fold or the line has an earlier deadline.
  var earliestDeadline = Instant.never
  /// When the phase that is under way is given up.
  var phaseEnd = Instant.never
  /// When it is looked at next: at the end of the phase, or at a deadline before that.
  var timerAt = Instant.never
  /// The one entry of its place among the timers that counts. Rounds end long before their timers as a rule: the entry
  /// of one that is over serves the next in its place, which is not later than it wants to be looked at.
  ///
  /// Invariant: at most `timerAt`.
  var entryAt = Instant.never
  /// R6 found a mix: this fold takes a full round.
  var readWasMixed = false
  /// What clients are told once the cell is chosen, for the trace; empty where there is none. Not in its phase, whose
  /// copies would retain it.
  var told: [UInt8] = []

  init(key: Key) { self.key = key }

  /// All that waits becomes the fold, which must be empty.
  mutating func foldAll() { swap(&fold, &waiting) }

  /// Keeps the room of a fold that is done with for the next one, where it is that of a few operations.
  mutating func reuse(_ done: inout [Pending]) {
    if done.capacity <= 8 { fold.reuse(&done) }
  }
}

/// Timers of a replica: a binary heap. An entry whose subject has moved on is found out when it fires.
struct Timers {
  enum Subject {
    case round(slot: Int)
    case forward(attempt: UInt64)
    case parked(token: UInt64)
    case listing(attempt: UInt64)
    case carrying
    case collecting
    case catchingUp
    case repairing
  }
  private var heap: [(at: Instant, subject: Subject)] = []

  var next: Instant { heap.first?.at ?? .never }

  mutating func set(_ subject: Subject, at: Instant) {
    heap.append((at, subject))
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      if heap[parent].at <= heap[child].at { break }
      heap.swapAt(parent, child)
      child = parent
    }
  }

  /// Takes out the earliest subject that is due at `now`.
  mutating func popDue(_ now: Instant) -> (at: Instant, subject: Subject)? {
    guard let first = heap.first, first.at <= now else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      var parent = 0
      while true {
        var least = parent
        let left = 2 * parent + 1
        for child in left..<min(left + 2, max(left, heap.count)) where heap[child].at < heap[least].at {
          least = child
        }
        if least == parent { break }
        heap.swapAt(parent, least)
        parent = least
      }
    }
    return first
  }
}
