import Foundation
import Testing

/// Members enter and leave under load, with real processes. One at a time: each is six processes.
@Suite("Members", .serialized)
struct MembersTests {
  /// A cluster of three with three more nodes that wait to be added.
  private static func with(_ body: (TestCluster) throws -> Void) throws {
    try TestCluster.with(size: 6, first: 3, flags: ["--request-timeout", "2s"]) { cluster in
      for id in 4...6 { try cluster.start(id) }
      try waitUntil("the new nodes serve by way of the others") { (4...6).allSatisfy { cluster.isReady($0) } }
      try body(cluster)
    }
  }

  /// `synod members …`, asked of the nodes that stay.
  private static func members(
    _ cluster: TestCluster, _ words: [String], at nodes: [Int] = [4, 5, 6]
  ) throws -> (code: Int32, output: String, errors: String) {
    let endpoints = nodes.map { "127.0.0.1:\(cluster.clientPort($0))" }.joined(separator: ",")
    return try ServerProcess.run(["members"] + words + ["--endpoints", endpoints], in: cluster.folder)
  }

  private static func name(_ cluster: TestCluster, _ id: Int) -> String { "\(id)=127.0.0.1:\(cluster.peerPort(id))" }

  private static func epoch(_ cluster: TestCluster, _ id: Int) throws -> [Int] {
    let answer = try cluster.ask(id, "GET", "/v1/members")
    let json = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]
    let members = json?["members"] as? [[String: Any]] ?? []
    return members.compactMap { $0["id"] as? Int }
  }

  private func replaceAll(_ cluster: TestCluster, _ change: () throws -> Void) throws {
    let load = Load(cluster, nodes: [4, 5, 6])
    let probe = GapProbe(cluster, nodes: [4, 5, 6])
    let history = try load.run {
      try load.waitForAcknowledged(200)
      let gaps = try probe.run {
        try change()
        try load.waitForAcknowledged(100)
      }
      print("longest time without a success while members changed, ms: \(gaps)")
    }
    #expect(History.violations(history).isEmpty)
    for id in 1...3 { #expect(try cluster.process(id).waitForEnd() == 0, "who was removed ends by itself") }
    for id in 4...6 { #expect(try Self.epoch(cluster, id) == [4, 5, 6]) }
    for id in 4...6 { try cluster.kill(id) }
    for id in 4...6 { try cluster.start(id) }
    try cluster.waitUntilReady([4, 5, 6])
    try load.readAll()
    #expect(History.violations(load.history).isEmpty)
    let again = try cluster.runToEnd(1)
    #expect(again.code == 1 && again.errors.contains("was removed from its cluster"))
  }

  @Test func replacesNodeByNode() throws {
    try Self.with { cluster in
      try replaceAll(cluster) {
        for (old, new) in [(1, 4), (2, 5), (3, 6)] {
          let run = try Self.members(cluster, ["replace", "\(old)", Self.name(cluster, new)])
          #expect(run.code == 0, "\(run.errors)")
        }
      }
    }
  }

  @Test func replacesAllAtOnce() throws {
    try Self.with { cluster in
      try replaceAll(cluster) {
        let set = (4...6).map { Self.name(cluster, $0) }.joined(separator: ",")
        let run = try Self.members(cluster, ["set", set])
        #expect(run.code == 0, "\(run.errors)")
      }
    }
  }

  /// Whoever drives the change dies; it ends all the same.
  @Test func aKilledDriverDoesNotKeepIt() throws {
    try Self.with { cluster in
      for number in 0..<300 {
        #expect(try cluster.ask(1 + number % 3, "PUT", "/v1/kv/k\(number)", body: "v").status == 201)
      }
      let set = [2, 3, 4].map { Self.name(cluster, $0) }.joined(separator: ",")
      #expect(try Self.members(cluster, ["set", set, "--no-wait"], at: [1]).code == 0)
      try cluster.kill(1)
      try waitUntil("the others end the change") {
        try [2, 3, 4].allSatisfy { try Self.epoch(cluster, $0) == [2, 3, 4] }
      }
      for number in 0..<300 {
        #expect(try cluster.ask(2 + number % 3, "GET", "/v1/kv/k\(number)").text == "v")
      }
    }
  }

  @Test func refusesWhatCannotBe() throws {
    try TestCluster.with(size: 4, first: 3) { cluster in
      func put(_ body: String, _ fields: [String] = []) throws -> HTTPAnswer {
        try cluster.ask(1, "PUT", "/v1/members", fields, body: body)
      }
      func member(_ id: Int) -> String { #"{"id":\#(id),"address":"127.0.0.1:\#(cluster.peerPort(id))"}"# }
      func set(_ ids: [Int]) -> String { #"{"members":["# + ids.map(member).joined(separator: ",") + "]}" }

      #expect(try put("{}").status == 400)
      #expect(try put("no json").status == 400)
      #expect(try put(#"{"members":[]}"#).status == 400)
      #expect(try put(#"{"members":[{"id":0,"address":"a:1"}]}"#).status == 400)
      #expect(try put(#"{"members":[{"id":1,"address":"nowhere"}]}"#).status == 400)
      #expect(try put(set([1, 1])).status == 400)
      let ten = (1...10).map { #"{"id":\#($0),"address":"h:\#($0)"}"# }.joined(separator: ",")
      #expect(try put(#"{"members":[\#(ten)]}"#).status == 400)

      let stale = try put(set([1, 2]), ["If-Match: \"2\""])
      #expect(stale.status == 412 && stale["etag"] == "\"0\"")
      let unmet = try put(set([1, 2, 3, 4]))
      #expect(unmet.status == 409 && unmet.text.contains("start it with --id 4"), "\(unmet.text)")
      let moved = try put(#"{"members":[{"id":1,"address":"h:1"},\#(member(2))]}"#)
      #expect(moved.status == 409 && moved.text.contains("is a member at"), "\(moved.text)")
      #expect(try put(set([1, 2, 3])).status == 202, "what is so already")
      #expect(try cluster.ask(1, "PUT", "/v1/members?now", body: set([1])).status == 400)

      try cluster.kill(3)
      try waitUntil("node 1 misses node 3") {
        try cluster.ask(1, "GET", "/readyz?verbose").text.contains("[-] peer 3")
      }
      let silent = try put(set([3]))
      #expect(silent.status == 409 && silent.text.contains("no majority"), "\(silent.text)")
    }
  }

  @Test func showsAndPlans() throws {
    try TestCluster.with(size: 4, first: 3) { cluster in
      try cluster.start(4)
      try waitUntil("the new node serves by way of the others") { cluster.isReady(4) }
      let list = try Self.members(cluster, [], at: [1])
      #expect(list.code == 0 && list.output.contains("epoch 0, stable"))
      let plan = try Self.members(cluster, ["add", Self.name(cluster, 4), "--dry-run"], at: [1])
      #expect(plan.code == 0)
      #expect(plan.output.contains("before  a quorum is 2 of {1, 2, 3}; survives any 1 failure"))
      #expect(plan.output.contains("during  a quorum is 2 of {1, 2, 3} and 3 of {1, 2, 3, 4}; survives any 1 failure"))
      #expect(try Self.members(cluster, ["remove", "7"], at: [1]).code == 2)
      #expect(try Self.members(cluster, ["add", "5=127.0.0.1:9"], at: [1]).code == 5)
      #expect(try Self.members(cluster, ["add", Self.name(cluster, 4)], at: [2]).code == 0)
      let json = try Self.members(cluster, ["--json"], at: [4])
      #expect(json.output.contains(#""epoch":2,"phase":"stable""#))
    }
  }
}
