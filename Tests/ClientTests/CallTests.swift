import Testing

@testable import Client

/// Each call against a node that answers as CONTRACT §1 has it: what goes out, what comes back.
@Suite struct CallTests {
  /// Makes one call and returns the first line of the request beside its result.
  private static func call<R>(
    _ answer: String, options: ClientOptions = ClientOptions(), _ body: (SynodClient) throws -> R
  ) throws -> (request: String, result: R) {
    let node = try ScriptedNode([.answer(answer)])
    let client = SynodClient([Endpoint(host: "127.0.0.1", port: node.port)], options: options)
    let result = try body(client)
    #expect(node.stepsLeft == 0)
    return (node.requests[0], result)
  }

  private static func line(_ request: String) -> String { String(request.prefix { $0 != "\r\n" }) }

  private static func answer(_ status: String, revision: UInt64, _ body: String) -> String {
    ScriptedNode.answer(status, ["ETag: \"\(revision)\""], body: body)
  }

  @Test func get() throws {
    let (request, entry) = try Self.call(Self.answer("200 OK", revision: 3, "world")) { try $0.get("a b/ü") }
    #expect(Self.line(request) == "GET /v1/kv/a%20b/%C3%BC HTTP/1.1")
    #expect(request.contains("Synod-Timeout: "))
    #expect(!request.contains("Idempotency-Key"))
    #expect(entry == Entry(revision: 3, value: Array("world".utf8)))
    #expect(entry?.text == "world")
  }

  @Test func getOfAnAbsentRegister() throws {
    let (_, entry) = try Self.call(ScriptedNode.problem(404, "not-applied")) { try $0.get("a") }
    #expect(entry == nil)
  }

  @Test(
    arguments: [
      (ScriptedNode.answer("200 OK", ["ETag: \"4\""], body: "x"), .changed(Entry(revision: 4, value: [0x78]))),
      ("HTTP/1.1 304 Not Modified\r\nETag: \"3\"\r\n\r\n", .unchanged),
      (ScriptedNode.problem(404, "not-applied"), .absent),
    ] as [(String, WaitResult)])
  func wait(answer: String, expected: WaitResult) throws {
    let (request, result) = try Self.call(answer) { try $0.wait("k", past: 3, forMilliseconds: 1500) }
    #expect(Self.line(request) == "GET /v1/kv/k?wait=1500ms HTTP/1.1")
    #expect(request.contains("\r\nIf-None-Match: \"3\"\r\n"))
    #expect(result == expected)
  }

  @Test func waitForCreation() throws {
    let (request, _) = try Self.call(Self.answer("200 OK", revision: 1, "")) {
      try $0.wait("k", past: nil, forMilliseconds: 1)
    }
    #expect(!request.contains("If-None-Match"))
  }

  @Test(arguments: [("201 Created", true), ("200 OK", false)])
  func put(status: String, created: Bool) throws {
    let (request, result) = try Self.call(Self.answer(status, revision: 9, "{\"revision\":9}\n")) {
      try $0.put("k", "value", if: [.revision(8), .value(Array("a&b".utf8))])
    }
    #expect(Self.line(request) == "PUT /v1/kv/k?expect=a%26b HTTP/1.1")
    #expect(request.contains("\r\nIf-Match: \"8\"\r\n"))
    #expect(request.contains("\r\nContent-Length: 5\r\n"))
    #expect(request.contains("\r\nIdempotency-Key: "))
    #expect(request.hasSuffix("\r\n\r\nvalue"))
    #expect(result == PutResult(revision: 9, created: created))
  }

  @Test(
    arguments: [
      (.absent, "If-None-Match: *"), (.exists, "If-Match: *"), (.revision(5), "If-Match: \"5\""),
      (.notRevision(5), "If-None-Match: \"5\""),
    ] as [(Condition, String)])
  func conditions(condition: Condition, field: String) throws {
    let (request, _) = try Self.call(Self.answer("200 OK", revision: 9, "")) {
      try $0.cas("k", [1], if: condition, idempotencyKey: "mine")
    }
    #expect(request.contains("\r\n\(field)\r\n"))
    #expect(request.contains("\r\nIdempotency-Key: mine\r\n"))
  }

  @Test(arguments: [
    (",\"current\":{\"revision\":7,\"value\":\"x\"}", Entry(revision: 7, value: [0x78])),
    (",\"current\":{\"revision\":7,\"value_base64\":\"/w==\"}", Entry(revision: 7, value: [0xFF])),
    (",\"current\":null", nil),
  ])
  func aConditionThatFails(more: String, current: Entry?) throws {
    let node = try ScriptedNode([.answer(ScriptedNode.problem(412, "not-applied", more: more))])
    let client = SynodClient([Endpoint(host: "127.0.0.1", port: node.port)])
    #expect(throws: ClientError.conditionFailed(current: current)) { try client.cas("k", [1], if: .revision(1)) }
  }

  @Test(arguments: [("HTTP/1.1 204 No Content\r\n\r\n", true), (ScriptedNode.problem(404, "not-applied"), false)])
  func delete(answer: String, existed: Bool) throws {
    let (request, result) = try Self.call(answer) { try $0.delete("k") }
    #expect(Self.line(request) == "DELETE /v1/kv/k HTTP/1.1")
    #expect(result == existed)
  }

