import Base
import RaftLog
import Replica
import Simulator
import Testing

/// Joint consensus (dissertation, 4.3), with newcomers that catch up first (4.2.1).
@Suite struct MembershipTests {
  private static let changed = Outcome.changed(revision: 1, .replaced, replayed: false)

  /// 1 → 3 → 5 → 4 → 3 → 1, one replaced, all replaced; work goes on through every node.
  @Test(arguments: [
    [[0], [0, 1, 2], [0, 1, 2, 3, 4], [0, 1, 2, 3], [1, 2, 3], [2]],
    [[0, 1, 2], [0, 1, 3]], [[0, 1, 2], [3, 4, 5]], [[0, 1, 2], [0, 1, 2, 3, 4, 5], [5], [0, 1]],
    [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5]],
  ])
  func anySetBecomesAnyOther(_ sets: [[Int]]) throws {
    var options = RaftOptions()
    options.snapshotLogEntries = 40
    options.retainedLogEntries = 5
    let cluster = Cluster(6, members: sets[0].count, options: options)
    try #require(cluster.elect() != nil)
    var revision: UInt64 = 0
    for (step, set) in sets.enumerated() {
      if step > 0 {
        let leader = try #require(cluster.elect())
        let epoch = UInt64(2 * step - 1)
        #expect(
          cluster.answer(cluster.change(leader, to: set)) == .changed(revision: epoch, .replaced, replayed: false))
        #expect(cluster.settle(set))
        #expect(cluster.configuration(of: set[0]).epoch == epoch + 1)
      }
      for number in 0..<60 {
        // Through members and others.
        revision += 1
        let outcome = cluster.put(number % 6, "k", "\(step) \(number)")
        #expect(
          outcome == .changed(revision: revision, revision == 1 ? .created : .replaced, replayed: false),
          "step \(step), node \(number % 6)")
      }
      cluster.pass(milliseconds: 100)
      for node in 0..<6 { #expect(cluster.get(node, "k") == value("\(step) 59", at: revision)) }
    }
    #expect(cluster.monitor.failures == [])
    // Whoever is none of them any more is not needed.
    let last = try #require(sets.last)
    for node in 0..<6 where !last.contains(node) { cluster.crash(node) }
    cluster.pass(milliseconds: 1000)
    #expect(cluster.get(last[0], "k") == value("\(sets.count - 1) 59", at: revision))
    for node in last { cluster.crash(node) }
    for node in last { cluster.restart(node) }
    try #require(cluster.elect() != nil)
    #expect(cluster.areMembers(last))
    #expect(cluster.get(last[0], "k") == value("\(sets.count - 1) 59", at: revision))
    #expect(cluster.monitor.failures == [])
  }

  // MARK: - Who enters

  @Test func aNewcomerStandsForNothingAndServes() throws {
    let cluster = Cluster(4, members: 3)
    cluster.pass(milliseconds: 3000, dropping: cluster.cut([3]))
    #expect(cluster.nodes[3].replica.term == 0 && cluster.nodes[3].replica.leadership == nil)
    cluster.pass(milliseconds: 200)
    #expect(cluster.put(3, "k", "a") == .changed(revision: 1, .created, replayed: false))
    #expect(cluster.get(3, "k") == value("a", at: 1))
    #expect(cluster.nodes[3].replica.log.lastIndex == 0)
  }

  /// It is asked for nothing before it has caught up: with two more, and three of five away, the old members go on.
  @Test func aNewcomerThatNeverAnswersEndsTheChangeBeforeItBegan() throws {
    let cluster = Cluster(5, members: 3)
    let leader = try #require(cluster.elect())
    cluster.crash(4)
    let token = cluster.change(leader, to: [0, 1, 2, 3, 4])
    cluster.pass(milliseconds: 500)
    #expect(cluster.outcomes[token] == nil)
    let progress = try #require(cluster.nodes[leader].replica.statistics.log)
    #expect(progress.toCatchUp > 0 && progress.caughtUp < progress.toCatchUp)
    #expect(cluster.put(leader, "k", "a") == .changed(revision: 1, .created, replayed: false))
    #expect(cluster.answer(token, within: 15_000) == .refused(.expired))
    #expect(cluster.configuration(of: leader).epoch == 0)
    #expect(cluster.nodes[leader].replica.statistics.log?.toCatchUp == 0)
    let second = cluster.change(leader, to: [0, 1, 2, 3])
    #expect(cluster.answer(second) == Self.changed)
    #expect(cluster.settle([0, 1, 2, 3]))
    #expect(cluster.monitor.failures == [])
  }

  @Test func aChangeEndsByItsDeadlineToo() throws {
    let cluster = Cluster(4, members: 3)
    let leader = try #require(cluster.elect())
    cluster.crash(3)
    for at in [leader, (leader + 1) % 3] {
      let token = cluster.change(at, to: [0, 1, 2, 3], timeout: 2000)
      #expect(cluster.answer(token, within: 2001) == .refused(.expired))
    }
    #expect(cluster.configuration(of: leader).epoch == 0)
  }

  /// Its snapshot takes far longer than a stalled newcomer would be waited for.
  @Test func whoGetsAheadSlowlyHasTime() throws {
    var options = RaftOptions()
    options.snapshotLogEntries = 50
    options.retainedLogEntries = 5
    options.pieceBytes = 200
    options.windowPieces = 1
    options.catchUpTimeout = 300
    let cluster = Cluster(4, members: 3, options: options)
    let leader = try #require(cluster.elect())
    for number in 0..<120 { _ = cluster.put(leader, "key \(number)", "value \(number)") }
    let began = cluster.now
    let token = cluster.change(leader, to: [0, 1, 2, 3])
    var slow: [(due: Instant, envelope: Cluster.Envelope)] = []
    var pieces = 0
    while cluster.outcomes[token] == nil, pieces < 200 {
      cluster.pass(milliseconds: 1) { envelope in
        guard envelope.message.kind == .snapshot else { return false }
        if slow.isEmpty { slow.append((cluster.now + 60, envelope)) }
        return true
      }
      for (_, envelope) in slow where slow[0].due <= cluster.now {
        pieces += 1
        slow = []
        cluster.deliver(envelope)
      }
    }
    #expect(cluster.outcomes[token] == Self.changed)
    #expect(began + 600 < cluster.now)
    #expect(cluster.settle([0, 1, 2, 3]))
    #expect(cluster.monitor.failures == [])
  }

  // MARK: - Who leaves

  /// 4.2.2: it leads until the entry that removes it is committed, and counts its own vote no more; another begins
  /// without an election timeout in between.
  @Test func aLeaderThatRemovesItselfHandsOver() throws {
    let cluster = Cluster(3)
    let leader = try #require(cluster.elect())
    let rest = [0, 1, 2].filter { $0 != leader }
    let term = cluster.nodes[leader].replica.term
    // The last of the others must acknowledge the entry: the leader and one of them are no quorum.
    let token = cluster.change(leader, to: rest)
    let isLost = { (envelope: Cluster.Envelope) in envelope.from == rest[0] && envelope.message.kind != .heartbeatReply
    }
    cluster.run { isLost($0) && cluster.configuration(of: leader).epoch == 2 }
    #expect(cluster.configuration(of: leader).epoch == 2)
    cluster.pass(milliseconds: 100) { $0.from == rest[0] || $0.to == rest[0] }
    #expect(cluster.nodes[leader].replica.leadership == term)
    cluster.pass(milliseconds: 60)
    #expect(cluster.outcomes[token] == Self.changed)
    let next = try #require(cluster.leader)
    #expect(rest.contains(next) && cluster.nodes[next].replica.term == term + 1)
    #expect(cluster.nodes[leader].replica.leadership == nil)
    #expect(cluster.monitor.occurrences[.leaderRemoved] == 1)
    #expect(cluster.put(leader, "k", "a") == .changed(revision: 1, .created, replayed: false))
    #expect(cluster.monitor.failures == [])
  }

  /// A node that was away while it was removed, and whoever it can reach pays no heed to it (4.2.3).
  @Test(arguments: [true, false]) func whoWasRemovedDoesNotDisturb(_ hearsNothing: Bool) throws {
    let cluster = Cluster(4)
    let leader = try #require(cluster.elect())
    let removed = (leader + 1) % 4
    let rest = (0..<4).filter { $0 != removed }
    let isCut = cluster.cut([removed])
    cluster.pass(milliseconds: 1000, dropping: isCut)
    #expect(cluster.answer(cluster.change(leader, to: rest), dropping: isCut) == Self.changed)
    #expect(cluster.settle(rest, dropping: isCut))
    cluster.pass(milliseconds: 5000, dropping: isCut)
    let term = cluster.nodes[leader].replica.term
    cluster.pass(milliseconds: 3000) { hearsNothing && $0.to == removed && $0.from != removed }
    #expect(cluster.leader == leader && cluster.nodes[leader].replica.term == term)
    // Also where it comes with a later term.
    for kind in [Message.preVote(next: term + 9, last: LogPosition(index: 99, term: term + 8)), .vote(granted: false)] {
      var writer = ByteWriter()
      kind.encode(term: term + 8, into: &writer)
      for node in rest {
        cluster.step(node, .message(from: NodeID(UInt16(removed + 1)), ByteReader(writer.bytes)))
      }
    }
    cluster.pass(milliseconds: 1000)
    #expect(cluster.leader == leader && cluster.nodes[leader].replica.term == term)
  }

  /// It hears that it was removed, although it was away when that was decided.
  @Test func whoComesBackInTimeHearsThatItWasRemoved() throws {
    let cluster = Cluster(4)
    let leader = try #require(cluster.elect())
    let removed = (leader + 1) % 4
    let rest = (0..<4).filter { $0 != removed }
    #expect(cluster.answer(cluster.change(leader, to: rest), dropping: cluster.cut([removed])) == Self.changed)
    cluster.pass(milliseconds: 1000, dropping: cluster.cut([removed]))
    cluster.pass(milliseconds: 300)
    #expect(cluster.configuration(of: removed).epoch == 2)
    #expect(cluster.nodes[removed].configuration.epoch == 2)
    #expect(cluster.nodes[removed].replica.commit >= 3)
  }

  /// Figure 4.6: the entry that removes a node is on that node alone, and the others need it.
  @Test func whoIsRemovedStandsForElectionWhileItMayBeNeeded() throws {
    let cluster = Cluster(2, members: 1)
    try #require(cluster.elect() == 0)
    cluster.change(0, to: [1])
    cluster.pass(milliseconds: 200) { $0.to == 1 && cluster.configuration(of: 0).epoch == 2 }
    #expect(cluster.configuration(of: 0).epoch == 2 && cluster.configuration(of: 1).epoch == 1)
    cluster.crash(0)
    cluster.pass(milliseconds: 1000)
    cluster.restart(0)
    #expect(cluster.configuration(of: 0).epoch == 2)
    #expect(cluster.settle([1]))
    cluster.pass(milliseconds: 1000)
    #expect(cluster.leader == 1)
    #expect(cluster.monitor.failures == [])
  }
}
