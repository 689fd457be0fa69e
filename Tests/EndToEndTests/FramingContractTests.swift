import Foundation
import Testing

/// CONTRACT §1 and RFC 9112: messages on a connection, well-formed and not.
@Suite("Contract: HTTP framing", .sharedCluster)
struct FramingContractTests {
  private static let victim = "/v1/kv/framing/victim"

  @Test func keepAliveAndClose() throws {
    let cluster = try TestCluster.shared
    let connection = try cluster.connect(1)
    for number in 0..<20 {
      #expect(try connection.ask("PUT", "/v1/kv/framing/keep", body: Array("\(number)".utf8)).status <= 201)
      #expect(try connection.ask("GET", "/v1/kv/framing/keep").text == "\(number)")
    }
    let last = try connection.ask("GET", "/v1/kv/framing/keep", ["Connection: close"])
    #expect(last.text == "19" && last["Connection"]?.lowercased() == "close")
    #expect(try connection.isClosedByPeer())
  }

  @Test func pipelinedAnswersComeInOrder() throws {
    let cluster = try TestCluster.shared
    let connection = try cluster.connect(2)
    var bytes: [UInt8] = []
    for number in 0..<100 {
      bytes += RawConnection.request("PUT", "/v1/kv/framing/pipe\(number % 10)", body: Array("\(number)".utf8))
      bytes += RawConnection.request("GET", "/v1/kv/framing/pipe\(number % 10)")
      bytes += RawConnection.request("GET", "/livez")
    }
    try connection.send(bytes)
    for number in 0..<100 {
      #expect(try connection.answer().status == (number < 10 ? 201 : 200))
      // A pipelined read may overtake nothing: it began after the write before it, or with the next on this key.
      let read = try connection.answer()
      #expect(read.status == 200 || read.status == 404)
      #expect(try connection.answer().text == "ok\n")
    }
    #expect(try connection.ask("GET", "/v1/kv/framing/pipe9").text == "99")
  }

  @Test func oneByteAtATime() throws {
    let connection = try TestCluster.shared.connect(3)
    for byte in RawConnection.request("PUT", "/v1/kv/framing/bytes", body: Array("slow".utf8)) {
      try connection.send([byte])
    }
    #expect(try connection.answer().status == 201)
    #expect(try connection.ask("GET", "/v1/kv/framing/bytes").text == "slow")
  }

