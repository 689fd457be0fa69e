import Foundation
import Testing

/// More registers than memory (`--cache-bytes`), in real nodes with two threads each.
@Suite("Cache", .serialized, .enabled(if: TestCluster.backendName == "register"))
struct CacheTests {
  private static let count = 3000

  private static func value(_ number: Int, _ version: Int) -> [UInt8] {
    Array(String(repeating: "\(number)-\(version) ", count: 180).utf8)
  }

  private func figure(_ name: String, _ cluster: TestCluster, _ node: Int) throws -> Int {
    let page = try cluster.ask(node, "GET", "/metrics").text
    let line = page.split(separator: "\n").first { $0.hasPrefix(name + " ") }
    return Int(line?.split(separator: " ").last ?? "") ?? -1
  }

  @Test func valuesComeBackFromTheDisk() throws {
    try TestCluster.with(flags: ["--cache-bytes", "1048576", "--threads", "2"]) { cluster in
      let writer = try cluster.connect(1)
      for version in 1...2 {
        for number in 0..<Self.count where version == 1 || number % 3 == 0 {
          let answer = try writer.ask("PUT", "/v1/kv/cold/\(number)", body: Self.value(number, version))
          try #require(answer.status == (version == 1 ? 201 : 200))
        }
      }
      func readAll(_ node: Int) throws {
        let reader = try cluster.connect(node)
        for number in 0..<Self.count {
          let answer = try reader.ask("GET", "/v1/kv/cold/\(number)")
          #expect(answer.status == 200 && answer.body == Self.value(number, number % 3 == 0 ? 2 : 1))
        }
      }
      try readAll(2)
      for id in 1...3 {
        try cluster.kill(id)
        try cluster.start(id)
        try cluster.waitUntilReady()
      }
      try readAll(3)
      let misses = try figure("synod_cache_misses_total", cluster, 3)
      // All but what the journal still held.
      #expect(misses >= Self.count / 2)
      // Two journal halves of 4 MiB may be in memory besides, and the last values that were read.
      #expect(try figure("synod_cache_bytes", cluster, 3) <= 10 << 20)
      // Changed through a node that has none of them in memory.
      let other = try cluster.connect(3)
      for number in 0..<100 {
        #expect(try other.ask("PUT", "/v1/kv/cold/\(number)", ["If-Match: *"], body: [1]).status == 200)
      }
    }
  }
}
