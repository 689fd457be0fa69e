package import Base
package import Replica

/// What the first frames of a peer link say.
///
/// The node that dials sends `hello`, is answered by `welcome` or `refusal`, and sends `proof`; from then on only the
/// dialling side sends (`batch`, `ping`, `pong`): each node's messages, answers too, leave on the link that it dialled
/// itself.
package enum FrameKind: UInt8, Sendable {
  case hello = 1
  case welcome = 2
  /// u8 ``PeerRefusal``, u32 the epoch of who refuses.
  case refusal = 3
  case proof = 4
  /// Replica messages: for each u16 partition, varint length, bytes.
  case batch = 5
  case ping = 6
  case pong = 7
  /// A ``Configuration`` that was chosen, for a node that may not have heard of it.
  case configuration = 8
  /// From a node that is no member: a client of it wants other members; and the answer.
  case wish = 9
  case wishAnswer = 10
}

/// `hello` and `welcome` alike: who speaks, from which life, and what it knows of the cluster.
///
///     u16 protocol version, 2    u16 node    u16 to    u64 incarnation    u64 boot    u16 shard    u16 shards
///     u64 durable position of the shard's journal (R12)
///     u8 formation    u32 epoch    32 cluster id    32 digest of the first members' ids and addresses
///     u16 partitions    16 nonce    32 proof (of a welcome; zeros where there is no peer secret)
///     blob the speaker's own peer address, HOST:PORT, by which a newcomer is to be reached
package struct Greeting: Equatable, Sendable {
  package static let version: UInt16 = 2

  package var node: NodeID
  package var to: NodeID
  package var incarnation: Incarnation
  package var boot: UInt64
  package var shard: UInt16
  package var shards: UInt16
  package var position: UInt64
  package var formation: NodeState.Formation
  package var epoch: UInt32
  package var cluster: [UInt8]
  package var firstMembers: [UInt8]
  package var partitions: UInt16
  package var nonce: [UInt8]
  package var proof: [UInt8] = Array(repeating: 0, count: 32)
  package var address: [UInt8]

  package func encode(into writer: inout ByteWriter) {
    writer.u16(Self.version)
    writer.u16(node.value)
    writer.u16(to.value)
    writer.u64(incarnation.value)
    writer.u64(boot)
    writer.u16(shard)
    writer.u16(shards)
    writer.u64(position)
    writer.u8(formation.rawValue)
    writer.u32(epoch)
    writer.raw(cluster)
    writer.raw(firstMembers)
    writer.u16(partitions)
    writer.raw(nonce)
    writer.raw(proof)
    writer.blob(address)
  }

  package init(from reader: inout ByteReader) throws(DecodeError) {
    guard try reader.u16() == Self.version else { throw .malformed }
    node = NodeID(try reader.u16())
    to = NodeID(try reader.u16())
    incarnation = Incarnation(try reader.u64())
    boot = try reader.u64()
    shard = try reader.u16()
    shards = try reader.u16()
    position = try reader.u64()
    guard let formation = NodeState.Formation(rawValue: try reader.u8()) else { throw .malformed }
    self.formation = formation
    epoch = try reader.u32()
    cluster = try reader.raw(32)
    firstMembers = try reader.raw(32)
    partitions = try reader.u16()
    nonce = try reader.raw(16)
    proof = try reader.raw(32)
    address = try reader.blob(maximum: 300)
    guard reader.isAtEnd else { throw .malformed }
  }

  package init(of state: NodeState, to: NodeID, shard: Int, shards: Int, position: UInt64, nonce: [UInt8]) {
    node = state.node
    self.to = to
    incarnation = state.incarnation
    boot = state.boot
    self.shard = UInt16(shard)
    self.shards = UInt16(shards)
    self.position = position
    formation = state.formation
    epoch = state.configuration.epoch
    cluster = state.cluster
    firstMembers = Self.digest(ofFirstMembers: state.configuration)
    partitions = UInt16(state.partitions)
    self.nonce = nonce
    address = state.ownAddress
  }

  /// What nodes that are still gathering must agree on: ids and addresses.
  package static func digest(ofFirstMembers configuration: Configuration) -> [UInt8] {
    var writer = ByteWriter()
    for member in configuration.members {
      writer.u16(member.id.value)
      writer.blob(member.address)
    }
    return SHA256.digest(writer.bytes)
  }

  /// What the side named by `role` shows to prove that it knows the secret; fresh, because both nonces are in it.
  package static func proof(secret: [UInt8]?, role: StaticString, _ hello: Greeting, welcomeNonce: [UInt8]) -> [UInt8] {
    guard let secret else { return Array(repeating: 0, count: 32) }
    var writer = ByteWriter()
    role.withUTF8Buffer { writer.bytes.append(contentsOf: $0) }
    writer.u16(hello.node.value)
    writer.u16(hello.to.value)
    writer.raw(hello.nonce)
    writer.raw(welcomeNonce)
    return SHA256.hmac(key: secret, message: writer.bytes)
  }
}

