import Base
import Host
import Replica
import Testing

private typealias Ask = SessionRow.Ask

/// Listings, the pages about the node, methods and paths.
@Suite struct SessionPageTests {
  static let routes: [SessionRow] = [
    .init(before: [], ask: Ask("GET /"), status: 200, contains: ["curl", "/v1/kv/"]),
    .init(before: [], ask: Ask("GET /nothing"), status: 404),
    .init(before: [], ask: Ask("GET /v1"), status: 404),
    .init(before: [], ask: Ask("GET /v1/kv/"), status: 400),
    .init(before: [], ask: Ask("GET /lab"), status: 404),
    .init(before: [], ask: Ask("GET /v1/backup"), status: 404),
    .init(before: [], ask: Ask("POST /v1/restore", [], "x"), status: 404),
    .init(before: [], ask: Ask("PUT /v1/members", [], "{}"), status: 400),
    .init(
      before: [], ask: Ask("POST /v1/members", [], "{}"), status: 405, fields: ["Allow: GET, HEAD, PUT, OPTIONS"]),
    .init(
      before: [], ask: Ask("PATCH /v1/kv/a", [], "x"), status: 405,
      fields: ["Allow: GET, HEAD, PUT, POST, DELETE, OPTIONS"]),
    .init(before: [], ask: Ask("TRACE /v1/kv/a"), status: 405),
    .init(before: [], ask: Ask("GET /v1/batch"), status: 405, fields: ["Allow: POST, OPTIONS"]),
    .init(before: [], ask: Ask("PUT /v1/kv", [], "x"), status: 405),
    .init(before: [], ask: Ask("POST /livez"), status: 405),
    .init(
      before: [], ask: Ask("OPTIONS /v1/kv/a"), status: 204, fields: ["Allow: GET, HEAD, PUT, POST, DELETE, OPTIONS"]),
    .init(before: [], ask: Ask("OPTIONS *"), status: 204, fields: ["Allow: GET, HEAD, PUT, POST, DELETE, OPTIONS"]),
    .init(before: [], ask: Ask("GET /livez"), status: 200, body: "ok\n"),
    .init(before: [], ask: Ask("GET /livez?verbose"), status: 400),
    .init(before: [], ask: Ask("GET /readyz"), status: 200, body: "ok\n"),
    .init(before: [], ask: Ask("HEAD /readyz"), status: 200, fields: ["Content-Length: 3"], body: ""),
    .init(
      before: [], ask: Ask("GET /readyz?verbose"), status: 200,
      contains: ["[+] quorum\n", "[+] peer 2 10.0.0.2:7100\n", "ready\n"]),
    .init(
      before: [], ask: Ask("GET /v1/members"), status: 200, fields: ["ETag: \"4\""],
      body: #"{"epoch":4,"phase":"stable","members":[{"id":1,"address":"10.0.0.1:7100"},"#
        + #"{"id":2,"address":"10.0.0.2:7100"},{"id":3,"address":"10.0.0.3:7100"}],"progress":{"done":0,"total":0}}"#),
    .init(before: [], ask: Ask("GET /v1/members", ["If-None-Match: \"4\""]), status: 304, fields: ["ETag: \"4\""]),
    .init(before: [], ask: Ask("GET /v1/members", ["If-None-Match: \"5\""]), status: 200),
    .init(before: [], ask: Ask("GET /v1/status?x"), status: 400),
    .init(before: [], ask: Ask("GET /metrics?x=1"), status: 400),
  ]

  @Test(arguments: routes) func route(_ row: SessionRow) throws { try row.run(SessionHarness()) }

  @Test func aNodeWithoutQuorumSaysWhy() throws {
    let harness = SessionHarness()
    harness.host.statusNow = SessionFakeHost.makeStatus(isReady: false)
    let short = try harness.ask("GET /readyz")
    #expect(short.status == 503)
    #expect(short["retry-after"] == "1")
    #expect(short.text.contains("no quorum answers"))
    let long = try harness.ask("GET /readyz?verbose")
    #expect(long.status == 503)
    #expect(long.text.contains("[-] quorum\n"))
    #expect(long.text.contains("[-] peer 3 10.0.0.3:7100: connection refused\n"))
    #expect(try harness.ask("GET /livez").status == 200)
  }

  @Test func statusIsJSON() throws {
    let harness = SessionHarness()
    harness.host.statusNow = SessionFakeHost.makeStatus(isReady: false)
    let text = try harness.ask("GET /v1/status").text
    for part in [
      #"{"version":"1.0","node":1,"backend":"register","cluster":null,"ready":false,"problems":["no quorum answers"]"#,
      #""epoch":4,"phase":"stable","members":[{"id":1,"#, #""registers":12"#, #""syncs":34"#,
      #"{"id":3,"address":"10.0.0.3:7100","reachable":false,"last_heard_ms":null,"round_trip_us":null,"#
        + #""problem":"connection refused","queued_bytes":9,"behind":null,"compared_ms":null}"#,
    ] { #expect(text.contains(part), "\(part) in \(text)") }
  }

  @Test func metricsCountAnswersByStatus() throws {
    let harness = SessionHarness()
    _ = try harness.ask("GET /v1/kv/a")
    _ = try harness.ask("GET /v1/kv/a")
    _ = try harness.ask("PUT /v1/kv/a", [], "x")
    var other = RequestCounts()
    other += harness.counters.counts
    harness.counters.others = other
    let page = try harness.ask("GET /metrics")
    #expect(page["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
    #expect(page.text.contains("# TYPE synod_requests_total counter\n"))
    #expect(page.text.contains("synod_requests_total{status=\"404\"} 4\n"))
    #expect(page.text.contains("synod_requests_total{status=\"201\"} 2\n"))
    #expect(page.text.contains("synod_connections_total 2\n"))
    #expect(page.text.contains("synod_registers 12\n"))
    #expect(page.text.contains("synod_peer_reachable{peer=\"2\"} 1\n"))
    #expect(page.text.contains("synod_info{node=\"1\",version=\"1.0\",backend=\"register\"} 1\n"))
    // Each sample stands behind the TYPE of its own name, once.
    var types: [Substring] = []
    for line in page.text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if line.hasPrefix("# TYPE ") {
        #expect(!types.contains(words[2]))
        types.append(words[2])
      } else if !line.hasPrefix("#") {
        #expect(words.count == 2)
        #expect(words[0].split(separator: "{")[0] == types.last)
        #expect(UInt64(words[1]) != nil)
      }
    }
    #expect(types.count > 20)
  }

  private func filled() throws -> SessionHarness {
    let harness = SessionHarness()
    for key in ["b", "a%2F2", "a/1", "a", "%FFx"] { _ = try harness.ask("PUT /v1/kv/\(key)", [], "v") }
    return harness
  }

  static let pages: [(String, Int, String?)] = [
    (
      "", 200,
      #"{"keys":[{"key":"a","revision":1},{"key":"a/1","revision":1},{"key":"a/2","revision":1},"#
        + #"{"key":"b","revision":1},{"key_base64":"/3g=","revision":1}],"more":false}"#
    ),
    ("?prefix=a/", 200, #"{"keys":[{"key":"a/1","revision":1},{"key":"a/2","revision":1}],"more":false}"#),
    ("?prefix=a&limit=1&values", 200, #"{"keys":[{"key":"a","revision":1,"value":"v"}],"more":true}"#),
    ("?after=a%2F2&limit=1", 200, #"{"keys":[{"key":"b","revision":1}],"more":true}"#),
    ("?prefix=none", 200, #"{"keys":[],"more":false}"#),
    ("?limit=1000", 200, nil), ("?limit=0", 400, nil), ("?limit=1001", 400, nil), ("?limit=x", 400, nil),
    ("?limit", 400, nil), ("?values=1", 400, nil), ("?other=1", 400, nil), ("?limit=1&limit=2", 400, nil),
    ("?prefix=%zz", 400, nil), ("?prefix=" + String(repeating: "a", count: 513), 400, nil),
  ]

  @Test(arguments: pages) func listing(_ query: String, _ status: Int, _ body: String?) throws {
    let harness = try filled()
    let answer = try harness.ask("GET /v1/kv" + query)
    #expect(answer.status == status)
    if let body { #expect(answer.text == body) }
  }

  @Test func aListingHasALimitOf100AndNeedsAQuorum() throws {
    let harness = SessionHarness()
    _ = try harness.ask("GET /v1/kv")
    #expect(harness.host.listed[0].limit == 100)
    harness.host.pageIsMissing = true
    let answer = try harness.ask("GET /v1/kv")
    #expect(answer.status == 503)
    #expect(answer["retry-after"] == "1")
    #expect(try harness.ask("HEAD /v1/kv").body.isEmpty)
  }

  @Test func aPageThatWouldBeTooLongEndsEarly() throws {
    let harness = SessionHarness()
    let value = String(repeating: "v", count: 64 << 10)
    for key in 100..<180 { _ = try harness.ask("PUT /v1/kv/\(key)", [], value) }
    let answer = try harness.ask("GET /v1/kv?limit=1000&values")
    #expect(answer.text.hasSuffix(#"],"more":true}"#))
    #expect(answer.body.count < (4 << 20) + (65 << 10))
    #expect(answer.text.contains("\"163\"") && !answer.text.contains("\"170\""))
    #expect(try harness.ask("GET /v1/kv?limit=1000").text.hasSuffix(#"],"more":false}"#))
  }

  @Test func batchLinesAreAnsweredInTheirOrder() throws {
    let harness = SessionHarness()
    let body = """
      {"op":"put","key":"a","value":"1"}
      {"op":"get","key":"a"}
      {"op":"cas","key":"a","value":"2","if_revision":1}
      {"op":"cas","key":"a","value":"3","if_revision":1}
      {"op":"cas","key":"b","value":"3","if_absent":true}
      {"op":"cas","key":"a","value":"5","if_value":"2"}
      {"op":"add","key":"a","delta":-7}
      not json
      {"op":"delete","key":"a"}
      {"op":"delete","key":"a"}
      {"op":"get","key":"a"}
      {"op":"get","key":""}
      """
    let answer = try harness.ask("POST /v1/batch", [], body)
    #expect(answer.status == 200)
    #expect(answer["content-type"] == "application/x-ndjson")
    let lines = answer.text.split(separator: "\n")
    try #require(lines.count == 12)
    #expect(lines[0] == #"{"status":201,"revision":1}"#)
    #expect(lines[1] == #"{"status":200,"revision":1,"value":"1"}"#)
    #expect(lines[2] == #"{"status":200,"revision":2}"#)
    #expect(lines[3].hasPrefix(#"{"status":412,"#) && lines[3].contains(#""current":{"revision":2,"value":"2"}"#))
    #expect(lines[4] == #"{"status":201,"revision":1}"#)
    #expect(lines[5] == #"{"status":200,"revision":3}"#)
    #expect(lines[6] == #"{"status":200,"revision":4,"value":"-2"}"#)
    #expect(lines[7].hasPrefix(#"{"status":400,"#))
    #expect(lines[8] == #"{"status":204,"revision":5}"#)
    #expect(lines[9].hasPrefix(#"{"status":404,"#))
    #expect(lines[10].hasPrefix(#"{"status":404,"#))
    #expect(lines[11].hasPrefix(#"{"status":400,"#))
    #expect(harness.counters.counts.answers(200) == 1)
  }

  @Test func aBatchIsBoundedAndItsOutcomesMayComeInAnyOrder() throws {
    let harness = SessionHarness()
    let line = #"{"op":"put","key":"a","value":"1"}"# + "\n"
    #expect(try harness.ask("POST /v1/batch", [], String(repeating: line, count: 257)).status == 413)
    #expect(harness.host.submitted.isEmpty)
    #expect(try harness.ask("POST /v1/batch", [], "").body.isEmpty)
    #expect(try harness.ask("POST /v1/batch", ["If-Match: \"1\""], line).status == 400)
    #expect(try harness.ask("POST /v1/batch?x", [], line).status == 400)
    harness.feed(SessionHarness.request("POST /v1/batch", [], String(repeating: line, count: 256)))
    while harness.host.undelivered > 0 {
      #expect(harness.session.output.isEmpty)
      harness.host.deliver(harness.host.undelivered - 1, to: harness.session, now: harness.now)
    }
    let lines = try SessionHarness.answers(harness.take())[0].text.split(separator: "\n")
    #expect(lines.count == 256)
    #expect(lines[0] == #"{"status":201,"revision":1}"#)
    #expect(lines[255] == #"{"status":200,"revision":256}"#)
  }

  @Test func aBatchUnderOverloadAndUnknownOutcomes() throws {
    let harness = SessionHarness()
    let body =
      #"{"op":"get","key":"c"}"# + "\n" + #"{"op":"add","key":"a","delta":1}"# + "\n" + #"{"op":"get","key":"b"}"#
    harness.host.script = [.unknown, .unknown]
    harness.host.roomFor = 2
    let lines = try harness.ask("POST /v1/batch", [], body).text.split(separator: "\n")
    #expect(lines.map { $0.prefix(13) } == [#"{"status":503"#, #"{"status":504"#, #"{"status":503"#])
    #expect(lines[1].contains(#""outcome":"unknown""#))
    #expect(try harness.ask("POST /v1/batch", [], body).status == 503)
  }

  @Test func aBatchWithAnIdempotencyKeyCanBeSentAgain() throws {
    let harness = SessionHarness()
    let body = #"{"op":"add","key":"a","delta":1}"# + "\n" + #"{"op":"add","key":"a","delta":1}"#
    let first = try harness.ask("POST /v1/batch", ["Idempotency-Key: k"], body).text
    #expect(first.contains("\"value\":\"2\""))
    #expect(try harness.ask("POST /v1/batch", ["Idempotency-Key: k"], body).text == first)
    #expect(try harness.ask("GET /v1/kv/a").text == "2")
  }
}
