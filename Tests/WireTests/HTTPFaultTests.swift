import Base
import Testing
import Wire

@Suite("HTTP parser: refusals")
struct HTTPFaultTests {
  static let host = "Host: a\r\n"

  /// Each begins a connection; behind it stands a request that must never come out.
  struct Refused: Sendable, CustomTestStringConvertible {
    let status: Int
    let input: String
    /// Escaped: the raw bytes would garble whoever prints them.
    var testDescription: String { "\(status) \(input.debugDescription)" }

    init(_ status: Int, _ input: String) {
      self.status = status
      self.input = input
    }
  }

  /// Request lines (RFC 9112 §3), each with nothing wrong behind it.
  static let requestLines: [Refused] = [
    .init(400, "GET\r\n\r\n"), .init(400, " GET / HTTP/1.1\r\n"), .init(400, "GET  / HTTP/1.1\r\n"),
    .init(400, "GET /  HTTP/1.1\r\n"),
    .init(400, "GET / HTTP/1.1 \r\n"), .init(400, "GET HTTP/1.1\r\n"), .init(400, "GET / \r\n"),
    .init(400, "GET /a b HTTP/1.1\r\n"),
    .init(400, "G(T / HTTP/1.1\r\n"), .init(400, "GET\t/ HTTP/1.1\r\n"), .init(400, "GET /\u{0} HTTP/1.1\r\n"),
    .init(400, "GET /\u{7F} HTTP/1.1\r\n"), .init(400, "GET /#f HTTP/1.1\r\n"), .init(400, "GET /a\rb HTTP/1.1\r\n"),
    .init(400, "GET / HTTP/1.1\r\r\n"), .init(400, "GET / http/1.1\r\n"), .init(400, "GET / HTTP/1\r\n"),
    .init(400, "GET / HTTP/1.10\r\n"),
    .init(400, "GET / HTTP/11.1\r\n"), .init(400, "GET / HTTP/1,1\r\n"), .init(400, "GET / HTTP/a.1\r\n"),
    .init(400, "GET / HTTQ/1.1\r\n"),
    .init(400, "\rGET / HTTP/1.1\r\n"), .init(400, "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n"),
    // Versions.
    .init(505, "GET / HTTP/2.0\r\n"), .init(505, "PRI * HTTP/2.0\r\n"), .init(505, "GET / HTTP/0.9\r\n"),
    .init(505, "GET / HTTP/3.0\r\n"),
  ]