  @Test func numbers() throws {
    let (add, sum) = try Self.call(Self.answer("200 OK", revision: 2, "-5")) { try $0.add("k", -6) }
    #expect(Self.line(add) == "POST /v1/kv/k?add=-6 HTTP/1.1")
    #expect(sum == NumberResult(revision: 2, value: -5))
    let (max, most) = try Self.call(Self.answer("200 OK", revision: 2, "7\n")) { try $0.max("k", 3) }
    #expect(Self.line(max) == "POST /v1/kv/k?max=3 HTTP/1.1")
    #expect(most.value == 7)
    let (min, _) = try Self.call(Self.answer("200 OK", revision: 2, "3")) { try $0.min("k", 3) }
    #expect(Self.line(min) == "POST /v1/kv/k?min=3 HTTP/1.1")
  }

  @Test func append() throws {
    let (request, result) = try Self.call(Self.answer("200 OK", revision: 2, "{\"revision\":2,\"length\":11}\n")) {
      try $0.append("k", [])
    }
    #expect(Self.line(request) == "POST /v1/kv/k?append HTTP/1.1")
    #expect(request.contains("\r\nContent-Length: 0\r\n"))
    #expect(result == AppendResult(revision: 2, length: 11))
  }

  @Test func list() throws {
    let body = #"{"keys":[{"key":"a","revision":1,"value":"x"},{"key_base64":"/w==","revision":2}],"more":true}"#
    let (request, page) = try Self.call(Self.answer("200 OK", revision: 0, body)) {
      try $0.list(prefix: "a/&", after: "b", limit: 10, values: true)
    }
    #expect(Self.line(request) == "GET /v1/kv?prefix=a%2F%26&after=b&limit=10&values HTTP/1.1")
    #expect(
      page
        == KeyPage(
          keys: [
            ListedKey(key: "a", revision: 1, value: [0x78]),
            ListedKey(key: RegisterKey([0xFF]), revision: 2, value: nil),
          ], more: true))
  }

  @Test func aWalkGoesFromPageToPage() throws {
    let node = try ScriptedNode([
      .answer(
        ScriptedNode.answer(
          "200 OK", body: #"{"keys":[{"key":"a","revision":1},{"key":"b","revision":1}],"more":true}"#)),
      .answer(ScriptedNode.answer("200 OK", body: #"{"keys":[{"key":"c","revision":1}],"more":false}"#)),
    ])
    var walk = SynodClient([Endpoint(host: "127.0.0.1", port: node.port)]).keys()
    var seen: [String] = []
    while let listed = try walk.next() { seen.append(listed.key.description) }
    #expect(seen == ["a", "b", "c"])
    #expect(node.requests.map(Self.line) == ["GET /v1/kv HTTP/1.1", "GET /v1/kv?after=b HTTP/1.1"])
  }

  @Test func batch() throws {
    let body = """
      {"status":200,"revision":4,"value":"x"}
      {"status":200,"revision":2,"value":"12"}
      {"status":412,"title":"X","current":{"revision":3,"value":"y"}}
      {"status":404}
      {"status":201,"revision":1}

      """
    let (request, results) = try Self.call(ScriptedNode.answer("200 OK", body: body)) {
      try $0.batch([
        .get("a"), .add("b", -1), .cas("c", [0xFF], if: .value([0x7A])), .delete("d", revision: 5), .put("e", [0x22]),
      ])
    }
    #expect(
      request.hasSuffix(
        """
        \r\n\r\n{"op":"get","key":"a"}
        {"op":"add","key":"b","delta":-1}
        {"op":"cas","key":"c","value_base64":"/w==","if_value":"z"}
        {"op":"delete","key":"d","if_revision":5}
        {"op":"put","key":"e","value":"\\""}

        """))
    #expect(results.map(\.status) == [200, 200, 412, 404, 201])
    #expect(results.map(\.revision) == [4, 2, 3, nil, 1])
    #expect(results.map(\.value) == [[0x78], Array("12".utf8), [0x79], nil, nil])
  }

  @Test func members() throws {
    let body =
      #"{"epoch":3,"phase":"joint","members":[{"id":1,"address":"h:1"}],"progress":{"done":5,"total":9}}"#
    let (_, members) = try Self.call(ScriptedNode.answer("200 OK", body: body)) { try $0.members() }
    #expect(members.epoch == 3)
    #expect(members.isJoint)
    #expect(members.members == [ClusterMembers.Member(id: 1, address: "h:1")])
    #expect(members.done == 5 && members.total == 9)
    let (request, _) = try Self.call(ScriptedNode.answer("202 Accepted")) {
      try $0.setMembers(members.members, atEpoch: 3)
    }
    #expect(Self.line(request) == "PUT /v1/members HTTP/1.1")
    #expect(request.contains("\r\nIf-Match: \"3\"\r\n"))
    #expect(request.hasSuffix(#"{"members":[{"id":1,"address":"h:1"}]}"#))
  }

  @Test func theTokenGoesAlong() throws {
    let options = ClientOptions(token: "secret")
    let (request, _) = try Self.call(Self.answer("200 OK", revision: 1, ""), options: options) { try $0.get("k") }
    #expect(request.contains("\r\nAuthorization: Bearer secret\r\n"))
  }

  @Test func nothingIsSmuggledIntoTheHead() throws {
    let endpoint = Endpoint(host: "127.0.0.1", port: 1)
    let client = SynodClient([endpoint], options: ClientOptions(token: "a\r\nX: y"))
    #expect(throws: ClientError.self) { try client.get("k") }
    #expect(throws: ClientError.self) { try SynodClient([endpoint]).put("k", "v", idempotencyKey: "a\nb") }
  }

  @Test(arguments: [(RegisterKey(""), 400), (RegisterKey([UInt8](repeating: 1, count: 513)), 414)])
  func keysThatCannotBe(key: RegisterKey, status: Int) throws {
    let error = #expect(throws: ClientError.self) { try SynodClient().get(key) }
    guard case .notApplied(status, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }
}
