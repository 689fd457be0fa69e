package import Base
package import Replica

/// What a node knows of itself and its cluster, durable in the superblock (DESIGN, Storage).
///
///     u16  format of this payload, 2
///     u8   backend: 1 register, 2 raft
///     u16  node
///     u64  incarnation, made at random with the folder (R12)
///     u64  boot number, grows at each start
///     u16  partitions, fixed when the folder is made
///     u8   formation: 0 gathering, 1 recorded, 2 complete, 3 joining, 4 guest, 5 removed
///     32   cluster id; zeros while gathering and joining
///     …    configuration (``Configuration``)
///     u64 u64 u64  floor: its ballot's two words and its revision (R14)
///     u64          reserve: the counter that no promise of this node exceeds; with its epoch it bounds what a damaged
///                  record can have promised. 0, of a folder from before it was kept, says nothing: then it is taken
///                  for ``unknownReserve``
///     u64          0
///     varint count, then for each: u16 node, u64 incarnation, u16 journal, u64 position
///          what peers, and this node itself, have had durable (R12)
///     blob  this node's own peer address, where it came by `--join`; format 1 ends before it
package struct NodeState: Equatable, Sendable {
  package enum Formation: UInt8, Sendable {
    /// Of a first member: not all of them have met.
    case gathering
    /// It has recorded who the first members are; the others may not have.
    case recorded
    case complete
    /// Of a node that is to be added: it knows where members are, and nothing else of the cluster.
    case joining
    /// It has heard the configuration, which does not name it: it hands what its clients ask to members.
    case guest
    /// It was a member, and is none any more. It ends, and does not start again.
    case removed

    /// Whether a node of this kind knows who its cluster is, and answers clients.
    package var isServing: Bool {
      switch self {
      case .gathering, .recorded, .joining: false
      case .complete, .guest, .removed: true
      }
    }
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
  package var floor = NodeFloor()
  package var reserve: UInt64 = 1 << 20
  /// Higher than the counter of any ballot of a real cluster, and as far from the highest that there is.
  package static let unknownReserve: UInt64 = 1 << 43
  /// The highest journal positions that peers, and this node itself, are known to have made durable. Who comes with a
  /// lower one runs on an old copy of its folder, or has lost the end of it.
  package var journalPositions: [JournalName: UInt64] = [:]
  /// `HOST:PORT` of this node's own peers' port, for where the configuration does not tell it.
  package var address: [UInt8] = []

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

  /// A new folder of a node that is to be added; `seeds`: members as a node of the cluster knew them.
  package init(
    backend: Backend, node: NodeID, incarnation: Incarnation, partitions: Int, joining seeds: Configuration,
    address: [UInt8]
  ) {
    self.init(backend: backend, node: node, incarnation: incarnation, partitions: partitions, first: seeds)
    formation = .joining
    self.address = address
  }

  /// Where its peers reach this node.
  package var ownAddress: [UInt8] {
    configuration.index(of: node).map { configuration.members[$0].address } ?? address
  }

  package func isNamed(by configuration: Configuration) -> Bool {
    configuration.members.contains { $0.id == node && $0.incarnation == incarnation }
  }

  /// The same node after `next` was chosen.
  package mutating func go(by next: Configuration) {
    // Who is out is still to be reached, by those who have not heard of it.
    address = ownAddress
    configuration = next
    if isNamed(by: next) {
      formation = .complete
    } else {
      formation = formation == .complete || formation == .removed ? .removed : .guest
    }
  }

  /// The same node, whose log holds `next`, chosen or not: what may yet be cut off the log makes no one leave.
  package mutating func follow(_ next: Configuration) {
    let isNamed = isNamed(by: next)
    address = ownAddress
    // The entry by which this node entered is cut off: it is still to be added.
    let isTakenBack = next.epoch < configuration.epoch && configuration.since(of: node) == configuration.epoch
    configuration = next
    if isNamed {
      formation = .complete
    } else if formation == .joining || isTakenBack && formation == .complete {
      formation = .guest
    }
  }

  package func encoded() -> [UInt8] {
    var writer = ByteWriter(reserving: 512)
    writer.u16(2)
    writer.u8(backend.rawValue)
    writer.u16(node.value)
    writer.u64(incarnation.value)
    writer.u64(boot)
    writer.u16(UInt16(partitions))
    writer.u8(formation.rawValue)
    writer.raw(cluster)
    configuration.encode(into: &writer)
    floor.encode(into: &writer)
    writer.u64(reserve)
    writer.u64(0)
    writer.varint(UInt64(journalPositions.count))
    let sorted = journalPositions.sorted { ($0.key.node.value, $0.key.journal) < ($1.key.node.value, $1.key.journal) }
    for (name, position) in sorted {
      writer.u16(name.node.value)
      writer.u64(name.incarnation.value)
      writer.u16(name.journal)
      writer.u64(position)
    }
    writer.blob(address)
    return writer.bytes
  }

  package init(decoding bytes: [UInt8]) throws(DecodeError) {
    var reader = ByteReader(bytes)
    let format = try reader.u16()
    guard (1...2).contains(format), let backend = Backend(rawValue: try reader.u8()) else { throw .malformed }
    self.backend = backend
    node = NodeID(try reader.u16())
    incarnation = Incarnation(try reader.u64())
    boot = try reader.u64()
    partitions = Int(try reader.u16())
    guard partitions > 0, let formation = Formation(rawValue: try reader.u8()) else { throw .malformed }
    self.formation = formation
    cluster = try reader.raw(32)
    configuration = try Configuration(from: &reader)
    floor = try NodeFloor(from: &reader)
    let reserve = try reader.u64()
    self.reserve = reserve > 0 ? reserve : Self.unknownReserve
    _ = try reader.u64()
    for _ in 0..<(try reader.varint()) {
      let peer = NodeID(try reader.u16())
      let incarnation = Incarnation(try reader.u64())
      let name = JournalName(node: peer, incarnation: incarnation, journal: try reader.u16())
      journalPositions[name] = try reader.u64()
    }
    address = format > 1 ? try reader.blob(maximum: 300) : []
    guard reader.isAtEnd else { throw .malformed }
  }

  /// R12: false where the node comes with less than it is known to have had.
  package func isCurrent(_ name: JournalName, position: UInt64) -> Bool { position >= journalPositions[name] ?? 0 }

  /// R12: a journal of this node itself. A cluster of one has nobody else who would remember.
  package func ownJournal(_ shard: Int) -> JournalName {
    JournalName(node: node, incarnation: incarnation, journal: UInt16(shard))
  }

  /// By the number of the journal.
  package var ownPositions: [Int: UInt64] {
    var positions: [Int: UInt64] = [:]
    for (name, position) in journalPositions where name == ownJournal(Int(name.journal)) {
      positions[Int(name.journal)] = position
    }
    return positions
  }

  package mutating func note(_ name: JournalName, position: UInt64) {
    journalPositions[name] = max(position, journalPositions[name] ?? 0)
  }
}
