/// Decides whether a history is linearizable, register by register (linearizability is local: Herlihy and Wing 1990).
package struct Checker: Sendable {
  /// How much the search for one register may keep, in bytes; beyond it there is no verdict.
  package var limitBytes: Int
  /// For so many stamps at least a deleted register remembers the ids of its last changes (CONTRACT §1: a minute).
  package var deletedRemembers: UInt64

  package init(limitBytes: Int = 512 << 20, deletedRemembers: UInt64 = .max) {
    self.limitBytes = limitBytes
    self.deletedRemembers = deletedRemembers
  }

  package func check(_ history: History) -> Verdict {
    .undecided(reason: "the search is not built yet")
  }
}
