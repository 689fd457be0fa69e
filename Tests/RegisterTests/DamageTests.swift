import Base
import Register
import Replica
import Testing

/// PROTOCOL, "A damaged record", over a network that the test moves.
@Suite struct DamageTests {
  /// Three nodes whose reserve is 100, and a register at revision 1 that all hold.
  private func cluster() -> Cluster {
    var options = RegisterReplica.Options()
    options.reserveStep = 50
    let cluster = Cluster(3, reserve: 100, options: options)
    _ = cluster.put(0, "x", "a")
    return cluster
  }

  private func damage(_ cluster: Cluster, _ node: Int, isRepairing: Bool = false) {
    cluster.crash(node)
    cluster.restart(node, damaged: ["x"])
    #expect(cluster.nodes[node].replica.statistics.damaged == 1)
    if isRepairing { cluster.pass(milliseconds: 50) }
  }

  @Test func damagedRecordIsHealedByARoundOfItsNode() throws {
    let cluster = cluster()
    damage(cluster, 2, isRepairing: true)
    let replica = cluster.nodes[2].replica
    #expect(replica.statistics.damaged == 0)
    #expect(replica.statistics.healed == 1)
    let table = replica.acceptor.table
    let found = try #require(table.find(Key(Array("x".utf8))))
    #expect(table[found].accepted.counter > 100)
    #expect(cluster.get(2, "x") == value("a", at: 1))
    #expect(cluster.nodes.allSatisfy { $0.replica.isQuiescent })
  }

  // An acceptor that lost its vote must not help a quorum that knows nothing of it.
  @Test func damagedRecordPromisesNothing() {
    let cluster = cluster()
    damage(cluster, 2)
    cluster.crash(0)
    _ = cluster.send(1, "x", .put(Array("b".utf8)))
    cluster.pass(milliseconds: 400)
    // Node 0, which holds a vote, is away: of two nodes one abstains.
    let isChanged = cluster.outcomes.values.contains { if case .changed(2, _, _) = $0 { true } else { false } }
    #expect(!isChanged)
    #expect(cluster.nodes[2].replica.statistics.damaged == 1)
    cluster.restart(0)
    cluster.pass(milliseconds: 3000)
    #expect(cluster.nodes[2].replica.statistics.damaged == 0)
    #expect(cluster.get(2, "x") == value("b", at: 2) || cluster.get(2, "x") == value("a", at: 1))
  }

  @Test func acceptBelowTheReserveIsRefusedAndNamesIt() throws {
    let cluster = cluster()
    damage(cluster, 2)
    let key = Key(Array("x".utf8))
    let table = cluster.nodes[2].replica.acceptor.table
    let found = try #require(table.find(key))
    let pinned = table[found].promised
    #expect(pinned.counter == 100)
    var outbox = Outbox()
    let cell = cluster.nodes[0].replica.acceptor.table[0].cell
    let low = Ballot(epoch: 0, counter: 50, node: NodeID(1), boot: 1)
    let refused = cluster.nodes[2].replica.acceptor.accept(
      attempt: 1, low, next: low.next, chosen: 1, key: key, cell: cell, into: &outbox)
    guard case .conflict(_, low, promised: pinned) = refused.answer else {
      Issue.record("an accept at or below the reserve was not refused")
      return
    }
    // However high the ballot: it knows nothing that a promise could tell.
    let high = Ballot(epoch: 0, counter: 5000, node: NodeID(1), boot: 1)
    let asked = cluster.nodes[2].replica.acceptor.prepare(attempt: 2, high, key: key, into: &outbox)
    guard case .conflict(_, high, promised: pinned) = asked.answer else {
      Issue.record("a damaged record promised")
      return
    }
    let read = cluster.nodes[2].replica.acceptor.read(attempt: 3, epoch: 0, key: key, outbox: outbox)
    guard case .conflict(_, .zero, promised: pinned) = read.answer else {
      Issue.record("a damaged record answered a read")
      return
    }
    #expect(outbox.writes.isEmpty)
  }

  // It is listed: it may have accepted something. And it is not erased as if it held a bare promise.
  @Test func damagedRecordIsListedAndNotErased() {
    var options = RegisterReplica.Options()
    options.tombstoneAge = 20
    options.reserveStep = 50
    let cluster = Cluster(3, reserve: 100, options: options)
    _ = cluster.put(0, "x", "a")
    _ = cluster.ask(0, "x", .delete)
    cluster.crash(2)
    cluster.restart(2, damaged: ["x"])
    let table = cluster.nodes[2].replica.acceptor.table
    #expect(table.keys(prefix: [], after: [], limit: 10).keys == [Array("x".utf8)])
    #expect(table.collectable == 0)
    // Healed, it is one more tombstone, which goes the way of all.
    for _ in 0..<40 {
      cluster.pass(milliseconds: 10)
      cluster.raiseFloors()
      cluster.run()
    }
    #expect(cluster.nodes.map { $0.replica.acceptor.table.count } == [0, 0, 0])
  }

  @Test func promisesWaitForTheReserve() throws {
    var options = RegisterReplica.Options()
    options.reserveStep = 10
    let cluster = Cluster(3, reserve: 20, options: options)
    cluster.raisesReserves = false
    for _ in 0..<14 { _ = cluster.put(0, "x", "a") }
    #expect(cluster.nodes[0].reserveWanted ?? 0 >= 25)
    // Nobody raises it: no promise goes above it, and no ballot is used twice.
    for _ in 0..<8 { _ = cluster.send(0, "x", .put([])) }
    cluster.pass(milliseconds: 100)
    for node in cluster.nodes {
      let table = node.replica.acceptor.table
      #expect(table[0].promised.counter <= 20)
    }
    for node in 0..<3 { cluster.step(node, .raiseReserve(cluster.nodes[node].reserveWanted ?? 40)) }
    cluster.pass(milliseconds: 500)
    guard case .read(let content) = cluster.get(1, "x") else {
      Issue.record("no answer")
      return
    }
    #expect(content?.revision == 22)
  }
}
