package import Base

/// Why a history is not linearizable: the smallest prefix of one register's calls that is not.
package struct Explanation: Sendable {
  package let key: Key
  /// Positions in ``History/calls`` of the calls that the prefix consists of: those that were invoked up to the
  /// offending return. Those of them that returned later count as open.
  package let prefix: [Int]
  /// The longest order that was found, in that order.
  package let order: [Int]
  /// The calls that had returned, but cannot be placed behind that order.
  package let unplaced: [Int]
  /// All of that for a person.
  package let lines: [String]
}