  static let malformed: [Refused] = [
    // Methods.
    .init(501, "BREW / HTTP/1.1\r\n" + host + "\r\n"), .init(501, "get / HTTP/1.1\r\n" + host + "\r\n"),
    .init(501, "CONNECT a:80 HTTP/1.1\r\n" + host + "\r\n"), .init(501, "GETGETGETGET / HTTP/1.1\r\n" + host + "\r\n"),
    .init(501, "AAAAAPUT / HTTP/1.1\r\n" + host + "\r\n"),
    // Targets (RFC 9112 §3.2).
    .init(400, "GET * HTTP/1.1\r\n" + host + "\r\n"), .init(400, "GET a HTTP/1.1\r\n" + host + "\r\n"),
    .init(400, "OPTIONS ** HTTP/1.1\r\n" + host + "\r\n"), .init(400, "GET ftp://a/ HTTP/1.1\r\n" + host + "\r\n"),
    .init(400, "GET http:///a HTTP/1.1\r\n" + host + "\r\n"), .init(400, "GET http:// HTTP/1.1\r\n" + host + "\r\n"),
    .init(400, "GET http://u@a/ HTTP/1.1\r\n" + host + "\r\n"),
    .init(400, "GET http://a:b/ HTTP/1.1\r\n" + host + "\r\n"),
    .init(400, "GET http:/a HTTP/1.1\r\n" + host + "\r\n"),
    // Host (RFC 9112 §3.2).
    .init(400, "GET / HTTP/1.1\r\n\r\n"), .init(400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
    .init(400, "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"), .init(400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
    .init(400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), .init(400, "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
    .init(400, "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n"), .init(400, "GET / HTTP/1.1\r\nHost: :80\r\n\r\n"),
    .init(400, "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"), .init(400, "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    .init(400, "GET http://a/ HTTP/1.1\r\n\r\n"),
    // Fields (RFC 9112 §5).
    .init(400, "GET / HTTP/1.1\r\n" + host + "X : 1\r\n\r\n"),
    .init(400, "GET / HTTP/1.1\r\n" + host + "X\t: 1\r\n\r\n"),
    .init(400, "GET / HTTP/1.1\r\n" + host + "X: 1\r\n folded\r\n\r\n"),
    .init(400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    .init(400, "GET / HTTP/1.1\r\n" + host + "X: 1\r\n\tfolded\r\n\r\n"),
    .init(400, "GET / HTTP/1.1\r\n" + host + ": 1\r\n\r\n"),
    .init(400, "GET / HTTP/1.1\r\n" + host + "X\r\n\r\n"),
    .init(400, "GET / HTTP/1.1\r\n" + host + "X: a\u{0}b\r\n\r\n"),
    .init(400, "GET / HTTP/1.1\r\n" + host + "X: a\rb\r\n\r\n"),
    .init(400, "GET / HTTP/1.1\r\n" + host + "X: a\r\r\n\r\n"),
    .init(400, "GET / HTTP/1.1\r\n" + host + "X: \u{1}aaaaaaaaaaaaaaaaa\r\n\r\n"),
    .init(400, "GET / HTTP/1.1\r\n" + host + "X: aaaaaaaaaaaa\u{7F}aaa\r\n\r\n"),
    .init(400, "GET / HTTP/1.1\r\n" + host + "X\u{0}: 1\r\n\r\n"),
    .init(400, "GET / HTTP/1.1\r\n" + host + "X(: 1\r\n\r\n"),
    .init(400, "GET / HTTP/1.1\r\n" + host + "X\u{E9}: 1\r\n\r\n"), .init(400, "GET / HTTP/1.1\r\n" + host + "\r\r\n"),
    // Framing (RFC 9112 §6).
    .init(400, "PUT / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx"),
    .init(400, "PUT / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx"),
    .init(400, "PUT / HTTP/1.1\r\n" + host + "Content-Length: 1, 1\r\n\r\nx"),
    .init(400, "PUT / HTTP/1.1\r\n" + host + "Content-Length: +1\r\n\r\nx"),
    .init(400, "PUT / HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\nx"),
    .init(400, "PUT / HTTP/1.1\r\n" + host + "Content-Length: 0x1\r\n\r\nx"),
    .init(400, "PUT / HTTP/1.1\r\n" + host + "Content-Length: 1 0\r\n\r\nx"),
    .init(400, "PUT / HTTP/1.1\r\n" + host + "Content-Length:\r\n\r\nx"),
    .init(400, "PUT / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    .init(400, "PUT / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n"),
    .init(400, "PUT / HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    .init(400, "PUT / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, gzip\r\n\r\n"),
    .init(400, "PUT / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, chunked\r\n\r\n"),
    .init(400, "PUT / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
    .init(400, "PUT / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\n\r\n"),
    .init(400, "PUT / HTTP/1.1\r\n" + host + "Transfer-Encoding: xchunked\r\n\r\n"),
    .init(400, "PUT / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked;q=1\r\n\r\n"),
    .init(400, "PUT / HTTP/1.1\r\n" + host + "Transfer-Encoding: identity\r\n\r\n"),
    .init(400, "PUT / HTTP/1.1\r\n" + host + "Transfer-Encoding:\r\n\r\n"),
    .init(501, "PUT / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n"),
    .init(501, "PUT / HTTP/1.1\r\n" + host + "Transfer-Encoding: br\r\nTransfer-Encoding: chunked\r\n\r\n"),
    .init(413, "PUT / HTTP/1.1\r\n" + host + "Content-Length: 65537\r\n\r\n"),
    .init(413, "PUT / HTTP/1.1\r\n" + host + "Content-Length: 18446744073709551616\r\n\r\n"),
    .init(413, "PUT / HTTP/1.1\r\n" + host + "Content-Length: 184467440737095516150000000000000000003\r\n\r\n"),
    .init(417, "PUT / HTTP/1.1\r\n" + host + "Expect: 200-ok\r\nContent-Length: 1\r\n\r\nx"),
    .init(417, "PUT / HTTP/1.1\r\n" + host + "Expect: 100-continue, x\r\nContent-Length: 1\r\n\r\nx"),
  ]

  static let chunkFaults: [Refused] = [
    .init(400, "\r\n"), .init(400, "x\r\n"), .init(400, "-1\r\n"), .init(400, "0x1\r\na\r\n"),
    .init(400, " 1\r\na\r\n"), .init(400, "1 \r\na\r\n"),
    .init(400, "1\na\r\n"), .init(400, "1\r\na\n"), .init(400, "1\r\nab\r\n"), .init(400, "2\r\na\r\n0\r\n\r\n"),
    .init(400, "1\r\na\rx"),
    .init(400, "1;\r\na\r\n"), .init(400, "1;=b\r\na\r\n"), .init(400, "1;a=\r\na\r\n"), .init(400, "1;a=\"b\r\na\r\n"),
    .init(400, "1;a=\"b\"c\r\na\r\n"), .init(400, "1;a b\r\na\r\n"), .init(400, "1;a\nb\r\na\r\n"),
    .init(400, "1;a=b c\r\na\r\n"),
    .init(400, "1;a=\"\\\n\"\r\n"), .init(400, "1,a\r\n"), .init(400, "1\r\r\n"), .init(400, "10000000000000000\r\n"),
    .init(400, "00000000000000001\r\na\r\n"), .init(413, "FFFFFFFFFFFFFFFF\r\n"), .init(413, "10001\r\n"),
    .init(400, "0\r\nX\r\n\r\n"), .init(400, "0\r\nX : 1\r\n\r\n"), .init(400, "0\r\n: 1\r\n\r\n"),
    .init(400, "0\r\n X: 1\r\n\r\n"),
    .init(400, "0\r\nX: 1\n\r\n"), .init(400, "0\r\nX: 1\r\n folded\r\n\r\n"), .init(400, "0\r\nX: \u{0}\r\n\r\n"),
    .init(400, "0\r\n\n"),
    .init(400, "0\r\nX: 1\r\n\rx"), .init(400, "0\n\n"), .init(400, "0\r\n\r\r\n"),
  ]

  static let next = "GET /never HTTP/1.1\r\nHost: a\r\n\r\n"

  @Test(arguments: requestLines)
  func refusesRequestLines(_ test: Refused) { refusesAndCloses(Refused(test.status, test.input + Self.host)) }

  @Test(arguments: malformed)
  func refusesAndCloses(_ test: Refused) {
    let (status, input) = (test.status, test.input)
    let all = bytes(input + "\r\n" + Self.next)
    #expect(Transcript.http(all) == ["fault \(status) close"])
    #expect(Transcript.http(all, cuts: Array(0..<all.count)).filter { $0 != "continue" } == ["fault \(status) close"])
  }

  @Test(arguments: chunkFaults)
  func refusesChunks(_ test: Refused) {
    let (status, chunks) = (test.status, test.input)
    let all = bytes(
      "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n" + Self.next)
    #expect(Transcript.http(all) == ["fault \(status) close"])
    #expect(Transcript.http(all, cuts: Array(0..<all.count)) == ["fault \(status) close"])
  }

  @Test func whatCameBeforeTheFaultComesOut() {
    let input = bytes("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\n\r\n" + Self.next)
    #expect(Transcript.http(input) == ["get /1", "fault 400 close"])
  }

  @Test func lengthsAreLimited() {
    func request(target: Int) -> [UInt8] {
      bytes("GET /" + String(repeating: "a", count: target - 1) + " HTTP/1.1\r\nHost: a\r\n\r\n")
    }
    #expect(Transcript.http(request(target: 8192 - 13)).first?.hasPrefix("get /aaa") == true)
    #expect(Transcript.http(request(target: 8192 - 12)) == ["fault 414 close"])
    // Also where its end never comes, and where there is no target at all.
    #expect(Transcript.http(bytes("GET /" + String(repeating: "a", count: 8200))) == ["fault 414 close"])
    #expect(Transcript.http(bytes(String(repeating: "G", count: 8200))) == ["fault 501 close"])

    func section(_ field: String) -> [UInt8] { bytes("GET / HTTP/1.1\r\nHost: a\r\n" + field) }
    let long = String(repeating: "v", count: 16384 - 9 - 2 - 5)
    #expect(Transcript.http(section("X: \(long)\r\n\r\n")) == ["get /"])
    #expect(Transcript.http(section("X: \(long)v\r\n\r\n")) == ["fault 431 close"])
    #expect(Transcript.http(section("X: \(long)vvvvvvv")) == ["fault 431 close"])
    #expect(Transcript.http(section(String(repeating: "X: 1\r\n", count: 99) + "\r\n")) == ["get /"])
    #expect(Transcript.http(section(String(repeating: "X: 1\r\n", count: 100) + "\r\n")) == ["fault 431 close"])
  }

  @Test func chunkedBodiesAreLimited() {
    let head = "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    let exact = bytes(head + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    #expect(Transcript.http(exact, bodyLimit: 5) == ["put / [abcde]"])
    #expect(Transcript.http(exact, bodyLimit: 4) == ["fault 413 close"])
    let trailers = String(repeating: "X: 1\r\n", count: 101)
    #expect(Transcript.http(bytes(head + "0\r\n" + trailers + "\r\n")) == ["fault 431 close"])
    let long = "X: " + String(repeating: "v", count: 16384)
    #expect(Transcript.http(bytes(head + "0\r\n" + long)) == ["fault 431 close"])
    let extensions = "1;" + String(repeating: "x", count: 4100)
    #expect(Transcript.http(bytes(head + extensions)) == ["fault 400 close"])
  }

  @Test func limitsCanBeSet() {
    var limits = HTTPLimits()
    limits.requestLineBytes = 16
    limits.fieldCount = 1
    #expect(Transcript.http(bytes("GET /a HTTP/1.1\r\nHost: a\r\n\r\n"), limits: limits) == ["get /a"])
    #expect(Transcript.http(bytes("GET /ab HTTP/1.1\r\nHost: a\r\n\r\n"), limits: limits) == ["get /ab"])
    #expect(Transcript.http(bytes("GET /abc HTTP/1.1\r\nHost: a\r\n\r\n"), limits: limits) == ["fault 414 close"])
    #expect(Transcript.http(bytes("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n"), limits: limits) == ["fault 431 close"])
  }

  /// Targets and values are looked at by words of eight bytes: each byte counts at each place of one.
  @Test func eachByteIsJudgedWhereverItStands() {
    for byte in UInt8.min ... .max {
      for place in 0..<17 {
        var text = bytes("abcdefghijklmnopq")
        text[place] = byte
        let target = Transcript.http(bytes("GET /") + text + bytes(" HTTP/1.1\r\nHost: a\r\n\r\n"))
        if byte == UInt8(ascii: "?") {
          let split = "get /abcdefghijklmnopq".prefix(5 + place) + " ?" + "abcdefghijklmnopq".dropFirst(place + 1)
          #expect(target == [String(split)])
        } else if byte > 0x20, byte != 0x7F, byte != 0x23 {
          #expect(target.first?.hasPrefix("get /") == true && target.count == 1, "byte \(byte) at \(place)")
        } else {
          #expect(target == ["fault 400 close"], "byte \(byte) at \(place)")
        }
        let field = Transcript.http(bytes("GET / HTTP/1.1\r\nHost: a\r\nX: ") + text + bytes("\r\n\r\n"))
        // A line feed at the very end only ends the line before its carriage return does.
        let isContent = byte == 0x09 || byte >= 0x20 && byte != 0x7F || byte == 0x0A && place == 16
        #expect(field == [isContent ? "get /" : "fault 400 close"], "byte \(byte) at \(place)")
      }
    }
  }
}
