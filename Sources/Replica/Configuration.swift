public import Base

/// A storage incarnation: made at random with the data folder. A node whose storage was lost is another node (R12).
@usableFromInline
package struct Incarnation: Hashable, Sendable {
  package let value: UInt64
  package init(_ value: UInt64) { self.value = value }
}

@usableFromInline
package struct Member: Hashable, Sendable {
  @usableFromInline package var id: NodeID
  /// `HOST:PORT` of the peers' port.
  package var address: [UInt8]
  package var incarnation: Incarnation
  /// The joint epoch in which it last entered (PROTOCOL, Membership); 0 for a first member.
  package var since: UInt32

  package init(id: NodeID, address: [UInt8], incarnation: Incarnation, since: UInt32) {
    self.id = id
    self.address = address
    self.incarnation = incarnation
    self.since = since
  }

  package func isSameNode(as other: Member) -> Bool { id == other.id && incarnation == other.incarnation }
}

/// Who votes: `stable(M)` at an even epoch, `joint(old, new)` at an odd one.
@usableFromInline
package struct Configuration: Equatable, Sendable {
  package static let maximumMembers = 9

  package let epoch: UInt32
  /// Every voter, of the old set and the new, sorted by id. A vote is a member's index here.
  @usableFromInline package let members: [Member]
  /// Indices of the set that is stable, or old.
  @usableFromInline package let old: BitSet
  /// Indices of the new set while the configuration is joint.
  @usableFromInline package let new: BitSet?

  package init(epoch: UInt32, stable members: [Member]) {
    invariant(epoch % 2 == 0, "a stable configuration has an even epoch")
    self.epoch = epoch
    self.members = members.sorted { $0.id < $1.id }
    old = BitSet(first: members.count)
    new = nil
  }

  init(epoch: UInt32, members: [Member], old: BitSet, new: BitSet?) {
    self.epoch = epoch
    self.members = members
    self.old = old
    self.new = new
  }

  /// The way from `stable` to the members `wanted`, of the next epoch. Who enters bears that epoch as its `since`.
  package init(joining wanted: [Member], after stable: Configuration) {
    invariant(!stable.isJoint, "one change of membership at a time")
    let epoch = stable.epoch + 1
    var members = stable.members
    for member in wanted where !stable.members.contains(where: { $0.isSameNode(as: member) }) {
      invariant(!members.contains { $0.id == member.id }, "a node cannot take the place of another under its id")
      var entering = member
      entering.since = epoch
      members.append(entering)
    }
    members.sort { $0.id < $1.id }
    var old = BitSet()
    var new = BitSet()
    for (index, member) in members.enumerated() {
      if stable.index(of: member.id) != nil { old.insert(index) }
      if wanted.contains(where: { $0.id == member.id }) { new.insert(index) }
    }
    self.init(epoch: epoch, members: members, old: old, new: new)
  }

  /// What follows a joint configuration: its new set, or its old one where the change is given up.
  package init(after joint: Configuration, abandoning: Bool) {
    guard let new = joint.new else { invariantFailed("there is no change under way") }
    let staying = abandoning ? joint.old : new
    self.init(
      epoch: joint.epoch + 1,
      stable: joint.members.enumerated().filter { staying.contains($0.offset) }.map { $0.element })
  }

  package var isJoint: Bool { new != nil }

  /// The last joint epoch that is over; 0 where there was none.
  package var lastJointEpoch: UInt32 { isJoint ? (epoch < 2 ? 0 : epoch - 2) : (epoch == 0 ? 0 : epoch - 1) }

  @inlinable
  package func index(of node: NodeID) -> Int? {
    // In place: a member that is taken out to be looked at is retained, and this is asked for each message.
    for index in members.indices where members[index].id == node { return index }
    return nil
  }

  /// The joint epoch in which the node last entered; 0 for a first member, and for one that is none.
  package func since(of node: NodeID) -> UInt32 { index(of: node).map { members[$0].since } ?? 0 }

  /// A majority of M, or of old and of new; a member of both is asked once and counted in each.
  @inlinable @inline(__always)
  package func isQuorum(_ votes: BitSet) -> Bool {
    guard Guard.bothMajorities.isIn || new == nil else { return 2 * votes.count > members.count }
    guard 2 * votes.intersection(old).count > old.count else { return false }
    guard let new else { return true }
    return 2 * votes.intersection(new).count > new.count
  }

  /// Whether a quorum is still possible once the members in `refused` will not vote.
  package func isQuorumPossible(without refused: BitSet) -> Bool {
    isQuorum(BitSet(bits: BitSet(first: members.count).bits & ~refused.bits))
  }
}

extension Configuration {
  /// As the register of the configuration holds it.
  package var encoded: [UInt8] {
    var writer = ByteWriter()
    encode(into: &writer)
    return writer.bytes
  }

  /// Nil: these are not the bytes of a configuration.
  package init?(encoded bytes: [UInt8]) {
    var reader = ByteReader(bytes)
    guard let configuration = try? Configuration(from: &reader), reader.isAtEnd else { return nil }
    self = configuration
  }

  /// u32 epoch, u64 old, u8 joint (0 or 1), u64 new, u8 member count, then for each: u16 id, u64 incarnation, u32
  /// since, blob address.
  package func encode(into writer: inout ByteWriter) {
    writer.u32(epoch)
    writer.u64(old.bits)
    writer.u8(isJoint ? 1 : 0)
    writer.u64(new?.bits ?? 0)
    writer.u8(UInt8(members.count))
    for member in members {
      writer.u16(member.id.value)
      writer.u64(member.incarnation.value)
      writer.u32(member.since)
      writer.blob(member.address)
    }
  }

  package init(from reader: inout ByteReader) throws(DecodeError) {
    let epoch = try reader.u32()
    let old = BitSet(bits: try reader.u64())
    let joint = try reader.u8()
    let new = BitSet(bits: try reader.u64())
    let count = Int(try reader.u8())
    guard joint <= 1, joint == UInt8(epoch % 2), count <= 2 * Configuration.maximumMembers else { throw .malformed }
    var members: [Member] = []
    for _ in 0..<count {
      let id = NodeID(try reader.u16())
      let incarnation = Incarnation(try reader.u64())
      let since = try reader.u32()
      members.append(Member(id: id, address: try reader.blob(maximum: 300), incarnation: incarnation, since: since))
    }
    let all = BitSet(first: count).bits
    guard old.bits & ~all == 0, new.bits & ~all == 0 else { throw .malformed }
    for (a, b) in zip(members, members.dropFirst()) where a.id >= b.id { throw .malformed }
    self.init(epoch: epoch, members: members, old: old, new: joint == 1 ? new : nil)
  }
}
