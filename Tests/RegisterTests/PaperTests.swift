import Base
import Register
import Replica
import Testing

/// The claims of the CASPaxos paper (Rystsov, arXiv 1802.07000) and the rules of PROTOCOL.md, one place for each, named
/// after the section or the rule.
///
///     PaperSections        what the paper says: roles, steps, change functions, one round trip, no leader, descent
///     PaperRules1To3       ballots and durability
///     PaperRules4To6       reads, failed conditions, the two one-round paths
///     PaperRules7To9       retries, the three outcomes, settle, folds
///     PaperRules10To14     coordination, epochs, what is left of erased records
///     ForwardTests         R7, R8 and R10 for what is forwarded, however it is lost, copied or late
///     HostTests            R12 (`ClusterTests`): handshakes are a host's
///
/// The test of a rule is the scenario of its "why" column against real replicas, step by step; it fails when the rule's
/// guard is taken out. Node 0 is the A of those scenarios, 1 is B and 2 is C.
@Suite struct PaperTests {
  static let seconds: UInt64 = 1000

  /// A cluster whose promises, accepts and disks are watched from outside.
  static func watched(_ count: Int = 3) -> Cluster {
    let cluster = Cluster(count)
    cluster.monitor = Monitor(members: count)
    return cluster
  }

  static func isKind(_ kind: String) -> (Cluster.Envelope) -> Bool { { $0.message.kind == kind && $0.from != $0.to } }

  /// Nothing reaches `node` or comes from it.
  static func isolating(_ node: Int) -> (Cluster.Envelope) -> Bool {
    { ($0.from == node) != ($0.to == node) }
  }

  static func clientID(_ number: UInt64) -> OperationID { OperationID(high: 1 << 63, low: number) }

  static func settle(_ target: OperationID?, known: UInt64) -> Action {
    .settle(target: target, known: known, nowSeconds: seconds)
  }

  static func read(_ bytes: [UInt8], at revision: UInt64) -> Outcome {
    .read(Versioned(revision: revision, value: bytes))
  }
}
