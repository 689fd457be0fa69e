import Base
import Register
import Replica
import Testing

/// R10 and R7: what is forwarded is applied at most once, and never after "not applied" was said, however it is lost,
/// copied or late.
@Suite struct ForwardTests {
  private static func isForward(_ envelope: Cluster.Envelope) -> Bool { envelope.message.kind == "forward" }
  private static func isForwardReply(_ envelope: Cluster.Envelope) -> Bool { envelope.message.kind == "forwardReply" }

  /// Node 0 coordinates "n", which is 1 at revision 1; node 1 has forwarded what `action` says, and the forward is in
  /// the air.
  private func forwarding(
    _ action: Action, if condition: Condition = .always, id: OperationID? = nil, timeout: Milliseconds = 5000
  ) -> (cluster: Cluster, token: UInt64, forwards: [Cluster.Envelope]) {
    let cluster = PaperTests.watched()
    _ = cluster.ask(0, "n", .add(1))
    let token = cluster.send(1, "n", action, if: condition, id: id, timeout: timeout)
    let forwards = cluster.take(Self.isForward)
    #expect(forwards.count == 1)
    return (cluster, token, forwards)
  }

  @Test func aCopyOfAForwardIsNotStarted() {
    let (cluster, token, forwards) = forwarding(.add(10))
    cluster.deliver(forwards[0])
    cluster.run()
    #expect(cluster.outcomes[token] == .changed(revision: 2, .number(11), replayed: false))
    // More than a window later, while node 0 has coordinated without a break.
    for _ in 0..<(Window.length + 1) { _ = cluster.ask(0, "n", .add(0)) }
    cluster.deliver(forwards[0])
    cluster.run()
    #expect(cluster.get(2, "n") == value("11", at: 11))
  }

  /// Found by the simulator: the forwarding node had missed the change that it was asked to repeat, and so its forward
  /// bore a low `lo`; the answer from the window then did not say that it was a replay.
  @Test func aRepeatThroughANodeThatMissedTheChangeIsAReplay() {
    let cluster = PaperTests.watched()
    _ = cluster.ask(0, "n", .add(1))
    let id = OperationID(high: 1 << 63, low: 7)
    let token = cluster.send(0, "n", .add(10), id: id, payloadHash: 5)
    cluster.run { $0.to == 1 }
    #expect(cluster.outcomes[token] == .changed(revision: 2, .number(11), replayed: false))
    let again = cluster.send(1, "n", .add(10), id: id, payloadHash: 5)
    #expect(cluster.network.contains(where: Self.isForward))
    cluster.run()
    #expect(cluster.outcomes[again] == .changed(revision: 2, .number(11), replayed: true))
  }

  @Test func aCopyOfARefusedForwardIsNotAppliedLater() {
    let (cluster, token, forwards) = forwarding(.put([9]), if: Condition(revisionIn: [2]))
    cluster.deliver(forwards[0])
    cluster.run()
    #expect(cluster.outcomes[token] == .conditionFailed(current: Versioned(revision: 1, value: Array("1".utf8))))
    _ = cluster.ask(0, "n", .add(1))
    cluster.deliver(forwards[0])
    cluster.run()
    #expect(cluster.get(2, "n") == value("2", at: 2))
  }

  @Test func aCopyOfAForwardFromBeforeARestartIsNotStarted() {
    let (cluster, token, forwards) = forwarding(.put([9]), if: Condition(revisionIn: [2]))
    cluster.deliver(forwards[0])
    cluster.run()
    #expect(cluster.outcomes[token] == .conditionFailed(current: Versioned(revision: 1, value: Array("1".utf8))))
    cluster.crash(0)
    cluster.restart(0)
    _ = cluster.ask(0, "n", .add(1))
    cluster.deliver(forwards[0])
    cluster.run()
    #expect(cluster.get(2, "n") == value("2", at: 2))
  }

