import Base
import Register
import Replica
import Testing

/// PROTOCOL.md's "why" column for R1 to R6, step by step against real replicas: each test is the scenario that its
/// rule forbids.
@Suite struct RuleTests {
  static func watched(_ count: Int = 3) -> Cluster {
    let cluster = Cluster(count)
    cluster.monitor = Monitor(members: count)
    return cluster
  }

  static func isKind(_ kind: String) -> (Cluster.Envelope) -> Bool { { $0.message.kind == kind && $0.from != $0.to } }

  /// Nothing reaches `node` or comes from it.
  static func isolating(_ node: Int) -> (Cluster.Envelope) -> Bool {
    { ($0.from == node) != ($0.to == node) }
  }

  @Test func r1AFailedAcceptBurnsItsBallot() throws {
    let cluster = Self.watched()
    _ = cluster.put(0, "k", "a")
    let first = cluster.send(0, "k", .put([1]))
    let lost = cluster.take(Self.isKind("accept"))
    guard case .accept(_, let burnt, _, _, _, _) = try #require(lost.first).message else { return }
    cluster.run()
    let second = cluster.send(0, "k", .put([2]))
    cluster.pass(milliseconds: 400)
    #expect(cluster.outcomes[first] == .changed(revision: 2, .replaced, replayed: false))
    #expect(cluster.outcomes[second] == .changed(revision: 3, .replaced, replayed: false))
    // The lost copies arrive after all: they are older than everything promised since.
    for envelope in lost { cluster.deliver(envelope) }
    cluster.run()
    #expect(cluster.get(1, "k") == .read(Versioned(revision: 3, value: [2])))
    let monitor = try #require(cluster.monitor)
    #expect(monitor.failures == [])
    #expect(monitor.accepts[Array("k".utf8)]?[burnt]?.voters == [0])
  }

  @Test func r2CountersOnlyGrow() {
    let cluster = Self.watched()
    for _ in 0..<20 {
      _ = cluster.send(0, "k", .put([1]))
      cluster.run { $0.to == 1 }
    }
    // Node 1 has missed everything, and believes that node 0 is away.
    cluster.setReachable(1, 0, false)
    let token = cluster.send(1, "k", .put([2]))
    var used: [Ballot] = []
    cluster.pass(milliseconds: 100) { envelope in
      if case .prepare(_, let ballot, _) = envelope.message, envelope.from == 1, envelope.to == 2 {
        used.append(ballot)
      }
      return Self.isolating(0)(envelope)
    }
    #expect(cluster.outcomes[token] == .changed(revision: 21, .replaced, replayed: false))
    #expect(used.count == 2)
    #expect(used == used.sorted() && Set(used).count == used.count)
    // A low conflict that comes late pulls nothing back.
    cluster.setReachable(1, 0, true)
    #expect(cluster.put(1, "k", "c") == .changed(revision: 22, .replaced, replayed: false))
  }

  @Test func r3NoPromiseAndNoAcceptLeavesBeforeItIsDurable() {
    let cluster = Self.watched()
    cluster.syncsAtOnce = false
    let token = cluster.send(0, "k", .put([1]))
    cluster.run()
    #expect(cluster.sent == ["prepare": 2])
    cluster.sync(1)
    cluster.run()
    #expect(cluster.sent == ["prepare": 2, "promise": 1])
    cluster.sync(2)
    cluster.run()
    #expect(cluster.sent == ["prepare": 2, "promise": 2, "accept": 2])
    // The crash takes what was not synced: the accept was never answered, and is not there.
    cluster.crash(1)
    cluster.crash(2)
    cluster.restart(1)
    cluster.restart(2)
    cluster.run()
    #expect(cluster.sent["accepted"] == nil)
    #expect(cluster.outcomes[token] == nil)
    #expect(cluster.nodes[1].replica.acceptor.table[0].accepted == .zero)
    #expect(cluster.nodes[1].replica.acceptor.table[0].promised.counter == 1)
    #expect(cluster.monitor?.failures == [])
  }

