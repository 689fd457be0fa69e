package import Base
import Host
import RaftLog

/// A run for figures and not for faults to be found: one cluster of three over links of given lengths, one load whose
/// operations are timed, and at most one fault. The time model: a disk takes 80 to 160 µs for a batch, a node's turn
/// comes 1 to 21 µs after something has come and takes no time itself, clients are 10 to 70 µs away. So latency and
/// gaps mean something, and throughput does not.
package struct MeasuredRun: Sendable {
  package enum Fault: Sendable {
    /// Nothing passes between the node and its peers.
    case isolated
    /// Nothing that the node sends arrives at its peers.
    case unheard
  }

  package var load: MeasuredLoad
  /// One-way times in nanoseconds, from and to nodes.
  package var ways: [[UInt64]]
  /// Each message's lateness beyond that is below this, in nanoseconds; of one message in a thousand ten times this.
  package var jitter: UInt64 = 20_000
  package var isStormy = false
  /// What happens to the node that leads, or to the first; in milliseconds since the measuring began.
  package var fault: (kind: Fault, from: UInt64, to: UInt64)?
  package var warmUp: Milliseconds = 1000
  package var duration: Milliseconds
  /// Of a log; the defaults of `synod serve` where nil.
  package var heartbeat: Milliseconds?
  package var electionTimeout: Milliseconds?
  package var resendAfter: Milliseconds?
  /// Of registers; likewise.
  package var roundTimeout: Milliseconds?

  package init(_ load: MeasuredLoad, ways: [[UInt64]], duration: Milliseconds) {
    self.load = load
    self.ways = ways
    self.duration = duration
  }

  package struct Result: Sendable {
    /// What the monitor found: then nothing that was measured counts.
    package let failures: [String]
    /// In the order of their ends.
    package let operations: [MeasuredOperation]
    /// Who led when measuring began, from 0; nil with registers.
    package let leader: Int?
    /// The node that the fault hit.
    package let victim: Int
  }

  /// Follows from the seed alone.
  package func run(_ backend: any SimulatedBackend, seed: UInt64) -> Result {
    var scenario = Scenario("measured", "", FaultMix([], from: 0, to: 0))
    scenario.nodes = [ways.count]
    scenario.partitions = backend.kind == .raft ? 1 : 2
    scenario.workload.clients = 0
    scenario.isMeasured = true
    scenario.roundTimeout = roundTimeout
    scenario.raft = RaftOptions()
    scenario.raft.maximumValueBytes = 4 << 10
    if let heartbeat { scenario.raft.heartbeat = heartbeat }
    if let electionTimeout { scenario.raft.electionTimeout = electionTimeout }
    if let resendAfter { scenario.raft.retry = resendAfter }
    let world = World(scenario, seed: seed, backend: backend, only: nil, traces: false)
    return world.measure(self)
  }
}
