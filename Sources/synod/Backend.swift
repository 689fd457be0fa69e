import Base
import Host
import RaftLog
import Register
import Replica
import Server

// The one place that knows the backends.

package enum Backend {
  /// Makes the replicas of a node, for ``Node/run(_:makeReplicas:report:)``.
  static func makeReplicas(
    maximumValueBytes: Int, requestTimeout: Milliseconds, roundTimeout: Milliseconds?, carriedPerSecond: UInt64,
    cacheBytes: Int?, isTraced: Bool, raft: RaftOptions
  ) -> Node.MakeReplicas {
    { state, seed, startedAt in
      switch state.backend {
      case .register:
        var options = RegisterReplica.Options()
        options.maximumValueBytes = maximumValueBytes
        // R8: longer than any request may take, by clocks that do not run quite alike.
        options.tombstoneAge = max(
          options.tombstoneAge, Milliseconds(requestTimeout.count + requestTimeout.count / 4))
        options.carriedPerSecond = max(1, carriedPerSecond / UInt64(state.partitions))
        if let roundTimeout { options.roundTimeout = roundTimeout }
        options.cacheBytes = cacheBytes.map { $0 / state.partitions }
        return .records(
          (0..<state.partitions).map { partition in
            options.tracedPartition = isTraced ? partition : nil
            return RegisterReplica(
              node: state.node, boot: state.boot, configuration: state.configuration,
              floor: Floor(state.floor), reserve: state.reserve, seed: seed &+ UInt64(partition),
              startedAt: startedAt, options: options)
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
