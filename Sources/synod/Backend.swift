import Base
import Host
import RaftLog
import Register
import Replica
import Server

// The one place that knows the backends.

enum Backend {
  /// Makes the replicas of a node, for ``Node/run(_:makeReplicas:report:)``.
  static func makeReplicas(maximumValueBytes: Int, raft: RaftOptions) -> Node.MakeReplicas {
    { state, seed, startedAt in
      switch state.backend {
      case .register:
        var options = RegisterReplica.Options()
        options.maximumValueBytes = maximumValueBytes
        return .records(
          (0..<state.partitions).map { partition in
            RegisterReplica(
              node: state.node, boot: state.boot, configuration: state.configuration, floor: Floor(),
              seed: seed &+ UInt64(partition), startedAt: startedAt, options: options)
          })
      case .raft:
        var options = raft
        options.maximumValueBytes = maximumValueBytes
        return .log(
          RaftReplica(
            node: state.node, boot: state.boot, configuration: state.configuration, seed: seed, startedAt: startedAt,
            options: options))
      }
    }
  }
}
