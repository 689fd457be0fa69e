import Base
import Host
import Register
import Replica
import Server

// The one place that knows the backends.

enum Backend {
  /// Makes the replica of a partition, for ``Node/run(_:makeReplica:report:)``.
  static func makeReplica(maximumValueBytes: Int) -> Node.MakeReplica {
    { partition, state, seed, startedAt in
      switch state.backend {
      case .register:
        var options = RegisterReplica.Options()
        options.maximumValueBytes = maximumValueBytes
        return RegisterReplica(
          node: state.node, boot: state.boot, configuration: state.configuration, floor: Floor(),
          seed: seed &+ UInt64(partition), startedAt: startedAt, options: options)
      }
    }
  }
}
