import Base
import Replica
import Storage

/// A replica with a monitor looking on: what goes in and what comes out, unchanged.
final class ObservedReplica: Replica, RecordHolder {
  let inner: any StoredReplica
  private let node: Int
  private let partition: Int
  private let monitor: any Monitor

  init(_ inner: any StoredReplica, node: Int, partition: Int, monitor: any Monitor) {
    self.inner = inner
    self.node = node
    self.partition = partition
    self.monitor = monitor
  }

  func step(_ event: consuming Event, now: Instant, into outbox: inout Outbox) {
    monitor.willStep(node, partition, event)
    inner.step(event, now: now, into: &outbox)
    monitor.didStep(node, partition, outbox)
  }

  var nextTick: Instant { inner.nextTick }
  var statistics: ReplicaStatistics { inner.statistics }

  func recordIndex(forKey key: [UInt8]) -> UInt32 { inner.recordIndex(forKey: key) }
  func restore(_ index: UInt32, payload: ArraySlice<UInt8>) throws(DecodeError) {
    try inner.restore(index, payload: payload)
  }
  func key(ofRecord index: UInt32) -> [UInt8] { inner.key(ofRecord: index) }
  func encodePayload(ofRecord index: UInt32, into writer: inout ByteWriter) {
    inner.encodePayload(ofRecord: index, into: &writer)
  }
}
