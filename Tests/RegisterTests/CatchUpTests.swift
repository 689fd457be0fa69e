import Base
import Register
import Replica
import Testing

/// Catching up, over a network that the test moves (PROTOCOL, "Catching up").
@Suite struct CatchUpTests {
  private static let comparing = ["compare", "differing", "holdings", "want", "relay"]

  private func cluster(_ count: Int = 3) -> Cluster {
    var options = RegisterReplica.Options()
    options.digestPause = 200
    options.tombstoneAge = 100_000
    return Cluster(count, options: options)
  }

  /// What the node holds: values by key, and by ballot.
  private func held(_ cluster: Cluster, _ node: Int) -> [String: Ballot] {
    let table = cluster.nodes[node].replica.acceptor.table
    var held: [String: Ballot] = [:]
    for number in 0..<table.numbers where table[number].accepted != .zero && !table[number].isTombstone {
      held[String(decoding: table[number].key.bytes, as: UTF8.self)] = table[number].accepted
    }
    return held
  }

  private func holdTheSame(_ cluster: Cluster) -> Bool {
    let first = held(cluster, 0)
    return cluster.nodes.indices.allSatisfy { held(cluster, $0) == first }
  }

  private func behind(_ cluster: Cluster, _ node: Int) -> [UInt64?] {
    cluster.nodes[node].replica.statistics.catchingUp?.peers.map { $0.behind } ?? []
  }

  @Test func whoWasAwayHoldsEverythingAgainAndNobodyElseIsAsked() {
    let cluster = cluster()
    for number in 1...300 { _ = cluster.put(number % 3, "k\(number)", "old") }
    cluster.crash(2)
    for number in 1...200 { _ = cluster.put(number % 2, "k\(number)", "new") }
    for number in 301...400 { _ = cluster.put(0, "k\(number)", "made") }
    for number in 201...250 { _ = cluster.ask(1, "k\(number)", .delete) }
    cluster.restart(2)
    #expect(behind(cluster, 2) == [nil, nil])
    let rounds = cluster.nodes.map { $0.replica.statistics.prepares }
    cluster.resetCounts()
    cluster.pass(milliseconds: 3000)
    #expect(holdTheSame(cluster))
    #expect(held(cluster, 2).count == 350)
    #expect(behind(cluster, 2) == [0, 0])
    // Each of them once, and no round, nor anything that a client would have caused.
    #expect(cluster.sent["relay"] == 350)
    #expect(cluster.nodes.map { $0.replica.statistics.prepares } == rounds)
    #expect(cluster.sent.keys.allSatisfy { Self.comparing.contains($0) }, "\(cluster.sent)")
    // The promise that rides on each accept was given with it (R5).
    let table = cluster.nodes[2].replica.acceptor.table
    for number in 0..<table.numbers where table[number].accepted != .zero {
      #expect(table[number].promised >= table[number].accepted.next)
    }
    // It is on the disk too.
    cluster.crash(2)
    cluster.restart(2)
    #expect(held(cluster, 2) == held(cluster, 0))
  }

