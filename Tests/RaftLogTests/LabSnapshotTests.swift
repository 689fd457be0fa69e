import Base
import RaftLog
import Simulator
import Testing

/// 6.5840, part 3D: a snapshot every 10 entries, and a log of less than 2,000 bytes.
@Suite struct LabSnapshotTests {
  private enum Trouble {
    case none, disconnect, crash
  }

  private func run(_ trouble: Trouble, _ network: Lab.Network, seed: UInt64) throws {
    let lab = Lab(3, network, snapshots: true, seed: seed)
    lab.one(3)
    var leader = try #require(lab.checkOneLeader())
    for iteration in 0..<30 {
      var victim = (leader + 1) % 3
      var sender = leader
      if iteration % 3 == 1 {
        sender = (leader + 1) % 3
        victim = leader
      }
      switch trouble {
      case .none: break
      case .disconnect: lab.disconnect(victim)
      case .crash: lab.crash(victim)
      }
      if trouble != .none { lab.one(2) }
      // More than a snapshot covers, so that the victim must be given one.
      for _ in 0..<(10 + lab.below(20)) { lab.start(sender) }
      lab.pass(milliseconds: 50)
      if trouble == .none { lab.one(3) } else { lab.one(2) }
      lab.pass(milliseconds: 100)
      // Without the memory that an entry costs beside its bytes.
      for server in 0..<3 where lab.cluster.nodes[server].isUp && lab.isConnected[server] {
        let log = lab.cluster.nodes[server].replica.log
        #expect(log.bytes - 48 * log.count < 2000, "the log of server \(server) is not trimmed")
      }
      switch trouble {
      case .none: break
      case .disconnect: lab.connect(victim)
      case .crash: lab.restart(victim)
      }
      if trouble != .none {
        lab.one(3)
        leader = try #require(lab.checkOneLeader())
      }
    }
    if trouble != .none { #expect(lab.cluster.sent[.snapshot, default: 0] > 0) }
    #expect(lab.cluster.nodes.allSatisfy { $0.replica.snapshot.index > 0 })
    lab.expectInvariants()
  }

  @Test func snapshotBasic() throws { try run(.none, .reliable, seed: 1) }
  @Test func snapshotInstall() throws { try run(.disconnect, .reliable, seed: 2) }
  @Test func snapshotInstallUnreliable() throws { try run(.disconnect, .unreliable, seed: 3) }
  @Test func snapshotInstallCrash() throws { try run(.crash, .reliable, seed: 4) }
  @Test func snapshotInstallUnreliableCrash() throws { try run(.crash, .unreliable, seed: 5) }

  @Test func snapshotAllCrash() throws {
    let lab = Lab(3, .unreliable, snapshots: true, seed: 6)
    lab.one(3)
    for _ in 0..<5 {
      let leader = try #require(lab.checkOneLeader())
      for _ in 0..<(5 + lab.below(10)) { lab.start(leader) }
      lab.one(3)
      let applied = lab.cluster.monitor.committed.count
      for server in 0..<3 { lab.crash(server) }
      for server in 0..<3 { lab.restart(server) }
      lab.one(3)
      #expect(lab.cluster.monitor.committed.count > applied)
    }
    lab.expectInvariants()
  }

  /// A snapshot alone, with nothing behind it, is enough to start from.
  @Test func snapshotInit() throws {
    let lab = Lab(3, .unreliable, snapshots: true, seed: 7)
    lab.one(3)
    let leader = try #require(lab.checkOneLeader())
    for _ in 0..<11 { lab.start(leader) }
    lab.one(3)
    for _ in 0..<2 {
      for server in 0..<3 { lab.crash(server) }
      for server in 0..<3 { lab.restart(server) }
      lab.one(3)
    }
    lab.expectInvariants()
  }
}
