import Base
import Host
import Replica
import Storage
import Testing

/// Nodes that meet, serve, die and come back, without a socket.
@Suite struct ClusterTests {
  @Test func formsServesAndAnswersThroughEveryNode() {
    let cluster = HostCluster()
    cluster.pass(milliseconds: 500)
    for id in 1...3 { #expect(cluster.status(id)?.isReady == true, "node \(id): \(cluster.status(id)!.problems)") }
    #expect(cluster.say(1, "PUT k a") == "201 1")
    #expect(cluster.say(2, "GET k") == "200 1 a")
    #expect(cluster.say(3, "CAS k 1 b") == "200 2")
    #expect(cluster.say(1, "CAS k 1 c") == "412 2 b")
  }

  @Test func servesOnlyWhenAllFirstMembersHaveMet() {
    let cluster = HostCluster(starting: false)
    cluster.start(1)
    cluster.start(2)
    cluster.pass(milliseconds: 1000)
    #expect(cluster.status(1)?.isReady == false)
    #expect(cluster.status(1)?.problems.contains { $0.contains("node 3") } == true)
    #expect(cluster.say(1, "PUT k a").hasPrefix("503 not-applied"))
    cluster.start(3)
    cluster.pass(milliseconds: 3000)
    #expect(cluster.say(1, "PUT k a") == "201 1")
  }

  @Test func survivesTheLossOfAMinorityAndItsReturn() {
    let cluster = HostCluster()
    cluster.pass(milliseconds: 500)
    #expect(cluster.say(2, "PUT k a") == "201 1")
    cluster.stop(2)
    #expect(cluster.say(1, "PUT k b") == "200 2")
    #expect(cluster.say(3, "GET k") == "200 2 b")
    cluster.start(2)
    cluster.pass(milliseconds: 3000)
    #expect(cluster.say(2, "GET k") == "200 2 b")
    cluster.stop(1)
    cluster.stop(3)
    #expect(cluster.say(2, "PUT k c").hasPrefix("503 not-applied"))
  }

  @Test func keepsWhatWasAcknowledgedWhenAllNodesDieAtOnce() {
    let cluster = HostCluster()
    cluster.pass(milliseconds: 500)
    for number in 0..<30 { #expect(cluster.say(1 + number % 3, "PUT k\(number) v\(number)") == "201 1") }
    for id in 1...3 { cluster.stop(id) }
    for id in 1...3 { cluster.start(id) }
    cluster.pass(milliseconds: 3000)
    for number in 0..<30 { #expect(cluster.say(3 - number % 3, "GET k\(number)") == "200 1 v\(number)") }
  }

  /// Each batch costs every node a write and a wake-up.
  @Test func aTurnThatGathersLetsNothingOut() throws {
    let cluster = HostCluster()
    cluster.pass(milliseconds: 500)
    let host = try #require(cluster.nodes[0].host)
    for number in 0..<20 {
      cluster.hand(1, "PUT k\(number) v")
      host.endTurn(isGathering: true)
      #expect(host.effects.batches.isEmpty && host.effects.touched.isEmpty)
    }
    host.endTurn()
    // First writes ask for promises: one connection to each other node has all of them.
    #expect(host.effects.touched.count == 2)
    cluster.pass(milliseconds: 100)
    for number in 0..<20 { #expect(cluster.say(2, "GET k\(number)") == "200 1 v") }
  }

  /// A ping may leave while a batch to the same peer is being gathered: what was begun must be whole.
  @Test func whatLeavesInTheMidstOfGatheringIsWhole() {
    let cluster = HostCluster()
    cluster.gathers = true
    cluster.pass(milliseconds: 500)
    for number in 0..<40 { #expect(cluster.say(1 + number % 3, "PUT k\(number) v\(number)") == "201 1") }
    for number in 0..<40 { #expect(cluster.say(3 - number % 3, "GET k\(number)") == "200 1 v\(number)") }
  }

  @Test func aClusterOfOneNeedsNobody() {
    let cluster = HostCluster(1)
    cluster.pass(milliseconds: 100)
    #expect(cluster.say(1, "PUT k a") == "201 1")
    #expect(cluster.say(1, "ADD n 5") == "200 1 5")
  }

  /// R12: an amnesiac acceptor would forget promises.
  @Test func r12_anAmnesiacIsAnotherNode() {
    let cluster = HostCluster()
    cluster.pass(milliseconds: 500)
    #expect(cluster.say(1, "PUT k a") == "201 1")
    cluster.stop(2)
    cluster.nodes[1].device = MemoryDevice()
    cluster.start(2)
    cluster.pass(milliseconds: 3000)
    #expect(cluster.nodes[1].failure?.contains("another data folder") == true)
    #expect(cluster.say(1, "PUT k b") == "200 2")
  }

  /// R12: a folder restored from a snapshot forgets promises just the same.
  @Test func r12_anOldCopyOfAFolderIsRefused() throws {
    let cluster = HostCluster()
    cluster.pass(milliseconds: 500)
    #expect(cluster.say(1, "PUT k a") == "201 1")
    cluster.stop(2)
    let copy = try copy(of: cluster.nodes[1].device)
    cluster.start(2)
    cluster.pass(milliseconds: 2000)
    for number in 0..<20 { _ = cluster.say(1, "PUT k\(number) v") }
    cluster.pass(milliseconds: 1000)
    cluster.stop(2)
    cluster.nodes[1].device = copy
    cluster.start(2)
    cluster.pass(milliseconds: 3000)
    #expect(cluster.nodes[1].failure?.contains("older copy") == true)
  }

  @Test func refusesANodeOfAnotherCluster() {
    let ours = HostCluster()
    ours.pass(milliseconds: 500)
    let theirs = HostCluster()
    theirs.pass(milliseconds: 500)
    ours.stop(3)
    theirs.stop(3)
    ours.nodes[2].device = theirs.nodes[2].device
    ours.start(3)
    ours.pass(milliseconds: 3000)
    #expect(ours.nodes[2].failure?.contains("another cluster") == true)
    #expect(ours.say(1, "PUT k a") == "201 1")
  }

  @Test func peersMustKnowTheSecret() {
    let cluster = HostCluster(starting: false)
    let secret = Array("a secret of sixteen bytes".utf8)
    cluster.secrets = [1: secret, 2: secret, 3: Array("another of sixteen bytes".utf8)]
    for id in 1...3 { cluster.start(id) }
    cluster.pass(milliseconds: 2000)
    #expect(cluster.status(1)?.isReady == false)
    #expect(cluster.status(1)?.problems.contains { $0.contains("secret") } == true)
    cluster.stop(3)
    cluster.secrets[3] = secret
    cluster.start(3)
    cluster.pass(milliseconds: 3000)
    #expect(cluster.say(1, "PUT k a") == "201 1")
  }

  @Test func aFailedSyncStopsTheNodeAndTheOthersGoOn() {
    let cluster = HostCluster()
    cluster.pass(milliseconds: 500)
    #expect(cluster.say(1, "PUT k a") == "201 1")
    cluster.nodes[0].device.failNext = DeviceError(
      operation: "fdatasync", file: .journal(0), reason: "Input/output error")
    _ = cluster.say(1, "PUT k b")
    #expect(cluster.nodes[0].failure?.contains("Input/output error") == true)
    #expect(cluster.say(2, "PUT k c").hasPrefix("200 "))
  }

  private func copy(of device: MemoryDevice) throws -> MemoryDevice {
    let copy = MemoryDevice()
    for file in try device.files() {
      let size = try device.size(of: file) ?? 0
      try copy.perform([
        .preallocate(file, bytes: size), .write(file, at: 0, device.read(file, at: 0, count: Int(size))),
      ])
    }
    return copy
  }
}
