import Base
import RaftLog
import Replica
import Simulator
import Testing

/// What the paper and the dissertation claim, by section: one replica, and messages written by hand.
@Suite struct PaperTests {
  /// Node 1 of three, with the others played by the test.
  private final class Solo {
    let cluster = Cluster(3, isMonitored: false)
    var replica: RaftReplica { cluster.nodes[0].replica }

    init() {
      for node in [1, 2] { cluster.nodes[node].isUp = false }
    }

    /// Hands node 1 a message; returns what it sends, to others only.
    @discardableResult
    func hear(_ message: Message, term: UInt64, from: Int) -> [Cluster.Envelope] {
      var writer = ByteWriter()
      message.encode(term: term, into: &writer)
      cluster.step(0, .message(from: NodeID(UInt16(from)), ByteReader(writer.bytes)))
      return said()
    }

    /// Lets node 1 hear itself, and takes out what it sends to others.
    func said() -> [Cluster.Envelope] {
      while true {
        let own = cluster.take { $0.to == 0 }
        if own.isEmpty { break }
        for envelope in own { cluster.deliver(envelope) }
      }
      return cluster.take { _ in true }
    }

    func pass(milliseconds: UInt64) -> [Cluster.Envelope] {
      var all: [Cluster.Envelope] = []
      for _ in 0..<milliseconds {
        cluster.now = cluster.now + 1
        if replica.nextTick <= cluster.clock(0) { cluster.step(0, .tick) }
        all += said()
      }
      return all
    }

    func append(_ terms: [UInt64], after previous: LogPosition = .zero, commit: UInt64 = 0, term: UInt64, from: Int = 2)
      -> [Cluster.Envelope]
    {
      hear(.append(previous: previous, commit: commit, entries: terms.map { ($0, [0]) }), term: term, from: from)
    }

    /// Makes node 1 the leader of the next term.
    func lead() {
      _ = pass(milliseconds: 700)
      let next = replica.term + 1
      hear(.preVoteReply(next: next, granted: true), term: replica.term, from: 2)
      hear(.vote(granted: true), term: next, from: 2)
      #expect(replica.leadership == next)
    }

    var logTerms: [UInt64] {
      replica.log.lastIndex == 0 ? [] : (1...replica.log.lastIndex).compactMap { replica.log.term(at: $0) }
    }
  }

  private func votes(_ envelopes: [Cluster.Envelope]) -> [Bool] {
    envelopes.compactMap { if case .vote(let granted) = $0.message { granted } else { nil } }
  }

  // MARK: - §5.1

  @Test func section5_1_aHigherTermEndsALeadership() {
    let solo = Solo()
    solo.lead()
    _ = solo.append([], term: solo.replica.term + 3)
    #expect(solo.replica.leadership == nil)
    #expect(solo.replica.leader == NodeID(2))
  }

  @Test func section5_1_aMessageOfAnEarlierTermIsRefusedAndTellsTheTerm() {
    let solo = Solo()
    _ = solo.append([], term: 5)
    let answers = solo.append([4], term: 4, from: 3)
    #expect(answers.count == 1 && answers[0].term == 5)
    #expect(solo.replica.log.lastIndex == 0)
  }

  // MARK: - §5.2

  @Test func section5_2_oneVoteATermFirstComeFirstServed() {
    let solo = Solo()
    #expect(votes(solo.hear(.requestVote(last: .zero, isTransfer: false), term: 2, from: 2)) == [true])
    #expect(votes(solo.hear(.requestVote(last: .zero, isTransfer: false), term: 2, from: 3)) == [false])
    #expect(votes(solo.hear(.requestVote(last: .zero, isTransfer: false), term: 2, from: 2)) == [true])
    #expect(votes(solo.hear(.requestVote(last: .zero, isTransfer: false), term: 3, from: 3)) == [true])
  }

