import Base
import Register
import Replica
import Testing

// R7 to R9: retries, the three outcomes, settle, folds.
extension PaperTests {
  // Its own minority accept is read back and the change is applied twice.
  @Test func r7_aMinorityAcceptThatIsReadBackIsNotAppliedTwice() {
    let cluster = Self.watched()
    _ = cluster.ask(0, "n", .add(10))
    let token = cluster.send(0, "n", .add(1))
    cluster.run { $0.message.kind == "accept" }
    cluster.pass(milliseconds: 500)
    #expect(cluster.outcomes[token] == .changed(revision: 2, .number(11), replayed: false))
    #expect(cluster.get(1, "n") == value("11", at: 2))
  }

  @Test func r7_anAttemptOnAnotherBaseIsTriedAgainOnce() {
    let cluster = Self.watched()
    _ = cluster.ask(0, "n", .add(10))
    let token = cluster.send(0, "n", .add(1))
    _ = cluster.take(Self.isKind("accept"))
    cluster.run()
    // The others overwrite the revision at which node 0 holds its change alone.
    for other in 1...2 { cluster.setReachable(other, 0, false) }
    for _ in 0..<2 {
      _ = cluster.send(1, "n", .add(100))
      cluster.run(dropping: Self.isolating(0))
    }
    cluster.pass(milliseconds: 500)
    #expect(cluster.outcomes[token] == .changed(revision: 4, .number(211), replayed: false))
  }

  @Test func r7_whatHasLeftTheWindowIsUnknownAndNotApplied() {
    let cluster = Self.watched()
    _ = cluster.ask(0, "n", .add(10))
    let token = cluster.send(0, "n", .add(1))
    // Node 1 accepts it too, so it is chosen; node 0 does not hear so, and the change slides out of the window.
    cluster.run { $0.to == 2 || ($0.from == 1 && $0.to == 0) }
    for other in 1...2 { cluster.setReachable(other, 0, false) }
    for _ in 0..<(Window.length + 1) {
      _ = cluster.send(1, "n", .add(100))
      cluster.run(dropping: Self.isolating(0))
    }
    cluster.pass(milliseconds: 500)
    #expect(cluster.outcomes[token] == .unknown)
    #expect(cluster.get(1, "n") == value("911", at: 11))
  }

  // Attempts on different bases leave it at different revisions, so that one position is not enough to look at.
  @Test func r7_theLowestOfSeveralAttemptsCounts() {
    let cluster = Self.watched()
    _ = cluster.ask(0, "n", .add(10))
    // Node 0 alone holds revision 2, which its client has given up; the change is first placed above it, at revision 3.
    cluster.send(0, "n", .add(1000), timeout: 100)
    cluster.run { $0.message.kind == "accept" }
    cluster.pass(milliseconds: 300) { $0.from != $0.to }
    let token = cluster.send(0, "n", .add(1))
    cluster.run { $0.message.kind == "accept" || $0.to == 2 || $0.from == 2 }
    // Then at revision 2: the promises of the others come before node 0's own is durable. They accept; node 0 does
    // not hear so.
    while !cluster.network.contains(where: Self.isKind("prepare")) {
      cluster.now = cluster.now + 1
      cluster.syncsAtOnce = false
      if cluster.nodes[0].replica.nextTick <= cluster.now { cluster.step(0, .tick) }
    }
    for _ in 0..<3 {
      for envelope in cluster.take({ _ in true }) where envelope.message.kind != "accepted" {
        cluster.deliver(envelope)
      }
      for node in 1...2 { cluster.sync(node) }
    }
    _ = cluster.take { _ in true }
    cluster.syncsAtOnce = true
    cluster.sync(0)
    // Until the change has just left the window, which still reaches back to revision 3.
    for other in 1...2 { cluster.setReachable(other, 0, false) }
    for _ in 0..<Window.length {
      _ = cluster.send(1, "n", .add(100))
      cluster.run(dropping: Self.isolating(0))
    }
    #expect(cluster.nodes[1].replica.acceptor.table[0].chosenRevision == 10)
    cluster.pass(milliseconds: 600)
    #expect(cluster.outcomes[token] == .unknown)
    #expect(cluster.get(1, "n") == value("811", at: 10))
  }

