import Foundation
import Testing

/// Bytes of one node's data folder that become others while it is down: repaired, healed by the others, or refused with
/// a reason; never a wrong value.
@Suite("Damage on disk", .serialized)
struct DamageTests {
  /// What a table alone holds is what damage can take.
  private func withRestedCluster(_ body: (TestCluster) throws -> Void) throws {
    try TestCluster.with(flags: ["--backend", "register"]) { cluster in
      for number in 0..<DamagedNode.registers {
        let node = number % 3 + 1
        #expect(try cluster.ask(node, "PUT", "/v1/kv/d/\(number)", body: DamagedNode.value(number)).status == 201)
      }
      #expect(try cluster.terminate(3) == 0)
      try cluster.start(3)
      try cluster.waitUntilReady()
      #expect(try cluster.terminate(3) == 0)
      try body(cluster)
    }
  }

  private func tables(_ cluster: TestCluster) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: cluster.dataPath(3)).filter { $0.hasPrefix("table") }.sorted()
  }

  private func count(_ cluster: TestCluster, _ name: String) throws -> Int? {
    let answer = try cluster.ask(3, "GET", "/v1/status")
    let status = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]
    return (status?["damage"] as? [String: Any])?[name] as? Int
  }

  private static func isAdvice(_ text: String) -> Bool { text.contains("eplace") || text.contains("add it anew") }

  private func scrub(_ cluster: TestCluster) throws -> (code: Int32, output: String, errors: String) {
    try ServerProcess.run(["scrub", "--endpoints", "127.0.0.1:\(cluster.clientPort(3))"], in: cluster.folder)
  }

  @Test func aLostValueIsHealedByTheOthers() throws {
    try withRestedCluster { cluster in
      // The longest values, whose keys stand far from what is hit.
      var hit = 0
      for file in try tables(cluster) {
        try DamagedNode.damage(cluster, file) { bytes in
          for number in stride(from: 6, to: DamagedNode.registers, by: 7) {
            let text = Array(DamagedNode.value(number).utf8)
            guard let place = bytes.firstIndex(of: text) else { continue }
            for byte in 0..<40 { bytes[place + 300 + byte] ^= 0x5A }
            hit += 1
          }
        }
      }
      #expect(hit > 10)
      let look = try ServerProcess.run(["scrub", "--data", cluster.dataPath(3)], in: cluster.folder)
      #expect(look.code == 1 && look.output.contains("\(hit) places damaged"), "\(look)")
      try cluster.start(3)
      try cluster.waitUntilReady()
      #expect(try cluster.process(3).errors.contains("\(hit) damaged records"))
      try DamagedNode.expectValues(cluster, through: [3])
      try waitUntil("all is healed") { try count(cluster, "records") == 0 && count(cluster, "healed") == hit }
      // Its vote counts again.
      try cluster.kill(1)
      try DamagedNode.expectValues(cluster, through: [3])
      let after = try scrub(cluster)
      #expect(after.code == 0, "\(after)")
    }
  }

  @Test func aRunningNodeWritesAgainWhatItHolds() throws {
    try withRestedCluster { cluster in
      try cluster.start(3)
      try cluster.waitUntilReady()
      for file in try tables(cluster) {
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: cluster.dataPath(3) + "/" + file))
        let bytes = [UInt8](try handle.readToEnd() ?? Data())
        for number in stride(from: 6, to: DamagedNode.registers, by: 7) {
          guard let place = bytes.firstIndex(of: Array(DamagedNode.value(number).utf8)) else { continue }
          try handle.seek(toOffset: UInt64(place + 300))
          try handle.write(contentsOf: Data(repeating: 0x21, count: 40))
        }
        try handle.close()
      }
      let found = try scrub(cluster)
      #expect(found.code == 0 && found.output.contains("rewritten"), "\(found)")
      #expect(try cluster.terminate(3) == 0)
      try cluster.start(3)
      try cluster.waitUntilReady()
      #expect(try !cluster.process(3).errors.contains("damaged"))
      try DamagedNode.expectValues(cluster, through: [3])
    }
  }

  /// R12: there is no peer that would remember how far its journal went.
  @Test(arguments: [("register", "journal.00"), ("raft", "log.01")])
  func aClusterOfOneSeesThatItsJournalWasCutShort(_ backend: String, _ file: String) throws {
    try TestCluster.with(size: 1, flags: ["--backend", backend]) { cluster in
      for number in 0..<20 {
        #expect(try cluster.ask(1, "PUT", "/v1/kv/d/\(number)", body: "v\(number)").status == 201)
      }
      #expect(try cluster.terminate(1) == 0)
      let url = URL(fileURLWithPath: cluster.dataPath(1) + "/" + file)
      let whole = try Data(contentsOf: url)
      var cut = whole
      let pages = stride(from: 0, to: whole.count, by: 4096).map { $0..<min($0 + 4096, whole.count) }
      for page in pages.filter({ page in whole[page].contains { $0 != 0 } }).suffix(3) { cut.resetBytes(in: page) }
      try cut.write(to: url)
      let refused = try cluster.runToEnd(1)
      #expect(refused.code == 1 && refused.errors.contains("ends before"), "\(refused)")
      #expect(Self.isAdvice(refused.errors))
      try whole.write(to: url)
      try cluster.start(1)
      try cluster.waitUntilReady()
      for number in 0..<20 { #expect(try cluster.ask(1, "GET", "/v1/kv/d/\(number)").text == "v\(number)") }
    }
  }

  @Test(arguments: 1...6) func randomDamageIsNeverAnswered(_ seed: UInt64) throws {
    try withRestedCluster { cluster in
      var state = seed &* 0x9E37_79B9_7F4A_7C15
      func below(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(bound))
      }
      let files = try FileManager.default.contentsOfDirectory(atPath: cluster.dataPath(3)).filter { $0 != "lock" }
        .sorted()
      for _ in 0..<(seed % 3 + 1) {
        try DamagedNode.damage(cluster, files[below(files.count)]) { bytes in
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
        #expect(code == 1 && Self.isAdvice(process.errors), "\(process.errors)")
        try DamagedNode.expectValues(cluster, through: [1, 2])
      } else {
        try DamagedNode.expectValues(cluster, through: [1, 2, 3])
        try waitUntil("all is healed") { try count(cluster, "records") == 0 }
      }
    }
  }
}

extension [UInt8] {
  /// Where `part` begins.
  fileprivate func firstIndex(of part: [UInt8]) -> Int? {
    guard count >= part.count else { return nil }
    return indices.dropLast(part.count - 1).first {
      self[$0] == part[0] && self[$0..<$0 + part.count].elementsEqual(part)
    }
  }
}
