import Base
import Host
import Testing

@Suite struct SessionTokenTests {
  static let file = """
    # readers first
    reader-token ro
    writer-token rw app/

    chief-token\tadmin
    odd-prefix-token rw a%20b
    """

  static let rows: [(String?, String, String?, Int)] = [
    (nil, "GET /v1/kv/app/x", nil, 401), ("wrong-token", "GET /v1/kv/app/x", nil, 401),
    ("reader-toke", "GET /v1/kv/app/x", nil, 401), ("reader-token", "GET /v1/kv/app/x", nil, 404),
    ("reader-token", "PUT /v1/kv/app/x", "v", 403), ("reader-token", "DELETE /v1/kv/app/x", nil, 403),
    ("reader-token", "POST /v1/kv/app/x?add=1", nil, 403), ("reader-token", "GET /v1/kv", nil, 200),
    ("reader-token", "GET /v1/kv/app/x?settle", nil, 404),
    ("reader-token", "GET /v1/kv/app/x?settle=0", nil, 403),
    ("writer-token", "PUT /v1/kv/app/x", "v", 201), ("writer-token", "PUT /v1/kv/apx", "v", 403),
    ("writer-token", "GET /v1/kv/other", nil, 403), ("writer-token", "GET /v1/kv?prefix=app/y", nil, 200),
    ("writer-token", "GET /v1/kv?prefix=app", nil, 403), ("writer-token", "GET /v1/kv", nil, 403),
    ("writer-token", "GET /metrics", nil, 200), ("writer-token", "GET /v1/status", nil, 200),
    ("writer-token", "GET /v1/members", nil, 200), ("chief-token", "PUT /v1/kv/any", "v", 201),
    ("odd-prefix-token", "PUT /v1/kv/a%20b/c", "v", 201), ("odd-prefix-token", "PUT /v1/kv/a/c", "v", 403),
    (nil, "GET /metrics", nil, 401), (nil, "GET /v1/status", nil, 401), (nil, "GET /v1/members", nil, 401),
    (nil, "POST /v1/batch", "", 401), (nil, "GET /livez", nil, 200), (nil, "GET /readyz?verbose", nil, 200),
    (nil, "GET /", nil, 200), (nil, "GET /nothing", nil, 404), (nil, "OPTIONS /v1/kv/a", nil, 204),
  ]

