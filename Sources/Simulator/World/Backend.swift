package import Base
package import Host
package import Replica
package import Storage

/// A kind of replica that can be put into a simulated world.
package protocol SimulatedBackend: AnyObject, Sendable {
  var kind: NodeState.Backend { get }
  /// Whether its replicas tell the recorder of their steps.
  var isRecorded: Bool { get }
  /// The first is the default: a little of everything.
  var scenarios: [Scenario] { get }
  var mutants: [Mutant] { get }
  /// What makes and watches the replicas of one world.
  func makeMonitor(_ shape: WorldShape, _ scenario: Scenario) -> any Monitor
}

extension SimulatedBackend {
  package var name: String { kind.name }
  package func scenario(named name: String) -> Scenario? { scenarios.first { $0.name == name } }
}

/// The kinds of replica that this package has.
package enum SimulatedBackends {
  package static var all: [any SimulatedBackend] { [RegisterBackend(), RaftBackend()] }

  package static func named(_ name: String) -> (any SimulatedBackend)? { all.first { $0.name == name } }
}

/// A node's replicas, one a partition, with what its disk held, and the store to go on with.
package struct OpenedReplicas {
  package let replicas: [any Replica]
  package let store: any ReplicaStore
  /// It was begun anew, above every position that peers have heard of: whatever the folder held before is an old copy
  /// from now on (R12).
  package var isBegunAnew = false
}

package struct WorldShape: Sendable {
  package let nodes: Int
  package let partitions: Int
  /// Whether the steps of the protocol's model are recorded.
  package let isRecorded: Bool
}

/// Which folder a node came back with.
package enum FolderOrigin: Sendable {
  case own
  /// Somebody put another in its place: an old copy, a damaged one, an empty one.
  case other
  /// The right one was brought back.
  case ownAgain
}

/// Watches the replicas of a world from outside and holds every step against the protocol's invariants. It believes
/// nothing that a replica says of itself: only its messages, and what is on the disks.
package protocol Monitor: AnyObject {
  /// What was found, one line each; the world stops at the first.
  var failures: [String] { get }
  var occurrences: Occurrences { get }
  /// Makes a node's replicas and lets them recover what is on its disk.
  func open(
    _ node: Int, _ state: NodeState, _ folder: FolderOrigin, on device: MemoryDevice, seed random: inout SeededRandom,
    startedAt: Instant
  ) throws(StorageError) -> OpenedReplicas
  /// A replica is about to take this event in.
  func willStep(_ node: Int, _ partition: Int, _ event: borrowing Event)
  /// It did; what it wants done stands in the outbox behind `mark`, and what is before that is of earlier steps.
  func didStep(_ node: Int, _ partition: Int, _ outbox: borrowing Outbox, since mark: Outbox.Mark)
  /// A message of `node` has left it.
  func left(_ node: Int, for other: Int, _ partition: Int, _ bytes: [UInt8], _ message: Range<Int>)
  /// The batch is on the node's disk.
  func durable(_ node: Int, _ batch: DeviceBatch)
  /// What some of these nodes hold and others lack, one line each.
  func differences(_ nodes: [Int]) -> [String]
  /// What is left over when all is over, one line each.
  func unfinishedWork(_ node: Int) -> [String]
  /// What is worth a line of a trace since this was last asked, beside the messages.
  func takeNotes() -> [String]
  /// What a message says, for a trace.
  func describe(_ bytes: [UInt8], _ message: Range<Int>) -> String
  /// What a message says, for who watches a stage.
  func content(_ bytes: [UInt8], _ message: Range<Int>) -> MessageContent
  /// What can be seen of a node; of one that is down (`isUp` false), what is on its disk.
  func picture(_ node: Int, isUp: Bool, _ stage: Stage) -> NodePicture
  /// A node's part in a log, in words too; nil where it keeps none.
  func standing(_ node: Int) -> (term: UInt64, part: UInt8, text: String)?
  /// When the next timer of a node's replicas is due, by its own clock.
  func nextTick(_ node: Int) -> Instant
  /// How many records of registers a node has erased, and of which the last.
  func erasures(_ node: Int) -> (count: Int, key: [UInt8])
  /// The log that a node holds.
  func logEntries(_ node: Int) -> [(position: LogPosition, payload: [UInt8])]
}
