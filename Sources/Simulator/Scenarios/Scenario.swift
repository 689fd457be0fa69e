package import Base
import Host
package import RaftLog
import Register
import Storage

/// A kind of run: who asks for what, what goes wrong, and what must have come up for the runs to prove anything.
package struct Scenario: Sendable {
  package var name: String
  /// One line for `--help`.
  package var about: String
  /// Numbers of nodes, of which the seed chooses one.
  package var nodes: [Int] = [3, 3, 5]
  package var partitions = 2
  /// So many nodes may be added; who enters and leaves is drawn by the seed, or follows `walk`, sizes of the set.
  package var newcomers = 0
  package var walk: [Int]?
  /// How long the operator waits before it asks again, in milliseconds: at least, and up to so much more.
  package var wishPause: (least: UInt64, more: UInt64) = (60, 300)
  /// And when it has what it wanted, before it wants something else.
  package var wishRest: UInt64 = 0
  /// Through so many nodes at once it asks.
  package var wishCopies = 1
  /// Who leaves enters again, on its old folder, as no node of this version does by itself (PROTOCOL, Membership:
  /// `since`).
  package var letsBackIn = false
  /// The revision of the floor that the first members begin with, as if registers had been erased (R14).
  package var floorRevision: UInt64 = 0
  /// How old a tombstone becomes before it is erased, in milliseconds; 0: as in a real cluster, longer than a run.
  package var tombstoneMilliseconds: UInt64 = 0
  /// How far ahead nodes keep their reserve: small, so that they need more of it now and then.
  package var reserveStep: UInt64 = 64
  /// So many bytes of values may be in a node's memory, a partition; nil: all of them.
  package var cacheBytes: Int?
  /// How long the faults last, in milliseconds.
  package var milliseconds: UInt64 = 6000
  package var workload = Workload()
  package var mix: FaultMix
  /// Faults that happen in every run, in place of what the mix draws.
  package var script: [Fault]?
  /// Of the nodes that keep a log.
  package var raft = Self.smallRaft
  /// Of the registers; the shipped one where nil.
  var roundTimeout: Milliseconds?
  /// How often registers are compared; as shipped where nil.
  var digestPause: Milliseconds?
  /// In the end, before any client asks for anything more, the members must hold the same within a bound.
  package var mustHoldTheSame = false
  /// Whether operations are timed: then replicas are as they are shipped, also where other scenarios vary them.
  var isMeasured = false
  /// What must have happened, in some run at least, when twenty or more are made.
  package var mustOccur: [Occurrences.Kind] = []

  /// Whether nodes gather what has come over some turns before anything leaves for the disk and the peers, as the event
  /// loop does under load.
  package var gathers = false
  /// Of the hosts.
  package var heartbeat = HostOptions().heartbeat
  /// Of the registers, in milliseconds: how long a one-round read waits before it asks everyone.
  package var readHedge = RegisterReplica.Options().readHedge

  package init(_ name: String, _ about: String, _ mix: FaultMix) {
    self.name = name
    self.about = about
    self.mix = mix
  }

  var durationNanoseconds: UInt64 { milliseconds * 1_000_000 }

  var host: HostOptions {
    var options = HostOptions()
    options.maximumValueBytes = 4 << 10
    options.requestTimeout = 5000
    options.heartbeat = heartbeat
    return options
  }

  /// Small, so that the journal turns often and slots are taken and given up.
  var storage: StorageOptions {
    var options = StorageOptions()
    options.maximumPayloadBytes = 12 << 10
    options.halfBytes = 48 << 10
    options.flushBytes = 4 << 10
    options.batchBytes = 16 << 10
    options.blockBytes = 4 << 10
    options.growthBytes = 64 << 10
    return options
  }

  /// Small, so that segments are used again and again.
  var log: LogOptions {
    var options = LogOptions()
    options.segmentBytes = 64 << 10
    options.batchBytes = 16 << 10
    options.pieceBytes = 1 << 10
    options.maximumPayloadBytes = 20 << 10
    return options
  }

  /// Small, so that logs are trimmed often, windows are full, and images travel in many parts.
  private static var smallRaft: RaftOptions {
    var options = RaftOptions()
    options.appendBytes = 2 << 10
    options.windowMessages = 4
    options.windowBytes = 6 << 10
    options.snapshotLogBytes = 32 << 10
    options.snapshotLogEntries = 120
    options.retainedLogBytes = 4 << 10
    options.retainedLogEntries = 20
    options.maximumLogBytes = 256 << 10
    options.pieceBytes = 600
    options.windowPieces = 2
    options.streamTimeout = 2000
    options.appliedPerStep = 16
    options.maximumValueBytes = 4 << 10
    return options
  }

  func drawFaults(nodes: Int, _ random: consuming SeededRandom) -> [Fault] {
    var random = random
    if let script { return script }
    return mix.draw(nodes: nodes, over: durationNanoseconds, &random)
  }
}