  @Test func section5_2_aVoteIsDurableBeforeItIsKnown() {
    let solo = Solo()
    solo.cluster.syncsAtOnce = false
    #expect(votes(solo.hear(.requestVote(last: .zero, isTransfer: false), term: 2, from: 2)) == [])
    solo.cluster.sync(0)
    #expect(votes(solo.said()) == [true])
    solo.cluster.crash(0)
    solo.cluster.restart(0)
    solo.cluster.syncsAtOnce = true
    #expect(votes(solo.hear(.requestVote(last: .zero, isTransfer: false), term: 2, from: 3)) == [false])
  }

  @Test func section5_2_aCandidatesRequestsWaitForItsTerm() {
    let solo = Solo()
    _ = solo.pass(milliseconds: 700)
    solo.cluster.syncsAtOnce = false
    let next = solo.replica.term + 1
    #expect(solo.hear(.preVoteReply(next: next, granted: true), term: solo.replica.term, from: 2).isEmpty)
    solo.cluster.sync(0)
    #expect(solo.said().count { if case .requestVote = $0.message { true } else { false } } == 2)
  }

  @Test func section5_2_aSplitVoteEndsByItself() throws {
    let cluster = Cluster(5)
    // All five begin at once, and no pre-vote stops them: the first requests are lost.
    var lost = 40
    let leader = cluster.elect(within: 5000) { envelope in
      if case .requestVote = envelope.message, lost > 0 {
        lost -= 1
        return true
      }
      return false
    }
    #expect(leader != nil)
    #expect(cluster.monitor.failures == [])
  }

  // MARK: - §5.3

