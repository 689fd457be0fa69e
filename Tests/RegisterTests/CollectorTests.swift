import Base
import Register
import Replica
import Testing

/// The collector, over a network that the test moves.
@Suite struct CollectorTests {
  private static let age: Milliseconds = 20

  private func cluster(_ count: Int = 3) -> Cluster {
    var options = RegisterReplica.Options()
    options.tombstoneAge = Self.age
    return Cluster(count, options: options)
  }

  /// Lets two passes and the rounds of the collector end.
  private func collect(_ cluster: Cluster, milliseconds: UInt64 = 150) {
    for _ in 0..<(milliseconds / 10) {
      cluster.pass(milliseconds: 10)
      cluster.raiseFloors()
      cluster.run()
    }
  }

  private func records(_ cluster: Cluster) -> [Int] { cluster.nodes.map { $0.replica.acceptor.table.count } }

  private func revision(_ outcome: Outcome?) -> UInt64? {
    guard case .changed(let revision, _, _) = outcome else { return nil }
    return revision
  }

  @Test func deletedRegisterIsErasedEverywhere() {
    let cluster = cluster()
    for number in 1...20 { _ = cluster.put(0, "k\(number)", "a") }
    for number in 1...10 { _ = cluster.ask(1, "k\(number)", .delete) }
    #expect(records(cluster) == [20, 20, 20])
    collect(cluster)
    #expect(records(cluster) == [10, 10, 10])
    for node in 0..<3 {
      #expect(cluster.nodes[node].disk.count == 10)
      #expect(cluster.get(node, "k1") == .read(nil))
      #expect(cluster.get(node, "k11") == value("a", at: 1))
    }
    let statistics = cluster.nodes[0].replica.statistics
    #expect(statistics.collecting?.erased == 10)
    #expect(statistics.collecting?.waiting == 0)
  }

  // CONTRACT: a revision never repeats for a key, not even across deletion and garbage collection.
  @Test func registerThatIsMadeAgainGoesOnAboveEveryRevisionItHad() throws {
    let cluster = cluster()
    for _ in 0..<5 { _ = cluster.put(0, "k", "a") }
    let deleted = try #require(revision(cluster.ask(0, "k", .delete)))
    collect(cluster)
    #expect(records(cluster) == [0, 0, 0])
    for node in 0..<3 { cluster.crash(node, noticed: false) }
    for node in 0..<3 { cluster.restart(node) }
    let again = try #require(revision(cluster.put(2, "k", "b")))
    #expect(again > deleted)
    #expect(cluster.get(1, "k") == value("b", at: again))
  }

  @Test func tombstoneIsLeftAloneUntilItIsOld() {
    let cluster = cluster()
    _ = cluster.put(0, "k", "a")
    _ = cluster.ask(0, "k", .delete)
    cluster.pass(milliseconds: Self.age.count * 2 - 2)
    cluster.raiseFloors()
    #expect(records(cluster) == [1, 1, 1])
  }

  // With a member down collection waits; nothing else does.
  @Test func collectionWaitsForAMemberThatIsAway() {
    let cluster = cluster()
    _ = cluster.put(0, "k", "a")
    cluster.crash(2)
    _ = cluster.ask(0, "k", .delete)
    collect(cluster)
    #expect(cluster.nodes[0].replica.acceptor.table.count == 1)
    #expect(cluster.nodes[0].replica.statistics.collecting?.isPaused == true)
    cluster.restart(2)
    // It missed the deletion: a round brings it there first.
    collect(cluster)
    #expect(records(cluster) == [0, 0, 0])
    #expect(cluster.get(2, "k") == .read(nil))
    #expect(cluster.nodes[0].replica.statistics.collecting?.isPaused == false)
  }

  @Test func nothingIsErasedBeforeTheFloorIsDurable() {
    let cluster = cluster()
    _ = cluster.put(0, "k", "a")
    _ = cluster.ask(0, "k", .delete)
    cluster.pass(milliseconds: 200)
    #expect(records(cluster) == [1, 1, 1])
    #expect(cluster.nodes.allSatisfy { $0.floorWanted != nil })
    cluster.raiseFloors()
    collect(cluster)
    #expect(records(cluster) == [0, 0, 0])
  }

