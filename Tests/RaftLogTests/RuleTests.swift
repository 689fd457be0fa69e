import Base
import RaftLog
import Replica
import Simulator
import Testing

/// What a client sees of a cluster that is well.
@Suite struct RuleTests {
  @Test func writesAndReadsThroughEveryNode() throws {
    let cluster = Cluster()
    let leader = try #require(cluster.elect())
    for node in 0..<3 {
      #expect(cluster.put(node, "k\(node)", "a") == .changed(revision: 1, .created, replayed: false))
      #expect(cluster.put(2 - node, "k\(node)", "b") == .changed(revision: 2, .replaced, replayed: false))
      #expect(cluster.get(node, "k\(node)") == value("b", at: 2))
    }
    #expect(cluster.get(leader, "absent") == .read(nil))
    #expect(
      cluster.put(0, "k0", "c", if: Condition(revisionIn: [1]))
        == .conditionFailed(current: Versioned(revision: 2, value: Array("b".utf8))))
    #expect(cluster.ask(1, "n", .add(5)) == .changed(revision: 1, .number(5), replayed: false))
    #expect(cluster.ask(2, "n", .add(-7)) == .changed(revision: 2, .number(-2), replayed: false))
    #expect(cluster.ask(0, "k0", .delete) == .changed(revision: 3, .deleted, replayed: false))
    #expect(cluster.ask(0, "k0", .delete) == .absent)
    #expect(cluster.monitor.failures == [])
  }

  @Test func aRepeatIsAppliedOnce() throws {
    let cluster = Cluster()
    try #require(cluster.elect() != nil)
    let id = OperationID(high: 1 << 63, low: 7)
    #expect(cluster.ask(0, "n", .add(1), id: id, payloadHash: 3) == .changed(revision: 1, .number(1), replayed: false))
    #expect(cluster.ask(1, "n", .add(1), id: id, payloadHash: 3) == .changed(revision: 1, .number(1), replayed: true))
    #expect(cluster.ask(2, "n", .add(1), id: id, payloadHash: 4) == .refused(.payloadMismatch))
  }

  /// R7. A client asks again by way of another node; the first forward comes when its register's window has long
  /// forgotten the change. Found by the simulator: old-leaders, seed 89.
  @Test func aRepeatThatComesLateIsNotAppliedAgain() throws {
    let cluster = Cluster()
    let leader = try #require(cluster.elect())
    let follower = (leader + 1) % 3
    _ = cluster.put(leader, "k", "first")
    cluster.pass(milliseconds: 200)
    let id = OperationID(high: 1 << 63, low: 7)
    let token = cluster.send(follower, "k", .put([1]), id: id)
    let forward = cluster.take { $0.message.kind == .forward }
    try #require(forward.count == 1)
    func isForward(_ envelope: Cluster.Envelope) -> Bool { envelope.message.kind == .forward }
    #expect(
      cluster.ask(leader, "k", .put([1]), id: id, dropping: isForward)
        == .changed(revision: 2, .replaced, replayed: false))
    for number in 3...12 { _ = cluster.ask(leader, "k", .put([UInt8(number)]), dropping: isForward) }
    cluster.deliver(forward[0])
    cluster.pass(milliseconds: 50, dropping: isForward)
    #expect(cluster.outcomes[token] == .unknown)
    #expect(cluster.get(leader, "k") == .read(Versioned(revision: 12, value: [12])))
    #expect(cluster.monitor.failures == [])
  }

  /// Many changes between a named request and its entry are no reason to doubt it: its leader knows that it is new.
  @Test func aNamedRequestOnAHotKeyIsNotInDoubt() throws {
    let cluster = Cluster()
    let leader = try #require(cluster.elect())
    let follower = (leader + 1) % 3
    _ = cluster.put(leader, "k", "first")
    cluster.pass(milliseconds: 200)
    let token = cluster.send(follower, "k", .put([1]), id: OperationID(high: 1 << 63, low: 7))
    let forward = cluster.take { $0.message.kind == .forward }
    func isForward(_ envelope: Cluster.Envelope) -> Bool { envelope.message.kind == .forward }
    for number in 2...12 { _ = cluster.ask(leader, "k", .put([UInt8(number)]), dropping: isForward) }
    cluster.deliver(forward[0])
    cluster.pass(milliseconds: 50, dropping: isForward)
    #expect(cluster.outcomes[token] == .changed(revision: 13, .replaced, replayed: false))
  }

  /// The way to the leader and back takes longer than it takes until a read asks again. Found by the simulator:
  /// storage-replaced, seed 260.
  @Test func readsEndWhereTheLeaderIsFarAway() throws {
    var options = RaftOptions()
    options.retry = 2
    let cluster = Cluster(options: options)
    let leader = try #require(cluster.elect())
    _ = cluster.put(leader, "k", "a")
    let token = cluster.send((leader + 1) % 3, "k", .read)
    var underWay: [(due: Int, answer: Cluster.Envelope)] = []
    for millisecond in 0..<60 where cluster.outcomes[token] == nil {
      cluster.pass(milliseconds: 1) { envelope in
        guard envelope.message.kind == .readIndexReply else { return false }
        underWay.append((millisecond + 20, envelope))
        return true
      }
      for (due, answer) in underWay where due == millisecond { cluster.deliver(answer) }
    }
    #expect(cluster.outcomes[token] == value("a", at: 1))
  }

  @Test func settleTellsWhatBecameOfAnOperation() throws {
    let cluster = Cluster()
    try #require(cluster.elect() != nil)
    let applied = OperationID(high: 1 << 63, low: 7)
    let never = OperationID(high: 1 << 63, low: 8)
    _ = cluster.ask(0, "k", .put([1]), id: applied)
    let content = Versioned(revision: 1, value: [1])
    #expect(
      cluster.ask(1, "k", .settle(target: applied, known: 0, nowSeconds: 5))
        == .settled(content, fate: .applied(revision: 1)))
    #expect(cluster.ask(2, "k", .settle(target: never, known: 0, nowSeconds: 5)) == .settled(content, fate: .dead))
    #expect(cluster.ask(0, "k", .put([2]), id: never) == .refused(.dead))
  }

  @Test func listsInOrder() throws {
    let cluster = Cluster()
    try #require(cluster.elect() != nil)
    for name in ["b", "a", "d", "c"] { _ = cluster.put(0, name, name) }
    _ = cluster.ask(0, "c", .delete)
    let token = cluster.list(1, after: "a", limit: 10)
    cluster.pass(milliseconds: 20)
    let page = try #require(cluster.pages[token] ?? nil)
    #expect(page.entries.map { String(decoding: $0.key, as: UTF8.self) } == ["b", "d"])
    #expect(!page.more)
  }

  @Test func aWaitWakesWhenTheRevisionDiffers() throws {
    let cluster = Cluster()
    try #require(cluster.elect() != nil)
    _ = cluster.put(0, "k", "a")
    let wait = Request.Wait(unlessRevision: 1, until: cluster.now + 4000)
    let token = cluster.send(1, "k", .read, wait: wait)
    cluster.pass(milliseconds: 100)
    #expect(cluster.outcomes[token] == nil)
    _ = cluster.put(2, "k", "b")
    cluster.pass(milliseconds: 100)
    #expect(cluster.outcomes[token] == value("b", at: 2))
  }

  @Test func withoutAQuorumNothingIsDone() throws {
    let cluster = Cluster()
    let leader = try #require(cluster.elect())
    for node in 0..<3 where node != leader { cluster.crash(node) }
    cluster.pass(milliseconds: 10)
    #expect(cluster.put(leader, "k", "a") == .refused(.noQuorum))
    #expect(cluster.get(leader, "k") == .refused(.noQuorum))
  }

  @Test func anotherLeadsWhenTheLeaderDies() throws {
    let cluster = Cluster()
    let first = try #require(cluster.elect())
    #expect(cluster.put(first, "k", "a") == .changed(revision: 1, .created, replayed: false))
    cluster.crash(first)
    let second = try #require(cluster.elect(within: 1000))
    #expect(second != first)
    #expect(cluster.get(second, "k") == value("a", at: 1))
    #expect(cluster.put(second, "k", "b") == .changed(revision: 2, .replaced, replayed: false))
    cluster.restart(first)
    cluster.pass(milliseconds: 500)
    #expect(cluster.get(first, "k") == value("b", at: 2))
    #expect(cluster.monitor.failures == [])
  }

  @Test func everythingIsThereWhenAllNodesDieAtOnce() throws {
    let cluster = Cluster()
    try #require(cluster.elect() != nil)
    for number in 0..<50 { _ = cluster.put(number % 3, "k\(number)", "v\(number)") }
    for node in 0..<3 { cluster.crash(node) }
    for node in 0..<3 { cluster.restart(node) }
    try #require(cluster.elect() != nil)
    for number in 0..<50 { #expect(cluster.get(number % 3, "k\(number)") == value("v\(number)", at: 1)) }
    #expect(cluster.monitor.failures == [])
  }

  @Test func snapshotsTrimTheLogAndAFollowerThatWasAwayGetsOne() throws {
    var options = RaftOptions()
    options.snapshotLogEntries = 50
    options.retainedLogEntries = 10
    options.pieceBytes = 600
    let cluster = Cluster(options: options)
    let leader = try #require(cluster.elect())
    let away = (leader + 1) % 3
    cluster.crash(away)
    for number in 0..<300 { _ = cluster.put(leader, "key \(number % 120)", "value \(number)") }
    #expect(cluster.nodes[leader].replica.log.count < 80)
    cluster.restart(away)
    cluster.pass(milliseconds: 1000)
    #expect(cluster.sent[.snapshot, default: 0] > 3)
    #expect(cluster.nodes[away].replica.applied == cluster.nodes[leader].replica.applied)
    #expect(cluster.get(away, "key 7") == value("value 247", at: 3))
    cluster.crash(away)
    cluster.restart(away)
    cluster.pass(milliseconds: 500)
    #expect(cluster.get(away, "key 7") == value("value 247", at: 3))
    #expect(cluster.monitor.failures == [])
  }

  @Test func leadershipIsHandedOver() throws {
    let cluster = Cluster()
    let leader = try #require(cluster.elect())
    _ = cluster.put(leader, "k", "a")
    cluster.step(leader, .handOver)
    cluster.run()
    #expect(cluster.leader != leader)
    #expect(cluster.put(leader, "k", "b") == .changed(revision: 2, .replaced, replayed: false))
  }

  @Test func aClusterOfOneNeedsNobody() throws {
    let cluster = Cluster(1)
    try #require(cluster.elect(within: 10) != nil)
    #expect(cluster.put(0, "k", "a") == .changed(revision: 1, .created, replayed: false))
    #expect(cluster.get(0, "k") == value("a", at: 1))
  }
}
