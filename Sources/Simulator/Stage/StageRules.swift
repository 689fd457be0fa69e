import Base
import RaftLog

/// How large and how slow a directed world is. Everything takes long enough to be watched, in the proportions of a
/// network between cities: a message 20 ms, a sync 5 to 10 ms.
package struct StageRules: Sendable {
  /// The first members, and how many more nodes there are that may be started and added.
  package var nodes: Int
  package var newcomers: Int
  package var clients: Int
  /// From node to node, one way; each message is late by up to `jitterNanoseconds` more.
  package var linkNanoseconds: UInt64 = 20_000_000
  package var jitterNanoseconds: UInt64 = 3_000_000
  /// Between a client and its node, one way.
  package var clientNanoseconds: UInt64 = 8_000_000
  /// A sync takes between once and twice this time.
  package var diskNanoseconds: UInt64 = 5_000_000
  /// Entries of a log after which a snapshot is taken, and how many of those that it covers are kept.
  package var snapshotLogEntries = 16
  package var retainedLogEntries = 2
  /// How long the collector of the registers waits from pass to pass, in milliseconds; 0: as in a real cluster, longer
  /// than anybody watches.
  package var tombstoneMilliseconds: UInt64 = 0

  package init(nodes: Int, newcomers: Int = 0, clients: Int) {
    self.nodes = nodes
    self.newcomers = newcomers
    self.clients = clients
  }

  package var allNodes: Int { nodes + newcomers }

  /// A scenario in which nothing happens by itself.
  var scenario: Scenario {
    var scenario = Scenario("stage", "what a director wants, and nothing else", FaultMix([], from: 0, to: 0))
    scenario.nodes = [nodes]
    scenario.newcomers = newcomers
    scenario.tombstoneMilliseconds = tombstoneMilliseconds
    // In the background, and later than anybody watches: what comes up is the rounds' own work.
    scenario.digestPause = 600_000
    scenario.reserveStep = 1 << 20
    scenario.partitions = 1
    scenario.script = []
    scenario.workload.clients = clients
    scenario.workload.keys = 1
    scenario.heartbeat = 100
    scenario.readHedge = 90
    scenario.raft.electionTimeout = 240
    scenario.raft.heartbeat = 80
    scenario.raft.retry = 150
    scenario.raft.snapshotLogEntries = snapshotLogEntries
    scenario.raft.retainedLogEntries = retainedLogEntries
    return scenario
  }
}
