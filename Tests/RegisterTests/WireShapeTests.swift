import Base
import Register
import Replica
import Testing

/// What a request costs in messages and disk writes.
@Suite struct WireShapeTests {
  @Test func firstWriteTakesTwoRoundsAndARepeatedOneTakesOne() {
    let cluster = Cluster()
    #expect(cluster.put(0, "k", "a") == .changed(revision: 1, .created, replayed: false))
    #expect(cluster.sent == ["prepare": 2, "promise": 2, "accept": 2, "accepted": 2])
    for revision in UInt64(2)...20 {
      cluster.resetCounts()
      #expect(cluster.put(0, "k", "b") == .changed(revision: revision, .replaced, replayed: false))
      #expect(cluster.sent == ["accept": 2, "accepted": 2])
      #expect(cluster.diskWrites == 3)
    }
  }

  @Test func readOfASettledRegisterIsOneRoundWithoutAWrite() {
    let cluster = Cluster()
    _ = cluster.put(0, "k", "a")
    for node in 0..<3 {
      cluster.resetCounts()
      #expect(cluster.get(node, "k") == value("a", at: 1))
      #expect(cluster.sent == ["read": 1, "readReply": 1])
      #expect(cluster.diskWrites == 0)
    }
  }

  @Test func readOfAnAbsentRegisterLeavesNoRecord() {
    let cluster = Cluster()
    #expect(cluster.get(1, "k") == .read(nil))
    #expect(cluster.diskWrites == 0)
    #expect(cluster.nodes.allSatisfy { $0.replica.acceptor.table.count == 0 })
  }

  @Test func failedConditionOnASettledRegisterIsOneRoundWithoutAWrite() {
    let cluster = Cluster()
    _ = cluster.put(0, "k", "a")
    cluster.resetCounts()
    let outcome = cluster.put(0, "k", "b", if: Condition(revisionIn: [7]))
    #expect(outcome == .conditionFailed(current: Versioned(revision: 1, value: Array("a".utf8))))
    #expect(cluster.sent == ["read": 1, "readReply": 1])
    #expect(cluster.diskWrites == 0)
  }

  @Test func concurrentAddsOnOneKeyAreFoldedAndEachAppliedOnce() {
    let cluster = Cluster()
    _ = cluster.ask(0, "n", .add(0))
    cluster.resetCounts()
    let count = 500
    let tokens = (0..<count).map { _ in cluster.send(0, "n", .add(1)) }
    cluster.run()
    var seen: Set<Int64> = []
    for token in tokens {
      guard case .changed(_, .number(let number), false) = cluster.outcomes[token] else {
        Issue.record("add was not applied: \(String(describing: cluster.outcomes[token]))")
        return
      }
      seen.insert(number)
    }
    #expect(seen == Set((1...Int64(count))))
    // One round for the first, then folds of 64: far fewer than one a change.
    #expect(cluster.sent["accept"]! / 2 <= 2 + (count + 63) / 64)
    #expect(cluster.get(2, "n") == value("\(count)", at: UInt64(count) + 1))
  }

  @Test func writeThroughAnotherNodeIsForwardedOnceAndCostsOneRound() {
    let cluster = Cluster()
    _ = cluster.put(0, "k", "a")
    cluster.resetCounts()
    #expect(cluster.put(1, "k", "b") == .changed(revision: 2, .replaced, replayed: false))
    #expect(cluster.sent == ["forward": 1, "forwardReply": 1, "accept": 2, "accepted": 2])
  }

  @Test func coordinationMovesToWhereAllTheTrafficIs() {
    let cluster = Cluster()
    _ = cluster.put(0, "k", "a")
    for _ in 0..<70 { _ = cluster.put(1, "k", "b") }
    cluster.resetCounts()
    #expect(cluster.put(1, "k", "c") == .changed(revision: 72, .replaced, replayed: false))
    #expect(cluster.sent == ["accept": 2, "accepted": 2])
  }
}
