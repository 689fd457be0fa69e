import Foundation
import Testing

/// The same store on a Raft log, as real processes.
@Suite("Raft", .serialized)
struct RaftTests {
  private static let raft = ["--backend", "raft"]

  /// The node that each node takes for the leader; nil where they do not agree yet.
  private func leader(_ cluster: TestCluster, among nodes: [Int]) throws -> Int? {
    var leaders: Set<UInt64> = []
    for node in nodes {
      let answer = try cluster.ask(node, "GET", "/v1/status")
      let status = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]
      leaders.insert(((status?["raft"] as? [String: Any])?["leader"] as? NSNumber)?.uint64Value ?? 0)
    }
    guard leaders.count == 1, let leader = leaders.first, nodes.contains(Int(leader)) else { return nil }
    return Int(leader)
  }

  private func waitForLeader(_ cluster: TestCluster, among nodes: [Int]) throws -> Int {
    var found: Int?
    try waitUntil("a leader among \(nodes)") {
      found = try? leader(cluster, among: nodes)
      return found != nil
    }
    return found ?? 0
  }

  private func number(_ cluster: TestCluster, _ node: Int, _ name: String) throws -> UInt64 {
    let answer = try cluster.ask(node, "GET", "/v1/status")
    let status = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]
    return ((status?["raft"] as? [String: Any])?[name] as? NSNumber)?.uint64Value ?? 0
  }

  @Test func theLeaderAndThenAllAreKilledUnderLoad() throws {
    // So small that snapshots are taken and sent all the time.
    let flags =
      Self.raft + [
        "--request-timeout", "2s", "--snapshot-log-entries", "300", "--retained-log-entries", "20",
      ]
    try TestCluster.with(flags: flags) { cluster in
      let load = Load(cluster)
      let history = try load.run {
        for _ in 0..<2 {
          try load.waitForAcknowledged(200)
          let victim = try waitForLeader(cluster, among: cluster.ids)
          try cluster.kill(victim)
          try load.waitForAcknowledged(200)
          try cluster.start(victim)
          try cluster.waitUntilReady()
        }
        try load.waitForAcknowledged(200)
        for id in cluster.ids { try cluster.kill(id) }
        for id in cluster.ids { try cluster.start(id) }
        try cluster.waitUntilReady()
        try load.waitForAcknowledged(100)
      }
      #expect(History.violations(history).isEmpty)
      for id in cluster.ids {
        #expect(try number(cluster, id, "snapshot_index") > 0)
        try cluster.kill(id)
      }
      for id in cluster.ids { try cluster.start(id) }
      try cluster.waitUntilReady()
      try load.readAll()
      #expect(History.violations(load.history).isEmpty)
    }
  }

  /// A leader whose clock stands still is replaced, and does no harm when it goes on.
  @Test func aPausedLeaderUnderLoad() throws {
    try TestCluster.with(flags: Self.raft + ["--request-timeout", "2s"]) { cluster in
      let victim = try waitForLeader(cluster, among: cluster.ids)
      let others = Load(cluster, nodes: cluster.ids.filter { $0 != victim })
      let history = try others.run {
        try others.waitForAcknowledged(100)
        try cluster.process(victim).send(SIGSTOP)
        try others.waitForAcknowledged(200)
        try cluster.process(victim).send(SIGCONT)
        try cluster.waitUntilReady()
        try others.waitForAcknowledged(100)
      }
      #expect(History.violations(history).isEmpty)
    }
  }

  @Test func aLeaderThatIsStoppedHandsOver() throws {
    try TestCluster.with(flags: Self.raft) { cluster in
      let load = Load(cluster)
      let history = try load.run {
        try load.waitForAcknowledged(200)
        let first = try waitForLeader(cluster, among: cluster.ids)
        #expect(try cluster.terminate(first) == 0)
        try load.waitForAcknowledged(200)
        try cluster.start(first)
        try cluster.waitUntilReady()
        try load.waitForAcknowledged(100)
      }
      #expect(History.violations(history).isEmpty)
    }
  }

  @Test func aFolderRemembersItsBackend() throws {
    try TestCluster.with(size: 1, flags: Self.raft) { cluster in
      #expect(try cluster.ask(1, "PUT", "/v1/kv/k", body: "v").status == 201)
      #expect(try cluster.terminate(1) == 0)
      let words = cluster.arguments(1).map { $0 == "raft" ? "register" : $0 }
      let refused = try ServerProcess.run(words, in: cluster.folder)
      #expect(refused.code == 1 && refused.errors.contains("--backend raft"), "\(refused.errors)")
      try cluster.start(1)
      try cluster.waitUntilReady()
      #expect(try cluster.ask(1, "GET", "/v1/kv/k").text == "v")
    }
  }

  @Test func statusAndMetricsTellOfTheLog() throws {
    try TestCluster.with(flags: Self.raft + ["--snapshot-log-entries", "50"]) { cluster in
      for number in 0..<120 { #expect(try cluster.ask(1, "PUT", "/v1/kv/\(number)", body: "v").status == 201) }
      let leader = try waitForLeader(cluster, among: cluster.ids)
      #expect(try number(cluster, leader, "term") > 0)
      #expect(try number(cluster, leader, "commit_index") >= 120)
      #expect(try number(cluster, leader, "last_index") >= 120)
      try waitUntil("a snapshot") { try number(cluster, leader, "snapshot_index") >= 50 }
      #expect(try number(cluster, leader, "snapshot_bytes") > 0)
      #expect(try cluster.ask(leader, "GET", "/metrics").text.contains("\nsynod_raft_is_leader 1\n"))
    }
  }

  @Test func moreThreadsThanTheOneThatOwnsTheLog() throws {
    try TestCluster.with(flags: Self.raft + ["--threads", "2"]) { cluster in
      let load = Load(cluster)
      let history = try load.run {
        try load.waitForAcknowledged(300)
        try cluster.kill(2)
        try cluster.start(2)
        try cluster.waitUntilReady()
        try load.waitForAcknowledged(100)
      }
      #expect(History.violations(history).isEmpty)
    }
  }

  /// Prints how long clients of the other nodes go without an answer when the leader dies; a machine under load may
  /// take its time, so nothing is asserted of it.
  @Test(arguments: [["300ms", "50ms"], ["150ms", "30ms"]])
  func gapAfterTheLeaderIsKilled(_ times: [String]) throws {
    let flags = Self.raft + ["--election-timeout", times[0], "--heartbeat", times[1]]
    try TestCluster.with(flags: flags) { cluster in
      // Killed, its links break, and that is noticed; stopped, only the timeout tells.
      for signal in [SIGKILL, SIGSTOP] {
        let leader = try waitForLeader(cluster, among: cluster.ids)
        let survivor = try #require(cluster.ids.first { $0 != leader })
        let connection = try cluster.connect(survivor)
        #expect(try connection.ask("PUT", "/v1/kv/gap", body: [0x78]).status < 300)
        try cluster.process(leader).send(signal)
        let start = ContinuousClock.now
        let answer = try connection.ask("PUT", "/v1/kv/gap", body: [0x79])
        let gap = (ContinuousClock.now - start) / .milliseconds(1)
        #expect([200, 503, 504].contains(answer.status))
        let name = signal == SIGKILL ? "kill -9" : "a stopped clock"
        print(String(format: "election gap, timeout %@, %@: %.0f ms (%d)", times[0], name, gap, answer.status))
        if signal == SIGSTOP { try cluster.process(leader).send(SIGCONT) } else { try cluster.start(leader) }
        try cluster.waitUntilReady()
      }
    }
  }
}
