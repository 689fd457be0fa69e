/// A register's content as a client sees it.
package struct Versioned: Sendable, Equatable {
  package var revision: UInt64
  package var value: [UInt8]

  package init(revision: UInt64, value: [UInt8]) {
    self.revision = revision
    self.value = value
  }
}

/// What a change did; small, because a register remembers it for each of its last changes (the window).
package enum Effect: Sendable, Equatable {
  case created
  case replaced
  case deleted
  /// The new number of add, max, min.
  case number(Int64)
  /// The new length of the value, in bytes, after append.
  case length(UInt64)
}

/// What became of an operation, asked for by settle (R8).
package enum Fate: Sendable, Equatable {
  case applied(revision: UInt64)
  case dead
  case forgotten
}

/// Certainly nothing was changed and nothing will be.
package enum Refusal: UInt8, Sendable, Equatable {
  case notANumber
  case overflow
  case tooLarge
  /// The id is remembered with another payload.
  case payloadMismatch
  /// Settle found the operation dead.
  case dead
  case noQuorum
  case overloaded
  /// The deadline passed before anything was sent.
  case expired
  /// This node is no member, or not yet.
  case notAMember
  case shuttingDown
}

/// What is said to the client: applied, not applied, or unknown (R8); never a guess.
package enum Outcome: Sendable, Equatable {
  /// A read; nil where the register is absent.
  case read(Versioned?)
  case settled(Versioned?, fate: Fate?)
  /// A change took effect at `revision`, or (max, min) needed none. `replayed`: an earlier request with this id did it.
  case changed(revision: UInt64, Effect, replayed: Bool)
  /// Delete of an absent register.
  case absent
  /// The condition was false of `current` when it was evaluated.
  case conditionFailed(current: Versioned?)
  case refused(Refusal)
  /// The change was sent out, and may or may not take effect; settle tells.
  case unknown
}
