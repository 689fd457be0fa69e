import Base

/// What a host asks of the storage of its replicas, of either kind: batches are handed out, and their completions told.
/// After a failure none is handed out for ever.
package protocol ReplicaStore: AnyObject {
  /// The ticket of the batch being gathered. What is marked now is durable when ``durableTicket`` has reached this
  /// number.
  var openTicket: UInt64 { get }
  var durableTicket: UInt64 { get }
  /// The number of the last durable block (R12). Never falls, also over restarts.
  var position: UInt64 { get }
  /// Nothing can be sealed until work in the background ends. The owner refuses new work meanwhile.
  var isStalled: Bool { get }
  /// Whether a slot of the table holds the record's latest state, so that it need not be kept in memory.
  func isSettled(partition: Int, index: UInt32) -> Bool
  /// What is to be read to have a settled record's state again.
  func read(partition: Int, index: UInt32) -> DeviceRead?
  /// The record in what such a read has brought; nil: its checksum does not match, or it is of another partition.
  func record(in bytes: [UInt8], partition: Int) -> (key: ArraySlice<UInt8>, payload: ArraySlice<UInt8>)?
  /// The open batch will hold the latest state of this record.
  func markDirty(partition: Int, index: UInt32)
  /// The batch for the journal lane, nil if one is in flight, nothing is open, or the store is stalled.
  func sealIfPossible() -> DeviceBatch?
  /// The next batch for the background lane, nil if there is nothing to do or one is in flight. Its tokens have
  /// ``RecordStore/tokenBit``.
  func nextFlushBatch() -> DeviceBatch?
  /// Takes note of a completion; false if it is not of a batch of this store.
  @discardableResult
  func completed(_ completion: DeviceCompletion) -> Bool
  /// A scrub could not read this place of a table.
  func rewrite(_ finding: ScrubFinding) -> ScrubOutcome
}

extension ReplicaStore {
  package func isSettled(partition: Int, index: UInt32) -> Bool { false }
  package func read(partition: Int, index: UInt32) -> DeviceRead? { nil }
  package func record(in bytes: [UInt8], partition: Int) -> (key: ArraySlice<UInt8>, payload: ArraySlice<UInt8>)? {
    nil
  }
}

extension RecordStore: ReplicaStore {}

/// The storage of a thread that owns no replica.
package final class NoStore: ReplicaStore {
  package let openTicket: UInt64 = 1
  package let durableTicket: UInt64 = 0
  package let position: UInt64 = 0
  package let isStalled = false

  package init() {}

  package func markDirty(partition: Int, index: UInt32) { invariantFailed("a thread without a replica has no records") }
  package func sealIfPossible() -> DeviceBatch? { nil }
  package func nextFlushBatch() -> DeviceBatch? { nil }
  package func completed(_ completion: DeviceCompletion) -> Bool { false }
  package func rewrite(_ finding: ScrubFinding) -> ScrubOutcome { .gone }
}