  // An applied change whose id was evicted is called dead.
  @Test func r8_settleTellsAppliedDeadAndForgotten() {
    let cluster = Self.watched()
    let applied = Self.clientID(1)
    let dead = Self.clientID(2)
    _ = cluster.ask(0, "k", .put([1]), id: applied)
    let content = Versioned(revision: 1, value: [1])
    for node in 0..<3 {
      #expect(
        cluster.ask(node, "k", Self.settle(applied, known: 0))
          == .settled(content, fate: .applied(revision: 1)))
      #expect(cluster.ask(node, "k", Self.settle(dead, known: 0)) == .settled(content, fate: .dead))
      #expect(cluster.ask(node, "k", Self.settle(nil, known: 0)) == .settled(content, fate: nil))
    }
    // A late start is refused, through any node, also after a restart of all.
    #expect(cluster.ask(1, "k", .put([2]), id: dead) == .refused(.dead))
    for node in 0..<3 { cluster.crash(node) }
    for node in 0..<3 { cluster.restart(node) }
    #expect(cluster.ask(2, "k", .put([2]), id: dead) == .refused(.dead))
    for _ in 0..<Window.length { _ = cluster.ask(0, "k", .put([3])) }
    let last = Versioned(revision: UInt64(Window.length) + 1, value: [3])
    #expect(cluster.ask(0, "k", Self.settle(applied, known: 0)) == .settled(last, fate: .forgotten))
    #expect(cluster.ask(0, "k", Self.settle(Self.clientID(3), known: 0)) == .settled(last, fate: .forgotten))
    #expect(cluster.ask(0, "k", Self.settle(Self.clientID(3), known: 1)) == .settled(last, fate: .dead))
  }

  @Test func r8_settleDecidesAnAcceptThatIsStillOnItsWay() {
    let cluster = Self.watched()
    _ = cluster.ask(0, "k", .put([1]))
    let id = Self.clientID(1)
    let token = cluster.send(0, "k", .put([2]), id: id, timeout: 100)
    let late = cluster.take(Self.isKind("accept"))
    cluster.crash(0, noticed: true)
    cluster.pass(milliseconds: 200)
    #expect(cluster.outcomes[token] == nil)
    let settled = cluster.ask(1, "k", Self.settle(id, known: 1))
    #expect(settled == .settled(Versioned(revision: 1, value: [1]), fate: .dead))
    for envelope in late { cluster.deliver(envelope) }
    cluster.run()
    #expect(cluster.get(2, "k") == .read(Versioned(revision: 1, value: [1])))
    cluster.restart(0)
    #expect(cluster.get(0, "k") == .read(Versioned(revision: 1, value: [1])))
  }

  // A timeout reported as failure clobbers others.
  @Test func r8_aTimeoutAfterTheAcceptIsUnknownAndSettleTells() {
    let cluster = Self.watched()
    _ = cluster.ask(0, "k", .put([1]))
    let id = Self.clientID(1)
    let token = cluster.send(0, "k", .put([2]), id: id, timeout: 100)
    cluster.run { $0.message.kind == "accepted" && $0.to == 0 && $0.from != 0 }
    cluster.pass(milliseconds: 120) { $0.message.kind == "accepted" && $0.to == 0 && $0.from != 0 }
    #expect(cluster.outcomes[token] == .unknown)
    let settled = cluster.ask(0, "k", Self.settle(id, known: 1))
    cluster.pass(milliseconds: 400)
    #expect(
      (settled ?? cluster.outcomes[token + 1])
        == .settled(Versioned(revision: 2, value: [2]), fate: .applied(revision: 2)))
    #expect(cluster.nodes.allSatisfy { $0.replica.isQuiescent })
  }

  // Retried blindly, it takes effect after a settle that had to decide it.
  @Test func r8_anAbandonedChangeIsNeverTriedAtAHigherBallot() {
    let cluster = Self.watched()
    _ = cluster.ask(0, "k", .put([1]))
    // Accepted by A alone; its client hears "unknown".
    let token = cluster.send(0, "k", .put([2]), timeout: 100)
    _ = cluster.take(Self.isKind("accept"))
    cluster.pass(milliseconds: 100, dropping: Self.isolating(0))
    #expect(cluster.outcomes[token] == .unknown)
    // B and C settle: the put has not taken effect, and never will.
    for other in 1...2 { cluster.setReachable(other, 0, false) }
    let settle = cluster.send(1, "k", Self.settle(nil, known: 0))
    cluster.run(dropping: Self.isolating(0))
    #expect(cluster.outcomes[settle] == .settled(Versioned(revision: 1, value: [1]), fate: nil))
    // A is back, and its round comes to its end.
    cluster.pass(milliseconds: 1000)
    #expect(cluster.nodes[0].replica.isQuiescent)
    for node in 0..<3 { #expect(cluster.get(node, "k") == Self.read([1], at: 1)) }
  }

  @Test func r8_aFullListOfMarksSaysForgottenAndOldMarksAreRetired() {
    let cluster = Self.watched()
    _ = cluster.ask(0, "k", .put([1]))
    let content = Versioned(revision: 1, value: [1])
    for number in 0..<UInt64(Window.maximumMarks) {
      #expect(cluster.ask(0, "k", Self.settle(Self.clientID(number), known: 1)) == .settled(content, fate: .dead))
    }
    let next = Self.clientID(100)
    #expect(cluster.ask(0, "k", Self.settle(next, known: 1)) == .settled(content, fate: .forgotten))
    #expect(cluster.ask(0, "k", .put([2]), id: next) == .changed(revision: 2, .replaced, replayed: false))
    #expect(cluster.ask(0, "k", .put([2]), id: Self.clientID(3)) == .refused(.dead))
    let later = Action.settle(
      target: Self.clientID(101), known: 2, nowSeconds: Self.seconds + Window.markLifetimeSeconds + 1)
    #expect(cluster.ask(1, "k", later) == .settled(Versioned(revision: 2, value: [2]), fate: .dead))
  }

  /// `chaos`, seed 301: a wall clock that was set forward by half an hour let an operation start that was dead.
  @Test func r8_aMarkStaysWhereThereIsRoomThoughAClockIsSet() {
    let cluster = Self.watched()
    _ = cluster.ask(0, "k", .put([1]))
    let content = Versioned(revision: 1, value: [1])
    #expect(cluster.ask(0, "k", Self.settle(Self.clientID(1), known: 1)) == .settled(content, fate: .dead))
    let ahead = Action.settle(
      target: Self.clientID(2), known: 1, nowSeconds: Self.seconds + 2 * Window.markLifetimeSeconds)
    #expect(cluster.ask(1, "k", ahead) == .settled(content, fate: .dead))
    #expect(cluster.ask(0, "k", .put([2]), id: Self.clientID(1)) == .refused(.dead))
  }

  @Test func r9_eachChangeOfAFoldHasItsOwnOutcomeAndRevision() {
    let cluster = Self.watched()
    _ = cluster.ask(0, "k", .put([1]))
    _ = cluster.send(0, "k", .put([2]))
    let id = Self.clientID(1)
    let tokens = [
      cluster.send(0, "k", .append([3]), id: id),
      cluster.send(0, "k", .put([9]), if: Condition(revisionIn: [1])),
      cluster.send(0, "k", .append([3]), id: id),
      cluster.send(0, "k", .read),
      cluster.send(0, "k", .add(1)),
      cluster.send(0, "k", .delete),
      cluster.send(0, "k", .delete),
      cluster.send(0, "k", .put([4]), if: Condition(exists: false)),
    ]
    cluster.resetCounts()
    cluster.run()
    let middle = Versioned(revision: 3, value: [2, 3])
    #expect(
      tokens.map { cluster.outcomes[$0] } == [
        .changed(revision: 3, .length(2), replayed: false), .conditionFailed(current: middle),
        .changed(revision: 3, .length(2), replayed: true), .read(middle), .refused(.notANumber),
        .changed(revision: 4, .deleted, replayed: false), .absent, .changed(revision: 5, .created, replayed: false),
      ])
    #expect(cluster.sent["accept"] == 2)
  }

  @Test func r9_theWindowKeepsAWholeFoldAndIsTrimmedByTheNext() throws {
    let cluster = Self.watched()
    _ = cluster.ask(0, "n", .add(0))
    _ = cluster.send(0, "n", .add(0))
    for _ in 0..<Window.foldLimit { cluster.send(0, "n", .add(1)) }
    cluster.run()
    func window() throws -> Int { try Cell.decode(cluster.nodes[1].replica.acceptor.table[0].cell).window.count }
    #expect(try window() == Window.foldLimit)
    _ = cluster.ask(0, "n", .add(1))
    #expect(try window() == Window.length)
  }

  @Test func r9_aRepeatIsAnsweredFromTheWindow() {
    let cluster = Self.watched()
    let id = Self.clientID(1)
    let add = Action.add(5)
    #expect(cluster.ask(0, "n", add, id: id, payloadHash: 7) == .changed(revision: 1, .number(5), replayed: false))
    for node in 0..<3 {
      let again = cluster.ask(node, "n", add, id: id, payloadHash: 7)
      #expect(again == .changed(revision: 1, .number(5), replayed: true), "through node \(node)")
    }
    _ = cluster.ask(1, "n", .add(1))
    for node in 0..<3 {
      #expect(cluster.ask(node, "n", add, id: id, payloadHash: 7) == .changed(revision: 1, .number(5), replayed: true))
      #expect(cluster.ask(node, "n", .add(6), id: id, payloadHash: 8) == .refused(.payloadMismatch))
    }
    #expect(cluster.ask(0, "n", .delete) == .changed(revision: 3, .deleted, replayed: false))
    #expect(cluster.ask(2, "n", add, id: id, payloadHash: 7) == .changed(revision: 1, .number(5), replayed: true))
  }

  @Test func r9_aRefusalIsNotRemembered() {
    let cluster = Self.watched()
    let id = Self.clientID(1)
    let condition = Condition(exists: true)
    #expect(cluster.ask(0, "k", .put([1]), if: condition, id: id) == .conditionFailed(current: nil))
    _ = cluster.ask(0, "k", .put([2]))
    #expect(cluster.ask(1, "k", .put([1]), if: condition, id: id) == .changed(revision: 2, .replaced, replayed: false))
  }
}