/// Why a peer is turned away.
package enum PeerRefusal: UInt8, Sendable {
  /// It means another node than this one.
  case wrongTarget = 1
  case anotherCluster
  /// R12: the storage under this name is another than the cluster knows.
  case replacedStorage
  /// R12: less is durable there than was before.
  case oldCopy
  case notAMember
  case otherFirstMembers
  case otherPartitions
  case wrongSecret
  case busy

  /// As said to the operator of the node that was refused.
  package var advice: String {
    switch self {
    case .wrongTarget: "the peer at that address has another id: check --peers"
    case .anotherCluster:
      "this data folder belongs to another cluster: start with this cluster's folder, or an empty one"
    case .replacedStorage:
      "the cluster knows this node id with another data folder: bring that folder back, or remove this member "
        + "and add it anew"
    case .oldCopy:
      "this data folder is an older copy of what this node has already promised from: remove this member "
        + "and add it anew"
    case .notAMember: "this node is no member of the cluster"
    case .otherFirstMembers: "the nodes were started with different --peers: give all of them the same list"
    case .otherPartitions: "the nodes have different backends, or different numbers of partitions"
    case .wrongSecret: "the nodes do not share the same --peer-secret-file"
    case .busy: "the peer is not ready to be met yet"
    }
  }

  /// Whether the node that is refused can never be right, however often it tries.
  package var isFinal: Bool {
    switch self {
    case .anotherCluster, .replacedStorage, .oldCopy, .notAMember: true
    case .wrongTarget, .otherFirstMembers, .otherPartitions, .wrongSecret, .busy: false
    }
  }
}

extension NodeState {
  /// Whether to speak with the node of `greeting`: the same check on both ends of a link. Nil: yes.
  package func refusal(of greeting: Greeting) -> PeerRefusal? {
    guard greeting.to == node else { return .wrongTarget }
    guard greeting.partitions == UInt16(partitions) else { return .otherPartitions }
    // A node that is to be added speaks with whoever is of a cluster.
    if formation == .joining { return greeting.formation.isServing ? nil : .busy }
    let isAhead = greeting.epoch > configuration.epoch
    guard let index = configuration.index(of: greeting.node) else {
      // It may be the only one who can tell this node of the members that it has not heard of. What it asks in its
      // epoch waits until that is installed (R11). Or it holds what a log has cut off again, even of the same epoch,
      // and must hear of that.
      let isNewer = isAhead || backend == .raft && greeting.epoch == configuration.epoch
      if isNewer && greeting.formation == .complete && formation != .gathering {
        return greeting.cluster == cluster ? nil : .anotherCluster
      }
      switch greeting.formation {
      case .joining: return formation == .complete ? nil : .busy
      case .guest: return greeting.cluster == cluster ? nil : .anotherCluster
      case .gathering, .recorded, .complete, .removed: return .notAMember
      }
    }
    if formation == .gathering {
      // A peer that has recorded the cluster already may be ahead of this node; its members must be the same.
      return greeting.firstMembers == Greeting.digest(ofFirstMembers: configuration) ? nil : .otherFirstMembers
    }
    if greeting.formation != .gathering && greeting.formation != .joining && greeting.cluster != cluster {
      return .anotherCluster
    }
    guard Guard.storageIsCurrent.isIn else { return nil }
    guard configuration.members[index].incarnation == greeting.incarnation else {
      return isAhead && greeting.formation == .complete ? nil : .replacedStorage
    }
    let name = JournalName(node: greeting.node, incarnation: greeting.incarnation, journal: greeting.shard)
    return isCurrent(name, position: greeting.position) ? nil : .oldCopy
  }
}
