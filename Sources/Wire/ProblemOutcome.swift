/// What an answer other than a success says about the change that was asked for (CONTRACT §1, Errors; R8).
package enum ProblemOutcome: Sendable, Equatable {
  /// Certainly nothing was and nothing will be changed.
  case notApplied
  /// It may or may not take effect.
  case unknown

  package var text: StaticString {
    switch self {
    case .notApplied: "not-applied"
    case .unknown: "unknown"
    }
  }
}
