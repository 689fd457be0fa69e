import Base
import Register
import Replica
import Testing

/// Changes of membership, as one partition's replicas live through them (PROTOCOL, Membership; R11). Installing and
/// the configuration register are the host's.
@Suite struct MembershipTests {
  static func joint(_ cluster: Cluster, to members: [Int], after stable: Configuration? = nil) -> Configuration {
    Configuration(joining: members.map { Cluster.member($0) }, after: stable ?? cluster.configuration)
  }

  /// Carries everything over, asked by node `driver` as often as it takes.
  static func carry(_ cluster: Cluster, by driver: Int, dropping isDropped: (Cluster.Envelope) -> Bool = { _ in false })
  {
    for _ in 0..<50 {
      cluster.step(driver, .carryOver)
      cluster.pass(milliseconds: 200, dropping: isDropped)
      if cluster.nodes[driver].replica.statistics.carrying?.isDone == true { return }
    }
  }

  @Test(arguments: [[1, 2, 3], [3, 4, 5], [0], [0, 1, 2, 3, 4], [2, 5]])
  func anySetBecomesAnyOther(_ wanted: [Int]) {
    let cluster = Cluster(6, members: 3)
    for number in 0..<700 { _ = cluster.put(number % 6, "key \(number)", "value \(number)") }
    for number in 0..<50 { _ = cluster.ask(0, "key \(number)", .delete) }
    let joint = Self.joint(cluster, to: wanted)
    cluster.install(joint, on: 0..<6)
    // Reads and writes go on, through members old and new, and through who is none.
    for number in 50..<60 {
      #expect(cluster.put(number % 6, "key \(number)", "new") == .changed(revision: 2, .replaced, replayed: false))
      #expect(cluster.get((number + 1) % 6, "key \(number)") == value("new", at: 2))
    }
    Self.carry(cluster, by: wanted[0])
    let statistics = cluster.nodes[wanted[0]].replica.statistics.carrying
    #expect(statistics?.isDone == true)
    #expect(statistics?.carried == 700)
    let stable = Configuration(after: joint, abandoning: false)
    cluster.install(stable, on: 0..<6)
    for leaving in 0..<3 where !wanted.contains(leaving) { cluster.crash(leaving) }
    for number in 0..<700 {
      let expected: Outcome =
        number < 50
        ? .read(nil) : number < 60 ? value("new", at: 2) : value("value \(number)", at: 1)
      #expect(cluster.get(wanted[number % wanted.count], "key \(number)") == expected)
    }
    // Revisions go on where they were.
    #expect(cluster.put(wanted[0], "key 0", "again") == .changed(revision: 3, .created, replayed: false))
  }

  /// Step 3 is what keeps the registers: without it the new set has never heard of them.
  @Test func whoIsNotCarriedOverIsLost() {
    let cluster = Cluster(6, members: 3)
    _ = cluster.put(0, "k", "v")
    let joint = Self.joint(cluster, to: [3, 4, 5])
    cluster.install(joint, on: 0..<6)
    cluster.install(Configuration(after: joint, abandoning: false), on: 0..<6)
    #expect(cluster.get(3, "k") == .read(nil))
  }

  @Test func aJointRoundNeedsBothMajorities() {
    let cluster = Cluster(6, members: 3)
    _ = cluster.put(0, "k", "v")
    let joint = Self.joint(cluster, to: [3, 4, 5])
    cluster.install(joint, on: 0..<6)
    for away in [3, 4] { cluster.crash(away, noticed: false) }
    let token = cluster.send(0, "k", .put([1]))
    cluster.pass(milliseconds: 1000)
    #expect(cluster.outcomes[token] == nil)
    cluster.restart(3)
    cluster.pass(milliseconds: 1000)
    #expect(cluster.outcomes[token] == .changed(revision: 2, .replaced, replayed: false))
  }

  /// R11: a promise that rode on an accept of the old epoch is no promise of the new one.
  @Test func aCachedPromiseEndsWithItsEpoch() {
    let cluster = Cluster(4, members: 3)
    _ = cluster.put(0, "k", "a")
    cluster.resetCounts()
    _ = cluster.put(0, "k", "b")
    #expect(cluster.sent["prepare", default: 0] == 0)
    cluster.install(Self.joint(cluster, to: [0, 1, 2, 3]), on: 0..<4)
    #expect(cluster.put(0, "k", "c") == .changed(revision: 3, .replaced, replayed: false))
    #expect(cluster.sent["prepare", default: 0] == 3)
  }

