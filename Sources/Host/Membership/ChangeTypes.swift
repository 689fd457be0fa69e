package import Base
import Replica

/// The members that an administrator wants (CONTRACT §1, `PUT /v1/members`).
package struct WantedMembers: Sendable {
  package struct Entry: Equatable, Sendable {
    package var id: NodeID
    /// `HOST:PORT` of the peers' port.
    package var address: [UInt8]
    package init(id: NodeID, address: [UInt8]) {
      self.id = id
      self.address = address
    }
  }

  /// Sorted by id; 1 to ``Configuration/maximumMembers`` of them, no id and no address twice.
  package var entries: [Entry]
  /// Only in one of these epochs (`If-Match`); nil: in any.
  package var epochs: [UInt64]?
  /// Even if no majority of them answers now.
  package var isForced: Bool

  package init(entries: [Entry], epochs: [UInt64]? = nil, isForced: Bool = false) {
    self.entries = entries
    self.epochs = epochs
    self.isForced = isForced
  }

  func isSame(as members: [Member]) -> Bool {
    members.count == entries.count
      && zip(members, entries).allSatisfy { $0.id == $1.id && $0.address == $1.address }
  }
}

/// What becomes of a wish for other members.
package enum ChangeAnswer: Sendable {
  /// It is under way, or done already.
  case taken
  /// The epoch is another one than the condition names.
  case otherEpoch(UInt32)
  /// 409: as things are it cannot be begun; why, and what to do.
  case refused(String)
  /// 503: certainly not begun; a clause.
  case unavailable(String)
  case unknown
}

/// How many registers (of a log: entries) are carried over, out of about so many.
package struct ChangeProgress: Equatable, Sendable {
  package var done: UInt64
  package var total: UInt64
  package init(done: UInt64 = 0, total: UInt64 = 0) {
    self.done = done
    self.total = total
  }
}

/// Who waits for a ``ChangeAnswer``.
package enum ChangeAsker: Hashable, Sendable {
  /// A request of a session, of that thread.
  case session(ExchangeID, shard: Int)
  /// A node that is no member, under its own number.
  case peer(NodeID, number: UInt64)
}

/// What an operation on the register of the configuration is for.
enum ChangeStep {
  /// Step 1, or the end of a change that is given up: a client waits for the answer.
  case begin(Configuration, ChangeAsker)
  /// Step 4.
  case end(Configuration)
  /// What was chosen? This node's own record holds something newer than what it has installed.
  case look
}

/// What the first thread remembers of changes.
struct MembershipChange {
  /// An operation on the register of the configuration is under way, for the driver.
  var isAsking = false
  /// Before this the driver asks for nothing again.
  var nextAskAt = Instant.zero
  /// Wishes whose begin is under way. `answerBy`: then they are said to be, and what becomes of them is seen by their
  /// progress.
  var asking: [(asker: ChangeAsker, answerBy: Instant)] = []
  /// Wishes that this node, which is no member, has passed on, by number.
  var passedOn: [(number: UInt64, asker: ChangeAsker, answerBy: Instant)] = []
  var numbers: UInt64 = 0
}
