package import Base
package import Replica

/// What a node knows of itself and its cluster, durable in the superblock (DESIGN, Storage).
///
///     u16  format of this payload, 1
///     u8   backend: 1 register, 2 raft
///     u16  node
///     u64  incarnation, made at random with the folder (R12)
///     u64  boot number, grows at each start
///     u16  partitions, fixed when the folder is made
///     u8   formation: 0 gathering, 1 recorded, 2 complete
///     32   cluster id; zeros while gathering
///     …    configuration (``Configuration``)
///     u64 u64 u64  floor: its ballot's two words and its revision (R14)
///     u64 u64      ballot reserve: what this node may have promised for a damaged record
///     varint count, then for each: u16 node, u64 incarnation, u16 journal, u64 position
///          what peers have had durable (R12)
package struct NodeState: Equatable, Sendable {
  package enum Formation: UInt8, Sendable {
    /// Not all first members have met.
    case gathering
    /// This node has durably recorded every first member's id, address and incarnation.
    case recorded
    /// Every first member has.
    case complete
  }

  package enum Backend: UInt8, Sendable {
    case register = 1
    case raft = 2

    package var name: String {
      switch self {
      case .register: "register"
      case .raft: "raft"
      }
    }

    package init?(name: String) {
      switch name {
      case "register": self = .register
      case "raft": self = .raft
      default: return nil
      }
    }
  }

  package struct JournalName: Hashable, Sendable {
    package var node: NodeID
    package var incarnation: Incarnation
    package var journal: UInt16
  }

  package var backend: Backend
  package var node: NodeID
  package var incarnation: Incarnation
  package var boot: UInt64
  package var partitions: Int
  package var formation: Formation
  package var cluster: [UInt8]
  package var configuration: Configuration
  package var floorBallotHigh: UInt64 = 0
  package var floorBallotLow: UInt64 = 0
  package var floorRevision: UInt64 = 0
  package var reserveHigh: UInt64 = 0
  package var reserveLow: UInt64 = 0
  /// The highest journal positions that peers are known to have made durable. A peer that comes with a lower one runs
  /// on an old copy of its folder.
  package var peerPositions: [JournalName: UInt64] = [:]

  /// A new folder. `first` are the members that `--peers` names; their incarnations are not known yet.
  package init(
    backend: Backend, node: NodeID, incarnation: Incarnation, partitions: Int, first: Configuration
  ) {
    self.backend = backend
    self.node = node
    self.incarnation = incarnation
    boot = 0
    self.partitions = partitions
    formation = .gathering
    cluster = Array(repeating: 0, count: 32)
    configuration = first
  }

  package func encoded() -> [UInt8] {
    var writer = ByteWriter(reserving: 512)
    writer.u16(1)
    writer.u8(backend.rawValue)
    writer.u16(node.value)
    writer.u64(incarnation.value)
    writer.u64(boot)
    writer.u16(UInt16(partitions))
    writer.u8(formation.rawValue)
    writer.raw(cluster)
    configuration.encode(into: &writer)
    writer.u64(floorBallotHigh)
    writer.u64(floorBallotLow)
    writer.u64(floorRevision)
    writer.u64(reserveHigh)
    writer.u64(reserveLow)
    writer.varint(UInt64(peerPositions.count))
    let sorted = peerPositions.sorted { ($0.key.node.value, $0.key.journal) < ($1.key.node.value, $1.key.journal) }
    for (name, position) in sorted {
      writer.u16(name.node.value)
      writer.u64(name.incarnation.value)
      writer.u16(name.journal)
      writer.u64(position)
    }
    return writer.bytes
  }

  package init(decoding bytes: [UInt8]) throws(DecodeError) {
    var reader = ByteReader(bytes)
    guard try reader.u16() == 1, let backend = Backend(rawValue: try reader.u8()) else { throw .malformed }
    self.backend = backend
    node = NodeID(try reader.u16())
    incarnation = Incarnation(try reader.u64())
    boot = try reader.u64()
    partitions = Int(try reader.u16())
    guard partitions > 0, let formation = Formation(rawValue: try reader.u8()) else { throw .malformed }
    self.formation = formation
    cluster = try reader.raw(32)
    configuration = try Configuration(from: &reader)
    floorBallotHigh = try reader.u64()
    floorBallotLow = try reader.u64()
    floorRevision = try reader.u64()
    reserveHigh = try reader.u64()
    reserveLow = try reader.u64()
    for _ in 0..<(try reader.varint()) {
      let peer = NodeID(try reader.u16())
      let incarnation = Incarnation(try reader.u64())
      let name = JournalName(node: peer, incarnation: incarnation, journal: try reader.u16())
      peerPositions[name] = try reader.u64()
    }
    guard reader.isAtEnd else { throw .malformed }
  }

  /// R12: false where the peer comes with less than it is known to have had.
  package func isCurrent(_ name: JournalName, position: UInt64) -> Bool { position >= peerPositions[name] ?? 0 }

  package mutating func note(_ name: JournalName, position: UInt64) {
    peerPositions[name] = max(position, peerPositions[name] ?? 0)
  }
}
