import Base
import RaftLog
import Testing

/// 6.5840, part 3B: agreement.
@Suite struct LabAgreementTests {
  @Test func basicAgree() {
    let lab = Lab(3)
    for _ in 0..<3 { lab.one(3) }
    lab.expectInvariants()
  }

  /// Ten commands of 5 KB go to each peer once: at most three times their bytes, and 50,000.
  @Test func rpcBytes() throws {
    let lab = Lab(3)
    lab.one(3)
    lab.cluster.resetCounts()
    for _ in 0..<10 { lab.one(3, bytes: 5000) }
    #expect(lab.cluster.sentBytes <= 3 * 10 * 5000 + 50_000)
    lab.expectInvariants()
  }

  @Test func followerFailure() throws {
    let lab = Lab(3)
    lab.one(3)
    let leader = try #require(lab.checkOneLeader())
    lab.disconnect((leader + 1) % 3)
    lab.one(2)
    lab.pass(milliseconds: 1000)
    lab.one(2)
    lab.disconnect((leader + 2) % 3)
    let value = lab.start(leader)
    lab.pass(milliseconds: 2000)
    #expect(lab.committed(value) == 0)
    lab.expectInvariants()
  }

  @Test func leaderFailure() throws {
    let lab = Lab(3)
    lab.one(3)
    let first = try #require(lab.checkOneLeader())
    lab.disconnect(first)
    lab.one(2)
    lab.pass(milliseconds: 1000)
    lab.one(2)
    let second = try #require(lab.checkOneLeader())
    lab.disconnect(second)
    let values = (0..<3).map { lab.start($0) }
    lab.pass(milliseconds: 2000)
    for value in values { #expect(lab.committed(value) == 0) }
    lab.expectInvariants()
  }

  @Test func failAgree() throws {
    let lab = Lab(3)
    lab.one(3)
    let leader = try #require(lab.checkOneLeader())
    let away = (leader + 1) % 3
    lab.disconnect(away)
    lab.one(2)
    lab.one(2)
    lab.pass(milliseconds: 1000)
    lab.one(2)
    lab.one(2)
    lab.connect(away)
    lab.one(3)
    lab.pass(milliseconds: 1000)
    lab.one(3)
    lab.expectInvariants()
  }

  @Test func failNoAgree() throws {
    let lab = Lab(5)
    lab.one(5)
    let leader = try #require(lab.checkOneLeader())
    for step in 1...3 { lab.disconnect((leader + step) % 5) }
    let value = lab.start(leader)
    lab.pass(milliseconds: 2000)
    #expect(lab.committed(value) == 0)
    for step in 1...3 { lab.connect((leader + step) % 5) }
    _ = try #require(lab.checkOneLeader())
    lab.one(5)
    lab.expectInvariants()
  }

  @Test func concurrentStarts() throws {
    let lab = Lab(3)
    let leader = try #require(lab.checkOneLeader())
    let values = (0..<5).map { _ in lab.start(leader) }
    lab.pass(milliseconds: 500)
    for value in values { #expect(lab.committed(value) == 3) }
    lab.expectInvariants()
  }

  @Test func rejoin() throws {
    let lab = Lab(3)
    lab.one(3)
    let first = try #require(lab.checkOneLeader())
    lab.disconnect(first)
    for _ in 0..<3 { lab.start(first) }
    lab.one(2)
    let second = try #require(lab.checkOneLeader())
    lab.disconnect(second)
    lab.connect(first)
    lab.one(2)
    lab.connect(second)
    lab.one(3)
    lab.expectInvariants()
  }

  /// Leaders with 50 entries each that no one else has: the way back is quick.
  @Test func backup() throws {
    let lab = Lab(5)
    lab.one(5)
    let first = try #require(lab.checkOneLeader())
    for step in 2...4 { lab.disconnect((first + step) % 5) }
    for _ in 0..<50 { lab.start(first) }
    lab.pass(milliseconds: 250)
    for step in 0...1 { lab.disconnect((first + step) % 5) }
    for step in 2...4 { lab.connect((first + step) % 5) }
    for _ in 0..<50 { lab.one(3) }
    let second = try #require(lab.checkOneLeader())
    let other = (0..<5).first { $0 != second && lab.isConnected[$0] } ?? 0
    lab.disconnect(other)
    for _ in 0..<50 { lab.start(second) }
    lab.pass(milliseconds: 250)
    for server in 0..<5 { lab.disconnect(server) }
    for server in [first, (first + 1) % 5, other] { lab.connect(server) }
    for _ in 0..<50 { lab.one(3) }
    lab.cluster.resetCounts()
    for server in 0..<5 { lab.connect(server) }
    lab.one(5)
    #expect(lab.cluster.sent[.mismatch, default: 0] < 20, "one message a term, not one an entry")
    lab.expectInvariants()
  }

  /// At most 30 calls to elect, few for ten commands, at most 60 in an idle second.
  @Test func count() throws {
    let lab = Lab(3)
    let leader = try #require(lab.checkOneLeader())
    #expect(lab.calls <= 30)
    lab.cluster.resetCounts()
    for _ in 0..<10 { lab.start(leader) }
    lab.pass(milliseconds: 20)
    #expect(lab.calls <= (10 + 1 + 3) * 3)
    lab.cluster.resetCounts()
    lab.pass(milliseconds: 1000)
    #expect(lab.calls <= 60)
    lab.expectInvariants()
  }
}
