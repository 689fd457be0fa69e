import Base
import Linux
import Wire

// Whether a node that was away holds what the others hold.
extension Cluster {
  /// Of a log: the newest entry that a node knows to be committed.
  var committedIndex: UInt64 {
    guard store == .raft else { return 0 }
    return nodes.filter { $0.state == .running }
      .compactMap { status($0.id)?["raft"]?["commit_index"]?.unsigned }.max() ?? 0
  }

  /// Of registers: it has compared with every member that answers, and lacks nothing. Of a log: it has applied all up
  /// to `committed`.
  func holdsEverything(_ id: Int, committed: UInt64) -> Bool {
    guard let status = status(id) else { return false }
    switch store {
    case .register: return status["catching_up"]?["behind"]?.unsigned == 0
    case .raft: return (status["raft"]?["applied_index"]?.unsigned ?? 0) >= committed
    case .etcd: return false
    }
  }

  /// Bytes of messages to peers, of the nodes that run but for one.
  func sentBytes(by id: Int) -> UInt64 {
    nodes.filter { $0.state == .running && $0.id != id }.reduce(0) { $0 + counters($1).messageBytes }
  }
}
