import Base
import Replica
import Wire

/// A client's read, write or cas on its way through the replica.
struct MaelstromCall {
  enum Kind {
    case read
    case write([UInt8])
    case compare(from: [UInt8], to: [UInt8])
    /// A cas with `create_if_not_exists`. A condition of a register is that it holds a value or that it is absent,
    /// never either: the two are tried in turns, until one holds or the register holds another value.
    case compareOrCreate(from: [UInt8], to: [UInt8], isCreating: Bool)
  }

  enum Step {
    /// The operation is to be tried again, as the kind now says.
    case again(Kind)
    /// `value`: of a read.
    case done(type: StaticString, value: [UInt8]?)
    case failed(MaelstromError, StaticString)
  }

  let client: [UInt8]
  /// Nil: the client wants no answer.
  let id: UInt64?
  let key: Key
  var kind: Kind
  let deadline: Instant

  var action: Action {
    switch kind {
    case .read: .read
    case .write(let value), .compare(_, let value), .compareOrCreate(_, let value, _): .put(value)
    }
  }

  var condition: Condition {
    switch kind {
    case .read, .write: .always
    case .compare(let from, _): Condition(value: from)
    case .compareOrCreate(let from, _, let isCreating): isCreating ? Condition(exists: false) : Condition(value: from)
    }
  }

  /// What the replica's outcome means for the client: applied, certainly not, or unknown (R8).
  func step(after outcome: Outcome) -> Step {
    switch outcome {
    case .read(let content):
      guard let content else { return .failed(.keyDoesNotExist, "the key does not exist") }
      return .done(type: "read_ok", value: content.value)
    case .changed:
      if case .write = kind { return .done(type: "write_ok", value: nil) }
      return .done(type: "cas_ok", value: nil)
    case .conditionFailed(let current): return step(afterFailedCondition: current?.value)
    case .unknown: return .failed(.timeout, "it may or may not take effect")
    case .refused(.noQuorum): return .failed(.temporarilyUnavailable, "no majority answers; nothing was changed")
    case .refused(.overloaded): return .failed(.temporarilyUnavailable, "too many requests; nothing was changed")
    case .refused, .settled, .absent: return .failed(.temporarilyUnavailable, "nothing was changed")
    }
  }

  private func step(afterFailedCondition current: [UInt8]?) -> Step {
    if case .compareOrCreate(let from, let to, let isCreating) = kind {
      if current == nil && !isCreating { return .again(.compareOrCreate(from: from, to: to, isCreating: true)) }
      if current == from && isCreating { return .again(.compareOrCreate(from: from, to: to, isCreating: false)) }
    }
    return current == nil
      ? .failed(.keyDoesNotExist, "the key does not exist")
      : .failed(.preconditionFailed, "the key holds another value")
  }
}
