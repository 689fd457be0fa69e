import Base
import Linearizability
import Testing

/// Each rule of the specification with a small history that keeps it and one that breaks it.
@Suite("Rules of a register's history") struct RuleTests {
  private func expect(_ wanted: Bool, _ source: SourceLocation = #_sourceLocation, _ make: (inout History) -> Void) {
    var history = History()
    make(&history)
    for usesRevisions in [true, false] {
      var checker = Checker()
      checker.usesRevisions = usesRevisions
      #expect(checker.check(history).isLinearizable == wanted, sourceLocation: source)
    }
  }

  @Test("A read sees what was written before it, never older") func staleRead() {
    expect(true) {
      $0.add(0, 1, .put("a"), .done(1))
      $0.add(2, 3, .read, .at(1, "a"))
    }
    expect(false) {
      $0.add(0, 1, .put("a"), .done(1))
      $0.add(2, 3, .put("b"), .done(2))
      $0.add(4, 5, .read, .at(1, "a"))
    }
  }

  @Test("Two reads never go back") func readInversion() {
    expect(false) {
      $0.add(0, 9, .put("a"), .done())
      $0.add(1, 2, .read, .at(nil, "a"))
      $0.add(3, 4, .read, .absentRead)
    }
  }

  @Test("A change takes exactly the next revision") func nextRevision() {
    expect(true) {
      $0.add(0, 1, .put("a"), .done(7))
      $0.add(2, 3, .append("b"), .done(8, length: 2))
    }
    expect(false) {
      $0.add(0, 1, .put("a"), .done(7))
      $0.add(2, 3, .put("b"), .done(9))
    }
  }

  @Test("Two creations never share a revision") func twoCreations() {
    expect(false) {
      $0.add(0, 5, .put("a"), .done(1, created: true))
      $0.add(0, 5, .put("b"), .done(1, created: true))
    }
  }

  @Test("A creation is above all earlier revisions, with a gap or without") func creationAboveAll() {
    for (revision, wanted) in [(3 as UInt64, true), (30, true), (2, false), (1, false)] {
      expect(wanted) {
        $0.add(0, 1, .put("a"), .done(1))
        $0.add(2, 3, .delete, .done(2))
        $0.add(4, 5, .put("b"), .done(revision, created: true))
      }
    }
  }

  @Test("Delete of nothing answers so and changes nothing") func deleteAbsent() {
    expect(true) { $0.add(0, 1, .delete, .absent) }
    expect(false) {
      $0.add(0, 1, .put("a"), .done(1))
      $0.add(2, 3, .delete, .absent)
    }
  }

  @Test("add counts an absent register as 0") func addToNothing() {
    expect(true) { $0.add(0, 1, .add(5), .done(1, number: 5)) }
    expect(false) { $0.add(0, 1, .add(5), .done(1, number: 6)) }
  }

  @Test("A number that is none, or overflows, is refused") func notANumber() {
    expect(true) {
      $0.add(0, 1, .put("x"), .done(1))
      $0.add(2, 3, .add(1), .notANumber)
      $0.add(4, 5, .put("9223372036854775807"), .done(2))
      $0.add(6, 7, .add(1), .notANumber)
    }
    expect(false) {
      $0.add(0, 1, .put("1"), .done(1))
      $0.add(2, 3, .add(1), .notANumber)
    }
  }

  @Test("max and min that change nothing leave the revision") func extremes() {
    expect(true) {
      $0.add(0, 1, .max(5), .done(1, number: 5))
      $0.add(2, 3, .max(3), .done(1, number: 5))
      $0.add(4, 5, .min(3), .done(2, number: 3))
      $0.add(6, 7, .read, .at(2, "3"))
    }
    expect(false) {
      $0.add(0, 1, .max(5), .done(1, number: 5))
      $0.add(2, 3, .max(3), .done(2, number: 5))
    }
  }

  @Test("A failed condition is an observation") func failedCondition() {
    expect(true) {
      $0.add(0, 1, .put("a"), .done(1))
      $0.add(2, 3, .put("b"), .conditionFailed(.at(1, "a")), if: .init(exists: false))
      $0.add(4, 5, .put("b"), .conditionFailed(.at(1, "a")), if: .init(value: bytes("c")))
      $0.add(6, 7, .put("b"), .conditionFailed(.at(1, "a")), if: .init(revisionIn: [2]))
      $0.add(8, 9, .put("b"), .conditionFailed(.at(1, "a")), if: .init(revisionNotIn: [1]))
    }
    expect(false) {
      $0.add(0, 1, .put("a"), .done(1))
      $0.add(2, 3, .put("b"), .conditionFailed(.absent), if: .init(exists: true))
    }
    expect(false) {
      $0.add(0, 1, .put("a"), .done(1))
      $0.add(2, 3, .put("b"), .done(2), if: .init(revisionIn: [2]))
    }
  }

