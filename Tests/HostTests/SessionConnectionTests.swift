import Base
import Host
import Replica
import Testing

/// What a connection does over its life: order, pieces, persistence, limits, times, ends.
@Suite struct SessionConnectionTests {
  private static let get = "GET /v1/kv/k HTTP/1.1\r\nHost: n\r\n\r\n"

  @Test(arguments: 0..<24) func answersKeepTheOrderOfTheRequests(_ seed: UInt64) throws {
    let harness = SessionHarness()
    harness.feed(SessionHarness.request("PUT /v1/kv/k", [], "x"))
    for index in 0..<6 {
      harness.feed(SessionHarness.request("PUT /v1/kv/\(index)", [], "\(index)"))
      harness.feed(SessionHarness.request("GET /v1/kv/\(index)"))
      harness.feed(SessionHarness.request("GET /livez"))
      harness.feed(SessionHarness.request("GET /v1/kv?prefix=\(index)"))
      harness.feed(SessionHarness.request("GET /v1/kv/k?bad=1"))
    }
    #expect(harness.session.output.isEmpty)
    var random = SeededRandom(seed: seed)
    while harness.host.undelivered > 0 {
      let index = Int(random.next() % UInt64(harness.host.undelivered))
      harness.host.deliver(index, to: harness.session, now: harness.now)
    }
    let answers = try SessionHarness.answers(harness.take())
    try #require(answers.count == 31)
    for index in 0..<6 {
      let five = answers[(1 + index * 5)..<(6 + index * 5)]
      #expect(five.map(\.status) == [201, 200, 200, 200, 400])
      #expect(five[five.startIndex + 1].text == "\(index)")
      #expect(five[five.startIndex + 3].text.contains("\"key\":\"\(index)\""))
    }
  }