  @Test func r3ADurablePromiseOutlivesARestart() {
    let cluster = Self.watched()
    let token = cluster.send(0, "k", .put([1]), timeout: 300)
    cluster.run { $0.message.kind == "accept" }
    // Nodes 1 and 2 have promised; an older round must not come through after their restart.
    for node in 1...2 {
      cluster.crash(node, noticed: false)
      cluster.restart(node)
    }
    let acceptor = cluster.nodes[1].replica.acceptor
    var copy = acceptor
    var outbox = Outbox()
    let older = Ballot(epoch: 0, counter: 1, node: NodeID(0), boot: 9)
    let (answer, _) = copy.prepare(attempt: 1, older, key: Key(Array("k".utf8)), into: &outbox)
    guard case .conflict = answer else {
      Issue.record("an older ballot was promised after a restart")
      return
    }
    cluster.pass(milliseconds: 600)
    #expect(cluster.outcomes[token] != nil)
  }

  @Test func restartGrowsTheBootAndForgetsTheCachedPromise() {
    let cluster = Self.watched()
    _ = cluster.put(0, "k", "a")
    cluster.crash(0)
    cluster.restart(0)
    cluster.resetCounts()
    #expect(cluster.put(0, "k", "b") == .changed(revision: 2, .replaced, replayed: false))
    #expect(cluster.sent == ["prepare": 2, "promise": 2, "accept": 2, "accepted": 2])
    #expect(cluster.nodes[1].replica.acceptor.table[0].accepted.boot == 2)
  }

  /// A put that only its proposer has accepted, and that then died.
  private func clusterWithMinorityValue(_ action: Action = .put([9]), restarting: Bool = true) -> Cluster {
    let cluster = Self.watched()
    _ = cluster.ask(0, "k", .put([1]))
    cluster.send(0, "k", action)
    _ = cluster.take(Self.isKind("accept"))
    cluster.run()
    cluster.crash(0)
    if restarting { cluster.restart(0) }
    return cluster
  }

  @Test func r4AReadOfAMinorityValueIsAnsweredOnlyOnceItIsChosen() {
    let cluster = clusterWithMinorityValue()
    #expect(cluster.get(0, "k") == .read(Versioned(revision: 2, value: [9])))
    cluster.crash(0)
    #expect(cluster.get(1, "k") == .read(Versioned(revision: 2, value: [9])))
    #expect(cluster.get(2, "k") == .read(Versioned(revision: 2, value: [9])))
  }

  @Test func r4AFailedConditionOfAMinorityValueIsAnsweredOnlyOnceItIsChosen() {
    let cluster = clusterWithMinorityValue()
    let outcome = cluster.ask(0, "k", .put([7]), if: Condition(revisionIn: [1]))
    #expect(outcome == .conditionFailed(current: Versioned(revision: 2, value: [9])))
    cluster.crash(0)
    #expect(cluster.get(1, "k") == .read(Versioned(revision: 2, value: [9])))
  }

  @Test func r4ASentChangeIsNotAnsweredFromAnOldCell() {
    let cluster = Self.watched()
    // Create-if-absent, accepted on its proposer alone; the retry finds itself, not a failed condition.
    let token = cluster.send(0, "k", .put([1]), if: Condition(exists: false))
    cluster.run { $0.message.kind == "accept" }
    cluster.pass(milliseconds: 400)
    #expect(cluster.outcomes[token] == .changed(revision: 1, .created, replayed: false))
  }

