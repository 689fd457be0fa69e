package import Base
package import Host
package import Replica
package import Storage

/// A kind of replica that can be put into a simulated world.
package protocol SimulatedBackend: AnyObject {
  var kind: NodeState.Backend { get }
  /// What makes and watches the replicas of one world.
  func makeMonitor(_ shape: WorldShape) -> any Monitor
}

/// A replica that keeps its own records in memory.
package typealias StoredReplica = Replica & RecordHolder

package struct WorldShape: Sendable {
  package let nodes: Int
  package let partitions: Int

  package init(nodes: Int, partitions: Int) {
    self.nodes = nodes
    self.partitions = partitions
  }
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
  func makeReplica(
    _ node: Int, _ partition: Int, _ state: NodeState, seed: UInt64, startedAt: Instant
  ) -> any StoredReplica
  /// The node's replicas have got their records back from its disk.
  func recovered(_ node: Int, _ state: NodeState, _ folder: FolderOrigin)
  /// A replica is about to take this event in.
  func willStep(_ node: Int, _ partition: Int, _ event: borrowing Event)
  /// It did; the outbox holds what it wants done.
  func didStep(_ node: Int, _ partition: Int, _ outbox: borrowing Outbox)
  /// A message of `node` has left it.
  func left(_ node: Int, for other: Int, _ partition: Int, _ bytes: [UInt8], _ message: Range<Int>)
  /// The batch is on the node's disk.
  func durable(_ node: Int, _ batch: DeviceBatch)
  /// What is left over when all is over, one line each.
  func unfinishedWork(_ node: Int) -> [String]
  /// What a message says, for a trace.
  func describe(_ bytes: [UInt8], _ message: Range<Int>) -> String
}
