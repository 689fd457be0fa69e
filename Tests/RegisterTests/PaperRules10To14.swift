import Base
import Register
import Replica
import Testing

// R10, R11 and the acceptor's part of R14. R12 stands in HostTests: which node is which is settled before a replica
// hears of a message. R13 and the erasing of R14 come with the collector.
extension PaperTests {
  // Duelling proposers.
  @Test func r10_duellingProposersAllFinish() {
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

  @Test func r10_anotherNodeTakesOverFromADeadOwner() {
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

  @Test func r10_aForwardGoesOneHop() {
    let cluster = Self.watched()
    _ = cluster.ask(0, "k", .append([1]))
    // B takes over, and C has not heard so: it forwards to A, which knows better and coordinates all the same.
    cluster.setReachable(1, 0, false)
    cluster.send(1, "k", .append([2]))
    cluster.run { $0.to == 2 }
    #expect(cluster.nodes[0].replica.acceptor.table[0].promised.node == NodeID(2))
    #expect(cluster.nodes[2].replica.acceptor.table[0].promised.node == NodeID(1))
    cluster.resetCounts()
    let token = cluster.send(2, "k", .append([3]))
    cluster.run()
    cluster.pass(milliseconds: 100)
    #expect(cluster.outcomes[token] == .changed(revision: 3, .length(3), replayed: false))
    #expect(cluster.sent["forward"] == 1)
  }

  // A promise gathered from the old set completes against the new.
  @Test func r11_aPromiseOfAnOlderEpochIsVoid() throws {
    var outbox = Outbox()
    let key = Key(Array("k".utf8))
    let ballot = Ballot(epoch: 0, counter: 7, node: NodeID(3), boot: 1)
    var before = Acceptor(node: NodeID(1), epoch: 0, floor: Floor())
    guard case .promise = before.prepare(attempt: 1, ballot, key: key, into: &outbox).answer else {
      Issue.record("the first ballot was not promised")
      return
    }
    // The node installs epoch 2; its records are as they were.
    var payload = ByteWriter()
    before.encodePayload(of: 0, into: &payload)
    var after = Acceptor(node: NodeID(1), epoch: 2, floor: Floor())
    try after.restore(after.table.insert(key), payload: payload.bytes[...])
    #expect(after.table[0].promised == ballot)
    #expect(after.promised(0) == .fence(epoch: 2))
    let cell = Cell(absentAt: 0).encoded(changesInFold: 0)
    let answer = after.accept(attempt: 2, ballot, next: ballot.next, chosen: 0, key: key, cell: cell, into: &outbox)
    guard case .stale(_, 2) = answer.answer else {
      Issue.record("an accept of epoch 0 was answered \(answer.answer)")
      return
    }
    #expect(after.table[0].accepted == .zero)
  }

  // A stale proposer creates a key after the keys were listed, and it is lost.
  @Test func r11_theFenceHoldsForEveryKeyAbsentOnesToo() {
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

  // A late accept of an older round brings an erased key back; a register created again repeats a revision.
  @Test func r14_theFloorKeepsThePromisesAndTheRevisionsOfErasedKeys() {
    let floor = Floor(ballot: Ballot(epoch: 0, counter: 9, node: NodeID(2), boot: 1), revision: 40)
    var acceptor = Acceptor(node: NodeID(1), epoch: 0, floor: floor)
    var outbox = Outbox()
    let key = Key(Array("erased".utf8))
    let older = Ballot(epoch: 0, counter: 9, node: NodeID(1), boot: 7)
    let cell = Cell(absentAt: 39).encoded(changesInFold: 0)
    let late = acceptor.accept(attempt: 1, older, next: older.next, chosen: 0, key: key, cell: cell, into: &outbox)
    guard case .conflict(_, _, floor.ballot) = late.answer else {
      Issue.record("a late accept was answered \(late.answer)")
      return
    }
    let newer = older.next
    guard case .promise(_, _, .zero, 40, _) = acceptor.prepare(attempt: 2, newer, key: key, into: &outbox).answer else {
      Issue.record("the floor's revision was not told")
      return
    }
  }
}