  @Test func aForwardOutOfOrderIsStartedOnce() {
    let cluster = PaperTests.watched()
    _ = cluster.ask(0, "n", .add(0))
    let tokens = (0..<100).map { _ in cluster.send(1, "n", .add(1)) }
    let forwards = cluster.take(Self.isForward)
    for envelope in forwards.reversed() + forwards { cluster.deliver(envelope) }
    cluster.run()
    for token in tokens {
      guard case .changed(_, .number, false) = cluster.outcomes[token] else {
        Issue.record("\(String(describing: cluster.outcomes[token]))")
        return
      }
    }
    #expect(cluster.get(2, "n") == value("100", at: 101))
  }

  @Test(arguments: [false, true])
  func aForwardThatWasTakenBackIsNotAppliedAgainByALateStart(inANewReign: Bool) {
    let (cluster, token, forwards) = forwarding(.add(10))
    cluster.setReachable(1, 0, false)
    cluster.run()
    cluster.pass(milliseconds: 300)
    #expect(cluster.outcomes[token] == .changed(revision: 2, .number(11), replayed: false))
    for _ in 0..<(Window.length + 1) {
      _ = cluster.ask(2, "n", .add(0))
      cluster.pass(milliseconds: 20)
    }
    var revision = UInt64(Window.length) + 3
    if inANewReign {
      // Node 0 coordinates again, from a cell in which the change is no longer remembered.
      let owner = cluster.nodes[0].replica.acceptor.table[0].promised.node
      cluster.setReachable(0, Int(owner.value) - 1, false)
      revision += 1
      #expect(cluster.ask(0, "n", .add(0)) == .changed(revision: revision, .number(11), replayed: false))
      #expect(cluster.nodes[0].replica.acceptor.table[0].reignStart != 0)
    }
    cluster.deliver(forwards[0])
    cluster.run()
    cluster.pass(milliseconds: 1000)
    #expect(cluster.get(2, "n") == value("11", at: revision))
  }

  @Test func notAppliedIsNotSaidOfAForwardThatMayStartLate() {
    let (cluster, token, forwards) = forwarding(.put([9]), if: Condition(revisionIn: [2]))
    // Node 1 only believes that node 0 is away, and decides the operation itself: its condition is false now.
    cluster.setReachable(1, 0, false)
    cluster.run()
    cluster.pass(milliseconds: 300)
    #expect(cluster.outcomes[token] == .unknown)
    // It becomes true, and node 0 gets what was sent to it.
    _ = cluster.ask(1, "n", .add(1))
    cluster.deliver(forwards[0])
    cluster.run()
    cluster.pass(milliseconds: 300)
    guard case .read(let content?) = cluster.get(2, "n") else {
      Issue.record("the register is not readable")
      return
    }
    #expect(content == Versioned(revision: 3, value: [9]))
  }

  @Test func aReplayOfAnOlderRequestIsNotSaidOfAForwardThatMayStartLate() {
    let cluster = PaperTests.watched()
    let id = PaperTests.clientID(1)
    _ = cluster.ask(0, "n", .add(1), id: id)
    _ = cluster.ask(0, "n", .add(0))
    // The same operation once more, by a client that did not hear: forwarded, taken back, found in the window at
    // revision 1.
    _ = cluster.ask(1, "n", .add(0))
    let token = cluster.send(1, "n", .add(1), id: id)
    let forwards = cluster.take(Self.isForward)
    cluster.setReachable(1, 0, false)
    cluster.run()
    cluster.pass(milliseconds: 300)
    #expect(cluster.outcomes[token] == .unknown)
    for envelope in forwards { cluster.deliver(envelope) }
    cluster.run()
    cluster.pass(milliseconds: 300)
    #expect(cluster.get(2, "n") == value("1", at: 3))
  }

