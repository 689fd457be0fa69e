import Base
import RaftLog
import Testing

/// 6.5840, part 3A: elections.
@Suite struct LabElectionTests {
  @Test func initialElection() throws {
    let lab = Lab(3)
    _ = try #require(lab.checkOneLeader())
    lab.pass(milliseconds: 50)
    let term = try #require(lab.checkTerms())
    #expect(term >= 1)
    lab.pass(milliseconds: 2000)
    #expect(lab.checkTerms() == term, "the term changed though nothing failed")
    _ = try #require(lab.checkOneLeader())
    lab.expectInvariants()
  }

  @Test func reElection() throws {
    let lab = Lab(3)
    let first = try #require(lab.checkOneLeader())
    lab.disconnect(first)
    let second = try #require(lab.checkOneLeader())
    lab.connect(first)
    #expect(try #require(lab.checkOneLeader()) == second, "the old leader's return disturbed the new one")
    lab.disconnect(second)
    lab.disconnect((second + 1) % 3)
    lab.pass(milliseconds: 2000)
    lab.checkNoLeader()
    lab.connect((second + 1) % 3)
    _ = try #require(lab.checkOneLeader())
    lab.connect(second)
    _ = try #require(lab.checkOneLeader())
    lab.expectInvariants()
  }

  @Test func manyElections() throws {
    let lab = Lab(7)
    _ = try #require(lab.checkOneLeader())
    for _ in 0..<10 {
      var away: Set<Int> = []
      while away.count < 3 { away.insert(lab.below(7)) }
      for server in away.sorted() { lab.disconnect(server) }
      _ = try #require(lab.checkOneLeader())
      for server in away.sorted() { lab.connect(server) }
    }
    _ = try #require(lab.checkOneLeader())
    lab.expectInvariants()
  }
}
