import Base
import Register
import Replica
import Testing

// R1 to R3: ballots, and what must be durable.
extension PaperTests {
  // accept(b, v1) reaches A only; a retry sends (b, v2) to B and C: two values at one ballot, and a read of A and B
  // returns v1 after v2 was acknowledged.
  @Test func r1_aBallotIsSpentByItsFirstAccept() throws {
    let cluster = Self.watched()
    _ = cluster.put(0, "k", "a")
    // v1 is accepted by A; the copies for B and C are held up.
    let first = cluster.send(0, "k", .put([1]))
    let lost = cluster.take(Self.isKind("accept"))
    guard case .accept(_, let burnt, _, _, _, _) = try #require(lost.first).message else { return }
    cluster.run()
    // v2 comes while A waits. The retry has to find another ballot for both.
    let second = cluster.send(0, "k", .put([2]))
    cluster.pass(milliseconds: 400)
    #expect(cluster.outcomes[first] == .changed(revision: 2, .replaced, replayed: false))
    #expect(cluster.outcomes[second] == .changed(revision: 3, .replaced, replayed: false))
    // The copies arrive after all: they are older than everything promised since.
    for envelope in lost { cluster.deliver(envelope) }
    cluster.run()
    let monitor = try #require(cluster.monitor)
    #expect(monitor.failures == [])
    #expect(monitor.accepts[Array("k".utf8)]?[burnt]?.voters == [0])
    for node in 0..<3 { #expect(cluster.get(node, "k") == Self.read([2], at: 3)) }
  }

  // A counter set back to 0 after a network error reuses ballots.
  @Test func r2_theCounterOnlyGrows() throws {
    let cluster = Self.watched(5)
    // Nodes 2 and 3 have promised much, node 4 less, node 1 nothing.
    for round in 0..<20 {
      _ = cluster.send(0, "k", .put([1]))
      cluster.run { $0.to == 1 || ($0.to == 4 && round >= 10) }
    }
    // Node 1 reaches all of them, and forwards to none.
    for other in [0, 2, 3, 4] {
      cluster.step(1, .peer(NodeID(UInt16(other + 1)), isReachable: true, clock: nil))
    }
    var used: [Ballot] = []
    func isPrepare(_ envelope: Cluster.Envelope) -> Bool {
      guard case .prepare(_, let ballot, _) = envelope.message, envelope.from == 1 else { return false }
      if envelope.to == 2 { used.append(ballot) }
      return true
    }
    // The network loses its first two rounds: each has a ballot of its own.
    let token = cluster.send(1, "k", .put([2]))
    cluster.run(dropping: isPrepare)
    while used.count < 2 { cluster.pass(milliseconds: 1, dropping: isPrepare) }
    // Then it hears of a high ballot, and after that of a lower one, which must not pull it back.
    var prepares: [Cluster.Envelope] = []
    while prepares.isEmpty {
      cluster.now = cluster.now + 1
      if cluster.nodes[1].replica.nextTick <= cluster.now { cluster.step(1, .tick) }
      prepares = cluster.take(Self.isKind("prepare"))
    }
    for envelope in prepares where isPrepare(envelope) && envelope.to != 0 { cluster.deliver(envelope) }
    let conflicts = cluster.take(Self.isKind("conflict"))
    #expect(conflicts.map(\.from) == [2, 3, 4])
    for envelope in conflicts { cluster.deliver(envelope) }
    cluster.pass(milliseconds: 100) { envelope in
      _ = isPrepare(envelope)
      return false
    }
    #expect(cluster.outcomes[token] == .changed(revision: 21, .replaced, replayed: false))
    #expect(used == used.sorted() && Set(used).count == used.count)
    #expect(used.map(\.counter) == [1, 2, 3, 22])
    #expect(cluster.monitor?.failures == [])
  }

  // Without durable promises nothing but this order keeps them.
  @Test func r3_noPromiseAndNoAcceptLeavesBeforeItIsDurable() {
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

  // A forgotten promise after a restart lets an older round finish.
  @Test func r3_aPromiseOutlivesARestart() {
    let cluster = Self.watched()
    // A's round has the promises of A and B; its accept for B is held up.
    let older = cluster.send(0, "k", .append([1]))
    var held: [Cluster.Envelope] = []
    cluster.run { envelope in
      if Self.isKind("accept")(envelope) && envelope.to == 1 { held.append(envelope) }
      return envelope.to == 2 || Self.isKind("accept")(envelope)
    }
    #expect(held.count == 1)
    // C's round, above A's, asks B; B dies just then, and comes back.
    cluster.setReachable(2, 0, false)
    cluster.syncsAtOnce = false
    let newer = cluster.send(2, "k", .append([2]))
    cluster.sync(2)
    cluster.run(dropping: Self.isolating(0))
    cluster.crash(1, noticed: false)
    cluster.syncsAtOnce = true
    cluster.restart(1)
    // Now A's accept reaches B. Whoever was told of a promise must find it kept.
    for envelope in held { cluster.deliver(envelope) }
    cluster.pass(milliseconds: 1500)
    // Both took effect, the one after the other.
    #expect(cluster.outcomes[older] == .changed(revision: 1, .length(1), replayed: false))
    #expect(cluster.outcomes[newer] == .changed(revision: 2, .length(2), replayed: false))
    #expect(cluster.get(1, "k") == Self.read([1, 2], at: 2))
    #expect(cluster.monitor?.failures == [])
  }
}
