/// A file of the data folder. The names on disk are the device's business.
package enum FileID: Hashable, Sendable {
  /// Copy 0 or 1 of the superblock.
  case superblock(Int)
  /// The journal ring of one event-loop thread.
  case journal(Int)
  /// The slots of one partition.
  case table(Int)
  /// A segment of a replication log; the numbers are used again.
  case log(Int)
  /// Copy 0 or 1 of the state that a replication log has made.
  case snapshot(Int)
  /// Copy 0 or 1 of the term and the vote that belong to a replication log.
  case vote(Int)
}

/// Why a device could not do what it was asked. `reason` is a whole clause for a person to read, such as `No space left
/// on device`.
package struct DeviceError: Error, Equatable, Sendable {
  package let operation: String
  package let file: FileID
  package let reason: String

  package init(operation: String, file: FileID, reason: String) {
    self.operation = operation
    self.file = file
    self.reason = reason
  }
}

/// One change of a file.
package enum DeviceChange: Sendable {
  case write(FileID, at: UInt64, [UInt8])
  /// Makes the file at least this long, with its blocks really allocated and zero where they are new, so that later
  /// writes neither fail for space nor change metadata.
  case preallocate(FileID, bytes: UInt64)
  case truncate(FileID, bytes: UInt64)
  case remove(FileID)
}

/// Changes that are made in order and then synced, as one unit of work: it is complete when all of them are on stable
/// storage.
///
/// Nothing is promised about a batch that was not completed before a crash: any part of any of its writes may be there.
package struct DeviceBatch: Sendable {
  /// Batches of one lane are carried out one after the other in the order of their submission; lanes run beside each
  /// other.
  package enum Lane: Int, Sendable {
    /// The journal: what clients wait for.
    case journal
    /// Slots and superblocks: what nobody waits for.
    case background
  }

  package var lane: Lane
  /// Comes back in the completion; chosen by whoever submits.
  package var token: UInt64
  package var changes: [DeviceChange]
  /// The event-loop thread that submits it and gets the completion; a batch of the journal lane changes that thread's
  /// journal.
  package var shard: Int

  package init(lane: Lane, token: UInt64, changes: [DeviceChange], shard: Int = 0) {
    self.lane = lane
    self.token = token
    self.changes = changes
    self.shard = shard
  }
}

package struct DeviceCompletion: Sendable {
  package let lane: DeviceBatch.Lane
  package let token: UInt64
  /// After a failure nothing may be assumed about what reached the disk, and the device refuses all later batches (a
  /// failed fsync must never be retried as if the pages were still dirty).
  package let failure: DeviceError?

  package init(lane: DeviceBatch.Lane, token: UInt64, failure: DeviceError?) {
    self.lane = lane
    self.token = token
    self.failure = failure
  }
}

/// One read while the node runs. Reads overtake each other, and batches that change what they read.
package struct DeviceRead: Sendable {
  package let file: FileID
  package let offset: UInt64
  package let count: Int
  /// Comes back with what was read; chosen by whoever asks.
  package let token: UInt64
  /// The event-loop thread that asks.
  package var shard = 0

  package init(file: FileID, offset: UInt64, count: Int, token: UInt64) {
    self.file = file
    self.offset = offset
    self.count = count
    self.token = token
  }
}

package struct DeviceReadCompletion: Sendable {
  package let token: UInt64
  /// Empty where the read failed.
  package let bytes: [UInt8]

  package init(token: UInt64, bytes: [UInt8]) {
    self.token = token
    self.bytes = bytes
  }
}

/// Files with explicit durability. These reads are synchronous and belong to start-up; changes are submitted and
/// complete later.
package protocol Device: AnyObject {
  /// The length in bytes, nil if the file does not exist.
  func size(of file: FileID) throws(DeviceError) -> UInt64?
  /// Up to `count` bytes from `offset`; fewer only where the file ends.
  func read(_ file: FileID, at offset: UInt64, count: Int) throws(DeviceError) -> [UInt8]
  /// The files that exist, in no particular order.
  func files() throws(DeviceError) -> [FileID]
  /// Carries out and syncs the batch before it returns. For start-up only.
  func perform(_ changes: [DeviceChange]) throws(DeviceError)
  /// Starts the batch; its ``DeviceCompletion`` reaches the owner through the driver (mailbox, simulator), never from
  /// inside this call.
  func submit(_ batch: DeviceBatch)
}