  // A node that was away while the others erased still holds the tombstone, and nobody's ballot is its own.
  @Test func leftoverIsCollectedByWhoeverHoldsIt() {
    let cluster = cluster()
    _ = cluster.put(0, "k", "a")
    _ = cluster.ask(0, "k", .delete)
    for _ in 0..<7 {
      cluster.pass(milliseconds: 10) { $0.message.kind == "erase" && $0.to == 2 }
      cluster.raiseFloors()
      cluster.run { $0.message.kind == "erase" && $0.to == 2 }
    }
    #expect(records(cluster) == [0, 0, 1])
    collect(cluster, milliseconds: 400)
    #expect(records(cluster) == [0, 0, 0])
  }

  @Test func barePromiseIsErasedByItsAcceptorAlone() {
    let cluster = cluster()
    cluster.crash(2)
    cluster.send(0, "k", .put([1]))
    // The accepts are lost, and so is the proposer.
    cluster.run { $0.message.kind == "accept" }
    cluster.crash(0)
    #expect(cluster.nodes[1].replica.acceptor.table.count == 1)
    collect(cluster)
    #expect(cluster.nodes[1].replica.acceptor.table.count == 0)
  }

  // Its floor is above every ballot of what it missed: a round has to go above that, or it never hears of the
  // tombstone.
  @Test func memberWithAHighFloorIsReachedToo() {
    let cluster = cluster()
    cluster.crash(2)
    for number in 1...3 {
      _ = cluster.put(0, "k\(number)", "a")
      _ = cluster.ask(0, "k\(number)", .delete)
    }
    collect(cluster)
    #expect(records(cluster).prefix(2) == [3, 3])
    cluster.nodes[2].floor = cluster.nodes[0].floor
    cluster.restart(2)
    #expect(cluster.nodes[2].floor.ballotHigh > 10)
    collect(cluster, milliseconds: 300)
    #expect(records(cluster) == [0, 0, 0])
  }

  @Test func questionsWithoutAnAnswerAreForgotten() {
    let cluster = cluster()
    _ = cluster.put(0, "k", "a")
    _ = cluster.ask(0, "k", .delete)
    cluster.pass(milliseconds: 45) { $0.message.kind == "readReply" }
    #expect(!cluster.nodes[0].replica.isQuiescent)
    _ = cluster.put(0, "k", "b")
    cluster.pass(milliseconds: 100)
    #expect(cluster.nodes.allSatisfy { $0.replica.isQuiescent })
  }

  @Test func aloneItCollectsToo() throws {
    let cluster = cluster(1)
    _ = cluster.put(0, "k", "a")
    let deleted = try #require(revision(cluster.ask(0, "k", .delete)))
    collect(cluster)
    #expect(records(cluster) == [0])
    #expect(try #require(revision(cluster.put(0, "k", "b"))) > deleted)
  }

  @Test func nothingIsErasedInAJointEpoch() {
    let cluster = cluster()
    _ = cluster.put(0, "k", "a")
    _ = cluster.ask(0, "k", .delete)
    let joint = Configuration(joining: [0, 1].map { Cluster.member($0) }, after: cluster.configuration)
    cluster.install(joint, on: 0..<3)
    collect(cluster)
    #expect(records(cluster) == [1, 1, 1])
    let stable = Configuration(after: joint, abandoning: true)
    cluster.install(stable, on: 0..<3)
    collect(cluster, milliseconds: 300)
    #expect(records(cluster) == [0, 0, 0])
  }

  @Test func erasedNumbersAreUsedAgain() {
    let cluster = cluster(1)
    let replica = cluster.nodes[0].replica
    for round in 0..<30 {
      for place in 0..<10 { _ = cluster.put(0, "r\(round)/\(place)", "a") }
      for place in 0..<10 { _ = cluster.ask(0, "r\(round)/\(place)", .delete) }
      collect(cluster)
      #expect(replica.acceptor.table.count == 0)
      // As the store does, when a flush has freed the slots.
      for number in 0..<replica.acceptor.table.numbers { replica.release(UInt32(number)) }
      #expect(replica.acceptor.table.numbers == 10)
      #expect(replica.acceptor.table.keys(prefix: [], after: [], limit: 100).keys.isEmpty)
    }
  }
}