  @Test func aDeadMarkStopsAForwardThatIsStillOnItsWay() {
    let id = PaperTests.clientID(1)
    let (cluster, token, forwards) = forwarding(.add(10), id: id)
    #expect(
      cluster.ask(2, "n", PaperTests.settle(id, known: 1))
        == .settled(Versioned(revision: 1, value: Array("1".utf8)), fate: .dead))
    for envelope in forwards { cluster.deliver(envelope) }
    cluster.run()
    #expect(cluster.outcomes[token] == .refused(.dead))
    #expect(cluster.get(2, "n") == value("1", at: 1))
  }

  @Test func aForwardThatIsRefusedUnstartedIsDecidedHere() {
    let (cluster, token, forwards) = forwarding(.add(10))
    for other in 1...2 { cluster.setReachable(0, other, false) }
    cluster.deliver(forwards[0])
    cluster.run()
    cluster.pass(milliseconds: 300)
    #expect(cluster.outcomes[token] == .changed(revision: 2, .number(11), replayed: false))
  }

  @Test func aLostForwardIsUnknownAtItsDeadlineAndNothingIsLeft() {
    let (cluster, token, forwards) = forwarding(.add(10), timeout: 100)
    cluster.pass(milliseconds: 99)
    #expect(cluster.outcomes[token] == nil)
    cluster.pass(milliseconds: 1)
    #expect(cluster.outcomes[token] == .unknown)
    // Too old to be started.
    cluster.deliver(forwards[0])
    cluster.run()
    #expect(cluster.get(2, "n") == value("1", at: 1))
    #expect(cluster.nodes.allSatisfy { $0.replica.isQuiescent })
  }

  @Test func aLostAnswerIsUnknownAndTheCopyOfALateOneChangesNothing() {
    let (cluster, token, forwards) = forwarding(.add(10), timeout: 100)
    cluster.deliver(forwards[0])
    var answers: [Cluster.Envelope] = []
    cluster.run { envelope in
      if Self.isForwardReply(envelope) { answers.append(envelope) }
      return Self.isForwardReply(envelope)
    }
    cluster.pass(milliseconds: 100)
    #expect(cluster.outcomes[token] == .unknown)
    #expect(answers.count == 1)
    for _ in 0..<2 { for envelope in answers { cluster.deliver(envelope) } }
    #expect(cluster.outcomes[token] == .unknown)
    #expect(cluster.get(1, "n") == value("11", at: 2))
  }

  @Test func theFirstForwardAfterARestartOfAllIsNotUnknown() {
    let cluster = PaperTests.watched()
    for _ in 0..<(2 * Window.length) { _ = cluster.ask(0, "n", .add(1)) }
    for node in 0..<3 { cluster.crash(node) }
    for node in 0..<3 { cluster.restart(node) }
    let token = cluster.send(1, "n", .add(1))
    cluster.run()
    cluster.pass(milliseconds: 300)
    #expect(cluster.outcomes[token] == .changed(revision: 17, .number(17), replayed: false))
  }

  @Test func clocksOfTheNodesNeedNotAgree() {
    let cluster = PaperTests.watched()
    cluster.nodes[0].skew = 1_000_000
    for at in 0..<3 { for peer in 0..<3 where at != peer { cluster.setReachable(at, peer, true) } }
    _ = cluster.ask(0, "n", .add(1))
    #expect(cluster.ask(1, "n", .add(1)) == .changed(revision: 2, .number(2), replayed: false))
    let token = cluster.send(1, "n", .add(1), timeout: 50)
    let forwards = cluster.take(Self.isForward)
    cluster.pass(milliseconds: 50)
    #expect(cluster.outcomes[token] == .unknown)
    for envelope in forwards { cluster.deliver(envelope) }
    cluster.run()
    #expect(cluster.get(0, "n") == value("2", at: 2))
  }

  @Test func aDeadlineWithoutEndCanBeForwarded() {
    let (cluster, token, forwards) = forwarding(.add(10), timeout: Milliseconds(.max))
    cluster.deliver(forwards[0])
    cluster.run()
    #expect(cluster.outcomes[token] == .changed(revision: 2, .number(11), replayed: false))
  }
}