  @Test("What was not applied never takes effect") func notApplied() {
    expect(false) {
      $0.add(0, 1, .put("a"), .notApplied)
      $0.add(2, 3, .read, .at(nil, "a"))
    }
  }

  @Test("What is unknown takes effect at any later time, once, or never") func unknown() {
    expect(true) {
      $0.add(0, 1, .add(1))
      $0.add(2, 3, .read, .absentRead)
      $0.add(4, 5, .read, .at(1, "1"))
    }
    expect(false) {
      $0.add(0, 1, .add(1))
      $0.add(2, 3, .read, .at(1, "1"))
      $0.add(4, 5, .read, .at(2, "2"))
    }
    expect(false) {
      $0.add(0, 1, .read, .at(1, "1"))
      $0.add(2, 3, .add(1))
    }
  }

  @Test("R8: a settle decides what had expired before it was invoked") func settle() {
    for (invoked, wanted) in [(5 as UInt64, true), (7, false)] {
      expect(wanted) {
        $0.add(0, 6, .add(1), expired: 6)
        $0.add(invoked, 8, .settle(target: nil, known: 0), .settled(.absent, nil))
        $0.add(9, 10, .read, .at(1, "1"))
      }
    }
  }

  @Test("R8: what a settle calls dead never takes effect, what it calls applied did") func fates() {
    expect(false) {
      $0.add(0, 1, .add(1), id: "x")
      $0.add(2, 3, .settle(target: bytes("x"), known: 0), .settled(.absent, .dead))
      $0.add(4, 5, .read, .at(1, "1"))
    }
    for (revision, wanted) in [(1 as UInt64, true), (2, false)] {
      expect(wanted) {
        $0.add(0, 1, .add(1), id: "x")
        $0.add(2, 3, .settle(target: bytes("x"), known: 0), .settled(.at(1, "1"), .applied(revision: revision)))
      }
    }
    expect(false) {
      $0.add(0, 1, .add(1), .done(1, number: 1), id: "x")
      $0.add(2, 3, .settle(target: bytes("x"), known: 0), .settled(.at(1, "1"), .forgotten))
    }
  }

  @Test("R7: a repeat within the last 8 changes is answered and not applied; later it may be either")
  func repeats() {
    func run(_ changes: UInt64, _ outcome: Call.Outcome, _ wanted: Bool) {
      expect(wanted) {
        $0.add(0, 1, .add(1), .done(1, number: 1), id: "x")
        for index in 0..<changes {
          $0.add(2 + 2 * index, 3 + 2 * index, .add(1), .done(2 + index, number: Int64(2 + index)))
        }
        $0.add(100, 101, .add(1), outcome, id: "x")
      }
    }
    run(7, .done(1, number: 1, replayed: true), true)
    run(7, .done(9, number: 9, replayed: false), false)
    run(7, .done(2, number: 1, replayed: true), false)
    run(7, .done(1, number: 1, replayed: false), false)
    run(8, .done(1, number: 1, replayed: true), true)
    run(8, .done(10, number: 10, replayed: false), true)
  }

  @Test("The explanation names the smallest prefix and the call that has no place") func explanation() throws {
    var history = History()
    history.add(0, 1, .put("a"), .done(1))
    history.add(2, 3, .read, .absentRead)
    history.add(4, 5, .read, .at(1, "a"))
    let explanation = try #require(Checker().check(history).explanation)
    #expect(explanation.prefix == [0, 1] && explanation.unplaced == [1] && explanation.order == [0])
    #expect(explanation.lines.contains { $0.contains("read -> absent") })
  }

  @Test("Beyond its limit the checker gives no verdict") func limit() {
    var history = History()
    for index in 0..<24 as Range<UInt64> { history.add(0, 100, .put("\(index)"), .done()) }
    history.add(0, 100, .read, .at(nil, "none"))
    guard case .undecided = Checker(limitBytes: 100_000).check(history) else {
      Issue.record("a verdict")
      return
    }
  }
}
