package import Base

/// How far a node is behind the other members, and what it did about that in this life.
package struct CatchUpStatistics: Sendable {
  package struct Peer: Sendable {
    package var node: NodeID
    /// Registers that it holds and this node lacks, or about so many while they are fetched; nil: they have not been
    /// compared since it answers, or members are being changed.
    package var behind: UInt64?
    /// When the last comparison that ended began.
    package var comparedAt: Instant?

    package init(node: NodeID, behind: UInt64?, comparedAt: Instant?) {
      self.node = node
      self.behind = behind
      self.comparedAt = comparedAt
    }
  }

  package var peers: [Peer] = []
  /// Sent to find out what differs.
  package var comparedBytes: UInt64 = 0
  /// Registers that this node lacked and was given.
  package var caughtUp: UInt64 = 0
  /// Registers that it gave to others, and their bytes.
  package var relayed: UInt64 = 0
  package var relayedBytes: UInt64 = 0
  /// Rounds where giving does not help.
  package var rounds: UInt64 = 0

  package init() {}

  /// Of two partitions: what either lacks, and what both have compared.
  package static func + (a: CatchUpStatistics, b: CatchUpStatistics) -> CatchUpStatistics {
    var sum = a
    sum.peers = []
    for peer in a.peers {
      // Partitions that go by different members agree on nothing.
      guard let other = b.peers.first(where: { $0.node == peer.node }) else { continue }
      var both = peer
      both.behind = nil
      both.comparedAt = nil
      if let one = peer.behind, let two = other.behind { both.behind = one + two }
      if let one = peer.comparedAt, let two = other.comparedAt { both.comparedAt = min(one, two) }
      sum.peers.append(both)
    }
    sum.comparedBytes += b.comparedBytes
    sum.caughtUp += b.caughtUp
    sum.relayed += b.relayed
    sum.relayedBytes += b.relayedBytes
    sum.rounds += b.rounds
    return sum
  }
}
