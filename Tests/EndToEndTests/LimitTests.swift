import Foundation
import Testing

/// Limits, secrets and the configuration file, on nodes that are started with them.
@Suite("Flags of serve", .serialized)
struct LimitTests {
  @Test func moreConnectionsThanAllowed() throws {
    try TestCluster.with(size: 1, flags: ["--max-connections", "4"]) { cluster in
      var held: [RawConnection] = []
      for _ in 0..<4 {
        let connection = try cluster.connect(1)
        #expect(try connection.ask("GET", "/livez").status == 200)
        held.append(connection)
      }
      let refused = try cluster.connect(1)
      try? refused.send(RawConnection.request("GET", "/livez"))
      if let answer = try? refused.answer() { #expect([429, 503].contains(answer.status)) }
      #expect(try refused.isClosedByPeer())
      #expect(try held[0].ask("PUT", "/v1/kv/limit", body: [0x78]).status == 201, "the others are served")
      held.removeLast()
      try waitUntil("there is room again") { cluster.isReady(1) }
      #expect(held.count == 3)
    }
  }

  @Test func slowAndSilentConnections() throws {
    try TestCluster.with(size: 1, flags: ["--read-timeout", "300ms", "--idle-timeout", "600ms"]) { cluster in
      let slow = try cluster.connect(1)
      try slow.send("PUT /v1/kv/slow HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nabc")
      let answer = try slow.answer()
      #expect(answer.status == 408 && answer.outcome == "not-applied")
      #expect(try slow.isClosedByPeer())
      let silent = try cluster.connect(1)
      #expect(try silent.isClosedByPeer())
      let idle = try cluster.connect(1)
      #expect(try idle.ask("GET", "/livez").status == 200)
      #expect(try idle.isClosedByPeer())
      #expect(try cluster.ask(1, "GET", "/v1/kv/slow").status == 404)
      // A wait is not a silence.
      #expect(try cluster.ask(1, "GET", "/v1/kv/slow?wait=1500ms").status == 404)
    }
  }

  @Test func valuesUpToWhatIsSet() throws {
    try TestCluster.with(flags: ["--max-value-bytes", "1048576"]) { cluster throws in
      let value = String(repeating: "v", count: 1 << 20)
      #expect(try cluster.ask(1, "PUT", "/v1/kv/big", body: value).status == 201)
      #expect(try cluster.ask(2, "GET", "/v1/kv/big").text == value)
      #expect(try cluster.ask(3, "PUT", "/v1/kv/big", body: value + "v").status == 413)
    }
  }

  @Test func tokens() throws {
    try TestCluster.with(starting: false) { cluster in
      try cluster.folder.write("tokens", "reader-token ro\nwriter-token rw app/\nadmin-token admin\n")
      for id in cluster.ids { try cluster.start(id, extra: ["--token-file", "\(cluster.folder.path)/tokens"]) }
      try cluster.waitUntilReady()
      func status(_ token: String?, _ method: String, _ key: String) throws -> Int {
        let fields = token.map { ["Authorization: Bearer \($0)"] } ?? []
        return try cluster.ask(1, method, "/v1/kv/" + key, fields, body: method == "PUT" ? "x" : nil).status
      }
      #expect(try status(nil, "PUT", "app/a") == 401)
      #expect(try status("wrong-token", "GET", "app/a") == 401)
      #expect(try status("reader-token", "PUT", "app/a") == 403)
      #expect(try status("writer-token", "PUT", "other") == 403)
      #expect(try status("writer-token", "PUT", "app/a") == 201)
      #expect(try status("reader-token", "GET", "app/a") == 200)
      #expect(try status("admin-token", "DELETE", "app/a") == 204)
    }
  }

  @Test func peersMustKnowTheSecret() throws {
    try TestCluster.with(starting: false) { cluster in
      try cluster.folder.write("secret", "correct horse battery staple\n")
      try cluster.folder.write("wrong", "incorrect horse battery staple\n")
      func secret(_ name: String) -> [String] { ["--peer-secret-file", "\(cluster.folder.path)/\(name)"] }
      for id in cluster.ids { try cluster.start(id, extra: secret("secret")) }
      try cluster.waitUntilReady()
      for flags in [secret("wrong"), []] {
        let liar = try cluster.start(3, extra: flags)
        try waitUntil("it says why") { !liar.errors.isEmpty }
        #expect(!cluster.isReady(3))
        #expect(try cluster.ask(1, "PUT", "/v1/kv/secret", body: "x").status <= 201)
      }
      try cluster.start(3, extra: secret("secret"))
      try cluster.waitUntilReady()
    }
  }

  @Test func theConfigurationFile() throws {
    try TestCluster.with(size: 1, starting: false) { cluster in
      let lines = [
        "# a node", "id = 1", "listen = 127.0.0.1:\(cluster.clientPort(1))", "peers = \(cluster.peers)",
        "data = \(cluster.dataPath(1))", "max-value-bytes = 10", "",
      ]
      try cluster.folder.write("node.conf", lines.joined(separator: "\n"))
      let arguments = ["serve", "--config", "\(cluster.folder.path)/node.conf"]
      let process = try ServerProcess(arguments, name: "configured", folder: cluster.folder)
      defer { process.stop() }
      try waitUntil("it serves: \(process.errors)") { cluster.isReady(1) }
      #expect(process.output == "node 1 serves clients at 127.0.0.1:\(cluster.clientPort(1))\n")
      #expect(try cluster.ask(1, "PUT", "/v1/kv/short", body: "ten bytes.").status == 201)
      #expect(try cluster.ask(1, "PUT", "/v1/kv/long", body: "ten bytes, and more").status == 413)
      process.send(SIGINT)
      #expect(try process.waitForEnd() == 0)
      try cluster.folder.write("node.conf", lines.joined(separator: "\n") + "nonsense = 1\n")
      let ended = try ServerProcess.run(arguments, in: cluster.folder)
      #expect(ended.code == 2 && ended.errors.contains("nonsense"))
    }
  }
}
