import Foundation
import Testing

/// More registers than memory (`--cache-bytes`), in real nodes with two threads each.
@Suite("Cache", .serialized, .enabled(if: TestCluster.backendName == "register"))
struct CacheTests {
  private static let count = 2000
  private static let valueBytes = 16 << 10
  private static let cacheBytes = 1 << 20
  private static let threads = 2
  /// The cache, and besides what both halves of each partition's journal hold, until it stands in the table.
  private static let mostHeldBytes = cacheBytes + threads * 2 * TestCluster.journalBytes

  private static func value(_ number: Int, _ version: Int) -> [UInt8] {
    let one = Array("\(number)-\(version) ".utf8)
    return (0..<valueBytes).map { one[$0 % one.count] }
  }

  private func figure(_ name: String, _ cluster: TestCluster, _ node: Int) throws -> Int {
    let page = try cluster.ask(node, "GET", "/metrics").text
    let line = page.split(separator: "\n").first { $0.hasPrefix(name + " ") }
    return Int(line?.split(separator: " ").last ?? "") ?? -1
  }

  @Test func valuesComeBackFromTheDisk() throws {
    let flags = ["--cache-bytes", "\(Self.cacheBytes)", "--threads", "\(Self.threads)"]
    try TestCluster.with(flags: flags) { cluster in
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
      #expect((1...Self.mostHeldBytes).contains(try figure("synod_cache_bytes", cluster, 3)))
      try readAll(3)
      // Each was read once: all waited for the disk but those that were in memory.
      let misses = try figure("synod_cache_misses_total", cluster, 3)
      #expect(misses >= Self.count - Self.mostHeldBytes / Self.valueBytes)
      #expect((1...Self.mostHeldBytes).contains(try figure("synod_cache_bytes", cluster, 3)))
      // Changed through a node that has none of them in memory.
      let other = try cluster.connect(3)
      for number in 0..<100 {
        #expect(try other.ask("PUT", "/v1/kv/cold/\(number)", ["If-Match: *"], body: [1]).status == 200)
      }
    }
  }
}
