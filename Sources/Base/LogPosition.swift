/// An entry of a replication log: its index, from 1, and the term of the leader that made it. Index 0: before all.
package struct LogPosition: Hashable, Sendable {
  package var index: UInt64
  package var term: UInt64

  @inline(__always)
  package init(index: UInt64, term: UInt64) {
    self.index = index
    self.term = term
  }

  package static let zero = LogPosition(index: 0, term: 0)
}
