/// Decides whether a history is linearizable, register by register (linearizability is local: Herlihy and Wing 1990).
package struct Checker: Sendable {
  /// How much the search for one register may keep, in bytes; beyond it there is no verdict.
  package var limitBytes: Int
  /// For so many stamps at least a deleted register remembers the ids of its last changes (CONTRACT §1: a minute).
  package var deletedRemembers: UInt64
  /// Whether an order by revisions is tried before the search. Never changes a verdict.
  package var usesRevisions = true

  package init(limitBytes: Int = 512 << 20, deletedRemembers: UInt64 = .max) {
    self.limitBytes = limitBytes
    self.deletedRemembers = deletedRemembers
  }

  /// The verdict on the first register, in the order of their first calls, that is not linearizable, or on all of them.
  package func check(_ history: History) -> Verdict {
    var undecided: String?
    for register in history.registers.indices {
      switch check(history, register: register) {
      case .linearizable: continue
      case .notLinearizable(let explanation): return .notLinearizable(explanation)
      case .undecided(let reason): undecided = undecided ?? reason
      }
    }
    return undecided.map { .undecided(reason: $0) } ?? .linearizable
  }

  /// The verdict on one register alone, by its number in ``History/registers``.
  package func check(_ history: History, register: Int) -> Verdict {
    let problem = Problem(history, register: register, deletedRemembers: deletedRemembers)
    if usesRevisions {
      var order = RevisionOrder(problem)
      if order.isComplete() { return .linearizable }
    }
    var search = Search(problem, limitBytes: limitBytes)
    switch search.run() {
    case .found: return .linearizable
    case .limitReached: return .undecided(reason: limitReached)
    case .notFound: return explain(history, register, from: search.stuckAt)
    }
  }

  private var limitReached: String {
    "the search for one register needs more than its limit of \(limitBytes >> 20) MiB"
  }

  /// Finds the smallest prefix that is not linearizable. It ends at a return, and at none before `low`: an order that
  /// passes a return with all of the outcomes does so with fewer.
  private func explain(_ history: History, _ register: Int, from low: UInt64) -> Verdict {
    var returns: [UInt64] = []
    for position in history.registers[register] {
      if let returned = history.calls[Int(position)].returned, returned >= low { returns.append(returned) }
    }
    returns.sort()
    // returns[..<first] are passed; returns[last] is not.
    var first = 0
    var last = returns.count - 1
    var probe = 0
    while first < last {
      let problem = Problem(history, register: register, upTo: returns[probe], deletedRemembers: deletedRemembers)
      var search = Search(problem, limitBytes: limitBytes)
      switch search.run() {
      case .found: first = probe + 1
      case .notFound: last = probe
      // Then a longer prefix that is known to fail is shown.
      case .limitReached: first = probe + 1
      }
      // The first return that stopped the search is most often the one: near it first.
      probe = probe == 0 && first == 1 ? min(1, (first + last) / 2) : (first + last) / 2
    }
    let problem = Problem(history, register: register, upTo: returns[last], deletedRemembers: deletedRemembers)
    var search = Search(problem, limitBytes: limitBytes)
    guard search.run() == .notFound else { return .undecided(reason: limitReached) }
    return .notLinearizable(Explanation(problem, longest: search.longest, end: returns[last]))
  }
}
