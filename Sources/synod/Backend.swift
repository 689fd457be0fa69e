import Base
import Host
import Register
import Replica
import Server
import Storage

// The one place that knows the backends.

extension RegisterReplica: RecordHolder {
  func recordIndex(forKey key: [UInt8]) -> UInt32 {
    let key = Key(key)
    return UInt32(acceptor.table.find(key) ?? acceptor.table.insert(key))
  }

  func restore(_ index: UInt32, payload: ArraySlice<UInt8>) throws(DecodeError) {
    try acceptor.restore(Int(index), payload: payload)
  }

  func key(ofRecord index: UInt32) -> [UInt8] { acceptor.table[Int(index)].key.bytes }

  func encodePayload(ofRecord index: UInt32, into writer: inout ByteWriter) {
    acceptor.encodePayload(of: Int(index), into: &writer)
  }
}

enum Backend {
  /// Makes the replica of a partition, for ``Node/run(_:makeReplica:report:)``.
  static func makeReplica(maximumValueBytes: Int) -> Node.MakeReplica {
    { partition, state, seed in
      switch state.backend {
      case .register:
        var options = RegisterReplica.Options()
        options.maximumValueBytes = maximumValueBytes
        return RegisterReplica(
          node: state.node, boot: state.boot, configuration: state.configuration, floor: Floor(),
          seed: seed &+ UInt64(partition), options: options)
      }
    }
  }
}
