/// What a register remembers of an operation that bears an id, as far as the order so far tells.
struct Memory: Equatable {
  /// The number of the id, see ``Problem``.
  var id: Int32
  /// The call that did it.
  var call: Int32
  var revision: UInt64
  /// False where ``revision`` is only a lower bound; then it is none of those that any answer gives.
  var isExact: Bool
  /// How many changes came after it; counted up to ``window``.
  var changesSince: UInt8
  /// A settle declared it dead (R8).
  var isDead: Bool
  /// The register was absent for so long that its record may have been erased since.
  var mayBeErased: Bool
  var created: Bool
  var number: Int64?
  var length: UInt64?

  /// A register remembers at least its last 8 changes (CONTRACT §1); one that is longer ago it may know or not.
  static let window: UInt8 = 8

  var isCertain: Bool { !mayBeErased && (isDead || changesSince < Self.window) }

  /// Whether `change` may be the answer to a repeat.
  func repeats(_ change: Call.Change) -> Bool {
    if let seen = change.revision, !isExact || seen != revision { return false }
    if let seen = change.created, seen != created { return false }
    if let seen = change.number, seen != number { return false }
    if let seen = change.length, seen != length { return false }
    return true
  }
}