  @Test(arguments: rows) func access(_ token: String?, _ line: String, _ body: String?, _ status: Int) throws {
    let harness = SessionHarness(tokens: Self.file)
    let fields = ["Idempotency-Key: k"] + (token.map { ["Authorization: Bearer \($0)"] } ?? [])
    // The Idempotency-Key makes a repeated change a replay, which has the first one's status.
    // Twice: what the session remembers of a token must not change what it grants.
    for _ in 0..<2 {
      let answer = try harness.ask(line, fields, body)
      #expect(answer.status == status)
      #expect((answer["www-authenticate"] == "Bearer") == (status == 401))
      if status == 401 || status == 403 { #expect(answer.text.contains("\"outcome\":\"not-applied\"")) }
    }
    if status == 401 || status == 403 {
      #expect(harness.host.submitted.isEmpty)
      #expect(harness.host.listed.isEmpty)
    }
  }

  @Test func eachRequestBearsItsOwnToken() throws {
    let harness = SessionHarness(tokens: Self.file)
    #expect(try harness.ask("PUT /v1/kv/k", ["Authorization: Bearer chief-token"], "v").status == 201)
    #expect(try harness.ask("PUT /v1/kv/k", ["Authorization: Bearer reader-token"], "v").status == 403)
    #expect(try harness.ask("PUT /v1/kv/k", [], "v").status == 401)
    #expect(try harness.ask("PUT /v1/kv/k", ["Authorization: Basic chief-token"], "v").status == 401)
    let twice = ["Authorization: Bearer chief-token", "Authorization: Bearer reader-token"]
    #expect(try harness.ask("PUT /v1/kv/k", twice, "v").status == 400)
  }

  @Test func aBatchIsJudgedLineByLine() throws {
    let harness = SessionHarness(tokens: Self.file)
    let body = #"{"op":"put","key":"app/a","value":"1"}"# + "\n" + #"{"op":"put","key":"b","value":"1"}"#
    let writer = try harness.ask("POST /v1/batch", ["Authorization: Bearer writer-token"], body).text.split(
      separator: "\n")
    #expect(writer.map { $0.prefix(13) } == [#"{"status":201"#, #"{"status":403"#])
    let reader = try harness.ask("POST /v1/batch", ["Authorization: Bearer reader-token"], body).text.split(
      separator: "\n")
    #expect(reader.map { $0.prefix(13) } == [#"{"status":403"#, #"{"status":403"#])
  }

  @Test func aRefusedBodyIsNeitherGatheredNorAskedFor() throws {
    let harness = SessionHarness(tokens: Self.file)
    harness.feed("PUT /v1/kv/k HTTP/1.1\r\nHost: n\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n")
    let refused = try SessionHarness.answers(harness.take())
    #expect(refused.map(\.status) == [401])
    #expect(refused[0]["connection"] == "close")
    #expect(harness.session.isFinished)

    let other = SessionHarness(tokens: Self.file)
    other.feed("PUT /v1/kv/k HTTP/1.1\r\nHost: n\r\nContent-Length: 9\r\n\r\n1234")
    #expect(try SessionHarness.answers(other.take()).map(\.status) == [401])
    other.feed("56789GET /livez HTTP/1.1\r\nHost: n\r\n\r\n")
    #expect(try SessionHarness.answers(other.take()).map(\.status) == [200])
  }

  @Test func linesNeedAUTH() {
    let harness = SessionHarness(tokens: Self.file)
    #expect(harness.talk("GET app/x\n").hasPrefix("401 not-applied "))
    #expect(harness.talk("PING\n") == "200 pong\n")
    #expect(harness.talk("AUTH wrong-token\n").hasPrefix("401 not-applied "))
    #expect(
      harness.talk("AUTH writer-token\nPUT app/x 1\nPUT b 1\nGET b\n").split(separator: "\n").map { $0.prefix(3) } == [
        "200", "201", "403", "403",
      ])
    #expect(
      harness.talk("AUTH reader-token\nGET app/x\nPUT app/x 2\n").split(separator: "\n").map { $0.prefix(3) } == [
        "200", "200", "403",
      ])
    #expect(
      harness.talk("AUTH nothing-of-it\nGET app/x\n").split(separator: "\n").map { $0.prefix(3) } == ["401", "401"])
    #expect(SessionHarness().talk("AUTH anything\n") == "200 ok\n")
  }

  @Test(arguments: [
    ("reader-token", 1), ("reader-token wo", 1), ("reader-token ro a b", 1), ("short ro", 1),
    ("# x\nreader-token ro\nreader-token rw\n", 3), ("", 0), ("# nothing\n", 0), ("reader-token ro %zz", 1),
    ("r\u{e9}ader-token ro", 1),
  ])
  func aTokenFileIsReadStrictly(_ text: String, _ line: Int) {
    let error = #expect(throws: TokenFileError.self) { try TokenTable(parsing: Array(text.utf8)) }
    #expect(error?.line == line)
  }

  @Test func whoMayAdminister() throws {
    let table = try TokenTable(parsing: Array((Self.file + "\nsmall-chief admin app/\r\n").utf8))
    #expect(table.grant(Array("chief-token".utf8)[...])?.mayAdminister == true)
    #expect(table.grant(Array("small-chief".utf8)[...])?.mayAdminister == false)
    #expect(table.grant(Array("writer-token".utf8)[...])?.mayAdminister == false)
    #expect(table.grant([]) == nil)
  }
}