  @Test func chunkedBodies() throws {
    let cluster = try TestCluster.shared
    let connection = try cluster.connect(1)
    let head = "PUT /v1/kv/framing/chunked HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    try connection.send(head + "3;name=\"a;b\"\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n")
    #expect(try connection.answer().status == 201)
    #expect(try connection.ask("GET", "/v1/kv/framing/chunked").text == "abc0123456789")
    try connection.send(head + "0\r\n\r\n")
    #expect(try connection.answer().status == 200)
    #expect(try connection.ask("GET", "/v1/kv/framing/chunked").body.isEmpty)
    try connection.send(head + "10001\r\n" + String(repeating: "x", count: 0x10001) + "\r\n0\r\n\r\n")
    #expect(try connection.answer().status == 413)
    #expect(try cluster.ask(2, "GET", "/v1/kv/framing/chunked").body.isEmpty)
  }

  @Test func expectContinue() throws {
    let cluster = try TestCluster.shared
    let connection = try cluster.connect(2)
    let head = "PUT /v1/kv/framing/continue HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
    try connection.send(head + "Content-Length: 5\r\n\r\n")
    #expect(try connection.answer().status == 100)
    try connection.send("after")
    #expect(try connection.answer().status == 201)
    #expect(try connection.ask("GET", "/v1/kv/framing/continue").text == "after")
    // What is refused by its head is not asked to go on.
    try connection.send(head + "Content-Length: 5000000\r\n\r\n")
    #expect(try connection.answer().status == 413)
    let other = try cluster.ask(3, "PUT", "/v1/kv/framing/continue", ["Expect: the-unexpected"], body: "x")
    #expect(other.status == 417)
  }

  @Test func version10() throws {
    let cluster = try TestCluster.shared
    let connection = try cluster.connect(1)
    try connection.send("PUT /v1/kv/framing/old HTTP/1.0\r\nContent-Length: 3\r\n\r\nold")
    #expect(try connection.answer().status == 201)
    #expect(try connection.isClosedByPeer())
    let kept = try cluster.connect(2)
    for _ in 0..<2 {
      try kept.send("GET /v1/kv/framing/old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
      let answer = try kept.answer()
      #expect(answer.text == "old" && answer["Connection"]?.lowercased() == "keep-alive")
    }
  }

  @Test func absoluteFormAndEmptyLines() throws {
    let cluster = try TestCluster.shared
    let connection = try cluster.connect(3)
    try connection.send("\r\nPUT http://synod.test/v1/kv/framing/absolute HTTP/1.1\r\nHost: h\r\n")
    try connection.send("Content-Length: 1\r\n\r\nx\r\nGET /v1/kv/framing/absolute HTTP/1.1\r\nHost: h\r\n\r\n")
    #expect(try connection.answer().status == 201)
    #expect(try connection.answer().text == "x")
  }

  @Test func aRequestThatIsCutOffChangesNothing() throws {
    let cluster = try TestCluster.shared
    let head = "PUT /v1/kv/framing/cut HTTP/1.1\r\nHost: h\r\n"
    for part in ["Content-Length: 10\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "Content-Le"] {
      let connection = try cluster.connect(1)
      try connection.send(head + part)
      connection.finishSending()
      let rest = String(decoding: try connection.rest(), as: UTF8.self)
      #expect(rest.isEmpty || rest.hasPrefix("HTTP/1.1 400"), "\(rest)")
    }
    #expect(try cluster.ask(2, "GET", "/v1/kv/framing/cut").status == 404)
  }

  /// The node finds request and end at once, and is told of both by one event.
  @Test func anEndThatComesWithARequestIsSeen() throws {
    try TestCluster.with(size: 1) { cluster in
      let node = try cluster.process(1)
      let connection = try cluster.connect(1)
      #expect(try connection.ask("GET", "/livez").status == 200)
      node.send(SIGSTOP)
      try waitUntil("node 1 stands still") {
        try String(contentsOfFile: "/proc/\(node.pid)/stat", encoding: .utf8).contains(") T ")
      }
      try connection.send(RawConnection.request("GET", "/livez"))
      connection.finishSending()
      node.send(SIGCONT)
      #expect(try connection.answer().status == 200)
      #expect(try connection.isClosedByPeer())
    }
  }

  struct Malformed: Sendable, CustomTestStringConvertible {
    var name: String
    /// What stands behind the request line.
    var rest: String
    var status: Set<Int>
    var line = "PUT \(FramingContractTests.victim) HTTP/1.1"

    var testDescription: String { name }
  }

  static let lengths: [Malformed] = [
    Malformed(name: "lengths that differ", rest: "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", status: [400]),
    Malformed(name: "a list of lengths", rest: "Content-Length: 1, 2\r\n\r\nxx", status: [400]),
    Malformed(name: "a length with a sign", rest: "Content-Length: +1\r\n\r\nx", status: [400]),
    Malformed(name: "a negative length", rest: "Content-Length: -1\r\n\r\nx", status: [400]),
    Malformed(name: "a hexadecimal length", rest: "Content-Length: 0x1\r\n\r\nx", status: [400]),
    Malformed(name: "an empty length", rest: "Content-Length: \r\n\r\nx", status: [400]),
    Malformed(name: "a huge length", rest: "Content-Length: 99999999999999999999\r\n\r\nx", status: [400, 413]),
    Malformed(
      name: "length and chunked", rest: "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      status: [400]),
    Malformed(
      name: "chunked and length", rest: "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
      status: [400]),
    Malformed(name: "an unknown coding", rest: "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", status: [501]),
    Malformed(name: "chunked not last", rest: "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", status: [400]),
    Malformed(name: "chunked twice", rest: "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", status: [400]),
    Malformed(
      name: "chunked in 1.0", rest: "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", status: [400],
      line: "PUT \(victim) HTTP/1.0"),
  ]

  static let chunks: [Malformed] = [
    ("no size", "\r\nx\r\n0\r\n\r\n"), ("no number", "zz\r\nx\r\n0\r\n\r\n"), ("0x", "0x1\r\nx\r\n0\r\n\r\n"),
    ("a negative size", "-1\r\nx\r\n0\r\n\r\n"), ("a size beyond 64 bits", "10000000000000001\r\nx\r\n0\r\n\r\n"),
    ("too much data", "1\r\nxx\r\n0\r\n\r\n"), ("a bare LF", "1\nx\r\n0\r\n\r\n"), ("a bare CR", "1\rx\r\n0\r\n\r\n"),
    ("a folded trailer", "1\r\nx\r\n0\r\nA: b\r\n c\r\n\r\n"),
  ].map { name, body in
    Malformed(name: "chunks: " + name, rest: "Transfer-Encoding: chunked\r\n\r\n" + body, status: [400])
  }

  static let fields: [Malformed] = [
    Malformed(name: "a folded field", rest: "X: a\r\n b\r\nContent-Length: 1\r\n\r\nx", status: [400]),
    Malformed(name: "a blank before the colon", rest: "X : a\r\nContent-Length: 1\r\n\r\nx", status: [400]),
    Malformed(name: "a blank before the first field", rest: " X: a\r\nContent-Length: 1\r\n\r\nx", status: [400]),
    Malformed(name: "no colon", rest: "X\r\nContent-Length: 1\r\n\r\nx", status: [400]),
    Malformed(name: "no name", rest: ": a\r\nContent-Length: 1\r\n\r\nx", status: [400]),
    Malformed(name: "a bare CR", rest: "X: a\rb\r\nContent-Length: 1\r\n\r\nx", status: [400]),
    Malformed(name: "a NUL", rest: "X: a\0b\r\nContent-Length: 1\r\n\r\nx", status: [400]),
    Malformed(name: "a second Host", rest: "Host: i\r\nContent-Length: 1\r\n\r\nx", status: [400]),
    Malformed(name: "a long field", rest: "X: \(String(repeating: "y", count: 100_000))\r\n\r\n", status: [431]),
    Malformed(name: "many fields", rest: String(repeating: "X: y\r\n", count: 5000) + "\r\n", status: [431]),
  ]

  static let lines: [Malformed] = [
    ("an unknown method", "BREW \(victim) HTTP/1.1", 501), ("a small method", "put \(victim) HTTP/1.1", 501),
    ("HTTP/2.0", "PUT \(victim) HTTP/2.0", 505), ("two blanks", "PUT  \(victim) HTTP/1.1", 400),
    ("a blank in the target", "PUT \(victim) x HTTP/1.1", 400), ("no slash", "PUT v1/kv/framing/victim HTTP/1.1", 400),
    ("a fragment", "PUT \(victim)#x HTTP/1.1", 400), ("a CR", "PUT \(victim)\r HTTP/1.1", 400),
    ("a long target", "PUT /v1/kv/\(String(repeating: "k", count: 100_000)) HTTP/1.1", 414),
    ("a method with a colon", "P:T \(victim) HTTP/1.1", 400),
  ].map { Malformed(name: "line: " + $0, rest: "Content-Length: 1\r\n\r\nx", status: [$2], line: $1) }

  @Test(arguments: lengths + chunks + fields + lines)
  func malformedMessages(_ message: Malformed) throws {
    let cluster = try TestCluster.shared
    let connection = try cluster.connect(1)
    let start = message.line + "\r\nHost: h\r\n" + message.rest
    // What follows on the same connection must never be taken for a request.
    let smuggled = "PUT \(Self.victim) HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\nsmuggled"
    // The node may have answered and closed before all of it is there.
    try? connection.send(start + smuggled)
    let answer = try connection.answer()
    #expect(message.status.contains(answer.status), "\(answer.status) \(answer.text)")
    #expect(answer.outcome == "not-applied")
    #expect(answer["Connection"]?.lowercased() == "close")
    #expect(try connection.isClosedByPeer())
    #expect(try cluster.ask(2, "GET", Self.victim).status == 404)
  }

  @Test func aRequestWithoutHost() throws {
    let connection = try TestCluster.shared.connect(1)
    try connection.send("PUT \(Self.victim) HTTP/1.1\r\nContent-Length: 1\r\n\r\nx")
    #expect(try connection.answer().status == 400)
  }

  @Test func aContentCodingIsRefused() throws {
    let cluster = try TestCluster.shared
    let answer = try cluster.ask(1, "PUT", Self.victim, ["Content-Encoding: gzip"], body: "x")
    #expect(answer.status == 415 && answer.outcome == "not-applied")
  }

  @Test(arguments: ["x", "5", "0", "-1s", "1h"])
  func malformedTimeouts(_ text: String) throws {
    #expect(try TestCluster.shared.ask(1, "PUT", Self.victim, ["Synod-Timeout: \(text)"], body: "x").status == 400)
  }
}
