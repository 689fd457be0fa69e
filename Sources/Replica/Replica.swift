package import Base

/// One client operation on its way through a replica.
package struct Request: Sendable {
  package var operation: Operation
  /// Comes back with the outcome; unique within the host.
  package var token: UInt64
  /// After this the operation is never started, and never tried again at a higher ballot (R8).
  package var deadline: Instant
  /// A read that is answered only when the register exists at another revision than `unlessRevision`, or at `until`.
  package var wait: Wait?

  package struct Wait: Sendable {
    package var unlessRevision: UInt64
    package var until: Instant
    package init(unlessRevision: UInt64, until: Instant) {
      self.unlessRevision = unlessRevision
      self.until = until
    }
  }

  package init(operation: Operation, token: UInt64, deadline: Instant, wait: Wait? = nil) {
    self.operation = operation
    self.token = token
    self.deadline = deadline
    self.wait = wait
  }
}

/// A page of a listing of one partition (CONTRACT §1, `GET /v1/kv?prefix=`).
package struct ListRequest: Sendable {
  package var token: UInt64
  package var prefix: [UInt8]
  package var after: [UInt8]
  package var limit: Int
  package var deadline: Instant

  package init(token: UInt64, prefix: [UInt8], after: [UInt8], limit: Int, deadline: Instant) {
    self.token = token
    self.prefix = prefix
    self.after = after
    self.limit = limit
    self.deadline = deadline
  }
}

/// Registers that exist, sorted by key; complete up to the last key, or to the end of the prefix where `more` is false.
package struct ListPage: Equatable, Sendable {
  package struct Entry: Equatable, Sendable {
    package var key: [UInt8]
    package var content: Versioned
    package init(key: [UInt8], content: Versioned) {
      self.key = key
      self.content = content
    }
  }
  package var entries: [Entry]
  package var more: Bool

  package init(entries: [Entry], more: Bool) {
    self.entries = entries
    self.more = more
  }
}

package enum Event {
  /// A message of this replica's own kind, as another node's replica encoded it.
  case message(from: NodeID, ByteReader)
  case request(Request)
  case list(ListRequest)
  /// The client is gone: a parked wait can be dropped; changes go on.
  case cancel(token: UInt64)
  /// A peer answers, or no longer does. For forwarding and for failing fast only: never for safety.
  case peer(NodeID, isReachable: Bool, clock: PeerClock?)
  /// The node has durably installed this configuration (R11). `peers`: how its other members are, by now. A log learns
  /// of configurations by its own entries, and heeds it only before there are any.
  case configure(Configuration, peers: [PeerState])
  /// R14: the node's floor is durably at least this.
  case raiseFloor(NodeFloor)
  /// The node's reserve is durably at least this counter (PROTOCOL, "A damaged record").
  case raiseReserve(UInt64)
  /// What a record that was wanted (``Outbox/reads``) looked like in the table: its slot may have been another's, or
  /// another state's, when it was read. Nil: no valid record was found.
  case loaded(record: UInt32, StoredRecord?)
  /// A scrub could not read this record's slot, and the replica has dropped what stood there: it is to read it again.
  case verify(record: UInt32)
  /// Carries every register over into the joint epoch, up to its end (PROTOCOL, Membership, step 3); a hint that may
  /// be repeated, by any member.
  case carryOver
  /// The node is about to end: others may take over beforehand what it coordinates. A hint.
  case handOver
  /// Time has passed.
  case tick
}

/// A record as the table holds it.
package struct StoredRecord: Sendable {
  package var key: ArraySlice<UInt8>
  /// As the holder of the record encoded it.
  package var payload: ArraySlice<UInt8>

  package init(key: ArraySlice<UInt8>, payload: ArraySlice<UInt8>) {
    self.key = key
    self.payload = payload
  }
}

/// The last reading of a peer's clock that this node has heard, by which a forwarded request bounds its age (R8).
package struct PeerClock: Sendable {
  package var reading: Instant
  /// This node's clock when the reading came.
  package var heardAt: Instant
  package init(reading: Instant, heardAt: Instant) {
    self.reading = reading
    self.heardAt = heardAt
  }
}

/// How a peer is, as the host sees it.
package struct PeerState: Sendable {
  package var node: NodeID
  package var isReachable: Bool
  package var clock: PeerClock?

  package init(node: NodeID, isReachable: Bool, clock: PeerClock?) {
    self.node = node
    self.isReachable = isReachable
    self.clock = clock
  }
}

/// A replicated state machine of one partition: takes an event, fills the outbox. No IO, no clock, no hidden
/// randomness.
package protocol Replica: AnyObject {
  func step(_ event: consuming Event, now: Instant, into outbox: inout Outbox)
  /// A hint: an event about the key with this hash is about to come.
  func approach(_ hash: UInt64, _ distance: Approach)
  /// The hash of the key that a message is about; nil: of none, or there is nothing to approach.
  func hashOfKey(in message: ByteReader) -> UInt64?
  /// When the next tick is wanted; `never` if nothing waits.
  var nextTick: Instant { get }
  /// What this node's record of the configuration register holds, chosen or not; nil: nothing, or it is kept elsewhere.
  var proposedConfiguration: Configuration? { get }
  /// Of a log: the latest configuration that is known to be committed; nil: none is, or this is no log.
  var chosenConfiguration: Configuration? { get }
  /// Drops what it can have read again, where it holds more in memory than it may; at each call only a little.
  ///
  /// - Parameter isSettled: whether a slot of the table holds the record's latest state.
  func evict(isSettled: (UInt32) -> Bool)
  /// For status and metrics.
  var statistics: ReplicaStatistics { get }
}

