/// What can be seen of one node.
package struct NodePicture: Sendable {
  /// One register on a node: in memory, and on its disk.
  package struct Cell: Sendable {
    package let key: String
    /// Nil: nothing is accepted.
    package let value: String?
    package let revision: UInt64
    package let promised: String
    package let accepted: String
    package let durablePromised: String
    package let durableAccepted: String
    /// What is on the disk; nil: nothing.
    package let durableValue: String?
    /// In memory there is more than on the disk.
    package let isUnsynced: Bool
    /// What is accepted in memory is chosen, or was.
    package let isChosen: Bool
    /// Its round, if one is under way here.
    package let round: String
    /// About what it takes on the disk.
    package let bytes: Int
  }

  /// One entry of a log on a node.
  package struct Entry: Sendable {
    package let index: UInt64
    package let term: UInt64
    package let text: String
    package let isDurable: Bool
    package let isCommitted: Bool
  }

  /// `leader`, `follower`, `candidate`, `pre-candidate`, or `acceptor`.
  package var role: String
  package var cells: [Cell] = []
  package var term: UInt64 = 0
  /// 0: nobody.
  package var vote: UInt16 = 0
  package var isTermUnsynced = false
  /// Of whom it believes that they lead; 0: nobody.
  package var leader: UInt16 = 0
  package var commit: UInt64 = 0
  package var applied: UInt64 = 0
  /// The last entry that its durable snapshot covers, and the snapshot's bytes.
  package var snapshot: UInt64 = 0
  package var snapshotBytes: UInt64 = 0
  package var entries: [Entry] = []
  /// What the entries that it has applied come to.
  package var state: [(key: String, value: String)] = []
  /// What it must keep to be what it is: cells, or snapshot and entries.
  package var keptBytes: UInt64 = 0

  package init(role: String) { self.role = role }
}
