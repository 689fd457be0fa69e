import Base
import Register
import Replica
import Testing

/// Deadlines, quorums, limits, long polls: who is told what, and when.
@Suite struct AvailabilityTests {
  @Test func withoutAQuorumEverythingIsRefusedAtOnce() {
    let cluster = PaperTests.watched()
    _ = cluster.put(0, "k", "a")
    for node in 1...2 { cluster.crash(node) }
    #expect(cluster.put(0, "k", "b") == .refused(.noQuorum))
    #expect(cluster.get(0, "k") == .refused(.noQuorum))
    #expect(cluster.ask(0, "k", PaperTests.settle(nil, known: 0)) == .refused(.noQuorum))
    let listing = cluster.list(0)
    #expect(cluster.isUnanswered(listing: listing))
    #expect(cluster.nodes[0].replica.isQuiescent)
    cluster.restart(1)
    #expect(cluster.get(0, "k") == value("a", at: 1))
  }

  /// Where the messages stop, and what the client is told when its time is over.
  @Test(arguments: [
    ("prepare", Outcome.refused(.expired)), ("promise", .refused(.expired)), ("accept", .unknown),
    ("accepted", .unknown),
  ])
  func aDeadlineIsRefusedBeforeAndUnknownAfterTheFirstAccept(stopped: String, expected: Outcome) {
    let cluster = PaperTests.watched()
    let token = cluster.send(0, "k", .put([1]), timeout: 100)
    cluster.run { $0.message.kind == stopped }
    cluster.pass(milliseconds: 99) { $0.message.kind == stopped }
    #expect(cluster.outcomes[token] == nil)
    cluster.pass(milliseconds: 1) { $0.message.kind == stopped }
    #expect(cluster.outcomes[token] == expected)
    cluster.pass(milliseconds: 1000)
    #expect(cluster.nodes.allSatisfy { $0.replica.isQuiescent })
    guard expected == .refused(.expired) else { return }
    for node in 0..<3 { #expect(cluster.get(node, "k") == .read(nil)) }
  }

  @Test func aWaitingOperationWhoseTimeIsOverIsRefused() {
    let cluster = PaperTests.watched()
    let first = cluster.send(0, "k", .put([1]), timeout: 1000)
    let second = cluster.send(0, "k", .put([2]), timeout: 50)
    let late = cluster.take { _ in true }
    cluster.pass(milliseconds: 60)
    #expect(cluster.outcomes[second] == .refused(.expired))
    for envelope in late { cluster.deliver(envelope) }
    cluster.run()
    cluster.pass(milliseconds: 400)
    #expect(cluster.outcomes[first] == .changed(revision: 1, .created, replayed: false))
    #expect(cluster.get(1, "k") == .read(Versioned(revision: 1, value: [1])))
  }

  @Test func aRequestThatComesTooLateIsRefused() {
    let cluster = PaperTests.watched()
    #expect(cluster.outcomes[cluster.send(0, "k", .put([1]), timeout: 0)] == .refused(.expired))
    #expect(cluster.outcomes[cluster.send(0, "k", .read, timeout: 0)] == .refused(.expired))
  }

  @Test func whatWasNeverSentIsRefusedWhenTheQuorumGoes() {
    let cluster = PaperTests.watched()
    let sent = cluster.send(0, "k", .put([1]))
    let waiting = cluster.send(0, "k", .put([2]))
    cluster.run { $0.message.kind == "prepare" }
    for node in 1...2 { cluster.crash(node) }
    cluster.pass(milliseconds: 400)
    #expect(cluster.outcomes[sent] == .refused(.noQuorum))
    #expect(cluster.outcomes[waiting] == .refused(.noQuorum))
    #expect(cluster.nodes[0].replica.isQuiescent)
  }

  @Test func aFullLineRefusesMore() {
    var options = RegisterReplica.Options()
    options.maximumWaitingPerKey = 4
    let cluster = Cluster(3, options: options)
    let tokens = (0..<7).map { _ in cluster.send(0, "k", .put([1])) }
    #expect(tokens.suffix(2).allSatisfy { cluster.outcomes[$0] == .refused(.overloaded) })
    #expect(tokens.prefix(5).allSatisfy { cluster.outcomes[$0] == nil })
    cluster.run()
    #expect(
      tokens.prefix(5).allSatisfy {
        if case .changed = cluster.outcomes[$0] { true } else { false }
      })
  }

