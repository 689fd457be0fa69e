/// What ``SynodClient/put(_:_:if:idempotencyKey:)-(_,[UInt8],_,_)`` did.
public struct PutResult: Hashable, Sendable {
  /// The revision that the change made.
  public let revision: UInt64
  /// True where the register was absent before. nil only where the answer was lost and it could be found out no more
  /// than that the change was applied.
  public let created: Bool?
}

/// What ``SynodClient/add(_:_:if:idempotencyKey:)``, `max` or `min` did.
public struct NumberResult: Hashable, Sendable {
  /// The register's revision after it.
  public let revision: UInt64
  /// The number after it. nil only where the answer was lost, it could be found out that the change was applied, and
  /// another change has overwritten the number since.
  public let value: Int64?
}

/// What ``SynodClient/append(_:_:if:idempotencyKey:)`` did.
public struct AppendResult: Hashable, Sendable {
  public let revision: UInt64
  /// Bytes of the value after it; nil only in the case that ``NumberResult/value`` names.
  public let length: UInt64?
}

/// How ``SynodClient/wait(_:past:forMilliseconds:)`` ended.
public enum WaitResult: Hashable, Sendable {
  /// The register is at another revision than the one given, or exists where it did not.
  case changed(Entry)
  /// The register is absent.
  case absent
  /// The time is over and the register is still at the revision that was given.
  case unchanged
}

/// One operation, told apart from all others by its `Idempotency-Key`, for ``SynodClient/settle(_:operation:)``.
public struct SentOperation: Hashable, Sendable {
  /// At most 64 bytes.
  public let idempotencyKey: String
  /// A revision of the register that was known before the operation was first sent; 0 if none was.
  /// The nearer to the operation, the likelier an answer.
  public let revisionBefore: UInt64

  public init(idempotencyKey: String, revisionBefore: UInt64) {
    self.idempotencyKey = idempotencyKey
    self.revisionBefore = revisionBefore
  }
}

/// What ``SynodClient/settle(_:operation:)`` found.
public struct Settled: Hashable, Sendable {
  public enum Fate: Hashable, Sendable {
    /// It took effect, at this revision.
    case applied(revision: UInt64)
    /// It did not and never will.
    case dead
    /// Too many changes have been made since: no answer is possible.
    case forgotten
  }

  /// The register as it is now, nil if it is absent.
  public let entry: Entry?
  /// nil where no operation was asked about.
  public let fate: Fate?
}

/// One line of a listing.
public struct ListedKey: Hashable, Sendable {
  public let key: RegisterKey
  public let revision: UInt64
  /// nil where values were not asked for.
  public let value: [UInt8]?
}

/// One page of a listing, sorted by the bytes of the keys.
public struct KeyPage: Hashable, Sendable {
  public let keys: [ListedKey]
  /// Whether there are keys after the last one of this page.
  public let more: Bool
}
