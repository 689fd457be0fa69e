import Base

/// What one register does when one action after the other reaches it: the operation set of CONTRACT §1.
///
/// Revisions: a change of a present register takes the next one; a creation takes one above all that the register ever
/// had, with a gap where its record was erased (R14); what changes nothing leaves it. ``RegisterState`` keeps them.
enum SequentialSpec {
  enum Answer: Equatable {
    /// The new value, nil for a delete; the new number or length where the action answers with one.
    case changed([UInt8]?, number: Int64? = nil, length: UInt64? = nil)
    /// max and min that leave this number as it is.
    case unchanged(Int64)
    /// Delete of an absent register.
    case absent
    case notANumber
  }

  /// The answer to a change of a register that holds `value`; nil: it is absent.
  static func answer(_ action: Call.Action, _ value: [UInt8]?) -> Answer {
    switch action {
    case .read, .settle: invariantFailed("reads and settles change nothing")
    case .put(let new): return .changed(new)
    case .delete: return value == nil ? .absent : .changed(nil)
    case .append(let tail):
      let joined = (value ?? []) + tail
      return .changed(joined, length: UInt64(joined.count))
    case .add(let delta):
      guard let old = number(value, absent: 0) else { return .notANumber }
      let (sum, overflow) = old.addingReportingOverflow(delta)
      return overflow ? .notANumber : .changed(decimal(sum), number: sum)
    case .max(let bound): return extreme(value, bound, Swift.max)
    case .min(let bound): return extreme(value, bound, Swift.min)
    }
  }

  /// Whether `condition` holds of a register; nil where that hangs on a revision that nobody saw.
  static func holds(_ condition: Call.Condition, value: [UInt8]?, revision: UInt64?) -> Bool? {
    if let exists = condition.exists, exists != (value != nil) { return false }
    if let wanted = condition.value, value != wanted { return false }
    guard value != nil else { return condition.revisionIn == nil }
    guard condition.revisionIn != nil || condition.revisionNotIn != nil else { return true }
    guard let revision else { return nil }
    return condition.revisionIn?.contains(revision) ?? true && !(condition.revisionNotIn?.contains(revision) ?? false)
  }

  private static func extreme(_ value: [UInt8]?, _ bound: Int64, _ choose: (Int64, Int64) -> Int64) -> Answer {
    guard let old = number(value, absent: bound) else { return .notANumber }
    let new = choose(old, bound)
    return value != nil && new == old ? .unchanged(old) : .changed(decimal(new), number: new)
  }

  private static func number(_ value: [UInt8]?, absent: Int64) -> Int64? {
    guard let value else { return absent }
    return Decimal.integer(value[...])
  }

  private static func decimal(_ number: Int64) -> [UInt8] {
    var bytes: [UInt8] = []
    Decimal.append(number, to: &bytes)
    return bytes
  }
}