  @Test func wherePeersHoldTheSameOneQuestionIsAskedForBoth() {
    let cluster = cluster()
    for number in 1...100 { _ = cluster.put(number % 3, "k\(number)", "a") }
    cluster.pass(milliseconds: 1000)
    cluster.resetCounts()
    let before = cluster.nodes.map { $0.replica.statistics.catchingUp?.comparedBytes ?? 0 }
    cluster.pass(milliseconds: 2000)
    let sent = cluster.nodes.enumerated().map { ($1.replica.statistics.catchingUp?.comparedBytes ?? 0) - before[$0] }
    #expect(Set(cluster.sent.keys) == ["compare", "differing"])
    // Three pairs, every 200 ms and a little: 30 and 17 bytes.
    #expect(cluster.sent["compare"] ?? 0 <= 30)
    #expect(sent.reduce(0, +) <= 30 * 47)
    for node in 0..<3 { #expect(behind(cluster, node) == [0, 0]) }
  }

  @Test func anErasedRecordIsNoDifference() {
    var options = RegisterReplica.Options()
    options.digestPause = 200
    options.tombstoneAge = 20
    let cluster = Cluster(options: options)
    for number in 1...20 { _ = cluster.put(0, "k\(number)", "a") }
    for number in 1...10 { _ = cluster.ask(1, "k\(number)", .delete) }
    // Node 2 does not hear that everyone has the tombstones.
    for _ in 0..<20 {
      cluster.pass(milliseconds: 10) {
        $0.to == 2 && $0.message.kind == "erase" || $0.from == 2 && $0.message.kind == "read"
      }
      cluster.raiseFloors()
    }
    #expect(cluster.nodes.map { $0.replica.acceptor.table.count } == [10, 10, 20])
    cluster.resetCounts()
    cluster.pass(milliseconds: 1000) { $0.message.kind == "erase" || $0.message.kind == "read" }
    #expect(cluster.sent["compare"] ?? 0 > 0 && cluster.sent["holdings"] == nil)
    #expect(cluster.nodes.map { $0.replica.acceptor.table.count } == [10, 10, 20])
  }

  /// A relay that was on its way while the register was deleted and erased (R14).
  @Test func lateRelayBringsNothingBack() {
    var options = RegisterReplica.Options()
    options.digestPause = 200
    options.tombstoneAge = 20
    let cluster = Cluster(options: options)
    _ = cluster.put(0, "k", "old")
    cluster.crash(2)
    _ = cluster.put(0, "k", "new")
    cluster.restart(2)
    var relays: [Cluster.Envelope] = []
    for _ in 0..<100 where relays.isEmpty {
      cluster.now = cluster.now + 10
      for node in 0..<3 where cluster.nodes[node].replica.nextTick <= cluster.clock(node) { cluster.step(node, .tick) }
      while !cluster.network.isEmpty {
        let envelope = cluster.network.removeFirst()
        if envelope.message.kind == "relay" { relays.append(envelope) } else { cluster.deliver(envelope) }
      }
    }
    #expect(!relays.isEmpty)
    _ = cluster.ask(0, "k", .delete)
    for _ in 0..<30 {
      cluster.pass(milliseconds: 10)
      cluster.raiseFloors()
    }
    #expect(cluster.nodes.map { $0.replica.acceptor.table.count } == [0, 0, 0])
    for relay in relays { cluster.deliver(relay) }
    cluster.run()
    #expect(cluster.nodes.map { $0.replica.acceptor.table.count } == [0, 0, 0])
    #expect(cluster.get(2, "k") == .read(nil))
  }

  /// The fence refuses what was accepted before the epoch: a round brings it, by its ballot's node (R10, R11).
  @Test func acrossEpochsARoundBringsIt() {
    let cluster = cluster()
    for number in 1...40 { _ = cluster.put(number % 2, "k\(number)", "old") }
    cluster.crash(2)
    for number in 1...40 { _ = cluster.put(number % 2, "k\(number)", "new") }
    let next = Configuration(epoch: 2, stable: cluster.configuration.members)
    cluster.install(next, on: 0..<2)
    cluster.nodes[2].configuration = next
    cluster.restart(2)
    cluster.resetCounts()
    cluster.pass(milliseconds: 4000)
    #expect(holdTheSame(cluster))
    #expect(cluster.sent["relay"] == nil)
    #expect(behind(cluster, 2) == [0, 0])
    for (key, ballot) in held(cluster, 2) {
      let number = Int(key.dropFirst()) ?? 0
      #expect(ballot.epoch == 2 && ballot.node == NodeID(UInt16(number % 2 + 1)))
    }
  }

  /// A promise for a round that never came to its end: the relay is refused, and a round decides.
  @Test func whatIsRefusedForAPromiseComesByARound() {
    let cluster = cluster()
    _ = cluster.put(0, "k", "old")
    cluster.crash(2)
    _ = cluster.put(0, "k", "new")
    cluster.restart(2)
    // Node 1 prepares, reaches node 2 alone, and dies.
    cluster.setReachable(1, 0, false)
    _ = cluster.send(1, "k", .settle(target: nil, known: 0, nowSeconds: 0))
    cluster.run { !($0.to == 2 && $0.message.kind == "prepare") && $0.from != 2 }
    cluster.crash(1)
    #expect(cluster.nodes[2].replica.acceptor.table.find(Key(Array("k".utf8))) != nil)
    cluster.pass(milliseconds: 3000)
    #expect(held(cluster, 0) == held(cluster, 2))
    #expect(cluster.nodes[0].replica.statistics.catchingUp?.rounds ?? 0 > 0)
    #expect(cluster.get(2, "k") == value("new", at: 2))
  }
}
