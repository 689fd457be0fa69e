import Base
import RaftLog
import Replica
import Simulator
import Testing

/// Changes of membership that are interrupted.
@Suite struct MembershipFaultTests {
  private static let changed = Outcome.changed(revision: 1, .replaced, replayed: false)

  // MARK: - Both majorities

  @Test(arguments: [[3, 4, 5], [0, 1, 2]]) func aJointConfigurationNeedsBothMajorities(_ missing: [Int]) throws {
    let cluster = Cluster(7, members: 3)
    let leader = try #require(cluster.elect())
    cluster.change(leader, to: [3, 4, 5])
    let away = missing.filter { $0 != leader }.prefix(2)
    // Cut off, each by itself, as soon as the joint configuration is there, and before it is committed.
    func isLost(_ envelope: Cluster.Envelope) -> Bool {
      cluster.configuration(of: leader).isJoint && envelope.from != envelope.to
        && (away.contains(envelope.from) || away.contains(envelope.to))
    }
    cluster.run(dropping: isLost)
    let index = cluster.nodes[leader].replica.log.lastIndex
    cluster.pass(milliseconds: 100, dropping: isLost)
    #expect(cluster.configuration(of: leader).isJoint)
    #expect(cluster.nodes[leader].replica.commit < index)
    // A leader without one of its majorities is none for long, and nobody else is elected.
    cluster.pass(milliseconds: 2000, dropping: isLost)
    #expect(cluster.leader == nil)
    #expect(cluster.settle([3, 4, 5]))
    #expect(cluster.monitor.failures == [])
  }

  // MARK: - The leader dies

  /// After so many messages of the change. Another finishes what there is, asked again by whoever waits.
  @Test(arguments: 0..<40) func theLeaderDiesAtEachStep(_ step: Int) throws {
    for wanted in [[0, 1, 3], [3, 4, 5], [0]] {
      let cluster = Cluster(6, members: 3, seed: UInt64(step))
      let leader = try #require(cluster.elect())
      cluster.pass(milliseconds: 120)
      let asked = (leader + 1) % 3
      let token = cluster.change(asked, to: wanted)
      var delivered = 0
      while delivered < step, !cluster.network.isEmpty {
        let envelope = cluster.network.removeFirst()
        cluster.deliver(envelope)
        delivered += 1
      }
      cluster.crash(leader)
      // The leader that died may be all that the new set has.
      if wanted == [leader] {
        cluster.pass(milliseconds: 500)
        cluster.restart(leader)
      }
      let outcome = cluster.answer(token, within: 20_000)
      #expect(outcome == Self.changed, "\(wanted), step \(step): \(outcome.map { "\($0)" } ?? "nothing")")
      cluster.pass(milliseconds: 1000)
      if !cluster.nodes[leader].isUp { cluster.restart(leader) }
      #expect(cluster.settle(wanted), "\(wanted), step \(step)")
      #expect(cluster.put(wanted[0], "k", "a") == .changed(revision: 1, .created, replayed: false))
      #expect(cluster.monitor.failures == [])
    }
  }

  /// All nodes, in the middle.
  @Test(arguments: 0..<30) func allRestartInTheMiddle(_ step: Int) throws {
    let cluster = Cluster(5, members: 3, seed: UInt64(step))
    let leader = try #require(cluster.elect())
    _ = cluster.put(leader, "k", "a")
    cluster.change(leader, to: [2, 3, 4])
    for _ in 0..<step where !cluster.network.isEmpty { cluster.deliver(cluster.network.removeFirst()) }
    for node in 0..<5 { cluster.crash(node) }
    cluster.pass(milliseconds: 100)
    for node in 0..<5 { cluster.restart(node) }
    cluster.pass(milliseconds: 3000)
    // It was not begun, or it was brought to its end.
    #expect(cluster.areMembers([0, 1, 2]) || cluster.areMembers([2, 3, 4]))
    #expect(cluster.get(2, "k") == value("a", at: 1))
    #expect(cluster.monitor.failures == [])
  }

  // MARK: - What is taken back

  /// 4.1: a configuration goes with its entry.
  @Test func aConfigurationGoesWithItsEntry() throws {
    let cluster = Cluster(3)
    let old = try #require(cluster.elect())
    let isCut = cluster.cut([old])
    let token = cluster.change(old, to: [old, (old + 1) % 3])
    cluster.network = []
    #expect(cluster.configuration(of: old).isJoint && cluster.nodes[old].configuration.isJoint)
    cluster.pass(milliseconds: 1500, dropping: isCut)
    let new = try #require(cluster.leader)
    #expect(new != old)
    _ = cluster.put(new, "k", "a")
    for _ in 0..<500 where cluster.configuration(of: old).isJoint { cluster.pass(milliseconds: 1) }
    #expect(cluster.configuration(of: old).epoch == 0 && cluster.nodes[old].configuration.epoch == 0)
    #expect(cluster.monitor.occurrences[.configurationTakenBack] > 0)
    // Whoever waited for it asked again.
    #expect(cluster.answer(token) == Self.changed)
    #expect(cluster.settle([old, (old + 1) % 3].sorted()))
    #expect(cluster.monitor.failures == [])
  }