  @Test func r4ASentChangeIsDecidedByAFullRoundThoughItsOwnNodeNeverHeldIt() {
    let cluster = Self.watched()
    _ = cluster.ask(0, "k", .put([1]))
    cluster.crash(0)
    cluster.restart(0)
    // One fold of a put, and of a change that needs it: the put's first round is lost.
    let put = cluster.send(0, "k", .put([2]), timeout: 600)
    let needy = cluster.send(0, "k", .put([3]), if: Condition(revisionIn: [2]))
    _ = cluster.take { _ in true }
    while cluster.network.isEmpty {
      cluster.now = cluster.now + 1
      if cluster.nodes[0].replica.nextTick <= cluster.now { cluster.step(0, .tick) }
    }
    for envelope in cluster.take(Self.isKind("prepare")) { cluster.deliver(envelope) }
    let promises = cluster.take { $0.message.kind == "promise" }
    // Node 0 promises to node 1, which then gives up, before it hears the promises that it asked for itself.
    cluster.setReachable(1, 0, false)
    cluster.send(1, "k", RetryTests.settle(nil, known: 0), timeout: 5)
    for envelope in cluster.take({ _ in true }) where envelope.to == 0 { cluster.deliver(envelope) }
    _ = cluster.take { _ in true }
    for envelope in promises { cluster.deliver(envelope) }
    // Node 2 alone accepts.
    for envelope in cluster.take({ _ in true }) where envelope.to == 2 { cluster.deliver(envelope) }
    #expect(cluster.take { _ in true }.map(\.message.kind) == ["accepted"])
    cluster.now = cluster.now + 500
    cluster.step(0, .tick)
    cluster.crash(2)
    cluster.setReachable(1, 0, true)
    cluster.pass(milliseconds: 800)
    #expect(cluster.outcomes[put] == .unknown)
    #expect(cluster.outcomes[needy] == .conditionFailed(current: Versioned(revision: 1, value: [1])))
    // Nodes 1 and 2 find what node 2 accepted, if nothing was put above it.
    cluster.crash(0)
    cluster.restart(2)
    let read = cluster.send(2, "k", .read)
    cluster.pass(milliseconds: 400)
    #expect(cluster.outcomes[read] == .read(Versioned(revision: 1, value: [1])))
  }

  @Test func r4ACachedBaseIsNoEvidence() {
    let cluster = Self.watched()
    _ = cluster.ask(0, "k", .put([1]))
    // Node 0 keeps its cached promise while the others move on without it.
    for other in 1...2 { cluster.setReachable(other, 0, false) }
    _ = cluster.send(1, "k", .put([2]))
    cluster.run(dropping: Self.isolating(0))
    let token = cluster.send(0, "k", .put([3]), if: Condition(revisionIn: [2]))
    #expect(cluster.outcomes[token] == nil)
    cluster.run()
    cluster.pass(milliseconds: 300)
    #expect(cluster.outcomes[token] == .changed(revision: 3, .replaced, replayed: false))
  }

  @Test func r5ACachedPromiseThatWasOvertakenLosesNoUpdate() {
    let cluster = Self.watched()
    _ = cluster.ask(0, "k", .append([1]))
    for other in 1...2 { cluster.setReachable(other, 0, false) }
    let hidden = cluster.send(1, "k", .append([2]))
    cluster.run(dropping: Self.isolating(0))
    #expect(cluster.outcomes[hidden] == .changed(revision: 2, .length(2), replayed: false))
    let token = cluster.send(0, "k", .append([3]))
    cluster.run()
    cluster.pass(milliseconds: 300)
    #expect(cluster.outcomes[token] == .changed(revision: 3, .length(3), replayed: false))
    #expect(cluster.get(2, "k") == .read(Versioned(revision: 3, value: [1, 2, 3])))
  }

