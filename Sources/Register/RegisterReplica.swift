package import Base
package import Replica

/// The replica of the register backend: the ``Registers`` of one partition, driven by events.
package final class RegisterReplica: Replica {
  package struct Options: Sendable {
    /// An append that would make a value longer is refused.
    package var maximumValueBytes = 64 << 10
    /// Operations that may wait for one key before more are refused as overload.
    package var maximumWaitingPerKey = 4096
    /// How long a phase waits for its quorum before the round begins anew.
    package var roundTimeout: Milliseconds = 150
    /// How long a one-round read waits for the peers it asked before it asks all.
    package var readHedge: Milliseconds = 8
    /// How often a parked wait looks again of its own accord, should this node have missed the change.
    package var parkedPoll: Milliseconds = 1000
    /// R10: so many operations in a row from one other node move the coordination there.
    package var takeOverStreak: UInt8 = 64
    /// In a joint epoch, while clients keep the node busy: so many registers a second are carried over.
    package var carriedPerSecond: UInt64 = 125
    /// A tombstone is left alone until it is at least so old here: longer than any request may take (R8), and than a
    /// deleted register must remember its last changes (CONTRACT §1, Retries).
    package var tombstoneAge: Milliseconds = 60_000
    /// After this members that were found to hold the same compare again.
    package var digestPause: Milliseconds = 2_000
    /// How far ahead of what it promises a node keeps its reserve on the disk, in counters of ballots: each step costs
    /// a write of the superblock, and a register that is healed jumps by as much.
    package var reserveStep: UInt64 = 1 << 20
    /// So many bytes of values may be in memory beside those that the table on disk does not hold yet; nil: all of
    /// them.
    package var cacheBytes: Int?
    /// Each step is told to the recorder, for the checker of `Proofs/`, as one of this partition; nil: none is.
    package var tracedPartition: Int?

    var isTraced: Bool { tracedPartition != nil }

    package init() {}
  }

  private var registers: Registers

  /// - Parameters:
  ///   - boot: the node's persisted boot number; no two lives of a node share one.
  ///   - configuration: a node that is not among its members hands what its clients ask to one that is.
  ///   - reserve: the host's, durable (PROTOCOL, "A damaged record"); by default there is no disk to be damaged.
  ///   - startedAt: this node's clock, read before any peer hears of it in this life.
  package init(
    node: NodeID, boot: UInt64, configuration: Configuration, floor: Floor, reserve: UInt64 = .max, seed: UInt64,
    startedAt: Instant, options: Options = Options()
  ) {
    registers = Registers(
      node: node, boot: boot, configuration: configuration, floor: floor, reserve: reserve, seed: seed,
      startedAt: startedAt, options: options)
  }

  package func step(_ event: consuming Event, now: Instant, into outbox: inout Outbox) {
    registers.step(event, now: now, into: &outbox)
  }

  package func approach(_ hash: UInt64, _ distance: Approach) {
    registers.approach(hash, distance)
  }

  package func hashOfKey(in message: ByteReader) -> UInt64? { Message.hashOfKey(in: message) }

  package func evict(isSettled: (UInt32) -> Bool) { registers.evict(isSettled: isSettled) }

  package var nextTick: Instant { registers.timers.next }
  package var statistics: ReplicaStatistics { registers.allStatistics }
  package var configuration: Configuration { registers.configuration }
  package var proposedConfiguration: Configuration? { registers.proposedConfiguration }

  /// The register of the round that asks under `attempt`; for those who look on from outside.
  package func key(ofAttempt attempt: UInt64) -> Key? {
    registers.slot(ofAttempt: attempt).map { registers.rounds[$0].key }
  }

  /// What the round of a key does at this moment, if one is under way here.
  package func phase(of key: Key) -> RoundPhase? { registers.phase(of: key) }

  package var acceptor: Acceptor {
    _read { yield registers.acceptor }
    _modify { yield &registers.acceptor }
  }

  /// Whether nothing is under way, waits, or is parked; what is left then is what the acceptors hold, and timers that
  /// find nothing.
  package var isQuiescent: Bool { registers.isQuiescent }
}

// What the storage asks of a partition's records.
extension RegisterReplica: RecordHolder {
  package func recordIndex(forKey key: [UInt8]) -> UInt32 {
    let key = Key(key)
    return UInt32(registers.acceptor.table.restoredNumber(of: key))
  }

  package func restore(_ index: UInt32, payload: ArraySlice<UInt8>) throws(DecodeError) {
    try registers.acceptor.restore(Int(index), payload: payload)
  }

  package func markDamaged(_ index: UInt32) { registers.noteDamaged(Int(index)) }

  package func isDamaged(_ index: UInt32) -> Bool { registers.acceptor.table[Int(index)].isDamaged }

  package func isDropped(_ index: UInt32) -> Bool { registers.acceptor.table[Int(index)].isCold }
  package func restore(_ index: UInt32, payloadInTable payload: ArraySlice<UInt8>) throws(DecodeError) {
    try registers.acceptor.restore(Int(index), payloadInTable: payload)
  }

  package func recordsAreRestored() { registers.acceptor.table.arrange() }

  package func release(_ index: UInt32) { registers.acceptor.table.release(Int(index)) }

  package func key(ofRecord index: UInt32) -> [UInt8] { registers.acceptor.table[Int(index)].key.bytes }

  package func encodePayload(ofRecord index: UInt32, into writer: inout ByteWriter) {
    registers.encodePayload(of: Int(index), into: &writer)
  }
}
