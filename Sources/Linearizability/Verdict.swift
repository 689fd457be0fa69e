/// What a checker says of a history.
package enum Verdict: Sendable {
  case linearizable
  case notLinearizable(Explanation)
  /// The search would have needed more than its limit; nothing is known.
  case undecided(reason: String)
}
