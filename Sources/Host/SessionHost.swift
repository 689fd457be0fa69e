package import Base
package import Replica

/// Where an answer belongs: a request of a session, by the number that the session gave it.
package struct ExchangeID: Hashable, Sendable {
  package var session: UInt64
  package var exchange: UInt64

  package init(session: UInt64, exchange: UInt64) {
    self.session = session
    self.exchange = exchange
  }
}

/// What sessions ask of the host that they live in. Each call is answered later, by ``Session``'s `complete` of the
/// same exchange and `part`, never from inside the call.
package protocol SessionHost: AnyObject {
  /// Starts an operation. `part` numbers the operations of one exchange (a batch has many).
  func submit(
    _ operation: consuming Operation, wait: Request.Wait?, deadline: Instant, for exchange: ExchangeID, part: Int)
  /// Starts a listing over all partitions, merged and sorted, at most `limit` entries.
  func list(prefix: [UInt8], after: [UInt8], limit: Int, deadline: Instant, for exchange: ExchangeID)
  /// Begins to change the members; answered by ``Session/complete(change:_:now:host:)``.
  func changeMembers(_ wanted: WantedMembers, for exchange: ExchangeID)
  /// The client is gone: parked waits are dropped; changes go on.
  func cancel(_ exchange: ExchangeID)
  /// A name for an operation whose client gave none (R7): never used before on this node.
  func makeOperationID() -> OperationID
  /// Whether another operation may be started now; if not, the request is answered 503 with Retry-After (nothing was
  /// changed).
  var hasRoom: Bool { get }
  /// Seconds since 1970, for Date and for dead marks.
  var wallSeconds: UInt64 { get }
  func status() -> NodeStatus
  /// Reads the whole data folder now; how far that is, the status tells.
  func beginScrub()
}

/// What `GET /v1/status`, `/readyz`, `/v1/members` and `/metrics` tell.
package struct NodeStatus: Sendable {
  package struct Peer: Sendable {
    package var id: NodeID
    package var address: [UInt8]
    /// Answers, both ways.
    package var isReachable: Bool
    /// Nil: never heard of.
    package var lastHeardMilliseconds: UInt64?
    /// The last round trip of a heartbeat, in microseconds.
    package var roundTripMicroseconds: UInt64?
    /// Why it is not reachable, a clause for a person; empty while it is.
    package var problem: String
    /// Bytes that wait to be sent to it.
    package var queuedBytes: UInt64
    /// Replica messages put on the link by this thread since the start, and their bytes.
    package var sentMessages: UInt64
    package var sentBytes: UInt64
    /// Registers that it holds and this node lacks (``CatchUpStatistics/Peer/behind``).
    package var behind: UInt64?
    /// How long ago the last comparison with it began that has ended.
    package var comparedMilliseconds: UInt64?

    package init(
      id: NodeID, address: [UInt8], isReachable: Bool, lastHeardMilliseconds: UInt64? = nil,
      roundTripMicroseconds: UInt64? = nil, problem: String, queuedBytes: UInt64,
      sentMessages: UInt64 = 0, sentBytes: UInt64 = 0, behind: UInt64? = nil, comparedMilliseconds: UInt64? = nil
    ) {
      self.id = id
      self.address = address
      self.isReachable = isReachable
      self.lastHeardMilliseconds = lastHeardMilliseconds
      self.roundTripMicroseconds = roundTripMicroseconds
      self.problem = problem
      self.queuedBytes = queuedBytes
      self.sentMessages = sentMessages
      self.sentBytes = sentBytes
      self.behind = behind
      self.comparedMilliseconds = comparedMilliseconds
    }
  }

  package var version: String
  package var node: NodeID
  package var backend: String
  /// Hexadecimal; nil until the cluster is formed.
  package var cluster: String?
  package var configuration: Configuration
  package var progress: ChangeProgress
  package var peers: [Peer]
  /// A quorum answers and the cluster is formed.
  package var isReady: Bool
  /// What keeps it from being ready, a clause each.
  package var problems: [String]
  package var replica: ReplicaStatistics
  package var storage: Storage
  package var scrub: ScrubStatus
  package var threads: Int
  package var sessions: Int
  package var operationsUnderWay: Int
  package var uptimeMilliseconds: UInt64
  package var bootNumber: UInt64

  package struct Storage: Sendable {
    package var journalBytes: UInt64 = 0
    package var tableBytes: UInt64 = 0
    package var bytesWritten: UInt64 = 0
    package var syncs: UInt64 = 0
    package var journalPosition: UInt64 = 0
    package init() {}
  }

  package init(
    version: String, node: NodeID, backend: String, cluster: String?, configuration: Configuration,
    progress: ChangeProgress = ChangeProgress(), peers: [Peer], isReady: Bool, problems: [String],
    replica: ReplicaStatistics, storage: Storage, scrub: ScrubStatus = ScrubStatus(), threads: Int, sessions: Int,
    operationsUnderWay: Int, uptimeMilliseconds: UInt64, bootNumber: UInt64
  ) {
    self.version = version
    self.node = node
    self.backend = backend
    self.cluster = cluster
    self.configuration = configuration
    self.progress = progress
    self.peers = peers
    self.isReady = isReady
    self.problems = problems
    self.replica = replica
    self.storage = storage
    self.scrub = scrub
    self.threads = threads
    self.sessions = sessions
    self.operationsUnderWay = operationsUnderWay
    self.uptimeMilliseconds = uptimeMilliseconds
    self.bootNumber = bootNumber
  }
}
