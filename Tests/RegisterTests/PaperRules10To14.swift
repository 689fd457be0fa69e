import Base
import Register
import Replica
import Testing

// R10, R11 and the acceptor's part of R14. R12 stands in HostTests: which node is which is settled before a replica
// hears of a message. The collector at its own work stands in CollectorTests.
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
  private func erase(_ cluster: Cluster, _ node: Int, _ key: String, at ballot: Ballot, epoch: UInt32) {
    var writer = ByteWriter()
    Message.erase(attempt: 1, epoch: epoch, key: Array(key.utf8), ballot).encode(into: &writer)
    cluster.step(node, .message(from: NodeID(2), ByteReader(writer.bytes)))
    cluster.raiseFloors()
  }

  private func record(_ cluster: Cluster, _ node: Int, _ key: String) -> Record? {
    let table = cluster.nodes[node].replica.acceptor.table
    return table.find(Key(Array(key.utf8))).map { table[$0] }
  }

  // A newer tombstone that another acceptor missed is erased, and an old value returns.
  @Test func r13_onlyTheTombstoneOfThatVeryBallotIsErased() throws {
    let cluster = Cluster()
    _ = cluster.put(0, "k", "a")
    _ = cluster.ask(0, "k", .delete)
    let first = try #require(record(cluster, 0, "k")).accepted
    _ = cluster.put(0, "k", "b")
    let value = try #require(record(cluster, 0, "k")).accepted
    // The second tombstone misses node 2, which holds b.
    cluster.send(0, "k", .delete)
    cluster.run { $0.to == 2 }
    let second = try #require(record(cluster, 0, "k")).accepted
    for node in 0..<3 {
      for ballot in [first, value] { erase(cluster, node, "k", at: ballot, epoch: 0) }
    }
    #expect(record(cluster, 0, "k")?.accepted == second)
    #expect(record(cluster, 1, "k")?.accepted == second)
    #expect(record(cluster, 2, "k")?.accepted == value)
    #expect(cluster.get(2, "k") == .read(nil))
  }

  // An erase that arrives late, in a joint epoch, takes a key away between the handing over of floors and the listing.
  @Test func r13_nothingIsErasedInAnotherEpoch() throws {
    let cluster = Cluster()
    _ = cluster.put(0, "k", "a")
    _ = cluster.ask(0, "k", .delete)
    let ballot = try #require(record(cluster, 0, "k")).accepted
    let joint = Configuration(joining: [0, 1].map { Cluster.member($0) }, after: cluster.configuration)
    cluster.install(joint, on: 0..<3)
    for epoch in UInt32(0)...2 { erase(cluster, 0, "k", at: ballot, epoch: epoch) }
    #expect(record(cluster, 0, "k")?.accepted == ballot)
    cluster.install(Configuration(after: joint, abandoning: true), on: 0..<3)
    // Its members are those of an epoch that is over, in this one too.
    for epoch in UInt32(0)...2 { erase(cluster, 0, "k", at: ballot, epoch: epoch) }
    #expect(record(cluster, 0, "k")?.accepted == ballot)
    _ = cluster.ask(0, "k", .settle(target: nil, known: 0, nowSeconds: 0))
    let carried = try #require(record(cluster, 0, "k")).accepted
    #expect(carried.epoch == 2)
    erase(cluster, 0, "k", at: carried, epoch: 2)
    #expect(record(cluster, 0, "k") == nil)
  }

  // A late accept of an older round, after the erasure, and after a crash too.
  @Test func r14_anErasureKeepsThePromiseAndTheRevision() throws {
    let cluster = Cluster()
    _ = cluster.put(0, "k", "a")
    _ = cluster.ask(0, "k", .delete)
    let held = try #require(record(cluster, 0, "k"))
    erase(cluster, 0, "k", at: held.accepted, epoch: 0)
    #expect(record(cluster, 0, "k") == nil)
    for isAgain in [false, true] {
      if isAgain {
        cluster.crash(0, noticed: false)
        cluster.restart(0)
      }
      let acceptor = cluster.nodes[0].replica.acceptor
      #expect(acceptor.promised(nil) >= held.promised)
      #expect(acceptor.floor.revision >= Cell.revision(of: held.cell))
    }
    #expect(cluster.nodes[0].disk.isEmpty)
  }
}
