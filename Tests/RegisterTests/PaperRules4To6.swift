import Base
import Register
import Replica
import Testing

// R4 to R6: what may be answered, and the two paths of one round.
extension PaperTests {
  /// A put that only its proposer has accepted, and that then died.
  private func clusterWithMinorityValue(_ action: Action = .put([9]), restarting: Bool = true) -> Cluster {
    let cluster = Self.watched()
    _ = cluster.ask(0, "k", .put([1]))
    cluster.send(0, "k", action)
    _ = cluster.take(Self.isKind("accept"))
    cluster.run()
    cluster.crash(0)
    if restarting { cluster.restart(0) }
    return cluster
  }

  // v accepted on A alone: one read through A and B says v, the next through B and C the old value.
  @Test func r4_aReadIsAnsweredOnlyOnceItsCellIsChosen() {
    let cluster = clusterWithMinorityValue()
    // A and B find a mix; A carries v on, and that is lost: no one may be told of v.
    cluster.setReachable(0, 2, false)
    let token = cluster.send(0, "k", .read)
    cluster.run { Self.isolating(2)($0) || Self.isKind("accept")($0) }
    #expect(cluster.outcomes[token] == nil)
    cluster.crash(0)
    for node in 1...2 { #expect(cluster.get(node, "k") == Self.read([1], at: 1)) }
    // Where it gets through, everyone reads v from then on.
    let other = clusterWithMinorityValue()
    #expect(other.get(0, "k") == Self.read([9], at: 2))
    other.crash(0)
    for node in 1...2 { #expect(other.get(node, "k") == Self.read([9], at: 2)) }
  }

  // A failed CAS has the same hole.
  @Test func r4_aFailedConditionIsAnsweredOnlyOnceItsCellIsChosen() {
    let cluster = clusterWithMinorityValue()
    cluster.setReachable(0, 2, false)
    let token = cluster.send(0, "k", .put([7]), if: Condition(revisionIn: [1]))
    cluster.run { Self.isolating(2)($0) || Self.isKind("accept")($0) }
    #expect(cluster.outcomes[token] == nil)
    cluster.crash(0)
    let swap = cluster.ask(1, "k", .put([8]), if: Condition(revisionIn: [1]))
    #expect(swap == .changed(revision: 2, .replaced, replayed: false))
    let other = clusterWithMinorityValue()
    let outcome = other.ask(0, "k", .put([7]), if: Condition(revisionIn: [1]))
    #expect(outcome == .conditionFailed(current: Versioned(revision: 2, value: [9])))
    other.crash(0)
    #expect(other.get(1, "k") == Self.read([9], at: 2))
  }

  @Test func r4_aSentChangeIsNotAnsweredFromAnOldCell() {
    let cluster = Self.watched()
    // Create-if-absent, accepted on its proposer alone; the retry finds itself, not a failed condition.
    let token = cluster.send(0, "k", .put([1]), if: Condition(exists: false))
    cluster.run { $0.message.kind == "accept" }
    cluster.pass(milliseconds: 400)
    #expect(cluster.outcomes[token] == .changed(revision: 1, .created, replayed: false))
  }

  // A change accepted on one node is answered 412 from the others' old cell, and takes effect later.
  @Test func r4_aSentChangeIsDecidedByAFullRoundThoughItsOwnNodeNeverHeldIt() {
    let cluster = Self.watched()
    _ = cluster.ask(0, "k", .put([1]))
    cluster.crash(0)
    cluster.restart(0)
    // One fold of a put, and of a change that needs it: the put's first round is lost.
    let put = cluster.send(0, "k", .put([2]), timeout: 600)
    let needy = cluster.send(0, "k", .put([3]), if: Condition(revisionIn: [2]))
    _ = cluster.take { _ in true }
    while cluster.network.isEmpty {
      cluster.now = cluster.now + 1
      if cluster.nodes[0].replica.nextTick <= cluster.now { cluster.step(0, .tick) }
    }
    for envelope in cluster.take(Self.isKind("prepare")) { cluster.deliver(envelope) }
    let promises = cluster.take { $0.message.kind == "promise" }
    // Node 0 promises to node 1, which then gives up, before it hears the promises that it asked for itself.
    cluster.setReachable(1, 0, false)
    cluster.send(1, "k", Self.settle(nil, known: 0), timeout: 5)
    for envelope in cluster.take({ _ in true }) where envelope.to == 0 { cluster.deliver(envelope) }
    _ = cluster.take { _ in true }
    for envelope in promises { cluster.deliver(envelope) }
    // Node 2 alone accepts.
    for envelope in cluster.take({ _ in true }) where envelope.to == 2 { cluster.deliver(envelope) }
    #expect(cluster.take { _ in true }.map(\.message.kind) == ["accepted"])
    cluster.now = cluster.now + 500
    cluster.step(0, .tick)
    cluster.crash(2)
    cluster.setReachable(1, 0, true)
    cluster.pass(milliseconds: 800)
    #expect(cluster.outcomes[put] == .unknown)
    #expect(cluster.outcomes[needy] == .conditionFailed(current: Versioned(revision: 1, value: [1])))
    // Nodes 1 and 2 find what node 2 accepted, if nothing was put above it.
    cluster.crash(0)
    cluster.restart(2)
    let read = cluster.send(2, "k", .read)
    cluster.pass(milliseconds: 400)
    #expect(cluster.outcomes[read] == .read(Versioned(revision: 1, value: [1])))
  }

  @Test func r4_aCachedBaseIsNoEvidence() {
    let cluster = Self.watched()
    _ = cluster.ask(0, "k", .put([1]))
    // Node 0 keeps its cached promise while the others move on without it.
    for other in 1...2 { cluster.setReachable(other, 0, false) }
    _ = cluster.send(1, "k", .put([2]))
    cluster.run(dropping: Self.isolating(0))
    let token = cluster.send(0, "k", .put([3]), if: Condition(revisionIn: [2]))
    #expect(cluster.outcomes[token] == nil)
    cluster.run()
    cluster.pass(milliseconds: 300)
    #expect(cluster.outcomes[token] == .changed(revision: 3, .replaced, replayed: false))
  }

  // A promise tied to a stale base cell loses an update. Here A misses both phases of B's round.
  @Test func r5_aCachedPromiseThatWasOvertakenLosesNoUpdate() {
    let cluster = Self.watched()
    _ = cluster.ask(0, "k", .append([1]))
    for other in 1...2 { cluster.setReachable(other, 0, false) }
    let hidden = cluster.send(1, "k", .append([2]))
    cluster.run(dropping: Self.isolating(0))
    #expect(cluster.outcomes[hidden] == .changed(revision: 2, .length(2), replayed: false))
    let token = cluster.send(0, "k", .append([3]))
    cluster.run()
    cluster.pass(milliseconds: 300)
    #expect(cluster.outcomes[token] == .changed(revision: 3, .length(3), replayed: false))
    #expect(cluster.get(2, "k") == .read(Versioned(revision: 3, value: [1, 2, 3])))
  }

  // Here it hears the prepare alone: what A has promised is no longer its own ballot.
  @Test func r5_aPromiseToAnotherEndsTheReign() {
    let cluster = Self.watched()
    _ = cluster.ask(0, "k", .append([1]))
    for other in 1...2 { cluster.setReachable(other, 0, false) }
    let hidden = cluster.send(1, "k", .append([2]))
    cluster.run { Self.isKind("accept")($0) && $0.to == 0 }
    #expect(cluster.outcomes[hidden] == .changed(revision: 2, .length(2), replayed: false))
    cluster.setReachable(0, 1, false)
    let token = cluster.send(0, "k", .append([3]))
    cluster.run()
    cluster.pass(milliseconds: 300)
    #expect(cluster.outcomes[token] == .changed(revision: 3, .length(3), replayed: false))
    #expect(cluster.get(2, "k") == Self.read([1, 2, 3], at: 3))
    #expect(cluster.monitor?.failures == [])
  }

  // Here the accept alone.
  @Test func r5_anAcceptFromAnotherEndsTheReign() {
    let cluster = Self.watched()
    _ = cluster.ask(0, "k", .append([1]))
    for other in 1...2 { cluster.setReachable(other, 0, false) }
    // Node 0 misses the prepare and gets the accept: what it promises now is node 1's ballot, not its own.
    let first = cluster.send(1, "k", .append([2]))
    cluster.run { $0.message.kind == "prepare" && $0.to == 0 }
    #expect(cluster.outcomes[first] == .changed(revision: 2, .length(2), replayed: false))
    cluster.setReachable(0, 1, false)
    let second = cluster.send(0, "k", .append([3]))
    let third = cluster.send(1, "k", .append([4]))
    cluster.run()
    cluster.pass(milliseconds: 400)
    let lengths = [second, third].map { cluster.outcomes[$0] }
    #expect(
      lengths == [
        .changed(revision: 3, .length(3), replayed: false), .changed(revision: 4, .length(4), replayed: false),
      ]
        || lengths == [
          .changed(revision: 4, .length(4), replayed: false), .changed(revision: 3, .length(3), replayed: false),
        ])
    #expect(cluster.monitor?.failures == [])
  }

  @Test func r5_aRestartForgetsTheCachedPromise() {
    let cluster = Self.watched()
    _ = cluster.put(0, "k", "a")
    cluster.crash(0)
    cluster.restart(0)
    cluster.resetCounts()
    #expect(cluster.put(0, "k", "b") == .changed(revision: 2, .replaced, replayed: false))
    #expect(cluster.sent == ["prepare": 2, "promise": 2, "accept": 2, "accepted": 2])
    #expect(cluster.nodes[1].replica.acceptor.table[0].accepted.boot == 2)
  }

  // A minority value is read and then vanishes.
  @Test func r6_aMinorityValueIsNotReadAndThenGone() {
    let cluster = clusterWithMinorityValue()
    #expect(cluster.get(0, "k") == .read(Versioned(revision: 2, value: [9])))
    for node in 0..<3 { #expect(cluster.get(node, "k") == .read(Versioned(revision: 2, value: [9]))) }
    let other = clusterWithMinorityValue(restarting: false)
    #expect(other.get(1, "k") == .read(Versioned(revision: 1, value: [1])))
  }

  // A tombstone that only one node accepted, beside a node that missed the value, reads as absent, and the value comes
  // back.
  @Test func r6_aTombstoneBesideNoRecordIsNoAbsence() {
    let cluster = Self.watched()
    // Nodes 0 and 1 hold the value, node 2 missed it; then node 0 alone accepts the delete.
    _ = cluster.send(0, "k", .put([1]))
    cluster.run { $0.to == 2 }
    cluster.send(0, "k", .delete)
    _ = cluster.take(Self.isKind("accept"))
    cluster.run()
    cluster.crash(0)
    cluster.restart(0)
    // Read by nodes 0 and 2 alone.
    cluster.setReachable(2, 1, false)
    let token = cluster.send(2, "k", .read)
    cluster.run(dropping: Self.isolating(1))
    cluster.pass(milliseconds: 400, dropping: Self.isolating(1))
    #expect(cluster.outcomes[token] == .read(nil))
    // And by nodes 1 and 2 alone: the value must not come back.
    cluster.crash(0)
    cluster.setReachable(2, 1, true)
    let again = cluster.send(1, "k", .read)
    cluster.pass(milliseconds: 400)
    #expect(cluster.outcomes[again] == .read(nil))
  }
}