  @Test func section5_3_theConsistencyCheck() {
    let solo = Solo()
    _ = solo.append([1, 1, 2], term: 2)
    let refused = solo.append([3], after: LogPosition(index: 3, term: 1), term: 3)
    guard case .mismatch(3, _)? = refused.first?.message else { return #expect(Bool(false), "accepted a gap") }
    let far = solo.append([3], after: LogPosition(index: 9, term: 3), term: 3)
    guard case .mismatch(9, let hint)? = far.first?.message else { return #expect(Bool(false), "accepted a gap") }
    #expect(hint == LogPosition(index: 3, term: 2))
    #expect(solo.logTerms == [1, 1, 2])
  }

  @Test func section5_3_conflictingEntriesAreReplacedWithAllBehindThem() {
    let solo = Solo()
    _ = solo.append([1, 1, 2, 2], term: 2)
    _ = solo.append([3], after: LogPosition(index: 1, term: 1), term: 3)
    #expect(solo.logTerms == [1, 3])
  }

  @Test func section5_3_anOldCopyOfAnAppendTakesNothingAway() {
    let solo = Solo()
    _ = solo.append([1], term: 1)
    _ = solo.append([1, 1], after: LogPosition(index: 1, term: 1), term: 1)
    _ = solo.append([1], term: 1)
    #expect(solo.logTerms == [1, 1, 1])
  }

  @Test func section5_3_anAppendIsAnsweredWhenItIsDurable() {
    let solo = Solo()
    solo.cluster.syncsAtOnce = false
    #expect(solo.append([1], term: 1).isEmpty)
    // Nor is a copy of it answered before.
    #expect(solo.append([1], term: 1).isEmpty)
    solo.cluster.sync(0)
    #expect(solo.said().count == 2)
  }

  @Test func section5_3_committedIsWhatTheLeaderSaysAndTheFollowerHolds() {
    let solo = Solo()
    _ = solo.append([1, 1], commit: 9, term: 1)
    #expect(solo.replica.commit == 2)
    // A heartbeat says nothing of what was not compared.
    let other = Solo()
    _ = other.append([1, 1], term: 1)
    _ = other.hear(.heartbeat(commit: 2, round: 1, sent: 0), term: 2, from: 3)
    #expect(other.replica.commit == 0)
  }

  // MARK: - §5.4

  @Test func section5_4_1_noVoteForALogThatIsBehind() {
    let solo = Solo()
    _ = solo.append([1, 2, 2], term: 2)
    func ask(_ index: UInt64, _ lastTerm: UInt64, _ term: UInt64) -> [Bool] {
      votes(
        solo.hear(
          .requestVote(last: LogPosition(index: index, term: lastTerm), isTransfer: true), term: term, from: 3))
    }
    #expect(ask(9, 1, 3) == [false])
    #expect(ask(2, 2, 4) == [false])
    #expect(ask(3, 2, 5) == [true])
    #expect(ask(1, 3, 6) == [true])
  }

  /// Figure 8: an entry of an earlier term on a quorum may still be lost.
  @Test func section5_4_2_onlyEntriesOfItsOwnTermAreCommittedByCounting() {
    let solo = Solo()
    _ = solo.append([2], term: 2)
    solo.lead()
    let term = solo.replica.term
    #expect(solo.logTerms == [2, term])
    _ = solo.hear(.appended(match: 1), term: term, from: 3)
    #expect(solo.replica.commit == 0)
    _ = solo.hear(.appended(match: 2), term: term, from: 3)
    #expect(solo.replica.commit == 2)
  }

  @Test func section5_4_2_anAnswerOfAnEarlierTermCountsForNothing() {
    let solo = Solo()
    solo.lead()
    _ = solo.hear(.appended(match: 1), term: solo.replica.term - 1, from: 3)
    #expect(solo.replica.commit == 0)
  }

  // MARK: - §7

  private func snapshot(at index: UInt64, term: UInt64) -> Message {
    .snapshot(
      position: LogPosition(index: index, term: term), configuration: Cluster(3).configuration.encoded, number: 0,
      isLast: true, piece: [])
  }

  @Test func section7_aSnapshotReplacesALogThatDiffers() {
    let solo = Solo()
    _ = solo.append([1, 1, 1, 1, 1, 1], term: 1)
    _ = solo.hear(snapshot(at: 4, term: 2), term: 3, from: 2)
    for _ in 0..<6 { solo.cluster.sync(0) }
    #expect(solo.replica.log.base == LogPosition(index: 4, term: 2))
    #expect(solo.replica.log.lastIndex == 4 && solo.replica.applied == 4)
    solo.cluster.crash(0)
    solo.cluster.restart(0)
    // The last included term is remembered, or no append could ever follow.
    #expect(solo.replica.log.base == LogPosition(index: 4, term: 2))
    _ = solo.append([3], after: LogPosition(index: 4, term: 2), term: 3)
    #expect(solo.replica.log.lastIndex == 5)
  }

  @Test func section7_aSnapshotKeepsTheEntriesBehindIt() {
    let solo = Solo()
    _ = solo.append([1, 1, 1, 1, 1, 1], term: 1)
    _ = solo.hear(snapshot(at: 4, term: 1), term: 1, from: 2)
    for _ in 0..<6 { solo.cluster.sync(0) }
    #expect(solo.replica.log.base.index == 4 && solo.replica.log.lastIndex == 6)
    solo.cluster.crash(0)
    solo.cluster.restart(0)
    #expect(solo.replica.log.base.index == 4 && solo.replica.log.lastIndex == 6)
  }

  @Test func section7_anOldSnapshotTakesNothingBack() {
    let solo = Solo()
    _ = solo.append([1, 1, 1], commit: 3, term: 1)
    let answers = solo.hear(snapshot(at: 2, term: 1), term: 1, from: 2)
    guard case .snapshotReply(2, _, true)? = answers.first?.message else { return #expect(Bool(false)) }
    #expect(solo.replica.applied == 3 && solo.replica.log.lastIndex == 3)
  }

  // MARK: - §8 and 6.4

  @Test func section8_aNewLeaderBeginsWithAnEntryOfItsOwn() {
    let solo = Solo()
    solo.lead()
    #expect(solo.logTerms == [solo.replica.term])
  }

  private func read(_ solo: Solo) -> UInt64 {
    solo.cluster.send(0, "k", .read)
  }

  @Test func section6_4_aReadWaitsForAnEntryOfTheTermAndForARoundThatBeganAfterIt() throws {
    let solo = Solo()
    solo.lead()
    let term = solo.replica.term
    let token = read(solo)
    let early = solo.said().compactMap { if case .heartbeat(_, let round, _) = $0.message { round } else { nil } }
    // Before the term's first entry is committed nothing is asked: what is committed is not known.
    #expect(early.isEmpty)
    let rounds = solo.hear(.appended(match: 1), term: term, from: 2).compactMap {
      if case .heartbeat(_, let round, _) = $0.message { round } else { nil }
    }
    let round = try #require(rounds.last)
    #expect(solo.cluster.outcomes[token] == nil)
    // An answer to an earlier round says nothing about now.
    _ = solo.hear(.heartbeatReply(round: round - 1, sent: 1, matched: 1, isDurable: true), term: term, from: 3)
    #expect(solo.cluster.outcomes[token] == nil)
    _ = solo.hear(.heartbeatReply(round: round, sent: 1, matched: 1, isDurable: true), term: term, from: 3)
    _ = solo.pass(milliseconds: 1)
    #expect(solo.cluster.outcomes[token] == .read(nil))
  }

  /// A leader that was deposed and does not know it answers no read.
  @Test func section6_4_anOldLeaderAnswersNoRead() throws {
    let cluster = Cluster()
    let old = try #require(cluster.elect())
    _ = cluster.put(old, "k", "old")
    let isCut = { (envelope: Cluster.Envelope) in envelope.from == old || envelope.to == old }
    let isLost = { (envelope: Cluster.Envelope) in envelope.from != envelope.to && isCut(envelope) }
    // The others elect; the old leader still believes.
    let believer = cluster.nodes[old].replica
    var token: UInt64?
    for _ in 0..<2000 where token == nil {
      cluster.now = cluster.now + 1
      for node in 0..<3 where node != old { cluster.step(node, .tick) }
      cluster.run(dropping: isLost)
      if let leader = cluster.leader, leader != old, cluster.nodes[leader].replica.knowsItsCommit {
        token = cluster.send(leader, "k", .put(Array("new".utf8)))
        cluster.run(dropping: isLost)
      }
    }
    #expect(believer.leadership != nil)
    let stale = cluster.send(old, "k", .read)
    cluster.run(dropping: isLost)
    #expect(cluster.outcomes[stale] == nil)
    cluster.pass(milliseconds: 2000)
    #expect(cluster.outcomes[stale] == value("new", at: 2))
    #expect(cluster.monitor.failures == [])
  }

  // MARK: - Beyond the paper

  @Test func dissertation9_6_whoComesBackDoesNotDisturb() throws {
    let cluster = Cluster()
    let leader = try #require(cluster.elect())
    let term = cluster.nodes[leader].replica.term
    let away = (leader + 1) % 3
    cluster.pass(milliseconds: 3000) { $0.from == away || $0.to == away }
    cluster.pass(milliseconds: 1000)
    #expect(cluster.leader == leader && cluster.nodes[leader].replica.term == term)
  }

  @Test func dissertation6_2_aLeaderWithoutItsQuorumStepsDown() throws {
    let cluster = Cluster()
    let leader = try #require(cluster.elect())
    cluster.pass(milliseconds: 500) { $0.from != $0.to && ($0.from == leader || $0.to == leader) }
    #expect(cluster.nodes[leader].replica.leadership == nil)
  }

  @Test func dissertation4_2_3_whoHearsALeaderHelpsNobodyToDisturbIt() {
    let solo = Solo()
    solo.cluster.setReachable(0, 1, true)
    _ = solo.append([1], term: 1)
    _ = solo.hear(
      .requestVote(last: LogPosition(index: 9, term: 1), isTransfer: false), term: 2, from: 3)
    #expect(solo.replica.term == 1)
    let asked = solo.hear(.preVote(next: 2, last: LogPosition(index: 9, term: 1)), term: 1, from: 3)
    guard case .preVoteReply(2, false)? = asked.first?.message else { return #expect(Bool(false)) }
    // But a transfer is the leader's own wish.
    #expect(
      votes(solo.hear(.requestVote(last: LogPosition(index: 9, term: 1), isTransfer: true), term: 2, from: 3))
        == [true])
  }
}
