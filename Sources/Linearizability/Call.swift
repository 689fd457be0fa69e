package import Base

/// One call of one client on one register, and what its client saw of it.
///
/// Stamps are of any numbering that never falls; where two are equal, the events count as concurrent.
package struct Call: Sendable, Equatable {
  /// A client that has at most one call open at a time.
  package var process: UInt64
  package var key: Key
  package var action: Action
  package var condition: Condition
  /// The `Idempotency-Key`; the same for an operation and its repeats.
  package var id: [UInt8]?
  package var invoked: UInt64
  /// nil: it never returned.
  package var returned: UInt64?
  package var outcome: Outcome
  /// From this stamp on the operation's deadline had passed. A settle that was invoked later decides it (R8).
  package var expired: UInt64?

  /// A call that has not returned yet; ``History/end(_:at:_:)`` completes it.
  package init(
    process: UInt64, key: Key, action: Action, condition: Condition = .always, id: [UInt8]? = nil, invoked: UInt64,
    returned: UInt64? = nil, outcome: Outcome = .unknown, expired: UInt64? = nil
  ) {
    self.process = process
    self.key = key
    self.action = action
    self.condition = condition
    self.id = id
    self.invoked = invoked
    self.returned = returned
    self.outcome = outcome
    self.expired = expired
  }
}

extension Call {
  package enum Action: Sendable, Equatable {
    case read
    /// A read that decides what has expired (R8). With a `target` it also tells what became of the operation with that
    /// id, whose client knew revision `known` (0: absent) before it sent it.
    case settle(target: [UInt8]?, known: UInt64)
    case put([UInt8])
    case delete
    case add(Int64)
    case max(Int64)
    case min(Int64)
    case append([UInt8])

    package var isChange: Bool {
      switch self {
      case .read, .settle: false
      case .put, .delete, .add, .max, .min, .append: true
      }
    }
  }

  /// All that are given must hold.
  package struct Condition: Sendable, Equatable {
    package var exists: Bool?
    /// It exists at one of these revisions.
    package var revisionIn: [UInt64]?
    /// It is at none of these; an absent register is not either.
    package var revisionNotIn: [UInt64]?
    /// Its value is this one; an absent register equals no value.
    package var value: [UInt8]?

    package init(
      exists: Bool? = nil, revisionIn: [UInt64]? = nil, revisionNotIn: [UInt64]? = nil, value: [UInt8]? = nil
    ) {
      self.exists = exists
      self.revisionIn = revisionIn
      self.revisionNotIn = revisionNotIn
      self.value = value
    }

    package static let always = Condition()
  }

  /// What was seen of a register's content, as much of it as the answer told.
  package enum Sight: Sendable, Equatable {
    case nothing
    case absent
    case present(revision: UInt64?, value: [UInt8]?)
  }

  /// What the answer to a change told; nil where it did not.
  package struct Change: Sendable, Equatable {
    package var revision: UInt64?
    package var created: Bool?
    /// The new number, of add, max and min.
    package var number: Int64?
    /// The new length in bytes, of append.
    package var length: UInt64?
    /// Whether an earlier request with this id did it.
    package var replayed: Bool?

    package init(
      revision: UInt64? = nil, created: Bool? = nil, number: Int64? = nil, length: UInt64? = nil, replayed: Bool? = nil
    ) {
      self.revision = revision
      self.created = created
      self.number = number
      self.length = length
      self.replayed = replayed
    }
  }

  package enum Fate: Sendable, Equatable {
    /// nil: the revision was not seen.
    case applied(revision: UInt64?)
    case dead
    case forgotten
  }

  package enum Outcome: Sendable, Equatable {
    case read(Sight)
    /// `fate` where the settle had a target.
    case settled(Sight, Fate?)
    /// It took effect, or (max, min) needed none.
    case changed(Change)
    /// Delete of an absent register.
    case absent
    case conditionFailed(Sight)
    /// add, max, min: the value was no 64-bit integer, or the sum would not be one (409).
    case notANumber
    /// Refused for a reason that tells nothing of the register: it certainly never takes effect.
    case notApplied
    /// A change may take effect at any time after its invocation, or never, unless a settle decides it.
    case unknown
  }
}