  /// What the host keeps may tell of a change of which the log, which is the truth, has lost the entry.
  @Test func theLogIsTheTruth() throws {
    let cluster = Cluster(3, members: 1)
    try #require(cluster.elect() == 0)
    let joint = Configuration(joining: [0, 1, 2].map(Cluster.member), after: cluster.configuration)
    cluster.crash(0)
    cluster.nodes[0].configuration = joint
    cluster.restart(0)
    cluster.pass(milliseconds: 10)
    #expect(cluster.configuration(of: 0) == cluster.configuration)
    #expect(cluster.nodes[0].configuration == cluster.configuration)
    #expect(cluster.leader == 0)
  }

  @Test func aChangeThatIsNotCommittedCanBeGivenUp() throws {
    let cluster = Cluster(5, members: 3)
    let leader = try #require(cluster.elect())
    cluster.change(leader, to: [leader, 3, 4])
    let isLost = { (envelope: Cluster.Envelope) in
      cluster.configuration(of: leader).isJoint && cluster.cut([3, 4])(envelope)
    }
    cluster.run(dropping: isLost)
    let joint = cluster.configuration(of: leader)
    #expect(joint.isJoint)
    let token = cluster.configure(leader, Configuration(after: joint, abandoning: true), after: joint)
    #expect(cluster.answer(token, dropping: isLost) == .changed(revision: 2, .replaced, replayed: false))
    cluster.pass(milliseconds: 1000)
    #expect(cluster.areMembers([0, 1, 2]))
    #expect(cluster.configuration(of: leader).epoch == 2)
    #expect(cluster.put(leader, "k", "a") == .changed(revision: 1, .created, replayed: false))
    #expect(cluster.monitor.failures == [])
  }

  // MARK: - One at a time

