import Base
import Host
import Replica
import Testing

/// A request after others, and what its answer must be.
struct SessionRow: Sendable, CustomTestStringConvertible {
  struct Ask: Sendable {
    var line: String
    var fields: [String] = []
    var body: String?
    init(_ line: String, _ fields: [String] = [], _ body: String? = nil) {
      self.line = line
      self.fields = fields
      self.body = body
    }
  }

  var before: [Ask]
  var ask: Ask
  var status: Int
  /// `name: value`, or `!name` where the field must be missing.
  var fields: [String] = []
  var body: String?
  var contains: [String] = []

  var testDescription: String { "\(ask.line) \(ask.fields) → \(status)" }

  func run(_ harness: SessionHarness) throws {
    for request in before { _ = try harness.ask(request.line, request.fields, request.body) }
    let answer = try harness.ask(ask.line, ask.fields, ask.body)
    #expect(answer.status == status, "\(answer)")
    for field in fields {
      if field.hasPrefix("!") {
        #expect(answer[String(field.dropFirst())] == nil)
      } else {
        let colon = try #require(field.firstIndex(of: ":"))
        #expect(answer[field[..<colon].lowercased()] == String(field[field.index(colon, offsetBy: 2)...]), "\(field)")
      }
    }
    if let body { #expect(answer.text == body) }
    for part in contains { #expect(answer.text.contains(part), "\(part) in \(answer.text)") }
    if status >= 400 {
      #expect(answer["content-type"] == "application/problem+json")
      #expect(answer.text.hasSuffix("}\n") || ask.line.hasPrefix("HEAD"))
    }
  }
}

private typealias Ask = SessionRow.Ask
private let put = Ask("PUT /v1/kv/foo", [], "world")
private let number = Ask("PUT /v1/kv/foo", [], "5")

/// Every row of the contract's table of requests, with its conditions, forms and errors.
@Suite struct SessionRegisterTests {
  static let reads: [SessionRow] = [
    .init(
      before: [], ask: Ask("GET /v1/kv/foo"), status: 404, fields: ["!etag"],
      contains: ["\"outcome\":\"not-applied\""]),
    .init(
      before: [put], ask: Ask("GET /v1/kv/foo"), status: 200,
      fields: ["ETag: \"1\"", "Content-Type: application/octet-stream", "Date: Sun, 06 Nov 1994 08:49:37 GMT"],
      body: "world"),
    .init(before: [put], ask: Ask("GET /v1/kv/%66oo"), status: 200, body: "world"),
    .init(
      before: [put], ask: Ask("HEAD /v1/kv/foo"), status: 200, fields: ["ETag: \"1\"", "Content-Length: 5"], body: ""),
    .init(before: [], ask: Ask("HEAD /v1/kv/foo"), status: 404, body: ""),
    .init(
      before: [put], ask: Ask("GET /v1/kv/foo", ["Accept: application/json"]), status: 200,
      fields: ["Content-Type: application/json"], body: #"{"key":"foo","revision":1,"value":"world"}"#),
    .init(
      before: [Ask("PUT /v1/kv/a%FF", [], "x")], ask: Ask("GET /v1/kv/a%FF", ["Accept: application/json"]),
      status: 200, body: #"{"key_base64":"Yf8=","revision":1,"value":"x"}"#),
    .init(before: [put], ask: Ask("GET /v1/kv/foo", ["Accept: */*"]), status: 200, body: "world"),
    .init(before: [put], ask: Ask("GET /v1/kv/foo", ["If-None-Match: \"1\""]), status: 304, fields: ["ETag: \"1\""]),
    .init(before: [put], ask: Ask("GET /v1/kv/foo", ["If-None-Match: W/\"1\""]), status: 304),
    .init(before: [put], ask: Ask("GET /v1/kv/foo", ["If-None-Match: \"7\", \"1\""]), status: 304),
    .init(before: [put], ask: Ask("GET /v1/kv/foo", ["If-None-Match: *"]), status: 304),
    .init(before: [put], ask: Ask("GET /v1/kv/foo", ["If-None-Match: \"2\""]), status: 200, body: "world"),
    .init(before: [put], ask: Ask("GET /v1/kv/foo", ["If-None-Match: \"01\""]), status: 200),
    .init(before: [], ask: Ask("GET /v1/kv/foo", ["If-None-Match: \"1\""]), status: 404),
    .init(before: [], ask: Ask("GET /v1/kv/foo", ["If-None-Match: 1"]), status: 400),
    .init(before: [put], ask: Ask("GET /v1/kv/foo", ["If-Match: \"2\""]), status: 412, fields: ["ETag: \"1\""]),
    .init(before: [put], ask: Ask("GET /v1/kv/foo", ["If-Match: \"1\""]), status: 200),
    .init(before: [put], ask: Ask("GET /v1/kv/foo?settle"), status: 200, fields: ["!synod-outcome"], body: "world"),
    .init(before: [], ask: Ask("GET /v1/kv/foo?settle"), status: 404),
    .init(
      before: [], ask: Ask("GET /v1/kv/foo?settle=0", ["Idempotency-Key: k"]), status: 404,
      fields: ["Synod-Outcome: dead", "!synod-revision"]),
    .init(
      before: [Ask("PUT /v1/kv/foo", ["Idempotency-Key: k"], "a"), put],
      ask: Ask("GET /v1/kv/foo?settle=0", ["Idempotency-Key: k"]), status: 200,
      fields: ["Synod-Outcome: applied", "Synod-Revision: 1", "ETag: \"2\""], body: "world"),
    .init(before: [], ask: Ask("GET /v1/kv/foo?settle=0"), status: 400),
    .init(before: [], ask: Ask("GET /v1/kv/foo?settle=x", ["Idempotency-Key: k"]), status: 400),
    .init(before: [], ask: Ask("GET /v1/kv/foo?settle&wait=1s"), status: 400),
    .init(before: [], ask: Ask("GET /v1/kv/foo?settle&settle"), status: 400),
    .init(before: [], ask: Ask("GET /v1/kv/foo?wait=61s"), status: 400),
    .init(before: [], ask: Ask("GET /v1/kv/foo?wait=2m"), status: 400),
    .init(before: [], ask: Ask("GET /v1/kv/foo?wait"), status: 400),
    .init(before: [], ask: Ask("GET /v1/kv/foo?wait=5"), status: 400),
    .init(before: [], ask: Ask("GET /v1/kv/foo?wait=5s", ["If-None-Match: \"1\", \"2\""]), status: 400),
    .init(before: [], ask: Ask("GET /v1/kv/foo?wait=5s", ["If-None-Match: *"]), status: 400),
    .init(before: [], ask: Ask("GET /v1/kv/foo?expect=1"), status: 400),
    .init(before: [], ask: Ask("GET /v1/kv/foo?colour=red"), status: 400),
  ]

  static let changes: [SessionRow] = [
    .init(
      before: [], ask: put, status: 201, fields: ["ETag: \"1\"", "Content-Type: application/json"],
      body: #"{"revision":1}"#),
    .init(before: [put], ask: put, status: 200, fields: ["ETag: \"2\""], body: #"{"revision":2}"#),
    .init(before: [], ask: Ask("PUT /v1/kv/foo", [], ""), status: 201),
    .init(
      before: [], ask: Ask("PUT /v1/kv/foo", ["Prefer: return=minimal"], "x"), status: 204,
      fields: ["ETag: \"1\"", "Preference-Applied: return=minimal"]),
    .init(
      before: [], ask: Ask("PUT /v1/kv/foo", ["Content-Type: application/x-www-form-urlencoded"], "x"), status: 201),
    .init(before: [], ask: Ask("PUT /v1/kv/foo"), status: 411),
    .init(
      before: [], ask: Ask("PUT /v1/kv/foo", ["Content-Encoding: gzip"], "x"), status: 415,
      fields: ["Accept-Encoding: identity"]),
    .init(before: [], ask: Ask("PUT /v1/kv/foo", ["Content-Encoding: identity"], "x"), status: 201),
    .init(before: [], ask: Ask("PUT /v1/kv/foo", ["Content-Range: bytes 0-0/2"], "x"), status: 400),
    .init(before: [], ask: Ask("PUT /v1/kv/foo?add=1", [], "x"), status: 400),
    .init(before: [], ask: Ask("PUT /v1/kv/", [], "x"), status: 400),
    .init(before: [], ask: Ask("PUT /v1/kv/a/../b", [], "x"), status: 400),
    .init(before: [], ask: Ask("PUT /v1/kv/a//b", [], "x"), status: 201),
    .init(before: [], ask: Ask("GET /v1/kv/" + String(repeating: "k", count: 513)), status: 414),
    .init(before: [], ask: Ask("PUT /v1/kv/" + String(repeating: "k", count: 512), [], "x"), status: 201),
    .init(before: [put], ask: Ask("DELETE /v1/kv/foo"), status: 204, fields: ["Synod-Revision: 2", "!etag"]),
    .init(before: [], ask: Ask("DELETE /v1/kv/foo"), status: 404),
    .init(before: [put, Ask("DELETE /v1/kv/foo")], ask: put, status: 201, fields: ["ETag: \"3\""]),
    .init(
      before: [], ask: Ask("POST /v1/kv/foo?add=3"), status: 200,
      fields: ["ETag: \"1\"", "Content-Type: text/plain; charset=utf-8"], body: "3"),
    .init(before: [number], ask: Ask("POST /v1/kv/foo?add=-7"), status: 200, fields: ["ETag: \"2\""], body: "-2"),
    .init(before: [number], ask: Ask("POST /v1/kv/foo?max=9"), status: 200, fields: ["ETag: \"2\""], body: "9"),
    .init(before: [number], ask: Ask("POST /v1/kv/foo?max=4"), status: 200, fields: ["ETag: \"1\""], body: "5"),
    .init(before: [number], ask: Ask("POST /v1/kv/foo?min=4"), status: 200, fields: ["ETag: \"2\""], body: "4"),
    .init(before: [], ask: Ask("POST /v1/kv/foo?min=4"), status: 200, fields: ["ETag: \"1\""], body: "4"),
    .init(before: [put], ask: Ask("POST /v1/kv/foo?add=1"), status: 409),
    .init(before: [Ask("PUT /v1/kv/foo", [], "9223372036854775807")], ask: Ask("POST /v1/kv/foo?add=1"), status: 409),
    .init(before: [], ask: Ask("POST /v1/kv/foo?add=1", [], ""), status: 200),
    .init(before: [], ask: Ask("POST /v1/kv/foo?add=1", [], "2"), status: 400),
    .init(before: [], ask: Ask("POST /v1/kv/foo?add"), status: 400),
    .init(before: [], ask: Ask("POST /v1/kv/foo?add=one"), status: 400),
    .init(before: [], ask: Ask("POST /v1/kv/foo?add=9223372036854775808"), status: 400),
    .init(before: [], ask: Ask("POST /v1/kv/foo?add=1&max=2"), status: 400),
    .init(before: [], ask: Ask("POST /v1/kv/foo?add=1&add=1"), status: 400),
    .init(before: [], ask: Ask("POST /v1/kv/foo", [], "x"), status: 400),
    .init(before: [], ask: Ask("POST /v1/kv/foo?expect=1", [], "x"), status: 400),
    .init(
      before: [put], ask: Ask("POST /v1/kv/foo?append", [], "!!"), status: 200, fields: ["ETag: \"2\""],
      body: #"{"revision":2,"length":7}"#),
    .init(before: [], ask: Ask("POST /v1/kv/foo?append"), status: 411),
    .init(before: [], ask: Ask("POST /v1/kv/foo?append=x", [], "x"), status: 400),
    .init(before: [], ask: Ask("POST /v1/kv/foo?append&add=1", [], "x"), status: 400),
  ]

  static let conditions: [SessionRow] = [
    .init(before: [put], ask: Ask("PUT /v1/kv/foo", ["If-Match: \"1\""], "x"), status: 200),
    .init(
      before: [put], ask: Ask("PUT /v1/kv/foo", ["If-Match: \"2\""], "x"), status: 412, fields: ["ETag: \"1\""],
      contains: [#""current":{"revision":1,"value":"world"}"#]),
    .init(before: [put], ask: Ask("PUT /v1/kv/foo", ["If-Match: W/\"1\""], "x"), status: 412),
    .init(before: [put], ask: Ask("PUT /v1/kv/foo", ["If-Match: \"9\", \"1\""], "x"), status: 200),
    .init(before: [put], ask: Ask("PUT /v1/kv/foo", ["If-Match: \"9\"", "If-Match: \"1\""], "x"), status: 200),
    .init(before: [put], ask: Ask("PUT /v1/kv/foo", ["If-Match: \"abc\""], "x"), status: 412),
    .init(before: [put], ask: Ask("PUT /v1/kv/foo", ["If-Match: *"], "x"), status: 200),
    .init(
      before: [], ask: Ask("PUT /v1/kv/foo", ["If-Match: *"], "x"), status: 412, fields: ["!etag"],
      contains: [#""current":null"#]),
    .init(before: [], ask: Ask("PUT /v1/kv/foo", ["If-Match: \"0\""], "x"), status: 412),
    .init(before: [put], ask: Ask("PUT /v1/kv/foo", ["If-Match: 1"], "x"), status: 400),
    .init(before: [put], ask: Ask("PUT /v1/kv/foo", ["If-Match:"], "x"), status: 400),
    .init(before: [], ask: Ask("PUT /v1/kv/foo", ["If-None-Match: *"], "x"), status: 201),
    .init(before: [put], ask: Ask("PUT /v1/kv/foo", ["If-None-Match: *"], "x"), status: 412),
    .init(before: [put], ask: Ask("PUT /v1/kv/foo", ["If-None-Match: \"1\""], "x"), status: 412),
    .init(before: [put], ask: Ask("PUT /v1/kv/foo", ["If-None-Match: W/\"1\""], "x"), status: 412),
    .init(before: [put], ask: Ask("PUT /v1/kv/foo", ["If-None-Match: \"2\""], "x"), status: 200),
    .init(before: [], ask: Ask("PUT /v1/kv/foo", ["If-None-Match: \"2\""], "x"), status: 201),
    .init(before: [put], ask: Ask("PUT /v1/kv/foo", ["If-Match: *", "If-None-Match: *"], "x"), status: 412),
    .init(before: [], ask: Ask("PUT /v1/kv/foo", ["If-Match: *", "If-None-Match: *"], "x"), status: 412),
    .init(before: [], ask: Ask("PUT /v1/kv/foo", ["If-Match: \"1\"", "If-None-Match: *"], "x"), status: 412),
    .init(before: [put], ask: Ask("PUT /v1/kv/foo?expect=world", [], "x"), status: 200),
    .init(before: [put], ask: Ask("PUT /v1/kv/foo?expect=w%6Frld", ["If-Match: \"1\""], "x"), status: 200),
    .init(before: [put], ask: Ask("PUT /v1/kv/foo?expect=world", ["If-Match: \"2\""], "x"), status: 412),
    .init(before: [put], ask: Ask("PUT /v1/kv/foo?expect=", [], "x"), status: 412),
    .init(before: [], ask: Ask("PUT /v1/kv/foo?expect=", [], "x"), status: 412, contains: [#""current":null"#]),
    .init(before: [Ask("PUT /v1/kv/foo", [], "")], ask: Ask("PUT /v1/kv/foo?expect=", [], "x"), status: 200),
    .init(before: [], ask: Ask("PUT /v1/kv/foo?expect", [], "x"), status: 400),
    .init(before: [], ask: Ask("PUT /v1/kv/foo?expect=a&expect=b", [], "x"), status: 400),
    .init(before: [put], ask: Ask("DELETE /v1/kv/foo", ["If-Match: \"2\""]), status: 412),
    .init(before: [put], ask: Ask("DELETE /v1/kv/foo?expect=world"), status: 204),
    .init(before: [], ask: Ask("DELETE /v1/kv/foo", ["If-Match: \"1\""]), status: 412),
    .init(before: [], ask: Ask("DELETE /v1/kv/foo", ["If-None-Match: \"1\""]), status: 404),
    .init(before: [], ask: Ask("DELETE /v1/kv/foo?expect=a"), status: 412),
    .init(before: [number], ask: Ask("POST /v1/kv/foo?add=1", ["If-Match: \"2\""]), status: 412),
    .init(before: [number], ask: Ask("POST /v1/kv/foo?add=1&expect=5"), status: 200, body: "6"),
    .init(before: [put], ask: Ask("POST /v1/kv/foo?append&expect=x", [], "x"), status: 412),
  ]

  static let retries: [SessionRow] = [
    .init(
      before: [Ask("PUT /v1/kv/foo", ["Idempotency-Key: k"], "a"), put],
      ask: Ask("PUT /v1/kv/foo", ["Idempotency-Key: k"], "a"), status: 201,
      fields: ["Idempotent-Replay: true", "ETag: \"1\""], body: #"{"revision":1}"#),
    .init(
      before: [Ask("POST /v1/kv/foo?add=2", ["Idempotency-Key: k"])],
      ask: Ask("POST /v1/kv/foo?add=2", ["Idempotency-Key: k"]), status: 200, fields: ["Idempotent-Replay: true"],
      body: "2"),
    .init(
      before: [put, Ask("DELETE /v1/kv/foo", ["Idempotency-Key: k"])],
      ask: Ask("DELETE /v1/kv/foo", ["Idempotency-Key: k"]), status: 204,
      fields: ["Idempotent-Replay: true", "Synod-Revision: 2"]),
    .init(
      before: [Ask("PUT /v1/kv/foo", ["Idempotency-Key: k"], "a")],
      ask: Ask("PUT /v1/kv/foo", ["Idempotency-Key: k"], "b"), status: 422),
    .init(
      before: [Ask("PUT /v1/kv/foo", ["Idempotency-Key: k"], "a")],
      ask: Ask("PUT /v1/kv/foo", ["Idempotency-Key: k", "If-Match: \"1\""], "a"), status: 422),
    .init(
      before: [Ask("PUT /v1/kv/foo", ["Idempotency-Key: k"], "a")],
      ask: Ask("PUT /v1/kv/foo", ["Idempotency-Key: l"], "b"), status: 200, fields: ["!idempotent-replay"]),
    .init(
      before: [Ask("PUT /v1/kv/foo", ["Idempotency-Key: k", "If-Match: *"], "a"), put],
      ask: Ask("PUT /v1/kv/foo", ["Idempotency-Key: k", "If-Match: *"], "a"), status: 200,
      fields: ["!idempotent-replay"]),
    .init(
      before: [Ask("GET /v1/kv/foo?settle=0", ["Idempotency-Key: k"])],
      ask: Ask("PUT /v1/kv/foo", ["Idempotency-Key: k"], "a"), status: 409),
    .init(
      before: [], ask: Ask("PUT /v1/kv/foo", ["Idempotency-Key: " + String(repeating: "k", count: 64)], "a"),
      status: 201),
    .init(
      before: [], ask: Ask("PUT /v1/kv/foo", ["Idempotency-Key: " + String(repeating: "k", count: 65)], "a"),
      status: 400),
    .init(before: [], ask: Ask("PUT /v1/kv/foo", ["Idempotency-Key:"], "a"), status: 400),
    .init(before: [], ask: Ask("PUT /v1/kv/foo", ["Idempotency-Key: a", "Idempotency-Key: b"], "a"), status: 400),
  ]

  @Test(arguments: reads + changes + conditions + retries)
  func row(_ row: SessionRow) throws { try row.run(SessionHarness()) }

  @Test func valuesThatAreNotTextStandInBase64() throws {
    let harness = SessionHarness()
    harness.feed(Array("PUT /v1/kv/foo HTTP/1.1\r\nHost: n\r\nContent-Length: 2\r\n\r\n".utf8) + [0xFF, 0xFE])
    harness.deliver()
    _ = harness.take()
    let read = try harness.ask("GET /v1/kv/foo", ["Accept: application/json"])
    #expect(read.text == #"{"key":"foo","revision":1,"value_base64":"//4="}"#)
    #expect(try harness.ask("GET /v1/kv/foo").body == [0xFF, 0xFE])
    let failed = try harness.ask("PUT /v1/kv/foo", ["If-None-Match: *"], "x")
    #expect(failed.text.contains(#""current":{"revision":1,"value_base64":"//4="}"#))
  }

  static let outcomes: [(Outcome, read: Int, change: Int, String)] = [
    (.refused(.noQuorum), 503, 503, "not-applied"), (.refused(.expired), 503, 503, "not-applied"),
    (.refused(.notAMember), 503, 503, "not-applied"), (.refused(.shuttingDown), 503, 503, "not-applied"),
    (.refused(.overloaded), 429, 429, "not-applied"), (.refused(.tooLarge), 413, 413, "not-applied"),
    (.refused(.notANumber), 409, 409, "not-applied"), (.refused(.overflow), 409, 409, "not-applied"),
    (.refused(.dead), 409, 409, "not-applied"), (.refused(.payloadMismatch), 422, 422, "not-applied"),
  ]

  @Test(arguments: outcomes) func refusals(_ outcome: Outcome, _ read: Int, _ change: Int, _ word: String) throws {
    for (line, body, status) in [("GET /v1/kv/k", nil, read), ("PUT /v1/kv/k", "x", change)] as [(String, String?, Int)]
    {
      let harness = SessionHarness()
      harness.host.script = [outcome]
      let answer = try harness.ask(line, [], body)
      #expect(answer.status == status)
      #expect(answer.text.contains("\"outcome\":\"\(word)\""))
      #expect((answer["retry-after"] == "1") == (status == 429 || status == 503))
    }
  }

  @Test func anUnknownOutcomeIsSaidOfChangesAndSettlesOnly() throws {
    for (line, body, status, word) in [
      ("PUT /v1/kv/k", "x", 504, "unknown"), ("GET /v1/kv/k", nil, 503, "not-applied"),
      ("GET /v1/kv/k?settle", nil, 504, "unknown"),
    ] as [(String, String?, Int, String)] {
      let harness = SessionHarness()
      harness.host.script = [.unknown]
      let answer = try harness.ask(line, [], body)
      #expect(answer.status == status)
      #expect(answer.text.contains("\"outcome\":\"\(word)\""))
    }
  }

  @Test func anOutcomeThatCannotBeIsOurFault() throws {
    let harness = SessionHarness()
    harness.host.script = [.absent, .read(nil)]
    #expect(try harness.ask("GET /v1/kv/k").status == 500)
    let change = try harness.ask("PUT /v1/kv/k", [], "x")
    #expect(change.status == 500)
    #expect(change.text.contains("\"outcome\":\"unknown\""))
  }

  @Test func forgottenIsSaid() throws {
    let harness = SessionHarness()
    harness.host.script = [.settled(Versioned(revision: 30, value: [65]), fate: .forgotten)]
    let answer = try harness.ask("GET /v1/kv/k?settle=3", ["Idempotency-Key: k"])
    #expect(answer["synod-outcome"] == "forgotten")
    guard case .settle(let target?, let known, let seconds) = harness.host.submitted[0].operation.action else {
      Issue.record("no settle was submitted")
      return
    }
    #expect(target == OperationID(digest: SHA256.digest([UInt8(ascii: "k")])[...]))
    #expect(known == 3)
    #expect(seconds == harness.host.wallSeconds)
  }

  @Test(arguments: [("800ms", 800), ("9s", 5000), ("1m", 5000), (nil, 5000)] as [(String?, UInt64)])
  func theShorterDeadlineCounts(_ field: String?, _ milliseconds: UInt64) throws {
    let harness = SessionHarness()
    _ = try harness.ask("PUT /v1/kv/k", field.map { ["Synod-Timeout: \($0)"] } ?? [], "x")
    #expect(harness.host.submitted[0].deadline == harness.now + Milliseconds(milliseconds))
    _ = try harness.ask("GET /v1/kv?prefix=a", field.map { ["Synod-Timeout: \($0)"] } ?? [])
    #expect(harness.host.listed[0].deadline == harness.now + Milliseconds(milliseconds))
  }

  @Test(arguments: ["5", "s", "1.5s", "-1s", "5 s", "1h"]) func aMalformedTimeoutIs400(_ text: String) throws {
    let harness = SessionHarness()
    #expect(try harness.ask("GET /v1/kv/k", ["Synod-Timeout: \(text)"]).status == 400)
    #expect(harness.host.submitted.isEmpty)
  }

  @Test func aWaitEndsWithTheChange() throws {
    let harness = SessionHarness()
    _ = try harness.ask("PUT /v1/kv/k", [], "a")
    harness.feed(SessionHarness.request("GET /v1/kv/k?wait=30s", ["If-None-Match: \"1\"", "Synod-Timeout: 1s"]))
    harness.deliver()
    #expect(harness.take().isEmpty)
    let wait = try #require(harness.host.submitted[1].wait)
    #expect(wait.unlessRevision == 1)
    #expect(wait.until == harness.now + 30_000)
    #expect(harness.host.submitted[1].deadline == harness.now + 31_000)
    harness.host.script = []
    let other = SessionHarness.request("PUT /v1/kv/k", [], "b")
    harness.feed(other)
    harness.deliver()
    let answers = try SessionHarness.answers(harness.take())
    #expect(answers.map(\.status) == [200, 200])
    #expect(answers[0].text == "b")
    #expect(answers[0]["etag"] == "\"2\"")
  }

  @Test func aWaitThatSeesNoChangeIs304And404() throws {
    let harness = SessionHarness()
    _ = try harness.ask("PUT /v1/kv/k", [], "a")
    harness.feed(SessionHarness.request("GET /v1/kv/k?wait=60s", ["If-None-Match: \"1\""]))
    harness.feed(SessionHarness.request("GET /v1/kv/absent?wait=1m"))
    harness.deliver()
    #expect(harness.take().isEmpty)
    harness.host.endWaits()
    harness.deliver()
    let answers = try SessionHarness.answers(harness.take())
    #expect(answers.map(\.status) == [304, 404])
    #expect(harness.host.submitted[2].wait?.unlessRevision == 0)
  }

  @Test func namesAndHashesOfOperations() throws {
    let harness = SessionHarness()
    _ = try harness.ask("PUT /v1/kv/k", ["Idempotency-Key: a"], "1")
    _ = try harness.ask("PUT /v1/kv/k", ["Idempotency-Key: a"], "1")
    _ = try harness.ask("PUT /v1/kv/k", ["Idempotency-Key: a"], "2")
    _ = try harness.ask("PUT /v1/kv/k", [], "1")
    let operations = harness.host.submitted.map(\.operation)
    #expect(operations[0].id == operations[1].id && operations[1].id == operations[2].id)
    #expect(operations[0].id.isFromClient)
    #expect(operations[0].payloadHash != 0)
    #expect(operations[0].payloadHash == operations[1].payloadHash)
    #expect(operations[0].payloadHash != operations[2].payloadHash)
    #expect(!operations[3].id.isFromClient)
    #expect(operations[3].payloadHash == 0)
  }
}
