import Base
import Host
import Replica
import Testing

/// The line protocol: the contract's examples, and what stands beside them.
@Suite struct SessionLineTests {
  /// Lines before, the line, the answer, or what it begins with where it ends in `…`.
  static let rows: [(String, String, String)] = [
    ("", "GET foo", "404"), ("PUT foo world\n", "GET foo", "200 1 world"),
    ("", "PUT foo hello", "201 1"), ("PUT foo hello\n", "PUT foo hello", "200 2"),
    ("", "PUT foo ", "201 1"), ("PUT foo \n", "GET foo", "200 1 "), ("", "PUT foo", "400 not-applied …"),
    ("PUT foo a\n", "CAS foo 1 world", "200 2"), ("PUT foo world\n", "CAS foo 2 x", "412 1 world"),
    ("", "CAS foo 1 world", "412"), ("", "CAS foo - hello", "201 1"), ("PUT foo a\n", "CAS foo - hello", "412 1 a"),
    ("PUT foo hello\n", "SWAP foo =hello= world", "200 2"), ("PUT foo x y\n", "SWAP foo =x%20y= z", "200 2"),
    ("PUT foo a\n", "SWAP foo =b= c", "412 1 a"), ("", "SWAP foo == c", "412"),
    ("PUT foo a\n", "DEL foo", "204"), ("", "DEL foo", "404"), ("PUT foo a\n", "DEL foo 1", "204"),
    ("PUT foo a\n", "DEL foo 2", "412 1 a"), ("", "DEL foo 2", "412"),
    ("", "ADD hits 5", "200 1 5"), ("ADD hits 5\n", "ADD hits -7", "200 2 -2"),
    ("PUT hits x\n", "ADD hits 1", "409 not-applied …"),
    ("PUT foo a\nPUT foo b\n", "WAIT foo 1 30", "200 2 b"), ("", "WAIT foo 1 61", "400 not-applied …"),
    ("", "PUTB foo 3\nabc", "201 1"), ("PUTB foo 3\na\nc\n", "GET foo", "200B 1 3\na\nc"),
    ("PUTB foo 3\na\nc\n", "CAS foo 9 x", "412B 1 3\na\nc"),
    ("", "PING", "200 pong"), ("", "FLY foo", "400 not-applied …"), ("", "GET a/../b", "400 not-applied …"),
    ("", "GET %zz", "400 not-applied …"), ("PUT a%20b 1\n", "GET a%20b", "200 1 1"),
    ("", "GET " + String(repeating: "k", count: 513), "414 not-applied …"),
  ]

  @Test(arguments: rows) func row(_ before: String, _ line: String, _ answer: String) {
    for end in ["\n", "\r\n"] {
      let harness = SessionHarness()
      _ = harness.talk(before.isEmpty ? "PING\n" : before)
      let said = harness.talk(line + end)
      if answer.hasSuffix("…") {
        #expect(said.hasPrefix(answer.dropLast()) && said.hasSuffix("\n"))
      } else {
        #expect(said == answer + "\n")
      }
    }
  }

  @Test func aWaitEndsWithTheChangeOrWithItsTime() throws {
    let harness = SessionHarness()
    #expect(harness.talk("PUT foo a\nWAIT foo 1 30\nPING\n") == "201 1\n")
    let wait = try #require(harness.host.submitted[1].wait)
    #expect(wait.unlessRevision == 1)
    #expect(wait.until == harness.now + 30_000)
    #expect(harness.host.submitted[1].deadline == harness.now + 35_000)
    #expect(harness.talk("PUT foo b\n") == "200 2 b\n200 pong\n200 2\n")
    #expect(harness.talk("WAIT foo 2 30\nWAIT absent 0 1\n").isEmpty)
    harness.host.endWaits()
    #expect(harness.talk("") == "304 2\n404\n")
  }

  static let refusals: [(Outcome, String, String)] = [
    (.refused(.noQuorum), "GET k", "503 not-applied "), (.refused(.overloaded), "PUT k v", "429 not-applied "),
    (.unknown, "PUT k v", "504 unknown "), (.unknown, "GET k", "503 not-applied "),
    (.unknown, "WAIT k 1 1", "503 not-applied "), (.refused(.tooLarge), "PUT k v", "413 not-applied "),
    (.settled(nil, fate: nil), "GET k", "500 unknown "),
  ]

  @Test(arguments: refusals) func refusal(_ outcome: Outcome, _ line: String, _ start: String) {
    let harness = SessionHarness()
    harness.host.script = [outcome]
    #expect(harness.talk(line + "\n").hasPrefix(start))
  }

  @Test func answersKeepTheOrderOfTheLines() {
    let harness = SessionHarness()
    harness.feed("PUT a 1\nPING\nPUT b 2\nnonsense\nGET a\n")
    #expect(harness.session.output.isEmpty)
    while harness.host.undelivered > 0 {
      harness.host.deliver(harness.host.undelivered - 1, to: harness.session, now: harness.now)
    }
    let lines = String(decoding: harness.take(), as: UTF8.self).split(separator: "\n")
    #expect(lines.map { $0.prefix(8) } == ["201 1", "200 pong", "201 1", "400 not-", "200 1 1"])
  }

  @Test func aLineWithoutItsEndIsNotExecuted() {
    let harness = SessionHarness()
    harness.feed("PING\nPUT foo bar")
    harness.session.peerClosed(now: harness.now, host: harness.host)
    #expect(String(decoding: harness.take(), as: UTF8.self) == "200 pong\n")
    #expect(harness.session.isFinished)
    #expect(harness.host.submitted.isEmpty)
    let first = SessionHarness()
    first.feed("PUT foo bar")
    first.session.peerClosed(now: first.now, host: first.host)
    #expect(first.session.isFinished && first.session.output.isEmpty && first.host.submitted.isEmpty)
  }

  @Test func quitAnswersWhatCameBeforeItAndNothingBehindIt() {
    let harness = SessionHarness()
    harness.feed("PUT a 1\nQUIT\nPUT a 2\n")
    #expect(!harness.session.isFinished)
    #expect(!harness.session.wantsToRead)
    harness.deliver()
    #expect(String(decoding: harness.take(), as: UTF8.self) == "201 1\n")
    #expect(harness.session.isFinished)
    #expect(harness.host.submitted.count == 1)
  }

  @Test func aConnectionNeverChangesFromLinesToHTTP() {
    let harness = SessionHarness()
    #expect(harness.talk("PING\nGET / HTTP/1.1\n").hasPrefix("200 pong\n400 not-applied "))
    #expect(harness.counters.counts.lineAnswers == 2)
  }

  @Test func overloadAndShutdown() {
    let harness = SessionHarness()
    harness.host.hasRoom = false
    #expect(harness.talk("PUT a 1\nPING\n").hasPrefix("503 not-applied "))
    #expect(harness.host.submitted.isEmpty)
    harness.host.hasRoom = true
    harness.feed("PUT a")
    harness.session.drain(now: harness.now)
    #expect(!harness.session.isFinished)
    #expect(harness.talk(" 1\nPUT a 2\n").hasPrefix("503 not-applied "))
    #expect(harness.session.isFinished)
    #expect(harness.host.submitted.isEmpty)
  }

  @Test func aSlowLineIsGivenUp() {
    let harness = SessionHarness()
    _ = harness.talk("PING\n")
    harness.feed("PUT a")
    harness.now = harness.now + 30_000
    harness.session.timedOut(now: harness.now, host: harness.host)
    #expect(String(decoding: harness.take(), as: UTF8.self).hasPrefix("408 not-applied "))
    #expect(harness.session.isFinished)
  }
}
