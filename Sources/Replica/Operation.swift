package import Base

/// What a client asks of one register.
package struct Operation: Sendable {
  package var id: OperationID
  package var key: Key
  package var action: Action
  package var condition: Condition
  /// A hash of action and condition: the same id with another payload is refused (422). 0 where the client gave no id.
  package var payloadHash: UInt64

  package init(
    id: OperationID, key: Key, action: Action, condition: Condition = .always, payloadHash: UInt64 = 0
  ) {
    self.id = id
    self.key = key
    self.action = action
    self.condition = condition
    self.payloadHash = payloadHash
  }
}

package enum Action: Sendable, Equatable {
  case read
  /// A read by a full two-phase round (R8). With a `target`, it also tells what became of that operation,
  /// whose client knew revision `known` (0: absent) before it sent it. `nowSeconds` is the host's wall clock.
  case settle(target: OperationID?, known: UInt64, nowSeconds: UInt64)
  case put([UInt8])
  case delete
  case add(Int64)
  case max(Int64)
  case min(Int64)
  case append([UInt8])

  package var isRead: Bool {
    if case .read = self { true } else { false }
  }
  package var isSettle: Bool {
    if case .settle = self { true } else { false }
  }
  /// Whether the action can change the register.
  package var isChange: Bool { !isRead && !isSettle }
}

/// The conditions of CONTRACT §1; all that are given must hold.
package struct Condition: Sendable, Equatable {
  private struct Terms: Sendable, Equatable {
    var exists: Bool?
    var revisionIn: [UInt64]?
    var revisionNotIn: [UInt64]?
    var value: [UInt8]?
    var never = false
  }

  private indirect enum Box: Sendable, Equatable { case holding(Terms) }

  /// Apart, and nil where nothing is asked: most operations ask nothing, and each is passed on a dozen times.
  private var box: Box?

  private var terms: Terms {
    get { if case .holding(let terms) = box { terms } else { Terms() } }
    set { box = newValue == Terms() ? nil : .holding(newValue) }
  }

  /// `If-Match: *` (true), `If-None-Match: *` (false).
  package var exists: Bool? {
    get { terms.exists }
    set { terms.exists = newValue }
  }
  /// `If-Match: "1", "2"`: the register exists at one of these revisions.
  package var revisionIn: [UInt64]? {
    get { terms.revisionIn }
    set { terms.revisionIn = newValue }
  }
  /// `If-None-Match: "1"`: the register is at none of these; an absent one is not either.
  package var revisionNotIn: [UInt64]? {
    get { terms.revisionNotIn }
    set { terms.revisionNotIn = newValue }
  }
  /// `?expect=VALUE`: an absent register equals no value.
  package var value: [UInt8]? {
    get { terms.value }
    set { terms.value = newValue }
  }
  /// `If-Match` and `If-None-Match: *` together and the like: can never hold.
  package var never: Bool {
    get { terms.never }
    set { terms.never = newValue }
  }

  package init(
    exists: Bool? = nil, revisionIn: [UInt64]? = nil, revisionNotIn: [UInt64]? = nil, value: [UInt8]? = nil,
    never: Bool = false
  ) {
    terms = Terms(
      exists: exists, revisionIn: revisionIn, revisionNotIn: revisionNotIn, value: value, never: never)
  }

  private init() { box = nil }

  package static let always = Condition()

  package func holds(revision: UInt64, value current: ArraySlice<UInt8>?) -> Bool {
    guard case .holding(let terms) = box else { return true }
    if terms.never { return false }
    if let exists = terms.exists, exists != (current != nil) { return false }
    if let wanted = terms.revisionIn, current == nil || !wanted.contains(revision) { return false }
    if let hated = terms.revisionNotIn, current != nil && hated.contains(revision) { return false }
    if let value = terms.value {
      guard let current, current.elementsEqual(value) else { return false }
    }
    return true
  }
}
