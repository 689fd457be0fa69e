import Base
import RaftLog
import Replica
import Testing

/// 6.5840, part 3C: what survives crashes, on networks that do their worst.
@Suite struct LabPersistenceTests {
  @Test func persist1() throws {
    let lab = Lab(3)
    lab.one(3)
    for server in 0..<3 { lab.crash(server) }
    for server in 0..<3 { lab.restart(server) }
    lab.one(3)
    let first = try #require(lab.checkOneLeader())
    lab.crash(first)
    lab.restart(first)
    lab.one(3)
    let second = try #require(lab.checkOneLeader())
    lab.crash(second)
    lab.one(2)
    lab.restart(second)
    lab.one(3)
    let third = (try #require(lab.checkOneLeader()) + 1) % 3
    lab.crash(third)
    lab.one(2)
    lab.restart(third)
    lab.one(3)
    lab.expectInvariants()
  }

  @Test func persist2() throws {
    let lab = Lab(5)
    for _ in 0..<5 {
      lab.one(5)
      let leader = try #require(lab.checkOneLeader())
      lab.crash((leader + 1) % 5)
      lab.crash((leader + 2) % 5)
      lab.one(3)
      for step in [0, 3, 4] { lab.crash((leader + step) % 5) }
      for step in [1, 2] { lab.restart((leader + step) % 5) }
      lab.pass(milliseconds: 1000)
      lab.restart((leader + 3) % 5)
      lab.one(3)
      for step in [0, 4] { lab.restart((leader + step) % 5) }
    }
    lab.one(5)
    lab.expectInvariants()
  }

  @Test func persist3() throws {
    let lab = Lab(3)
    lab.one(3)
    let leader = try #require(lab.checkOneLeader())
    lab.disconnect((leader + 2) % 3)
    lab.one(2)
    lab.crash(leader)
    lab.crash((leader + 1) % 3)
    lab.connect((leader + 2) % 3)
    lab.restart(leader)
    lab.one(2)
    lab.restart((leader + 1) % 3)
    lab.one(3)
    lab.expectInvariants()
  }

  /// Leaders that die before, while, and after they commit (figure 8 of the paper).
  @Test(arguments: 0..<3) func figure8(seed: Int) {
    let lab = Lab(5, seed: UInt64(seed + 10))
    lab.one(1)
    for _ in 0..<1000 {
      var leader: Int?
      for server in 0..<5 where lab.cluster.nodes[server].isUp {
        if lab.cluster.nodes[server].replica.leadership != nil {
          lab.start(server)
          leader = server
        }
      }
      lab.pass(milliseconds: lab.below(1000) < 100 ? lab.below(500) : lab.below(13))
      if let leader { lab.crash(leader) }
      if (0..<5).count(where: { lab.cluster.nodes[$0].isUp }) < 3 { lab.restart(lab.below(5)) }
    }
    for server in 0..<5 { lab.restart(server) }
    lab.one(5)
    lab.expectInvariants()
  }

  @Test(arguments: 0..<3) func figure8Unreliable(seed: Int) {
    let lab = Lab(5, .unreliable, seed: UInt64(seed + 20))
    lab.one(1)
    for iteration in 0..<1000 {
      if iteration == 200 { lab.network = .longReordering }
      var leader: Int?
      for server in 0..<5 where lab.cluster.nodes[server].replica.leadership != nil && lab.isConnected[server] {
        lab.start(server)
        leader = server
      }
      lab.pass(milliseconds: lab.below(1000) < 100 ? lab.below(500) : lab.below(13))
      if let leader, lab.below(1000) < 500 { lab.disconnect(leader) }
      if lab.isConnected.count(where: { $0 }) < 3 { lab.connect(lab.below(5)) }
    }
    for server in 0..<5 { lab.connect(server) }
    lab.one(5)
    lab.expectInvariants()
  }

  @Test func unreliableAgree() throws {
    let lab = Lab(5, .unreliable)
    for _ in 1..<50 {
      let leader = try #require(lab.checkOneLeader())
      for _ in 0..<4 { lab.start(leader) }
      lab.one(1)
    }
    lab.network = .reliable
    lab.one(5)
    lab.expectInvariants()
  }

  @Test(arguments: [Lab.Network.reliable, .unreliable]) func churn(network: Lab.Network) {
    let lab = Lab(5, network, seed: 5)
    var tokens: [UInt64] = []
    for _ in 0..<20 {
      for _ in 0..<3 {
        let server = lab.below(5)
        if lab.cluster.nodes[server].isUp {
          tokens.append(lab.cluster.send(server, "churn \(tokens.count)", .put([1]), timeout: 10_000))
        }
      }
      if lab.below(1000) < 200 { lab.disconnect(lab.below(5)) }
      if lab.below(1000) < 500 {
        let server = lab.below(5)
        lab.restart(server)
        lab.connect(server)
      }
      if lab.below(1000) < 200 { lab.crash(lab.below(5)) }
      lab.pass(milliseconds: 700)
    }
    lab.network = .reliable
    for server in 0..<5 {
      lab.restart(server)
      lab.connect(server)
    }
    lab.one(5)
    // What was acknowledged is there.
    for (number, token) in tokens.enumerated() {
      guard case .changed? = lab.cluster.outcomes[token] else { continue }
      for server in 0..<5 {
        let key = Key(Array("churn \(number)".utf8))
        #expect(lab.cluster.nodes[server].replica.machine.read(key)?.value == [1])
      }
    }
    lab.expectInvariants()
  }
}