extension Replica {
  package func approach(_ hash: UInt64, _ distance: Approach) {}
  package func hashOfKey(in message: ByteReader) -> UInt64? { nil }
  package var proposedConfiguration: Configuration? { nil }
  package var chosenConfiguration: Configuration? { nil }
  package func evict(isSettled: (UInt32) -> Bool) {}
}

package struct ReplicaStatistics: Sendable {
  /// Registers that exist (tombstones do not count).
  package var registers: UInt64 = 0
  /// Records held, with tombstones and bare promises.
  package var records: UInt64 = 0
  package var prepares: UInt64 = 0
  package var accepts: UInt64 = 0
  package var quorumReads: UInt64 = 0
  package var conflicts: UInt64 = 0
  package var forwards: UInt64 = 0
  /// Operations that changes were folded from; over `accepts` it tells how well folding works (R9).
  package var operations: UInt64 = 0
  package var pending: UInt64 = 0
  /// Of a replica of registers: records that were found damaged and are not healed, and those that were.
  package var damaged: UInt64 = 0
  package var healed: UInt64 = 0
  /// Of a replica of registers, in a joint epoch.
  package var carrying: CarryStatistics?
  /// Of a replica of registers.
  package var collecting: CollectStatistics?
  /// Of a replica of registers.
  package var catchingUp: CatchUpStatistics?
  package var cache: CacheStatistics?
  /// Of a replica that keeps a log.
  package var log: LogStatistics?

  package init() {}

  package static func += (a: inout ReplicaStatistics, b: ReplicaStatistics) {
    a.registers += b.registers
    a.records += b.records
    a.prepares += b.prepares
    a.accepts += b.accepts
    a.quorumReads += b.quorumReads
    a.conflicts += b.conflicts
    a.forwards += b.forwards
    a.operations += b.operations
    a.pending += b.pending
    a.damaged += b.damaged
    a.healed += b.healed
    if let more = b.carrying { a.carrying = (a.carrying ?? CarryStatistics(epoch: more.epoch)) + more }
    if let more = b.collecting { a.collecting = (a.collecting ?? CollectStatistics()) + more }
    if let more = b.catchingUp { a.catchingUp = a.catchingUp.map { $0 + more } ?? more }
    if let more = b.cache { a.cache = (a.cache ?? CacheStatistics()) + more }
    a.log = a.log ?? b.log
  }
}

/// What the collector has done, and what waits for it.
package struct CollectStatistics: Equatable, Sendable {
  /// Records that hold no value: tombstones and bare promises.
  package var waiting: UInt64 = 0
  /// Records erased in this life of the node.
  package var erased: UInt64 = 0
  /// There are tombstones, and none can be erased: a member is not reachable, or members are being changed.
  package var isPaused = false

  package init() {}

  static func + (a: CollectStatistics, b: CollectStatistics) -> CollectStatistics {
    var sum = a
    sum.waiting += b.waiting
    sum.erased += b.erased
    sum.isPaused = a.isPaused || b.isPaused
    return sum
  }
}

/// Values in memory, where not all of them may be there (`--cache-bytes`).
package struct CacheStatistics: Equatable, Sendable {
  /// Of values that may be dropped, and that are in memory.
  package var bytes: UInt64 = 0
  /// Rounds and promises that found the value in memory, and those that waited for a read of the disk.
  package var hits: UInt64 = 0
  package var misses: UInt64 = 0
  /// Reads that found something else in the slot, because the record was written meanwhile.
  package var overtaken: UInt64 = 0

  package init() {}

  static func + (a: CacheStatistics, b: CacheStatistics) -> CacheStatistics {
    var sum = a
    sum.bytes += b.bytes
    sum.hits += b.hits
    sum.misses += b.misses
    sum.overtaken += b.overtaken
    return sum
  }
}

/// How far the registers are carried over into a joint epoch.
package struct CarryStatistics: Equatable, Sendable {
  package var epoch: UInt32
  /// Registers that were met so far, and those of them that needed a round.
  package var carried: UInt64 = 0
  package var rounds: UInt64 = 0
  /// Registers held here; about as many are to be met.
  package var total: UInt64 = 0
  package var isDone = true

  package init(epoch: UInt32) { self.epoch = epoch }

  static func + (a: CarryStatistics, b: CarryStatistics) -> CarryStatistics {
    var sum = a
    sum.carried += b.carried
    sum.rounds += b.rounds
    sum.total += b.total
    sum.isDone = a.isDone && b.isDone && a.epoch == b.epoch
    return sum
  }
}

/// What a replica tells of its log.
package struct LogStatistics: Sendable {
  package var term: UInt64 = 0
  /// Nil: none is known.
  package var leader: NodeID?
  package var isLeader = false
  package var firstIndex: UInt64 = 0
  package var lastIndex: UInt64 = 0
  package var commitIndex: UInt64 = 0
  package var appliedIndex: UInt64 = 0
  /// The last entry that a durable snapshot covers; 0 where there is none.
  package var snapshotIndex: UInt64 = 0
  package var snapshotBytes: UInt64 = 0
  /// Of the entries in memory.
  package var logBytes: UInt64 = 0
  /// The log was damaged, and is fetched again from the others; until then this node has no vote.
  package var isRecovering = false
  /// While a leader changes the members: how far those that are to be added have caught up, in entries.
  package var caughtUp: UInt64 = 0
  package var toCatchUp: UInt64 = 0

  package init() {}
}
