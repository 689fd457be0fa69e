package import Base

/// A guard that can be taken out, the scenario that must notice, and within how many seeds.
package struct Mutant: Sendable {
  package let removed: Guard
  /// The rule of PROTOCOL.md or the section of the paper that it keeps, or `storage`.
  package let rule: String
  package let scenario: Scenario
  package let seeds: UInt64
}
