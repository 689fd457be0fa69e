import Foundation
import Testing

/// Bytes of one Raft node's log, snapshots and vote that become others while it is down: it gets back from the others
/// what it had, or says why it cannot; never a wrong value.
@Suite("Damage to a Raft log", .serialized)
struct RaftDamageTests {
  private static let blockBytes = 4096

  private func withStoppedNode(snapshots: Bool, _ body: (TestCluster) throws -> Void) throws {
    let flags = snapshots ? ["--snapshot-log-entries", "50", "--retained-log-entries", "5"] : []
    try TestCluster.with(flags: ["--backend", "raft"] + flags) { cluster in
      for number in 0..<DamagedNode.registers {
        let answer = try cluster.ask(number % 3 + 1, "PUT", "/v1/kv/d/\(number)", body: DamagedNode.value(number))
        #expect(answer.status == 201)
      }
      try waitUntil("node 3 has applied all") {
        try cluster.ask(3, "GET", "/v1/kv/d/\(DamagedNode.registers - 1)").status == 200
      }
      #expect(try cluster.terminate(3) == 0)
      try body(cluster)
    }
  }

  private func files(_ cluster: TestCluster, _ prefix: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: cluster.dataPath(3)).filter { $0.hasPrefix(prefix) }.sorted()
  }

  /// A byte of a block that others follow.
  private func damageLog(_ cluster: TestCluster) throws {
    for file in try files(cluster, "log") {
      try DamagedNode.damage(cluster, file) { bytes in
        let blocks = stride(from: 0, to: bytes.count, by: Self.blockBytes).filter {
          bytes[$0..<$0 + 4].elementsEqual("SYNJ".utf8)
        }
        if blocks.count > 2 { bytes[blocks[blocks.count / 2] + 60] ^= 0x10 }
      }
    }
  }

  private func isRecovering(_ cluster: TestCluster) throws -> Bool? {
    let answer = try cluster.ask(3, "GET", "/v1/status")
    let status = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]
    return (status?["raft"] as? [String: Any])?["recovering"] as? Bool
  }

  private func waitUntilWhole(_ cluster: TestCluster) throws {
    try waitUntil("node 3 is whole") { try isRecovering(cluster) == false }
  }

  private func scrub(_ cluster: TestCluster) throws -> (code: Int32, output: String, errors: String) {
    try ServerProcess.run(["scrub", "--data", cluster.dataPath(3)], in: cluster.folder)
  }

  /// R12: what is missing at its end looks like a torn write, but the superblock knows better.
  @Test func aLogThatWasCutShortIsFetchedAgain() throws {
    try withStoppedNode(snapshots: false) { cluster in
      for file in try files(cluster, "log") {
        try DamagedNode.damage(cluster, file) { bytes in
          let blocks = stride(from: 0, to: bytes.count, by: Self.blockBytes).filter { bytes[$0] != 0 }
          for start in blocks.suffix(3) { for byte in start..<start + Self.blockBytes { bytes[byte] = 0 } }
        }
      }
      try cluster.start(3)
      try cluster.waitUntilReady()
      let errors = try cluster.process(3).errors
      // The vote knows how far the log had come too, where an election fell into the last blocks; it is asked first.
      #expect(["it ends before block", "and has had block"].contains { errors.contains($0) }, "\(errors)")
      try DamagedNode.expectValues(cluster, through: [1, 2, 3])
    }
  }

  @Test func aDamagedLogIsFetchedAgain() throws {
    try withStoppedNode(snapshots: false) { cluster in
      let before = try scrub(cluster)
      #expect(before.code == 0, "\(before)")
      try damageLog(cluster)
      let look = try scrub(cluster)
      #expect(look.code == 1 && look.output.contains("fetched again"), "\(look)")
      try cluster.start(3)
      try cluster.waitUntilReady()
      let said = try cluster.process(3).errors
      #expect(said.contains("is damaged at byte") && said.contains("has no vote"), "\(said)")
      try waitUntilWhole(cluster)
      try DamagedNode.expectValues(cluster, through: [3])
      // Its vote counts again, and the log is sound.
      try cluster.kill(1)
      try waitUntil("two of three serve") { try cluster.ask(3, "PUT", "/v1/kv/more", body: "1").status < 300 }
      try DamagedNode.expectValues(cluster, through: [2, 3])
      #expect(try cluster.terminate(3) == 0)
      let after = try scrub(cluster)
      #expect(after.code == 0, "\(after)")
      try cluster.start(3)
      try waitUntil("node 3 serves") { cluster.isReady(3) }
      #expect(try !cluster.process(3).errors.contains("damaged") && isRecovering(cluster) == false)
    }
  }

  @Test func aDamagedSnapshotIsFetchedAgain() throws {
    try withStoppedNode(snapshots: true) { cluster in
      let snapshots = try files(cluster, "snapshot")
      #expect(!snapshots.isEmpty)
      for file in snapshots { try DamagedNode.damage(cluster, file) { $0[2 * Self.blockBytes + 40] ^= 1 } }
      try cluster.start(3)
      try cluster.waitUntilReady()
      try waitUntilWhole(cluster)
      try DamagedNode.expectValues(cluster, through: [1, 2, 3])
    }
  }

  @Test func withoutLogAndVoteItStopsAndNothingIsHarmed() throws {
    try withStoppedNode(snapshots: false) { cluster in
      try damageLog(cluster)
      for file in try files(cluster, "vote") {
        try DamagedNode.damage(cluster, file) { bytes in
          for page in stride(from: 0, to: bytes.count, by: Self.blockBytes) { bytes[page + 24] ^= 1 }
        }
      }
      let look = try scrub(cluster)
      #expect(look.code == 1 && look.output.contains("does not start"), "\(look)")
      let before = try files(cluster, "log").map {
        try Data(contentsOf: URL(fileURLWithPath: cluster.dataPath(3) + "/" + $0))
      }
      let process = try cluster.start(3)
      #expect(try process.waitForEnd() == 1)
      #expect(process.errors.contains("replace the node"), "\(process.errors)")
      let after = try files(cluster, "log").map {
        try Data(contentsOf: URL(fileURLWithPath: cluster.dataPath(3) + "/" + $0))
      }
      #expect(before == after)
      try DamagedNode.expectValues(cluster, through: [1, 2])
    }
  }

  @Test(arguments: 1...6) func randomDamageIsNeverAnswered(_ seed: UInt64) throws {
    try withStoppedNode(snapshots: seed % 2 == 0) { cluster in
      var state = seed &* 0x9E37_79B9_7F4A_7C15
      func below(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(bound))
      }
      let all = try files(cluster, "").filter { $0 != "lock" }
      for _ in 0..<(seed % 3 + 1) {
        try DamagedNode.damage(cluster, all[below(all.count)]) { bytes in
          if seed % 3 == 0 { return bytes.removeLast(below(bytes.count)) }
          let used = bytes.indices.filter { bytes[$0] != 0 }
          guard !used.isEmpty else { return }
          let place = used[below(used.count)]
          let end = min(bytes.count, place + (seed % 3 == 1 ? 1 : 64))
          for byte in place..<end { bytes[byte] ^= UInt8(1 + below(255)) }
        }
      }
      let process = try cluster.start(3)
      try waitUntil("node 3 serves, or says why not") { process.ending() != nil || cluster.isReady(3) }
      if let code = process.ending() {
        let isAdvice = process.errors.contains("eplace") || process.errors.contains("add it anew")
        #expect(code == 1 && isAdvice, "\(process.errors)")
        try DamagedNode.expectValues(cluster, through: [1, 2])
      } else {
        try waitUntilWhole(cluster)
        try DamagedNode.expectValues(cluster, through: [1, 2, 3])
      }
    }
  }
}