  /// R11: a round that began in an epoch that is over comes to nothing, and its operation goes on in the next.
  @Test func aRoundUnderWayBeginsAnew() {
    let cluster = Cluster(4, members: 3)
    _ = cluster.put(0, "k", "a")
    let token = cluster.send(0, "k", .put(Array("b".utf8)))
    let accepts = cluster.take { $0.message.kind == "accept" }
    #expect(accepts.count == 2)
    let joint = Self.joint(cluster, to: [1, 2, 3])
    cluster.install(joint, on: 0..<4)
    for accept in accepts { cluster.deliver(accept) }
    #expect(cluster.sent["stale", default: 0] == 2)
    cluster.run()
    cluster.pass(milliseconds: 500)
    #expect(cluster.outcomes[token] == .changed(revision: 2, .replaced, replayed: false))
    #expect(cluster.get(3, "k") == value("b", at: 2))
  }

  /// A coordinator dies half-way; another member begins from the front and ends it.
  @Test func anotherMemberEndsWhatWasBegun() {
    let cluster = Cluster(5, members: 3)
    for number in 0..<600 { _ = cluster.put(0, "key \(number)", "value \(number)") }
    let joint = Self.joint(cluster, to: [2, 3, 4])
    cluster.install(joint, on: 0..<5)
    cluster.step(0, .carryOver)
    var delivered = 0
    cluster.run { _ in
      delivered += 1
      return delivered > 800
    }
    #expect(cluster.nodes[0].replica.statistics.carrying?.isDone == false)
    cluster.crash(0)
    Self.carry(cluster, by: 4)
    #expect(cluster.nodes[4].replica.statistics.carrying?.isDone == true)
    cluster.install(Configuration(after: joint, abandoning: false), on: 1..<5)
    cluster.crash(1)
    for number in 0..<600 { #expect(cluster.get(3, "key \(number)") == value("value \(number)", at: 1)) }
  }

  /// Lost messages cost a repeat of the hint, no register.
  @Test func carryingOverSurvivesABadNetwork() {
    let cluster = Cluster(5, members: 3)
    for number in 0..<300 { _ = cluster.put(0, "key \(number)", "value \(number)") }
    let joint = Self.joint(cluster, to: [2, 3, 4])
    cluster.install(joint, on: 0..<5)
    var random = SeededRandom(seed: 3)
    Self.carry(cluster, by: 1) { _ in random.below(5) == 0 }
    #expect(cluster.nodes[1].replica.statistics.carrying?.isDone == true)
    cluster.install(Configuration(after: joint, abandoning: false), on: 0..<5)
    for leaving in [0, 1] { cluster.crash(leaving) }
    for number in 0..<300 { #expect(cluster.get(4, "key \(number)") == value("value \(number)", at: 1)) }
  }

  /// Given up: nothing needs to be carried back.
  @Test func aChangeThatIsAbandonedLosesNothing() {
    let cluster = Cluster(6, members: 3)
    for number in 0..<20 { _ = cluster.put(0, "key \(number)", "a") }
    let joint = Self.joint(cluster, to: [3, 4, 5])
    cluster.install(joint, on: 0..<6)
    for number in 0..<10 { _ = cluster.put(1, "key \(number)", "b") }
    let back = Configuration(after: joint, abandoning: true)
    #expect(back.epoch == 2 && back.members == cluster.configuration.members)
    cluster.install(back, on: 0..<6)
    for leaving in 3..<6 { cluster.crash(leaving) }
    for number in 0..<20 {
      let expected = number < 10 ? value("b", at: 2) : value("a", at: 1)
      #expect(cluster.get(2, "key \(number)") == expected)
    }
  }

  /// A node that left and enters again brings nothing with it: what it holds may have been erased since (`since`).
  @Test func whoEntersAgainBringsNothingBack() {
    let cluster = Cluster(4, members: 3)
    _ = cluster.put(2, "k", "old")
    let leaving = Self.joint(cluster, to: [0, 1, 3])
    cluster.install(leaving, on: [0, 1, 3])
    Self.carry(cluster, by: 0)
    let without = Configuration(after: leaving, abandoning: false)
    cluster.install(without, on: [0, 1, 3])
    let entering = Self.joint(cluster, to: [0, 1, 2], after: without)
    cluster.install(entering, on: 0..<4)
    #expect(entering.since(of: NodeID(3)) == 3)
    let replica = cluster.nodes[2].replica
    let record = replica.acceptor.table.find(Key(Array("k".utf8)))
    #expect(record.map { replica.acceptor.table[$0].accepted } == .zero)
    // Also from the disk, where it still stands.
    cluster.crash(2)
    cluster.restart(2)
    let again = cluster.nodes[2].replica
    let restored = again.acceptor.table.find(Key(Array("k".utf8)))
    #expect(restored.map { again.acceptor.table[$0].accepted } == .zero)
    #expect(restored.map { again.acceptor.table[$0].promised != .zero } == true)
    #expect(cluster.get(2, "k") == value("old", at: 1))
  }

  /// R6 across epochs: a quorum of today that reports a ballot from before the last change is no proof that it was
  /// chosen, and is not believed.
  @Test func aReadDoesNotBelieveABallotOfBeforeTheLastChange() {
    let cluster = Cluster(6, members: 5)
    // Accepted on nodes 0 and 1 alone, so never chosen.
    let token = cluster.send(0, "k", .put([1]), timeout: 50)
    cluster.run { $0.message.kind == "prepare" && $0.to == 4 }
    _ = token
    let held = cluster.take { $0.message.kind == "accept" && $0.to > 1 }
    _ = held
    let joint = Self.joint(cluster, to: [0, 1, 5])
    cluster.install(joint, on: 0..<6)
    let stable = Configuration(after: joint, abandoning: false)
    cluster.install(stable, on: [0, 1, 5])
    cluster.resetCounts()
    _ = cluster.get(0, "k")
    #expect(cluster.sent["prepare", default: 0] > 0)
  }

  /// A node that is no member any more hands over what its clients ask, and refuses to coordinate for others.
  @Test func whoLeftServesByAskingAMember() {
    let cluster = Cluster(4, members: 3)
    _ = cluster.put(0, "k", "a")
    let joint = Self.joint(cluster, to: [1, 2, 3])
    cluster.install(joint, on: 0..<4)
    Self.carry(cluster, by: 1)
    cluster.install(Configuration(after: joint, abandoning: false), on: 0..<4)
    #expect(cluster.put(0, "k", "b") == .changed(revision: 2, .replaced, replayed: false))
    #expect(cluster.get(0, "k") == value("b", at: 2))
    let token = cluster.list(0)
    cluster.run()
    #expect((cluster.pages[token] ?? nil)?.entries.count == 1)
    for member in 1..<4 { cluster.crash(member) }
    #expect(cluster.put(0, "k", "c") == .refused(.noQuorum))
  }

  /// It knows no revisions, and the window may not reach back to the first: what it hands over is done all the same.
  @Test func whoIsNoMemberChangesWhatHasALongHistory() {
    let cluster = Cluster(4, members: 3)
    for number in 1...40 { #expect(cluster.put(number % 3, "k", "\(number)") != nil) }
    for number in 41...60 {
      #expect(cluster.put(3, "k", "\(number)") == .changed(revision: UInt64(number), .replaced, replayed: false))
    }
    #expect(cluster.get(3, "k") == value("60", at: 60))
  }

  /// What a member was handed and did not answer is unknown to who is no member, and is not tried again.
  @Test func whoIsNoMemberDoesNotTryTwice() {
    let cluster = Cluster(4, members: 3)
    _ = cluster.put(0, "k", "a")
    let token = cluster.send(3, "k", .put(Array("b".utf8)))
    let forwards = cluster.take { $0.message.kind == "forward" }
    #expect(forwards.count == 1)
    cluster.setReachable(3, forwards[0].to, false)
    #expect(cluster.outcomes[token] == .unknown)
  }

  // MARK: - The register of the configuration

  private static func change(
    _ cluster: Cluster, _ node: Int, from present: Configuration, to next: Configuration
  ) -> Outcome? {
    let condition =
      present.epoch == 0 ? Condition(exists: false) : Condition(value: present.encoded)
    return cluster.ask(node, "", .put(next.encoded), if: condition)
  }

  @Test func oneOfTwoChangesIsChosen() {
    let cluster = Cluster(5, members: 3)
    let first = Self.joint(cluster, to: [1, 2, 3])
    let second = Self.joint(cluster, to: [1, 2, 4])
    #expect(Self.change(cluster, 0, from: cluster.configuration, to: first)?.isApplied == true)
    guard case .conditionFailed(let current) = Self.change(cluster, 1, from: cluster.configuration, to: second) else {
      Issue.record("the second change was not refused")
      return
    }
    #expect(current.flatMap { Configuration(encoded: $0.value) } == first)
    #expect(cluster.nodes[0].replica.proposedConfiguration == first)
  }

  /// The configuration of epoch n is changed by rounds of epoch n only: a node that has not installed it would ask the
  /// quorums of the epoch before.
  @Test func aConfigurationIsChangedByRoundsOfItsOwnEpoch() {
    let cluster = Cluster(5, members: 3)
    let joint = Self.joint(cluster, to: [2, 3, 4])
    #expect(Self.change(cluster, 0, from: cluster.configuration, to: joint)?.isApplied == true)
    cluster.install(joint, on: [3, 4])
    // Nodes 0 to 2 are a quorum of epoch 0 and hold the very configuration that is to be replaced.
    let stable = Configuration(after: joint, abandoning: false)
    guard case .conditionFailed = Self.change(cluster, 1, from: joint, to: stable) else {
      Issue.record("a joint configuration was ended by the old majority alone")
      return
    }
    cluster.install(joint, on: 0..<3)
    #expect(Self.change(cluster, 1, from: joint, to: stable)?.isApplied == true)
  }

  /// It is nobody's key: no listing shows it, no count of registers counts it.
  @Test func theConfigurationIsNotListed() {
    let cluster = Cluster(3)
    _ = cluster.put(0, "k", "v")
    #expect(
      Self.change(cluster, 0, from: cluster.configuration, to: Self.joint(cluster, to: [0, 1]))?.isApplied == true)
    let token = cluster.list(0)
    cluster.run()
    #expect((cluster.pages[token] ?? nil)?.entries.map { $0.key } == [Array("k".utf8)])
    #expect(cluster.nodes[0].replica.statistics.registers == 1)
  }

  /// R8: a coordinator that is no member any more does not call what it has sent "not started".
  @Test func whoLeavesDoesNotDenyWhatItHasSent() {
    let cluster = Cluster(3)
    _ = cluster.put(0, "k", "a")
    let token = cluster.send(1, "k", .put(Array("b".utf8)))
    cluster.run { $0.message.kind == "accepted" }
    let joint = Self.joint(cluster, to: [1, 2])
    let stable = Configuration(after: joint, abandoning: false)
    cluster.install(stable, on: [0])
    cluster.run()
    #expect(cluster.outcomes[token] == nil)
    cluster.install(stable, on: [1, 2])
    cluster.pass(milliseconds: 1000)
    #expect(cluster.outcomes[token] == .changed(revision: 2, .replaced, replayed: false))
  }

  /// R11: what comes in an epoch that is being installed waits for that, and needs no second attempt.
  @Test func messagesOfTheNextEpochWait() {
    let cluster = Cluster(3)
    _ = cluster.put(0, "k", "a")
    let joint = Self.joint(cluster, to: [0, 1])
    cluster.install(joint, on: [0])
    let token = cluster.send(0, "k", .put(Array("b".utf8)))
    cluster.run()
    #expect(cluster.outcomes[token] == nil)
    cluster.install(joint, on: [1, 2])
    cluster.run()
    #expect(cluster.outcomes[token] == .changed(revision: 2, .replaced, replayed: false))
    #expect(cluster.sent["stale", default: 0] == 0)
  }
}

extension Outcome {
  fileprivate var isApplied: Bool {
    if case .changed = self { true } else { false }
  }
}
