import Base
import Host
import Register
import Replica
import Server

// The one place that knows the backends.

package enum Backend {
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

  /// Makes the replica inside a Maelstrom node, which lives in memory and has one partition. Maelstrom's network may be
  /// a hundred milliseconds wide, and loses messages without a word.
  package static func makeMaelstromReplica(seed: UInt64) -> MaelstromNode.MakeReplica {
    { node, life, configuration, startedAt in
      var options = RegisterReplica.Options()
      options.roundTimeout = 1000
      options.readHedge = 50
      return RegisterReplica(
        node: node, boot: life, configuration: configuration, floor: Floor(), seed: seed, startedAt: startedAt,
        options: options)
    }
  }
}
