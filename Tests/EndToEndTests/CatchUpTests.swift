import Foundation
import Testing

/// A node that was away holds everything again, with real processes.
@Suite("Catching up", .serialized, .enabled(if: TestCluster.backendName == "register", "a log has other means"))
struct CatchUpTests {
  private static let keys = 20_000

  private static func put(_ cluster: TestCluster, _ value: String) throws {
    let clients = 8
    try concurrently(clients) { client in
      let connection = try cluster.connect(1 + client % 2)
      for number in stride(from: client, to: keys, by: clients) {
        let answer = try connection.ask("PUT", "/v1/kv/k\(number)", body: Array("\(value) \(number)".utf8))
        guard answer.status == 201 || answer.status == 200 else {
          throw NeverHappened(description: "a write is acknowledged: \(answer.status)")
        }
      }
    }
  }

  private static func status(_ cluster: TestCluster, _ id: Int) throws -> [String: Any] {
    let answer = try cluster.ask(id, "GET", "/v1/status")
    return try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any] ?? [:]
  }

  private static func metric(_ cluster: TestCluster, _ id: Int, _ name: String) throws -> Int? {
    let lines = try cluster.ask(id, "GET", "/metrics").text.split(separator: "\n")
    return lines.first { $0.hasPrefix(name + " ") }.flatMap { Int($0.dropFirst(name.count + 1)) }
  }

  private static func wait(
    _ cluster: TestCluster, _ nodes: [Int], timeout: String = "90s"
  ) throws -> (code: Int32, output: String, errors: String) {
    let endpoints = nodes.map { "127.0.0.1:\(cluster.clientPort($0))" }.joined(separator: ",")
    return try ServerProcess.run(
      ["status", "--wait", "--timeout", timeout, "--endpoints", endpoints], in: cluster.folder)
  }

  @Test func whoWasAwayHoldsEverythingAgain() throws {
    try TestCluster.with { cluster in
      try Self.put(cluster, "old")
      #expect(try Self.wait(cluster, [1, 2, 3]).code == 0)
      try cluster.kill(3)
      try Self.put(cluster, "new")
      let alone = try Self.wait(cluster, [1, 2], timeout: "1s")
      #expect(alone.code == 1 && alone.errors.contains("does not reach node 3"), "\(alone)")

      try cluster.start(3)
      let together = try Self.wait(cluster, [1, 2, 3])
      #expect(together.code == 0, "\(together)")
      #expect(try Self.metric(cluster, 3, "synod_caught_up_total") == Self.keys)
      #expect(try Self.metric(cluster, 3, "synod_registers") == Self.keys)
      let relayed = try [1, 2].map { try Self.metric(cluster, $0, "synod_relayed_total") ?? 0 }
      #expect(relayed.reduce(0, +) >= Self.keys)
      let catchingUp = try Self.status(cluster, 3)["catching_up"] as? [String: Any]
      #expect(catchingUp?["behind"] as? Int == 0)
      // No round was needed, and none ran: nobody asked for these registers.
      #expect(try Self.metric(cluster, 3, "synod_prepares_total") == 0)

      // A majority with it in it: both have to hold the newest, or a read would need a round.
      try cluster.kill(1)
      try cluster.kill(2)
      try cluster.start(1)
      try cluster.waitUntilReady([1, 3])
      let connection = try cluster.connect(3)
      for number in 0..<Self.keys where number % 97 == 0 {
        let answer = try connection.ask("GET", "/v1/kv/k\(number)")
        #expect(answer.status == 200 && answer.text == "new \(number)")
      }
      #expect(try Self.metric(cluster, 3, "synod_prepares_total") == 0)
    }
  }

  /// A node alone has nobody to be behind of.
  @Test func aNodeAloneIsNotBehind() throws {
    try TestCluster.with(size: 1) { cluster in
      #expect(try cluster.ask(1, "PUT", "/v1/kv/k", body: "v").status == 201)
      let waited = try Self.wait(cluster, [1])
      #expect(waited.code == 0 && waited.output.contains("BEHIND"), "\(waited)")
    }
  }
}
