import Base
import Linearizability
import Testing

/// The checker against its naive twin, with and without the fast path, on small random histories: ones that happened,
/// and ones in which something was then falsified.
@Suite("The checker and its naive twin") struct TwinTests {
  @Test("agree", arguments: 0..<16 as Range<UInt64>) func agree(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var linearizable = 0
    for round in 0..<1000 {
      var history = RandomHistory.make(&random)
      let isMutated = round % 3 != 0
      if isMutated { RandomHistory.falsify(&history, &random) }
      let expected = Twin(history).isLinearizable
      #expect(isMutated || expected, "seed \(seed), round \(round): what happened is linearizable")
      if expected { linearizable += 1 }
      for usesRevisions in [true, false] {
        var checker = Checker()
        checker.usesRevisions = usesRevisions
        let verdict = checker.check(history)
        guard verdict.isLinearizable != expected else { continue }
        var text = "seed \(seed), round \(round), by revisions \(usesRevisions): the twin says \(expected)\n"
        for call in history.calls { text += "\(call)\n" }
        Issue.record(Comment(rawValue: text + (verdict.explanation?.lines.joined(separator: "\n") ?? "")))
        return
      }
    }
    #expect(linearizable > 400 && linearizable < 950)
  }
}
