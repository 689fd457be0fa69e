import Base
import Testing
import Wire

@Suite("HTTP parser: well-formed requests")
struct HTTPParserTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let input: String
    let expected: [String]
    var testDescription: String { String(input.prefix(60)).debugDescription }

    init(_ input: String, _ expected: String...) {
      self.input = input
      self.expected = expected
    }
  }

  static let wellFormed: [Case] = [
    Case("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "get /"),
    Case("GET /v1/kv/a%2Fb//c?x=1&y HTTP/1.1\r\nhOsT:a:80\r\n\r\n", "get /v1/kv/a%2Fb//c ?x=1&y"),
    Case("GET /a? HTTP/1.1\r\nHost:\r\n\r\n", "get /a ?"),
    Case("GET /a?b?c HTTP/1.1\r\nHost: [::1]:7001\r\n\r\n", "get /a ?b?c"),
    Case("HEAD /k HTTP/1.0\r\n\r\n", "head /k 1.0 close"),
    Case("GET /k HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "get /k 1.0"),
    Case("GET /k HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", "get /k 1.0 close"),
    Case("GET /k HTTP/1.1\r\nHost: a\r\nConnection: te ,, CLOSE\r\n\r\n", "get /k close"),
    Case("GET /k HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: close\r\n\r\n", "get /k close"),
    Case("GET /k HTTP/1.9\r\nHost: a\r\n\r\n", "get /k"),
    Case("PUT /k HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", "put /k [hello]"),
    Case("PUT /k HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "put /k []"),
    Case("PUT /k HTTP/1.1\r\nHost: a\r\nContent-Length: 0000000000000000000000003\r\n\r\nabc", "put /k [abc]"),
    Case("PUT /k HTTP/1.1\r\nHost: a\r\n\r\n", "put /k"),
    Case("DELETE /k HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", "delete /k [x]"),
    Case("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "options *"),
    Case("PATCH /k HTTP/1.1\r\nHost: a\r\n\r\n", "patch /k"),
    Case("TRACE /k HTTP/1.1\r\nHost: a\r\n\r\n", "trace /k"),
    Case("GET http://example.org:80/v1/kv/a?q HTTP/1.1\r\nHost: b\r\n\r\n", "get /v1/kv/a ?q"),
    Case("GET HTTP://example.org HTTP/1.1\r\nHost: b\r\n\r\n", "get /"),
    Case("GET https://[::1]?q HTTP/1.1\r\nHost: b\r\n\r\n", "get / ?q"),
    Case("GET /na\u{EF}ve HTTP/1.1\r\nHost: a\r\n\r\n", "get /na\u{EF}ve"),
    // A line feed alone ends a line of the head.
    Case("GET /k HTTP/1.1\nHost: a\nAccept: b\n\n", "get /k"),
    // Empty lines before a request, as old clients send behind a body.
    Case("\r\n\n\r\nGET /k HTTP/1.1\r\nHost: a\r\n\r\n", "get /k"),
    Case("GET /k HTTP/1.1\r\nHost: a\r\nX: \t a\tb\u{E9} \t\r\nY:\r\n\r\n", "get /k"),
    Case("PUT /k HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "put /k [abc]"),
    Case(
      "PUT /k HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ,Chunked,\r\n\r\n00A\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\n",
      "put /k [0123456789x]"),
    Case("PUT /k HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "put /k []"),
    Case(
      "PUT /k HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        + "3;a;b=c ; d = \"e\\\"\t;\" ;f\r\nabc\r\n000;x\r\nDigest: 1\r\nHost: b\r\nContent-Length: 9\r\n\r\n",
      "put /k [abc]"),
    // The digits of each size are counted by themselves, and so are the empty lines before each request.
    Case(
      "PUT /k HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        + String(repeating: "0001\r\nx\r\n", count: 6) + "0000000000000000\r\n\r\n",
      "put /k [xxxxxx]"),
    Case(
      String(repeating: "\r\n\r\n\r\n\r\n\r\nGET /k HTTP/1.1\r\nHost: a\r\n\r\n", count: 3), "get /k", "get /k",
      "get /k"),
    // Pipelined, and nothing behind a request that ends the connection.
    Case(
      "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPUT /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
        + "PUT /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nz\r\n0\r\n\r\nGET /4 HTTP/1.0\r\n\r\n"
        + "GET /5 HTTP/1.1\r\nHost: a\r\n\r\n",
      "get /1", "put /2 [hi]", "put /3 [z]", "get /4 1.0 close"),
    Case("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n", "get /"),
    // A client of 1.0 knows no expectations (RFC 9110 §10.1.1).
    Case("PUT / HTTP/1.0\r\nExpect: anything\r\nContent-Length: 1\r\n\r\nx", "put / 1.0 close [x]"),
    Case("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx", "put / [x]"),
  ]

  @Test(arguments: wellFormed)
  func yieldsRequests(_ test: Case) {
    #expect(Transcript.http(bytes(test.input)) == test.expected)
  }

  @Test(arguments: wellFormed)
  func cutAnywhereGivesTheSame(_ test: Case) {
    let input = bytes(test.input)
    for cut in 0...input.count {
      let found = Transcript.http(input, cuts: [cut]).filter { $0 != "continue" }
      #expect(found == test.expected, "cut at \(cut)")
    }
    let single = Transcript.http(input, cuts: Array(0..<input.count)).filter { $0 != "continue" }
    #expect(single == test.expected, "byte by byte")
  }

  @Test func fieldsAreFoundWhateverTheirCase() throws {
    var parser = HTTPParser()
    parser.feed(bytes("GET / HTTP/1.1\r\nHost: a\r\nIF-match: \"1\"\r\nAccept:  x \r\nif-MATCH: \"2\"\r\nE:\r\n\r\n"))
    guard case .request(let request)? = try parser.next(bodyLimitBytes: 0) else {
      Issue.record("no request")
      return
    }
    #expect(request.value(of: "if-match").map { text($0) } == "\"1\", \"2\"")
    #expect(request.value(of: "accept").map { text($0) } == "x")
    #expect(request.value(of: "e").map { text($0) } == "")
    #expect(request.value(of: "if-none-match") == nil)
    #expect(try request.singleValue(of: "accept").map { text($0) } == "x")
    #expect(try request.singleValue(of: "authorization") == nil)
    #expect(throws: HTTPFault(400, "", close: false)) { try request.singleValue(of: "if-match") }
    #expect(request.fieldCount == 5)
    #expect(text(request.fieldName(1)) == "IF-match")
    #expect(text(request.fieldValue(3)) == "\"2\"")
  }

  @Test func threeLinesAreOneListToo() throws {
    var parser = HTTPParser()
    let input = bytes("GET / HTTP/1.0\r\nprefer: a\r\nPrefer: b\r\nx: y\r\nPREFER: c\r\n\r\n")
    input.withUnsafeBytes { parser.feed($0) }
    guard case .request(let request)? = try parser.next(bodyLimitBytes: 0) else {
      Issue.record("no request")
      return
    }
    #expect(request.value(of: "prefer").map { text($0) } == "a, b, c")
    #expect(HTTPExchange(request) == HTTPExchange(version: .http10, keepAlive: false, isHead: false))
  }

  @Test func lettersOnlyFoldToLetters() throws {
    var parser = HTTPParser()
    // `^` and `~`, `@` and a backtick differ by the bit that folds letters.
    parser.feed(bytes("GET / HTTP/1.1\r\nHost: a\r\nx^: 1\r\n\r\n"))
    guard case .request(let request)? = try parser.next(bodyLimitBytes: 0) else {
      Issue.record("no request")
      return
    }
    #expect(request.value(of: "x~") == nil)
    #expect(request.value(of: "x^") != nil)
  }

  @Test func continueIsDueOnlyBeforeTheBodyAndAfterTheHead() {
    let head = "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    let input = bytes(head + "hi")
    #expect(Transcript.http(input, cuts: [head.utf8.count]) == ["continue", "put / [hi]"])
    #expect(Transcript.http(input, cuts: [head.utf8.count - 1]) == ["put / [hi]"])
    #expect(Transcript.http(input, cuts: [head.utf8.count + 1]) == ["put / [hi]"])
    // Refused before the body was asked for.
    #expect(Transcript.http(bytes(head), bodyLimit: 1) == ["fault 413 close"])
    let chunked = "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"
    #expect(Transcript.http(bytes(chunked)) == ["continue"])
  }

  @Test func bodiesAreStreamedWhereThePolicySaysSo() {
    let head = "POST /r HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
    let counted = bytes(head + "helloGET / HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(
      Transcript.http(counted, cuts: [head.utf8.count, head.utf8.count + 3], streams: true)
        == ["stream post /r []", "continue", "part hel", "part lo", "end", "get /"])
    let chunked = bytes(
      "POST /r HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        + "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(Transcript.http(chunked, streams: true) == ["stream post /r []", "part abcde", "end", "get /"])
    for cut in 0...chunked.count {
      let found = Transcript.http(chunked, cuts: [cut], streams: true)
      #expect(found.first == "stream post /r []" && found.suffix(2) == ["end", "get /"], "cut at \(cut)")
      let parts = found.filter { $0.hasPrefix("part ") }.map { $0.dropFirst(5) }.joined()
      #expect(parts == "abcde", "cut at \(cut)")
    }
  }

  @Test func thePolicyMayLookAtTheRequest() throws {
    var parser = HTTPParser()
    parser.feed(bytes("PUT /big HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcPUT /small HTTP/1.1\r\nHost: a\r\n"))
    parser.feed(bytes("Content-Length: 3\r\n\r\nabc"))
    let policy: (HTTPRequest) -> HTTPBodyPolicy = { .gather(limitBytes: text($0.path) == "/big" ? 3 : 2) }
    #expect(try parser.next(policy: policy) != nil)
    #expect(throws: HTTPFault(413, "")) { try parser.next(policy: policy) }
    #expect(throws: HTTPFault(413, "")) { try parser.next(policy: policy) }
    #expect(parser.isFinished)
  }

  @Test func idleIsBetweenRequestsOnly() throws {
    var parser = HTTPParser()
    #expect(parser.isIdle)
    parser.feed(bytes("GET / HT"))
    #expect(!parser.isIdle)
    parser.feed(bytes("TP/1.1\r\nHost: a\r\n\r\n"))
    #expect(try parser.next(bodyLimitBytes: 0) != nil)
    #expect(try parser.next(bodyLimitBytes: 0) == nil)
    #expect(parser.isIdle)
    #expect(!parser.isFinished)
  }
}
