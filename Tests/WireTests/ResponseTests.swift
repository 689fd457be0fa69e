import Base
import Replica
import Testing
import Wire

@Suite("Answers")
struct ResponseTests {
  static let date = HTTPDate(unixSeconds: 784_111_777)
  static let dateLine = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
  static let open = HTTPExchange(keepAlive: true)

  func write(_ body: (inout ResponseWriter) -> Void) -> String {
    var writer = ResponseWriter()
    body(&writer)
    return text(writer.take())
  }

  @Test func aValue() {
    let answer = write {
      $0.begin(200, Self.open, Self.date)
      $0.entityTag(.max)
      $0.field("Synod-Outcome", "applied")
      $0.field("Synod-Revision", 7)
      $0.field("X", bytes("a b"))
      $0.end(.octets, bytes("hello"))
    }
    #expect(
      answer
        == "HTTP/1.1 200 OK\r\n\(Self.dateLine)ETag: \"18446744073709551615\"\r\nSynod-Outcome: applied\r\n"
        + "Synod-Revision: 7\r\nX: a b\r\nContent-Type: application/octet-stream\r\nContent-Length: 5\r\n\r\nhello")
  }

  @Test func headSaysTheLengthOnly() {
    let exchange = HTTPExchange(keepAlive: true, isHead: true)
    let answer = write {
      $0.begin(200, exchange, Self.date)
      $0.end(.octets, bytes("hello"))
      $0.begin(201, exchange, Self.date)
      $0.endRevision(10)
    }
    #expect(
      answer
        == "HTTP/1.1 200 OK\r\n\(Self.dateLine)Content-Type: application/octet-stream\r\nContent-Length: 5\r\n\r\n"
        + "HTTP/1.1 201 Created\r\n\(Self.dateLine)Content-Type: application/json\r\nContent-Length: 15\r\n\r\n")
  }

  @Test(arguments: [0, 9, 10, 99, 100, 999, 18_446_744_073_709_551_615])
  func revisionsHaveTheirLength(_ revision: UInt64) throws {
    let answer = write {
      $0.begin(200, Self.open, Self.date)
      $0.endRevision(revision)
    }
    let body = "{\"revision\":\(revision)}"
    #expect(answer.hasSuffix("Content-Length: \(body.utf8.count)\r\n\r\n" + body))
  }

  @Test func bodilessAnswersHaveNoLength() {
    #expect(
      write {
        $0.begin(204, Self.open, Self.date)
        $0.endEmpty()
        $0.begin(304, Self.open, Self.date)
        $0.endEmpty()
        $0.interimContinue()
        $0.begin(404, Self.open, Self.date)
        $0.endEmpty()
      } == "HTTP/1.1 204 No Content\r\n\(Self.dateLine)\r\nHTTP/1.1 304 Not Modified\r\n\(Self.dateLine)\r\n"
        + "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\n\(Self.dateLine)Content-Length: 0\r\n\r\n")
  }

  @Test func aLiteralBody() {
    for isHead in [false, true] {
      let answer = write {
        $0.begin(200, HTTPExchange(keepAlive: true, isHead: isHead), Self.date)
        $0.end(.text, "ok\n")
      }
      let fields = "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\n\r\n"
      #expect(answer == "HTTP/1.1 200 OK\r\n\(Self.dateLine)\(fields)\(isHead ? "" : "ok\n")")
    }
  }

  @Test func aFieldCannotSplitTheAnswer() async {
    await #expect(processExitsWith: .failure) {
      var writer = ResponseWriter()
      writer.begin(200, HTTPExchange(keepAlive: true), HTTPDate(unixSeconds: 0))
      writer.field("X", Array("a\r\nY: b".utf8))
    }
  }

  @Test func anAnswerCannotBeginInsideOfAnother() async {
    await #expect(processExitsWith: .failure) {
      var writer = ResponseWriter()
      writer.begin(200, HTTPExchange(keepAlive: true), HTTPDate(unixSeconds: 0))
      writer.begin(200, HTTPExchange(keepAlive: true), HTTPDate(unixSeconds: 0))
    }
  }

  static let connections: [(HTTPVersion, Bool, String)] = [
    (.http11, true, ""), (.http11, false, "Connection: close\r\n"), (.http10, true, "Connection: keep-alive\r\n"),
    (.http10, false, "Connection: close\r\n"),
  ]

  @Test(arguments: connections)
  func theConnectionIsSaid(_ version: HTTPVersion, _ keepAlive: Bool, _ field: String) {
    let answer = write {
      $0.begin(202, HTTPExchange(version: version, keepAlive: keepAlive), Self.date)
      $0.endEmpty()
    }
    #expect(answer == "HTTP/1.1 202 Accepted\r\n\(Self.dateLine)\(field)Content-Length: 0\r\n\r\n")
  }

  @Test func bodiesInParts() {
    var closes: [Bool] = []
    let parts = { (exchange: HTTPExchange) in
      self.write {
        $0.begin(200, exchange, Self.date)
        closes.append($0.beginParts(.json))
        $0.part(bytes("abc"))
        $0.part([])
        $0.part([UInt8](repeating: 0x78, count: 0x1A0))
        $0.endParts()
      }
    }
    let long = String(repeating: "x", count: 0x1A0)
    let type = "Content-Type: application/json\r\n\r\n"
    let start = "HTTP/1.1 200 OK\r\n" + Self.dateLine
    #expect(
      parts(Self.open) == start + "Transfer-Encoding: chunked\r\n\(type)3\r\nabc\r\n1a0\r\n\(long)\r\n0\r\n\r\n")
    #expect(
      parts(HTTPExchange(version: .http10, keepAlive: true)) == start + "Connection: close\r\n\(type)abc\(long)")
    #expect(
      parts(HTTPExchange(keepAlive: true, isHead: true)) == start + "Transfer-Encoding: chunked\r\n\(type)")
    #expect(closes == [false, true, false])
  }

  @Test func problemsAreOneLine() {
    let gone = Problem(412, .notApplied, "the condition does not hold", current: .register(nil))
    let answer = write {
      $0.begin(412, Self.open, Self.date)
      $0.end(gone)
    }
    let body =
      #"{"type":"about:blank","title":"Precondition Failed","status":412,"detail":"the condition does not hold","#
      + #""outcome":"not-applied","current":null}"# + "\n"
    #expect(
      answer
        == "HTTP/1.1 412 Precondition Failed\r\n\(Self.dateLine)Content-Type: application/problem+json\r\n"
        + "Content-Length: \(body.utf8.count)\r\n\r\n" + body)

    var output: [UInt8] = []
    let current = Versioned(revision: 3, value: bytes("a\"\n"))
    Problem(412, .notApplied, "d", current: .register(current)).append(to: &output)
    #expect(text(output).hasSuffix(#","current":{"revision":3,"value":"a\"\n"}}"# + "\n"))
    output = []
    Problem(504, .unknown, detail: bytes("a\"b"), current: .register(Versioned(revision: 3, value: [0xFF])))
      .append(to: &output)
    #expect(
      text(output).hasSuffix(
        #""detail":"a\"b","outcome":"unknown","current":{"revision":3,"value_base64":"/w=="}}"# + "\n"))
    #expect(throws: Never.self) { try JSONValue.parse(output) }
  }

  @Test func refusalsClose() {
    let answer = write { $0.refuse(HTTPFault(431, "the header section is too large"), .refused, Self.date) }
    #expect(answer.hasPrefix("HTTP/1.1 431 Request Header Fields Too Large\r\n\(Self.dateLine)Connection: close\r\n"))
    let kept = write { $0.refuse(HTTPFault(400, "x", close: false), Self.open, Self.date) }
    #expect(!kept.contains("Connection:"))
  }

  @Test(arguments: [
    100, 200, 201, 202, 204, 304, 400, 401, 403, 404, 405, 408, 409, 411, 412, 413, 414, 415, 417, 421, 422, 429, 431,
    500,
    501, 503, 504, 505,
  ])
  func everyStatusHasAName(_ status: Int) {
    #expect(HTTPStatus.title(status).utf8CodeUnitCount > 0)
    let line = write {
      $0.begin(status, Self.open, Self.date)
      $0.endEmpty()
    }
    #expect(line.hasPrefix("HTTP/1.1 \(status) \(HTTPStatus.title(status))\r\n"))
  }

  static let dates: [(UInt64, String)] = [
    (0, "Thu, 01 Jan 1970 00:00:00"), (784_111_777, "Sun, 06 Nov 1994 08:49:37"),
    (951_782_399, "Mon, 28 Feb 2000 23:59:59"), (951_782_400, "Tue, 29 Feb 2000 00:00:00"),
    (951_868_800, "Wed, 01 Mar 2000 00:00:00"), (1_709_164_800, "Thu, 29 Feb 2024 00:00:00"),
    (1_735_689_599, "Tue, 31 Dec 2024 23:59:59"), (1_767_225_600, "Thu, 01 Jan 2026 00:00:00"),
    (4_107_542_400, "Mon, 01 Mar 2100 00:00:00"), (4_107_542_399, "Sun, 28 Feb 2100 23:59:59"),
    (253_402_300_799, "Fri, 31 Dec 9999 23:59:59"),
  ]

  @Test(arguments: dates)
  func datesAreRight(_ seconds: UInt64, _ expected: String) {
    #expect(text(HTTPDate(unixSeconds: seconds).fieldLine) == "Date: \(expected) GMT\r\n")
  }
}
