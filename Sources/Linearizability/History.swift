import Base

/// The calls of one run, as their clients saw them, on any number of registers.
///
/// Appending is cheap: a run records here as it goes.
package struct History: Sendable {
  /// In the order in which they were begun here.
  package private(set) var calls: [Call] = []
  /// The positions in ``calls`` of each register's calls, by the register's number.
  package private(set) var registers: [[Int32]] = []
  private var numbers: [Key: Int] = [:]
  /// What each register holds before the first call, at revision 0; nil: it is absent.
  package var initialValue: [UInt8]?

  package init(initialValue: [UInt8]? = nil) { self.initialValue = initialValue }

  /// Adds a call that may or may not have returned, and returns its position.
  @discardableResult
  package mutating func append(_ call: Call) -> Int {
    let number = numbers[call.key] ?? registers.count
    if number == registers.count {
      numbers[call.key] = number
      registers.append([])
    }
    registers[number].append(Int32(calls.count))
    calls.append(call)
    return calls.count - 1
  }

  /// The call at `index` returned.
  package mutating func end(_ index: Int, at stamp: UInt64, _ outcome: Call.Outcome) {
    invariant(calls[index].returned == nil && stamp >= calls[index].invoked, "a call returns once, after it began")
    calls[index].returned = stamp
    calls[index].outcome = outcome
  }

  /// The deadline of the operation at `index` has passed (R8); only what is ``Call/Outcome/unknown`` needs it.
  package mutating func expire(_ index: Int, at stamp: UInt64) { calls[index].expired = stamp }
}