  @Test func ofTwoChangesThatRaceOneIsRefused() throws {
    let cluster = Cluster(5, members: 3)
    let leader = try #require(cluster.elect())
    cluster.pass(milliseconds: 100)
    let current = cluster.configuration
    let refused = Outcome.conditionFailed(current: Versioned(revision: 0, value: current.encoded))
    let first = cluster.change(leader, to: [0, 1, 2, 3])
    let second = cluster.change((leader + 1) % 3, to: [0, 1, 2, 4])
    #expect(cluster.answer(second) == refused)
    #expect(cluster.answer(first) == Self.changed)
    #expect(cluster.settle([0, 1, 2, 3]))
    // And one that knows an older configuration.
    let late = cluster.change(leader, to: [0, 1], after: current)
    let now = cluster.configuration(of: leader)
    #expect(
      cluster.answer(late) == .conditionFailed(current: Versioned(revision: 2, value: now.encoded)))
    #expect(cluster.monitor.failures == [])
  }

  @Test func whatIsNoChangeOfThisConfigurationIsRefused() throws {
    let cluster = Cluster(4, members: 3)
    let leader = try #require(cluster.elect())
    let current = cluster.configuration
    var other = Cluster.member(1)
    other.incarnation = Incarnation(77)
    let foreign = Configuration(epoch: 0, stable: [Cluster.member(0), other, Cluster.member(2)])
    let asked = [
      Configuration(epoch: 2, stable: [Cluster.member(0)]),
      Configuration(joining: [Cluster.member(0)], after: foreign),
      Configuration(joining: [], after: current),
    ]
    for next in asked {
      let token = cluster.configure(leader, next, after: current)
      #expect(cluster.answer(token) == .conditionFailed(current: Versioned(revision: 0, value: current.encoded)))
    }
    let nothing = cluster.send(leader, "", .put([1, 2, 3]), if: Condition(value: current.encoded))
    #expect(cluster.answer(nothing) == .conditionFailed(current: Versioned(revision: 0, value: current.encoded)))
    #expect(cluster.configuration(of: leader).epoch == 0)
  }

  // MARK: - Snapshots

  /// Where the log does not hold the entry any more, the snapshot holds the configuration.
  @Test func aSnapshotHoldsTheConfiguration() throws {
    var options = RaftOptions()
    options.snapshotLogEntries = 20
    options.retainedLogEntries = 2
    let cluster = Cluster(5, members: 3, options: options)
    let leader = try #require(cluster.elect())
    #expect(cluster.answer(cluster.change(leader, to: [0, 1, 2, 3])) == Self.changed)
    #expect(cluster.settle([0, 1, 2, 3]))
    for number in 0..<100 { _ = cluster.put(leader, "key \(number)", "v") }
    #expect(cluster.nodes.prefix(4).allSatisfy { $0.replica.log.base.index > 20 })
    // The host has forgotten what it knew.
    for node in 0..<4 {
      cluster.crash(node)
      cluster.nodes[node].configuration = cluster.configuration
    }
    for node in 0..<4 { cluster.restart(node) }
    #expect(cluster.areMembers([0, 1, 2, 3]))
    let next = try #require(cluster.elect())
    #expect(cluster.nodes.prefix(4).allSatisfy { $0.configuration.epoch == 2 })
    // A newcomer is given it with the state.
    cluster.resetCounts()
    let token = cluster.change(next, to: [1, 2, 3, 4])
    #expect(cluster.answer(token) == .changed(revision: 3, .replaced, replayed: false))
    #expect(cluster.settle([1, 2, 3, 4]))
    #expect(cluster.sent[.snapshot, default: 0] > 0)
    #expect(cluster.get(4, "key 99") == value("v", at: 1))
    #expect(cluster.monitor.failures == [])
  }

  // MARK: - All at once

  /// Changes at random, on a network that loses and reorders, with nodes that die.
  @Test(arguments: Array(1...12) + [561]) func changesInAnyWeather(_ seed: Int) throws {
    let lab = Lab(6, members: 3, seed % 2 == 0 ? .unreliable : .longReordering, snapshots: true, seed: UInt64(seed))
    let cluster = lab.cluster
    for _ in 0..<40 {
      if let leader = cluster.leader {
        let current = cluster.configuration(of: leader)
        if !current.isJoint, lab.below(2) == 0 {
          let wanted = (0..<6).filter { _ in lab.below(2) == 0 }
          if !wanted.isEmpty { cluster.change(lab.below(3) == 0 ? lab.below(6) : leader, to: wanted, after: current) }
        }
        if current.isJoint, lab.below(2) == 0 {
          cluster.configure(leader, Configuration(after: current, abandoning: true), after: current)
        }
      }
      for _ in 0..<lab.below(6) { lab.start(lab.below(6)) }
      if lab.below(4) == 0 { lab.crash(lab.below(6)) }
      if lab.below(4) == 0 { lab.disconnect(lab.below(6)) }
      lab.pass(milliseconds: lab.below(600))
      for node in 0..<6 where lab.below(2) == 0 {
        lab.connect(node)
        lab.restart(node)
      }
      if !cluster.monitor.failures.isEmpty { break }
    }
    lab.network = .reliable
    for node in 0..<6 {
      lab.connect(node)
      lab.restart(node)
    }
    lab.pass(milliseconds: 6000)
    let leader = try #require(cluster.leader)
    let last = cluster.configuration(of: leader)
    #expect(!last.isJoint)
    #expect(cluster.areMembers(last.members.map { Int($0.id.value) - 1 }))
    #expect(cluster.put(leader, "k", "a") == .changed(revision: 1, .created, replayed: false))
    lab.expectInvariants()
  }

  // MARK: - Answers that are lost

  /// A refusal leaves no entry that would tell of it. Found by the simulator: replaced-leaders, seed 610415.
  @Test func aRefusedChangeWhoseAnswerIsLostIsDecidedAllTheSame() throws {
    let cluster = Cluster()
    let leader = try #require(cluster.elect())
    let follower = (leader + 1) % 3
    let current = cluster.configuration(of: leader)
    let another = Configuration(joining: [0, 1].map(Cluster.member), after: current)
    let token = cluster.configure(follower, current, after: another)
    cluster.pass(milliseconds: 10) { $0.message.kind == .forwardReply }
    #expect(cluster.outcomes[token] == nil)
    #expect(
      cluster.answer(token, within: 1000)
        == .conditionFailed(current: Versioned(revision: 0, value: current.encoded)))
  }

  /// Meanwhile it is sent again, and what has no entry yet is not taken for refused.
  @Test func aChangeThatWaitsForANewcomerIsNotTakenForRefused() throws {
    let cluster = Cluster(4, members: 3)
    let leader = try #require(cluster.elect())
    cluster.crash(3)
    let token = cluster.change((leader + 1) % 3, to: [0, 1, 2, 3])
    cluster.pass(milliseconds: 1000)
    #expect(cluster.sent[.forward, default: 0] > 2)
    cluster.restart(3)
    #expect(
      cluster.answer(token) { $0.message.kind == .forwardReply } == .changed(revision: 1, .replaced, replayed: false))
    #expect(cluster.settle([0, 1, 2, 3]))
    #expect(cluster.configuration(of: 3).epoch == 2)
  }

  /// Its entry stands no higher than the leader has said, but is not applied here yet.
  @Test func whatIsNotAppliedYetIsNotTakenForRefused() throws {
    let cluster = Cluster()
    let leader = try #require(cluster.elect())
    let follower = (leader + 1) % 3
    let token = cluster.send(follower, "n", .add(1))
    cluster.pass(milliseconds: 500) { envelope in
      envelope.to == follower && (envelope.message.kind == .append || envelope.message.kind == .forwardReply)
    }
    #expect(cluster.sent[.forwardRepeated, default: 0] > 0)
    #expect(cluster.outcomes[token] == nil)
    #expect(cluster.answer(token) == .changed(revision: 1, .number(1), replayed: false))
    cluster.pass(milliseconds: 500)
    #expect(cluster.get(leader, "n") == value("1", at: 1))
  }
}
