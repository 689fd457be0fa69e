import Base
import Register
import Replica
import Testing

// The paper's sections. Its change of membership by odd and even acceptor counts (§2.3) is replaced here by joint
// consensus; what stays is that quorums before and after a step meet.
extension PaperTests {
  private static let key = Key(Array("k".utf8))

  private static func cell(_ text: String, at revision: UInt64) -> [UInt8] {
    var cell = Cell(absentAt: revision)
    cell.value = Array(text.utf8)[...]
    return cell.encoded(changesInFold: 0)
  }

  @Test func section_2_1_everyNodeIsProposerAndAcceptor() {
    let cluster = Self.watched()
    for node in 0..<3 {
      #expect(cluster.put(node, "k\(node)", "a") == .changed(revision: 1, .created, replayed: false))
      for other in 0..<3 { #expect(cluster.get(other, "k\(node)") == value("a", at: 1)) }
    }
    // F + 1 of 2F + 1 acceptors are enough.
    cluster.crash(2)
    #expect(cluster.put(0, "k0", "b") == .changed(revision: 2, .replaced, replayed: false))
    cluster.crash(1)
    #expect(cluster.put(0, "k0", "c") == .refused(.noQuorum))
  }

  @Test func section_2_2_theStepsOfAnAcceptor() {
    var acceptor = Acceptor(node: NodeID(1), epoch: 0, floor: Floor())
    var outbox = Outbox()
    func ballot(_ counter: UInt64, _ node: UInt16 = 1) -> Ballot {
      Ballot(epoch: 0, counter: counter, node: NodeID(node), boot: 1)
    }
    func prepare(_ ballot: Ballot) -> String {
      acceptor.prepare(attempt: 1, ballot, key: Self.key, into: &outbox).answer.text
    }
    func accept(_ ballot: Ballot, _ text: String) -> String {
      acceptor.accept(
        attempt: 1, ballot, next: ballot, chosen: 0, key: Self.key, cell: Self.cell(text, at: 1), into: &outbox
      ).answer.text
    }
    // Persists the promise; nothing is accepted yet.
    #expect(prepare(ballot(3)) == "promise \(ballot(3)), accepted \(Ballot.zero)")
    #expect(outbox.writes.count == 1)
    // "Returns a conflict if it already saw a greater ballot", or this one.
    #expect(prepare(ballot(2)) == "conflict \(ballot(2)), promised \(ballot(3))")
    #expect(prepare(ballot(3)) == "conflict \(ballot(3)), promised \(ballot(3))")
    #expect(accept(ballot(2), "old") == "conflict \(ballot(2)), promised \(ballot(3))")
    // The proposer breaks ties of the counter.
    #expect(prepare(ballot(3, 2)) == "promise \(ballot(3, 2)), accepted \(Ballot.zero)")
    #expect(accept(ballot(3), "old") == "conflict \(ballot(3)), promised \(ballot(3, 2))")
    #expect(accept(ballot(3, 2), "a") == "accepted \(ballot(3, 2))")
    // A later promise tells of the accepted tuple.
    #expect(prepare(ballot(4)) == "promise \(ballot(4)), accepted \(ballot(3, 2))")
    #expect(acceptor.table[0].cell == Self.cell("a", at: 1))
    // An accept above the promise needs no prepare of its own.
    #expect(accept(ballot(9), "b") == "accepted \(ballot(9))")
    #expect(acceptor.promised(0) == ballot(9))
    #expect(outbox.writes.count == 5)
  }

  @Test(arguments: [false, true])
  func section_2_2_theProposerPicksTheAcceptedValueOfTheHighestBallot(first: Bool) {
    let cluster = Self.watched(5)
    _ = cluster.ask(0, "k", .append([1]))
    // Node 0 gets its next change accepted by itself alone; node 1, which does not hear of it, by itself and node 2.
    cluster.send(0, "k", .append([2]))
    _ = cluster.take(Self.isKind("accept"))
    cluster.run()
    for other in 1..<5 { cluster.setReachable(other, 0, false) }
    cluster.send(1, "k", .append([3]), timeout: 20)
    cluster.run { envelope in
      Self.isolating(0)(envelope) || (envelope.message.kind == "accept" && envelope.to > 2)
    }
    cluster.crash(0)
    cluster.crash(1)
    cluster.restart(0)
    // Node 3 hears of three cells; that of the highest ballot holds 1 and 3, whether it is told of it first or last.
    let token = cluster.send(3, "k", .append([4]))
    for envelope in cluster.take(Self.isKind("prepare")) { cluster.deliver(envelope) }
    let promises = cluster.take { Self.isKind("promise")($0) && $0.from != 4 }
    #expect(promises.map(\.from) == [0, 2])
    cluster.run(dropping: Self.isKind("promise"))
    for envelope in first ? promises.reversed() : promises { cluster.deliver(envelope) }
    cluster.run()
    cluster.pass(milliseconds: 500)
    #expect(cluster.outcomes[token] == .changed(revision: 3, .length(3), replayed: false))
    #expect(cluster.get(4, "k") == Self.read([1, 3, 4], at: 3))
    #expect(cluster.monitor?.failures == [])
  }

  // MARK: - Change functions

  @Test func section_2_2_initialise() {
    let cluster = Self.watched()
    let initialise = Condition(exists: false)
    #expect(cluster.put(0, "k", "a", if: initialise) == .changed(revision: 1, .created, replayed: false))
    let current = Versioned(revision: 1, value: Array("a".utf8))
    #expect(cluster.put(1, "k", "b", if: initialise) == .conditionFailed(current: current))
    #expect(cluster.get(2, "k") == value("a", at: 1))
  }

  @Test func section_2_2_read() {
    let cluster = Self.watched()
    #expect(cluster.get(0, "k") == .read(nil))
    _ = cluster.put(1, "k", "a")
    for node in 0..<3 { #expect(cluster.get(node, "k") == value("a", at: 1)) }
  }

  @Test func section_2_2_compareAndSet() {
    let cluster = Self.watched()
    for text in ["a", "b", "c", "d", "e"] { _ = cluster.put(0, "k", text) }
    #expect(
      cluster.put(1, "k", "f", if: Condition(revisionIn: [5])) == .changed(revision: 6, .replaced, replayed: false))
    let current = Versioned(revision: 6, value: Array("f".utf8))
    #expect(cluster.put(2, "k", "g", if: Condition(revisionIn: [5])) == .conditionFailed(current: current))
    #expect(cluster.get(0, "k") == value("f", at: 6))
  }

  // MARK: - Cost

  @Test func section_2_2_1_theNextPrepareRidesOnTheAccept() {
    let cluster = Self.watched()
    #expect(cluster.put(0, "k", "a") == .changed(revision: 1, .created, replayed: false))
    #expect(cluster.sent == ["prepare": 2, "promise": 2, "accept": 2, "accepted": 2])
    cluster.resetCounts()
    #expect(cluster.put(0, "k", "b") == .changed(revision: 2, .replaced, replayed: false))
    #expect(cluster.sent == ["accept": 2, "accepted": 2])
    // Where another proposer came between, the first trip is back.
    cluster.setReachable(1, 0, false)
    #expect(cluster.put(1, "k", "c") == .changed(revision: 3, .replaced, replayed: false))
    cluster.setReachable(0, 1, false)
    cluster.resetCounts()
    let token = cluster.send(0, "k", .put([4]))
    cluster.run()
    cluster.pass(milliseconds: 100)
    #expect(cluster.outcomes[token] == .changed(revision: 4, .replaced, replayed: false))
    #expect(cluster.sent["prepare"] == 2)
  }

  @Test func section_2_2_2_eachKeyIsServedWhereItsClientsAre() {
    let cluster = Self.watched()
    for node in 0..<3 { _ = cluster.put(node, "k\(node)", "a") }
    // No leader that all writes pass: each is one round trip from the node that it came to.
    for node in 0..<3 {
      cluster.resetCounts()
      #expect(cluster.put(node, "k\(node)", "b") == .changed(revision: 2, .replaced, replayed: false))
      #expect(cluster.sent == ["accept": 2, "accepted": 2])
    }
  }

  @Test(arguments: 0..<3) func theLossOfAnyNodeStopsNobody(lost: Int) {
    let cluster = Self.watched()
    for key in 0..<6 { _ = cluster.put(key % 2 == 0 ? lost : (lost + 1) % 3, "k\(key)", "a") }
    cluster.crash(lost)
    // No time passes: there is no election.
    for node in 0..<3 where node != lost {
      for key in 0..<6 {
        guard case .changed = cluster.put(node, "k\(key)", "b") else {
          Issue.record("node \(node) does not write k\(key) without \(lost)")
          continue
        }
        guard case .read(_?) = cluster.get(node, "k\(key)") else {
          Issue.record("node \(node) does not read k\(key) without \(lost)")
          continue
        }
      }
    }
  }

  // MARK: - Quorums

  @Test func section_2_3_quorumsBeforeAndAfterAStepMeet() throws {
    // Every change among four nodes, as joint consensus makes it: old, joint, new.
    let sets = (1..<16).map { BitSet(bits: UInt64($0)) }
    let votes = (0..<16).map { BitSet(bits: UInt64($0)) }
    for old in sets {
      for new in sets {
        let steps = try [configuration(0, old, nil), configuration(1, old, new), configuration(2, new, nil)]
        for (before, after) in zip(steps, steps.dropFirst()) {
          for a in votes where before.isQuorum(a) {
            for b in votes where after.isQuorum(b) {
              #expect(!a.intersection(b).isEmpty, "\(old) to \(new): \(a) and \(b) do not meet")
            }
          }
        }
      }
    }
  }

  /// A configuration of nodes 1…4, as it comes from the wire.
  private func configuration(_ epoch: UInt32, _ old: BitSet, _ new: BitSet?) throws -> Configuration {
    var writer = ByteWriter()
    writer.u32(epoch)
    writer.u64(old.bits)
    writer.u8(new == nil ? 0 : 1)
    writer.u64(new?.bits ?? 0)
    writer.u8(4)
    for id in UInt16(1)...4 {
      writer.u16(id)
      writer.u64(1)
      writer.u32(0)
      writer.blob([])
    }
    var reader = ByteReader(writer.bytes)
    return try Configuration(from: &reader)
  }

  // MARK: - Deletion

  /// The tombstone stays until it is collected, which is another rule's matter (R13, R14).
  @Test func section_3_1_aDeleteIsAChangeThatLeavesATombstone() {
    let cluster = Self.watched()
    _ = cluster.put(0, "k", "a")
    #expect(cluster.ask(1, "k", .delete) == .changed(revision: 2, .deleted, replayed: false))
    for node in 0..<3 { #expect(cluster.get(node, "k") == .read(nil)) }
    #expect(cluster.ask(2, "k", .delete) == .absent)
    for node in 0..<3 {
      #expect(cluster.nodes[node].replica.acceptor.table.count == 1)
      #expect(cluster.nodes[node].replica.acceptor.table.present == 0)
    }
    // Created again, above every revision it ever had.
    #expect(cluster.put(0, "k", "b", if: Condition(exists: false)) == .changed(revision: 3, .created, replayed: false))
  }

  // MARK: - Safety

  /// The theorem of the appendix: of any two acknowledged changes one is a descendant of the other. Each change appends
  /// one byte, so a state shows all its ancestors.
  @Test(arguments: 0..<8) func theorem_1_ofTwoAcknowledgedChangesOneDescendsFromTheOther(block: UInt64) throws {
    var acknowledged = 0
    for seed in (block * 25)..<(block * 25 + 25) {
      let (cluster, tokens) = contest(seed: seed)
      let monitor = try #require(cluster.monitor)
      let chosen = (monitor.accepts[Array("k".utf8)] ?? [:]).values.filter { monitor.isChosen($0) }
      let states = chosen.map { Array($0.cell.value ?? []) }.sorted { $0.count < $1.count }
      for (earlier, later) in zip(states, states.dropFirst()) {
        #expect(later.starts(with: earlier), "seed \(seed): \(earlier) and \(later)")
      }
      let last = try #require(states.last)
      #expect(Set(last).count == last.count, "seed \(seed): a change was applied twice")
      for (number, token) in tokens.enumerated() {
        guard case .changed(_, .length(let length), false) = cluster.outcomes[token] else { continue }
        #expect(last.indices.contains(Int(length) - 1) && last[Int(length) - 1] == UInt8(number), "seed \(seed)")
        acknowledged += 1
      }
      #expect(monitor.failures == [], "seed \(seed)")
    }
    #expect(acknowledged > 500)
  }

  /// Three proposers that append, none forwarding to another, over a network that loses, delays and doubles.
  private func contest(seed: UInt64) -> (cluster: Cluster, tokens: [UInt64]) {
    var random = SeededRandom(seed: seed)
    let cluster = Cluster(3, seed: seed)
    cluster.monitor = Monitor(members: 3)
    for a in 0..<3 {
      for b in 0..<3 where a != b {
        cluster.step(a, .peer(NodeID(UInt16(b + 1)), isReachable: true, clock: nil))
      }
    }
    var tokens: [UInt64] = []
    for number in UInt8(0)..<40 {
      tokens.append(cluster.send(Int(random.below(3)), "k", .append([number])))
      for _ in 0..<random.below(30) where !cluster.network.isEmpty {
        let envelope = cluster.network.remove(at: Int(random.below(UInt64(cluster.network.count))))
        if envelope.from != envelope.to && random.below(10) == 0 { continue }
        if random.below(10) == 0 { cluster.network.append(envelope) }
        cluster.deliver(envelope)
      }
      if random.below(2) == 0 { cluster.pass(milliseconds: random.below(250)) { _ in random.below(10) == 0 } }
    }
    cluster.pass(milliseconds: 3000)
    return (cluster, tokens)
  }
}
