import Base
import Linearizability

/// What the clients of a scenario ask for.
package struct Workload: Sendable {
  package var clients = 6
  /// How many registers they share; the last one holds numbers.
  package var keys = 3
  /// The longest pause of a client between two requests, in milliseconds.
  package var longestPause: UInt64 = 20
  /// Out of a hundred requests: reads, settles, listings, waits; the rest are changes.
  package var reads: UInt64 = 25
  package var settles: UInt64 = 2
  package var listings: UInt64 = 2
  package var waits: UInt64 = 3
  /// Out of a hundred changes: those with a condition, those with an Idempotency-Key.
  package var conditional: UInt64 = 40
  package var named: UInt64 = 50
  /// Out of a hundred changes: deletions.
  package var deletions: UInt64 = 12
  /// Out of a hundred requests: those that go to another node than the client's last.
  package var wandering: UInt64 = 20
  /// Out of a hundred requests: those with a deadline that is over soon.
  package var hasty: UInt64 = 15
  /// The longest value, in bytes.
  package var valueBytes: UInt64 = 40

  package init() {}

  /// `a` to `m`, `a1` to `m1` …, and `n`.
  func key(_ number: Int) -> Key {
    guard number < keys - 1 else { return Key([UInt8(ascii: "n")]) }
    var name = [UInt8(ascii: "a") + UInt8(number % 13)]
    if number >= 13 { Decimal.append(UInt64(number / 13), to: &name) }
    return Key(name)
  }
  func isNumber(_ number: Int) -> Bool { number == keys - 1 }
}
