/// Why a call did not succeed. What matters about a change is what became of it, and that is what the cases say.
public enum ClientError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Certainly nothing was changed by this call and nothing will be.
  ///
  /// `status` is the HTTP status of the answer, such as 400 (malformed), 401 and 403 (token), 409 (not a number, or
  /// overflow), 413 (too large), 429 and 503 (overload, no quorum); nil where no node answered in time.
  case notApplied(status: Int?, reason: String)
  /// A condition of the change did not hold; `current` is what the register was then, nil where it was absent.
  case conditionFailed(current: Entry?)
  /// The change was sent, and it may or may not have taken effect, or take effect yet.
  /// ``SynodClient/settle(_:operation:)``
  /// tells.
  case unknown(reason: String)

  public var description: String {
    switch self {
    case .notApplied(let status?, let reason): "\(reason) (\(status), nothing was changed)"
    case .notApplied(nil, let reason): "\(reason) (nothing was changed)"
    case .conditionFailed(let current?): "the condition did not hold: the register is at revision \(current.revision)"
    case .conditionFailed(nil): "the condition did not hold: the register is absent"
    case .unknown(let reason): "outcome unknown: \(reason)"
    }
  }
}