  @Test(arguments: ["http", "lines"]) func inputMayBeCutAnywhere(_ dialect: String) {
    let text =
      dialect == "lines"
      ? "PUT a 1\nGET a\r\nPUTB b 3\na\nb\nGET b\nCAS a 1 2\nADD n 5\nnonsense\nQUIT\n"
      : SessionHarness.request("PUT /v1/kv/a", ["If-None-Match: *"], "hello")
        + SessionHarness.request("POST /v1/kv/n?add=5")
        + "PUT /v1/kv/c HTTP/1.1\r\nHost: n\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
        + SessionHarness.request("POST /v1/batch", [], #"{"op":"get","key":"c"}"#)
        + SessionHarness.request("GET /v1/kv/c", ["Connection: close"])
    let whole = SessionHarness().talk(text)
    #expect(whole.contains(dialect == "lines" ? "200B 1 3\na\nb\n" : "abcde"))
    let bytes = Array(text.utf8)
    for cut in 1..<bytes.count {
      let harness = SessionHarness()
      harness.feed(Array(bytes[..<cut]))
      harness.deliver()
      harness.feed(Array(bytes[cut...]))
      harness.deliver()
      #expect(String(decoding: harness.take(), as: UTF8.self) == whole, "cut at \(cut)")
      #expect(harness.session.isFinished)
    }
    let slow = SessionHarness()
    for byte in bytes {
      slow.feed([byte])
      slow.deliver()
    }
    #expect(String(decoding: slow.take(), as: UTF8.self) == whole)
  }

  static let persistence: [(String, String?, Bool)] = [
    ("GET /livez HTTP/1.1\r\nHost: n\r\n\r\n", nil, true),
    ("GET /livez HTTP/1.1\r\nHost: n\r\nConnection: close\r\n\r\n", "close", false),
    ("GET /livez HTTP/1.0\r\n\r\n", "close", false),
    ("GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "keep-alive", true),
    ("PUT /v1/kv/a HTTP/1.1\r\nHost: n\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", "close", false),
  ]

  @Test(arguments: persistence) func aConnectionLasts(_ text: String, _ field: String?, _ lasts: Bool) throws {
    let harness = SessionHarness()
    harness.feed(text + "GET /livez HTTP/1.1\r\nHost: n\r\n\r\n")
    harness.deliver()
    let answers = try SessionHarness.answers(harness.take())
    #expect(answers.count == (lasts ? 2 : 1))
    #expect(answers[0]["connection"] == field)
    #expect(harness.session.isFinished == !lasts)
    #expect(harness.session.wantsToRead == lasts)
  }

  static let faults: [(String, Int)] = [
    ("GET /livez HTTP/1.1\r\n\r\n", 400), ("GET /livez HTTP/2.0\r\nHost: n\r\n\r\n", 505),
    ("BREW /livez HTTP/1.1\r\nHost: n\r\n\r\n", 501), ("GET  /livez HTTP/1.1\r\nHost: n\r\n\r\n", 400),
    ("PUT /v1/kv/a HTTP/1.1\r\nHost: n\r\nContent-Length: 65537\r\n\r\n", 413),
    ("PUT /v1/kv/a HTTP/1.1\r\nHost: n\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n", 413),
    ("PUT /v1/kv/a HTTP/1.1\r\nHost: n\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
    ("PUT /v1/kv/a HTTP/1.1\r\nHost: n\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    ("PUT /v1/kv/a HTTP/1.1\r\nHost: n\r\nContent-Length: 1\r\nExpect: cake\r\n\r\n", 417),
    ("GET /\(String(repeating: "a", count: 9000)) HTTP/1.1\r\nHost: n\r\n\r\n", 414),
    ("GET / HTTP/1.1\r\nHost: n\r\nX: \(String(repeating: "a", count: 17000))\r\n\r\n", 431),
  ]

  @Test(arguments: faults) func aBrokenRequestIsTheLast(_ text: String, _ status: Int) throws {
    let harness = SessionHarness()
    harness.feed(Self.get + text + Self.get)
    #expect(!harness.session.isFinished)
    harness.deliver()
    let answers = try SessionHarness.answers(harness.take())
    #expect(answers.map(\.status) == [404, status])
    #expect(answers[1]["connection"] == "close")
    #expect(answers[1].text.contains("\"outcome\":\"not-applied\""))
    #expect(harness.session.isFinished)
    #expect(harness.host.submitted.count == 1)
  }

  @Test func aValueOfTheLimitIsTaken() throws {
    let harness = SessionHarness()
    #expect(try harness.ask("PUT /v1/kv/a", [], String(repeating: "v", count: 64 << 10)).status == 201)
    #expect(try harness.ask("GET /v1/kv/a").body.count == 64 << 10)
  }

  @Test func continueIsSaidInItsTurn() throws {
    let harness = SessionHarness()
    harness.feed(Self.get + "PUT /v1/kv/a HTTP/1.1\r\nHost: n\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    #expect(harness.session.output.isEmpty)
    harness.deliver()
    #expect(try SessionHarness.answers(harness.take()).map(\.status) == [404, 100])
    harness.feed("hi")
    harness.deliver()
    #expect(try SessionHarness.answers(harness.take()).map(\.status) == [201])
    harness.feed("PUT /v1/kv/a HTTP/1.1\r\nHost: n\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    #expect(try SessionHarness.answers(harness.take()).map(\.status) == [100])
    harness.feed("PUT /v1/kv/a?x HTTP/1.1\r\nHost: n\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    #expect(harness.session.output.isEmpty, "what follows is the body of the request before")
  }

  @Test func noMoreIsTakenThanMayBeUnderWay() throws {
    var options = HostOptions()
    options.maximumPipelined = 4
    let harness = SessionHarness(options: options)
    harness.feed(String(repeating: Self.get, count: 10))
    #expect(harness.host.submitted.count == 4)
    #expect(!harness.session.wantsToRead)
    harness.host.deliver(3, to: harness.session, now: harness.now)
    #expect(harness.host.submitted.count == 4, "an answer that waits for others still takes a place")
    harness.host.deliver(0, to: harness.session, now: harness.now)
    #expect(harness.host.submitted.count == 5)
    harness.deliver()
    #expect(harness.host.submitted.count == 10)
    #expect(harness.session.wantsToRead)
    #expect(try SessionHarness.answers(harness.take()).count == 10)
  }

  @Test func nothingIsTakenWhileTheClientDoesNotRead() throws {
    var options = HostOptions()
    options.maximumUnsentBytes = 1000
    let harness = SessionHarness(options: options)
    _ = try harness.ask("PUT /v1/kv/k", [], String(repeating: "v", count: 400))
    for _ in 0..<5 {
      harness.feed(Self.get)
      harness.deliver()
    }
    #expect(harness.host.submitted.count == 3)
    #expect(!harness.session.wantsToRead)
    harness.session.unsentBytes = harness.take().count
    harness.session.resume(now: harness.now, host: harness.host)
    #expect(harness.host.submitted.count == 3)
    harness.session.unsentBytes = 300
    harness.session.resume(now: harness.now, host: harness.host)
    #expect(harness.host.submitted.count == 6)
    harness.deliver()
    harness.session.unsentBytes = 0
    _ = harness.take()
    harness.session.resume(now: harness.now, host: harness.host)
    #expect(harness.session.wantsToRead)
  }

  @Test func noRoomInTheHostIs503() throws {
    let harness = SessionHarness()
    harness.host.hasRoom = false
    for (line, body) in [("GET /v1/kv/k", nil), ("PUT /v1/kv/k", "x"), ("GET /v1/kv", nil)] as [(String, String?)] {
      let answer = try harness.ask(line, [], body)
      #expect(answer.status == 503)
      #expect(answer["retry-after"] == "1")
      #expect(answer.text.contains("\"outcome\":\"not-applied\""))
    }
    #expect(try harness.ask("GET /livez").status == 200)
    #expect(harness.host.submitted.isEmpty && harness.host.listed.isEmpty)
  }

  @Test func aRestingConnectionIsClosedInTheEnd() {
    let harness = SessionHarness()
    #expect(harness.session.deadline == harness.now + 300_000)
    _ = harness.talk(SessionHarness.request("GET /livez"))
    let early = harness.now + 299_999
    harness.session.timedOut(now: early, host: harness.host)
    #expect(!harness.session.isFinished)
    harness.session.timedOut(now: harness.now + 300_000, host: harness.host)
    #expect(harness.session.isFinished)
    #expect(harness.session.output.isEmpty)
  }

  @Test func aSlowRequestIs408() throws {
    let harness = SessionHarness()
    harness.feed("GET /livez HT")
    let due = harness.now + 30_000
    #expect(harness.session.deadline == due)
    harness.now = harness.now + 20_000
    harness.feed("TP/1.1\r\nHost: n\r\n")
    #expect(harness.session.deadline == due, "a byte now and then gains no time")
    harness.session.timedOut(now: due, host: harness.host)
    let answers = try SessionHarness.answers(harness.take())
    #expect(answers.map(\.status) == [408])
    #expect(answers[0]["connection"] == "close")
    #expect(harness.session.isFinished)
  }

  @Test func theTimeOfARequestBeginsWithItsOwnFirstByte() throws {
    let harness = SessionHarness()
    harness.feed("GET /livez HT")
    harness.now = harness.now + 20_000
    harness.feed("TP/1.1\r\nHost: n\r\n\r\nGET /live")
    #expect(try SessionHarness.answers(harness.take()).count == 1)
    #expect(harness.session.deadline == harness.now + 30_000)
    harness.feed("z HTTP/1.1\r\nHost: n\r\n\r\n")
    _ = harness.take()
    #expect(harness.session.deadline == harness.now + 300_000)
  }

  @Test func aRequestUnderWayIsNotRest() throws {
    let harness = SessionHarness()
    harness.feed(Self.get)
    #expect(harness.session.deadline == .never)
    harness.feed("GET /slow")
    harness.session.timedOut(now: harness.session.deadline, host: harness.host)
    #expect(harness.session.output.isEmpty, "the answer before it comes first")
    harness.deliver()
    #expect(try SessionHarness.answers(harness.take()).map(\.status) == [404, 408])
    #expect(harness.session.isFinished)
  }

  @Test func aClientThatReadsNothingIsDropped() {
    let harness = SessionHarness()
    harness.feed(Self.get + Self.get)
    harness.host.deliver(0, to: harness.session, now: harness.now)
    harness.session.unsentBytes = harness.take().count
    #expect(harness.session.deadline == harness.now + 300_000)
    harness.session.timedOut(now: harness.now + 300_000, host: harness.host)
    #expect(harness.session.isBroken && harness.session.isFinished)
    #expect(harness.host.cancelled == [ExchangeID(session: 7, exchange: 1)])
    harness.deliver()
    #expect(harness.session.output.isEmpty)
    #expect(harness.session.deadline == .never)
  }

  @Test func aHalfClosedConnectionStillGetsItsAnswers() throws {
    var options = HostOptions()
    options.maximumPipelined = 2
    let harness = SessionHarness(options: options)
    harness.feed(String(repeating: Self.get, count: 5) + "GET /half")
    harness.session.peerClosed(now: harness.now, host: harness.host)
    #expect(!harness.session.isFinished)
    #expect(harness.host.cancelled.isEmpty)
    harness.deliver()
    #expect(try SessionHarness.answers(harness.take()).count == 5)
    #expect(harness.session.isFinished)

    let idle = SessionHarness()
    idle.session.peerClosed(now: idle.now, host: idle.host)
    #expect(idle.session.isFinished)
  }

  @Test func aLostConnectionDropsWhatWaits() {
    let harness = SessionHarness()
    harness.feed(SessionHarness.request("GET /v1/kv/k?wait=30s") + SessionHarness.request("GET /livez") + Self.get)
    harness.session.connectionLost(host: harness.host)
    #expect(harness.session.isFinished)
    #expect(harness.host.cancelled.map(\.exchange) == [0, 2])
    harness.host.endWaits()
    harness.deliver()
    #expect(harness.session.output.isEmpty)
  }

  @Test func aShutdownAnswersWhatIsUnderWay() throws {
    let harness = SessionHarness()
    harness.feed(Self.get + Self.get)
    harness.session.drain(now: harness.now)
    #expect(!harness.session.isFinished)
    harness.feed(Self.get)
    #expect(harness.host.submitted.count == 2)
    harness.deliver()
    let answers = try SessionHarness.answers(harness.take())
    #expect(answers.map(\.status) == [404, 404])
    #expect(answers.map { $0["connection"] } == [nil, "close"])
    #expect(harness.session.isFinished)
  }

  @Test func aShutdownRefusesWhatIsHalfReceived() throws {
    for text in [
      "GET /v1/kv/k HTTP/1.1\r\nHost: n\r\n", "PUT /v1/kv/k HTTP/1.1\r\nHost: n\r\nContent-Length: 2\r\n\r\n",
    ] {
      let harness = SessionHarness()
      harness.feed(text)
      harness.session.drain(now: harness.now)
      #expect(!harness.session.isFinished)
      harness.feed("\r\n")
      let answers = try SessionHarness.answers(harness.take())
      #expect(answers.map(\.status) == [503])
      #expect(answers[0]["connection"] == "close")
      #expect(answers[0]["retry-after"] == "1")
      #expect(harness.session.isFinished)
      #expect(harness.host.submitted.isEmpty)
    }
    let idle = SessionHarness()
    _ = idle.talk(Self.get)
    idle.session.drain(now: idle.now)
    #expect(idle.session.isFinished)
  }

  @Test func theDateFollowsTheClock() throws {
    let harness = SessionHarness()
    #expect(try harness.ask("GET /livez")["date"] == "Sun, 06 Nov 1994 08:49:37 GMT")
    harness.host.wallSeconds += 1
    #expect(try harness.ask("GET /livez")["date"] == "Sun, 06 Nov 1994 08:49:38 GMT")
  }
}
