import Base
import Replica

/// A replica with a monitor looking on: what goes in and what comes out, unchanged.
final class ObservedReplica: Replica {
  private let inner: any Replica
  private let node: Int
  private let partition: Int
  private let monitor: any Monitor

  init(_ inner: any Replica, node: Int, partition: Int, monitor: any Monitor) {
    self.inner = inner
    self.node = node
    self.partition = partition
    self.monitor = monitor
  }

  func step(_ event: consuming Event, now: Instant, into outbox: inout Outbox) {
    monitor.willStep(node, partition, event)
    let mark = outbox.mark
    inner.step(event, now: now, into: &outbox)
    monitor.didStep(node, partition, outbox, since: mark)
  }

  func evict(isSettled: (UInt32) -> Bool) { inner.evict(isSettled: isSettled) }

  var nextTick: Instant { inner.nextTick }
  var proposedConfiguration: Configuration? { inner.proposedConfiguration }
  var chosenConfiguration: Configuration? { inner.chosenConfiguration }
  var statistics: ReplicaStatistics { inner.statistics }
}