  @Test func r5AnAcceptFromAnotherProposerEndsTheReign() {
    let cluster = Self.watched()
    _ = cluster.ask(0, "k", .append([1]))
    for other in 1...2 { cluster.setReachable(other, 0, false) }
    // Node 0 misses the prepare and gets the accept: what it promises now is node 1's ballot, not its own.
    let first = cluster.send(1, "k", .append([2]))
    cluster.run { $0.message.kind == "prepare" && $0.to == 0 }
    #expect(cluster.outcomes[first] == .changed(revision: 2, .length(2), replayed: false))
    cluster.setReachable(0, 1, false)
    let second = cluster.send(0, "k", .append([3]))
    let third = cluster.send(1, "k", .append([4]))
    cluster.run()
    cluster.pass(milliseconds: 400)
    let lengths = [second, third].map { cluster.outcomes[$0] }
    #expect(
      lengths == [
        .changed(revision: 3, .length(3), replayed: false), .changed(revision: 4, .length(4), replayed: false),
      ]
        || lengths == [
          .changed(revision: 4, .length(4), replayed: false), .changed(revision: 3, .length(3), replayed: false),
        ])
    #expect(cluster.monitor?.failures == [])
  }

  @Test func r6ATombstoneBesideNoRecordIsNoAbsence() {
    let cluster = Self.watched()
    // Nodes 0 and 1 hold the value, node 2 missed it; then node 0 alone accepts the delete.
    _ = cluster.send(0, "k", .put([1]))
    cluster.run { $0.to == 2 }
    cluster.send(0, "k", .delete)
    _ = cluster.take(Self.isKind("accept"))
    cluster.run()
    cluster.crash(0)
    cluster.restart(0)
    // Read by nodes 0 and 2 alone.
    cluster.setReachable(2, 1, false)
    let token = cluster.send(2, "k", .read)
    cluster.run(dropping: Self.isolating(1))
    cluster.pass(milliseconds: 400, dropping: Self.isolating(1))
    #expect(cluster.outcomes[token] == .read(nil))
    // And by nodes 1 and 2 alone: the value must not come back.
    cluster.crash(0)
    cluster.setReachable(2, 1, true)
    let again = cluster.send(1, "k", .read)
    cluster.pass(milliseconds: 400)
    #expect(cluster.outcomes[again] == .read(nil))
  }

  @Test func r6AMinorityValueIsNotReadAndThenGone() {
    let cluster = clusterWithMinorityValue()
    #expect(cluster.get(0, "k") == .read(Versioned(revision: 2, value: [9])))
    for node in 0..<3 { #expect(cluster.get(node, "k") == .read(Versioned(revision: 2, value: [9]))) }
    let other = clusterWithMinorityValue(restarting: false)
    #expect(other.get(1, "k") == .read(Versioned(revision: 1, value: [1])))
  }

  @Test func r10DuellingProposersOfThreeNodesAllFinish() {
    let cluster = Self.watched()
    var tokens: [UInt64] = []
    for round in 0..<20 {
      for node in 0..<3 { tokens.append(cluster.send(node, "k\(round)", .add(1))) }
    }
    cluster.run()
    cluster.pass(milliseconds: 500)
    for token in tokens {
      guard case .changed(_, .number, false) = cluster.outcomes[token] else {
        Issue.record("a dueller starved: \(String(describing: cluster.outcomes[token]))")
        return
      }
    }
    for round in 0..<20 { #expect(cluster.get(0, "k\(round)") == value("3", at: 3)) }
    #expect(cluster.nodes.allSatisfy { $0.replica.isQuiescent })
  }

  @Test func r10AnotherNodeTakesOverFromADeadOwner() {
    let cluster = Self.watched()
    _ = cluster.put(0, "k", "a")
    cluster.crash(0)
    #expect(cluster.put(1, "k", "b") == .changed(revision: 2, .replaced, replayed: false))
    cluster.restart(0)
    let token = cluster.send(0, "k", .put([3]))
    cluster.run()
    cluster.pass(milliseconds: 20)
    #expect(cluster.outcomes[token] == .changed(revision: 3, .replaced, replayed: false))
  }

  @Test func r11AnAcceptorRefusesOtherEpochsForEveryKey() {
    var acceptor = Acceptor(node: NodeID(1), epoch: 2, floor: Floor())
    var outbox = Outbox()
    let key = Key(Array("absent".utf8))
    let old = Ballot(epoch: 0, counter: 1 << 40, node: NodeID(3), boot: 1)
    let cell = Cell(absentAt: 0).encoded(changesInFold: 0)
    let answers = [
      acceptor.prepare(attempt: 1, old, key: key, into: &outbox).answer,
      acceptor.accept(attempt: 2, old, next: old.next, chosen: 0, key: key, cell: cell, into: &outbox).answer,
      acceptor.read(attempt: 3, epoch: 0, key: key, outbox: outbox).answer,
    ]
    for answer in answers {
      guard case .stale(_, 2) = answer else {
        Issue.record("a message of epoch 0 was answered \(answer)")
        continue
      }
    }
    #expect(outbox.writes.isEmpty)
    #expect(acceptor.promised(nil) == .fence(epoch: 2))
  }
}