  @Test func aSingleNodeServesAlone() {
    let cluster = Cluster(1)
    #expect(cluster.put(0, "k", "a") == .changed(revision: 1, .created, replayed: false))
    #expect(cluster.get(0, "k") == value("a", at: 1))
    #expect(
      cluster.put(0, "k", "b", if: Condition(revisionIn: [1])) == .changed(revision: 2, .replaced, replayed: false))
    #expect(cluster.put(0, "k", "c", if: Condition(exists: false)) != nil)
    let fate = cluster.ask(0, "k", PaperTests.settle(PaperTests.clientID(1), known: 2))
    #expect(fate == .settled(Versioned(revision: 2, value: Array("b".utf8)), fate: .dead))
    let listing = cluster.list(0)
    cluster.run()
    #expect(cluster.pages[listing]??.entries.map(\.key) == [Array("k".utf8)])
    cluster.crash(0)
    cluster.restart(0)
    #expect(cluster.get(0, "k") == value("b", at: 2))
    #expect(cluster.sent == [:])
    #expect(cluster.nodes[0].replica.isQuiescent)
  }

  @Test func fiveNodesServeWithTwoDown() {
    let cluster = PaperTests.watched(5)
    _ = cluster.put(4, "k", "a")
    for node in [4, 0] { cluster.crash(node) }
    let token = cluster.send(1, "k", .put([2]))
    cluster.run()
    cluster.pass(milliseconds: 400)
    #expect(cluster.outcomes[token] == .changed(revision: 2, .replaced, replayed: false))
    cluster.crash(2)
    #expect(cluster.get(1, "k") == .refused(.noQuorum))
    for node in [0, 4] { cluster.restart(node) }
    for node in [0, 1, 3, 4] {
      let read = cluster.send(node, "k", .read)
      cluster.run()
      cluster.pass(milliseconds: 400)
      #expect(cluster.outcomes[read] == .read(Versioned(revision: 2, value: [2])))
    }
    #expect(cluster.monitor?.failures == [])
  }

  @Test func aDuelDoesNotWaitForANodeThatIsDown() {
    let cluster = PaperTests.watched()
    _ = cluster.put(2, "k", "a")
    cluster.crash(2)
    let tokens = (0..<2).map { cluster.send($0, "k", .append([1])) }
    cluster.run()
    // Less than a round's timeout.
    cluster.pass(milliseconds: 100)
    #expect(tokens.allSatisfy { cluster.outcomes[$0] != nil })
  }

  // MARK: - Long polls

  private func wait(_ cluster: Cluster, _ node: Int, unless revision: UInt64, milliseconds: UInt64) -> UInt64 {
    let until = cluster.clock(node) + Milliseconds(milliseconds)
    return cluster.send(
      node, "k", .read, timeout: Milliseconds(milliseconds + 5000),
      wait: Request.Wait(unlessRevision: revision, until: until))
  }

  @Test func aWaitIsAnsweredByTheNextChangeOrAtItsEnd() {
    let cluster = PaperTests.watched()
    let creation = (0..<3).map { wait(cluster, $0, unless: 0, milliseconds: 2500) }
    cluster.run()
    #expect(creation.allSatisfy { cluster.outcomes[$0] == nil })
    _ = cluster.put(0, "k", "a")
    cluster.pass(milliseconds: 10)
    #expect(creation.allSatisfy { cluster.outcomes[$0] == value("a", at: 1) })
    #expect(cluster.outcomes[wait(cluster, 1, unless: 7, milliseconds: 2500)] == nil)
    cluster.run()
    let deletion = wait(cluster, 2, unless: 1, milliseconds: 2500)
    let end = wait(cluster, 1, unless: 1, milliseconds: 20)
    cluster.run()
    cluster.pass(milliseconds: 20)
    #expect(cluster.outcomes[end] == value("a", at: 1))
    #expect(cluster.outcomes[deletion] == nil)
    _ = cluster.ask(0, "k", .delete)
    cluster.pass(milliseconds: 10)
    // An absent register is waited for, also one that was there before.
    #expect(cluster.outcomes[deletion] == nil)
    _ = cluster.put(1, "k", "b")
    cluster.pass(milliseconds: 10)
    #expect(cluster.outcomes[deletion] == value("b", at: 3))
    #expect(cluster.nodes.allSatisfy { $0.replica.isQuiescent })
  }

  @Test func aWaitOutlastsALostQuorumAndIsForgottenWhenItsClientIsGone() {
    let cluster = PaperTests.watched()
    _ = cluster.put(0, "k", "a")
    let token = wait(cluster, 0, unless: 1, milliseconds: 5000)
    let gone = wait(cluster, 0, unless: 1, milliseconds: 5000)
    cluster.run()
    cluster.step(0, .cancel(token: gone))
    for node in 1...2 { cluster.crash(node) }
    cluster.pass(milliseconds: 2500)
    #expect(cluster.outcomes[token] == nil)
    for node in 1...2 { cluster.restart(node) }
    // Written while node 0 misses it: the poll finds it.
    _ = cluster.ask(1, "k", .put([2]))
    cluster.pass(milliseconds: 1500)
    #expect(cluster.outcomes[token] == .read(Versioned(revision: 2, value: [2])))
    #expect(cluster.outcomes[gone] == nil)
    #expect(cluster.nodes.allSatisfy { $0.replica.isQuiescent })
  }
}
