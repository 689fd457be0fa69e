import Foundation
import Testing

/// CONTRACT §1: conditions, and what a false one is told.
@Suite("Contract: conditions", .sharedCluster)
struct ConditionContractTests {
  /// Conditions that hold, or not, of a register with the value `v` at revision REV.
  static let present: [(fields: [String], query: String, holds: Bool)] = [
    (["If-Match: \"REV\""], "", true), (["If-Match: \"1\", \"REV\""], "", true), (["If-Match: *"], "", true),
    (["If-Match: \"NEXT\""], "", false), (["If-Match: W/\"REV\""], "", false), (["If-Match: \"x\""], "", false),
    (["If-None-Match: *"], "", false), (["If-None-Match: \"REV\""], "", false),
    (["If-None-Match: W/\"REV\""], "", false), (["If-None-Match: \"NEXT\""], "", true),
    ([], "expect=v", true), ([], "expect=%76", true), ([], "expect=", false), ([], "expect=vv", false),
    (["If-Match: \"REV\""], "expect=v", true), (["If-Match: \"REV\""], "expect=w", false),
    (["If-Match: \"NEXT\""], "expect=v", false), (["If-Match: *", "If-None-Match: *"], "", false),
    (["If-Match: *", "If-None-Match: \"NEXT\""], "", true),
  ]

  @Test(arguments: present.indices, ["PUT", "POST", "DELETE"])
  func onAPresentRegister(_ index: Int, _ method: String) throws {
    let cluster = try TestCluster.shared
    let row = Self.present[index]
    let target = "/v1/kv/conditions/present/\(method)/\(index)"
    let revision = try #require(try cluster.ask(1, "PUT", target, body: "v").revision)
    let fields = row.fields.map {
      $0.replacing("REV", with: "\(revision)").replacing("NEXT", with: "\(revision + 1)")
    }
    let query = [method == "POST" ? "append" : "", row.query].filter { !$0.isEmpty }.joined(separator: "&")
    let body = method == "DELETE" ? nil : "new"
    let answer = try cluster.ask(2, method, target + (query.isEmpty ? "" : "?" + query), fields, body: body)
    let after = try cluster.ask(3, "GET", target)
    if row.holds {
      #expect(answer.status == (method == "DELETE" ? 204 : 200), "\(fields) \(query)")
      #expect(after.status == (method == "DELETE" ? 404 : 200) && after.revision != revision)
    } else {
      #expect(answer.status == 412 && answer.revision == revision && answer.outcome == "not-applied")
      let current = answer.json["current"] as? [String: Any] ?? [:]
      #expect(current["revision"] as? UInt64 == revision && current["value"] as? String == "v")
      #expect(after.text == "v" && after.revision == revision)
    }
  }

  static let absent: [(field: String, query: String, holds: Bool)] = [
    ("If-Match: \"1\"", "", false), ("If-Match: *", "", false), ("If-None-Match: *", "", true),
    ("If-None-Match: \"1\"", "", true), ("X-None: 1", "expect=", false), ("X-None: 1", "expect=v", false),
  ]

  @Test(arguments: absent.indices)
  func onAnAbsentRegister(_ index: Int) throws {
    let cluster = try TestCluster.shared
    let row = Self.absent[index]
    let target = "/v1/kv/conditions/absent/\(index)"
    let query = row.query.isEmpty ? "" : "?" + row.query
    // Without a condition that fails, deleting nothing is 404.
    let deleted = try cluster.ask(1, "DELETE", target + query, [row.field])
    #expect(deleted.status == (row.holds ? 404 : 412))
    let put = try cluster.ask(2, "PUT", target + query, [row.field], body: "made")
    #expect(put.status == (row.holds ? 201 : 412))
    if !row.holds { #expect(put["ETag"] == nil && put.json["current"] is NSNull) }
    #expect(try cluster.ask(3, "GET", target).status == (row.holds ? 200 : 404))
  }

  @Test func currentAsBase64() throws {
    let cluster = try TestCluster.shared
    let target = "/v1/kv/conditions/bytes"
    _ = try cluster.connect(1).ask("PUT", target, body: [0xFF, 0x00])
    let answer = try cluster.ask(2, "PUT", target, ["If-None-Match: *"], body: "x")
    let current = answer.json["current"] as? [String: Any]
    #expect(answer.status == 412 && current?["value_base64"] as? String == "/wA=" && current?["value"] == nil)
  }

  @Test(arguments: [
    "If-Match: REV", "If-Match: \"1", "If-None-Match: 1", "If-Match: \"1\" \"2\"", "If-Match: *, \"1\"",
  ])
  func malformedTags(_ field: String) throws {
    #expect(try TestCluster.shared.ask(1, "PUT", "/v1/kv/conditions/tags", [field], body: "x").status == 400)
  }

  /// Of many that compare with the same revision through all nodes, one wins.
  @Test func oneOfManyWins() throws {
    let cluster = try TestCluster.shared
    let target = "/v1/kv/conditions/race"
    var revision = try #require(try cluster.ask(1, "PUT", target, body: "start").revision)
    for round in 0..<5 {
      let expected = revision
      let answers = Locked<[HTTPAnswer]>([])
      try concurrently(6) { index in
        let answer = try cluster.ask(
          index % 3 + 1, "PUT", target, ["If-Match: \"\(expected)\""], body: "\(round).\(index)")
        answers.with { $0.append(answer) }
      }
      let statuses = answers.value.map(\.status).sorted()
      #expect(statuses == [200, 412, 412, 412, 412, 412])
      revision = try #require(answers.value.first { $0.status == 200 }?.revision)
      for loser in answers.value where loser.status == 412 { #expect(loser.revision == revision) }
    }
  }
}
