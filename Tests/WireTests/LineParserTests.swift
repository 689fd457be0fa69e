import Base
import Replica
import Testing
import Wire

@Suite("Line protocol")
struct LineParserTests {
  static let wellFormed: [(line: String, command: String)] = [
    ("GET foo", "get foo"), ("GET a%20b//c%2Fd", "get a b//c/d"), ("GET /foo", "get /foo"), ("GET a+b", "get a+b"),
    ("PUT foo hello", "put foo [hello]"), ("PUT foo ", "put foo []"),
    ("PUT foo  two  words ", "put foo [ two  words ]"),
    ("PUT foo a\rb", "put foo [a\rb]"), ("PUT foo PUT", "put foo [PUT]"),
    ("CAS foo 1 world", "cas foo 1 [world]"), ("CAS foo - hello", "cas foo absent [hello]"),
    ("CAS foo 18446744073709551615 ", "cas foo 18446744073709551615 []"),
    ("SWAP foo =hello= world", "swap foo [hello] [world]"), ("SWAP foo == x", "swap foo [] [x]"),
    ("SWAP foo =a%20%3D%0A= x y", "swap foo [a =\n] [x y]"), ("SWAP foo =a= ", "swap foo [a] []"),
    ("SWAP foo =a=b= c", "swap foo [a=b] [c]"), ("SWAP foo === x", "swap foo [=] [x]"),
    ("SWAP foo =a b= c", "swap foo [a b] [c]"),
    ("DEL foo", "delete foo any"), ("DEL foo 3", "delete foo 3"),
    ("ADD hits 5", "add hits 5"), ("ADD hits -9223372036854775808", "add hits -9223372036854775808"),
    ("WAIT foo 2 30", "wait foo 2 30000ms"), ("WAIT foo 0 0", "wait foo 0 0ms"),
    ("WAIT foo 1 60", "wait foo 1 60000ms"),
    ("PUTB foo 3\nabc", "put foo [abc]"), ("PUTB foo 0\n", "put foo []"),
    ("PUTB foo 5\na\nb\r\n", "put foo [a\nb\r\n]"),
    ("PING", "ping"), ("AUTH se:cret", "auth se:cret"),
  ]

  static let malformed: [(String, Int)] = [
    ("", 400), ("FOO", 400), ("FOO bar", 400), ("get foo", 400), (" GET foo", 400), ("GET", 400), ("GET ", 400),
    ("GET foo ", 400), ("GET  foo", 400), ("GET foo bar", 400), ("GET %", 400), ("GET %4", 400), ("GET %4x", 400),
    ("GET .", 400), ("GET a/../b", 400), ("GET a/%2e%2E/b", 400), ("GET a%2F.", 400), ("GET a\tb", 400),
    ("GET a\u{7F}", 400), ("PUT", 400), ("PUT foo", 400), ("PUT  x", 400), ("PUT %zz x", 400),
    ("CAS foo 1", 400), ("CAS foo x y", 400), ("CAS foo -1 y", 400), ("CAS foo -", 400), ("CAS foo  y", 400),
    ("CAS foo 18446744073709551616 y", 400), ("SWAP foo", 400), ("SWAP foo =a=", 400), ("SWAP foo a b", 400),
    ("SWAP foo = b", 400), ("SWAP foo =a b", 400), ("SWAP foo =%= b", 400), ("DEL", 400), ("DEL foo ", 400),
    ("DEL foo x", 400), ("DEL foo 1 2", 400), ("ADD hits", 400), ("ADD hits +5", 400), ("ADD hits 1.5", 400),
    ("ADD hits 9223372036854775808", 400), ("ADD hits 1 ", 400), ("WAIT foo 2", 400), ("WAIT foo x 3", 400),
    ("WAIT foo 2 61", 400), ("WAIT foo 2 3s", 400), ("PING x", 400), ("PING ", 400), ("QUIT now", 400), ("AUTH", 400),
    ("AUTH ", 400),
    ("AUTH a b", 400), ("GET " + String(repeating: "a", count: 513), 414),
    ("PUT foo " + String(repeating: "a", count: 65), 413), ("PUTB . 3\nabc", 400),
    ("PUTB " + String(repeating: "a", count: 513) + " 3\nabc", 414),
  ]

  @Test(arguments: wellFormed)
  func yieldsCommands(_ line: String, _ command: String) {
    for end in ["\n", "\r\n"] {
      let input = bytes(line + end + "PING\n")
      #expect(Transcript.lines(input) == [command, "ping"])
      for cut in 0...input.count { #expect(Transcript.lines(input, cuts: [cut]) == [command, "ping"]) }
      #expect(Transcript.lines(input, cuts: Array(0..<input.count)) == [command, "ping"])
    }
    // A last line without its end is not executed.
    #expect(Transcript.lines(bytes(line)) == [])
  }

  @Test(arguments: malformed)
  func refusesAndGoesOn(_ line: String, _ status: Int) {
    let input = bytes(line + "\nPING\n")
    #expect(Transcript.lines(input) == ["fault \(status)", "ping"])
    #expect(Transcript.lines(input, cuts: Array(0..<input.count)) == ["fault \(status)", "ping"])
  }

  static let closing: [(String, String)] = [
    ("PUTB foo\nabc\n", "fault 400 close"), ("PUTB foo x\nabc\n", "fault 400 close"),
    ("PUTB foo 3 \nabc\n", "fault 400 close"), ("PUTB foo -3\nabc\n", "fault 400 close"),
    ("PUTB foo 3\nabcd\n", "fault 400 close"), ("PUTB foo 3\nabc\rd\n", "fault 400 close"),
    ("PUTB foo 3\nab\nPING\n", "fault 400 close"), ("PUTB foo 65\n", "fault 413 close"),
    ("PUTB foo 99999999999999999999\n", "fault 400 close"), ("QUIT\n", "quit"),
    ("PUT foo " + String(repeating: "a", count: 64 + 1536 + 64), "fault 413 close"),
    ("SWAP foo =" + String(repeating: "a", count: 64 + 1536 + 256), "fault 413 close"),
  ]

  @Test(arguments: closing)
  func nothingComesBehind(_ input: String, _ last: String) {
    let all = bytes(input + "PING\n")
    #expect(Transcript.lines(all) == [last])
    #expect(Transcript.lines(all, cuts: Array(0..<all.count)) == [last])
  }

  @Test func theLongestLineOfEachKindIsTaken() {
    let key = String(repeating: "%41", count: 512)
    let value = String(repeating: "v", count: 64)
    let old = String(repeating: "%61", count: 64)
    let revision = UInt64.max
    let input = bytes("PUT \(key) \(value)\r\nCAS \(key) \(revision) \(value)\r\nSWAP \(key) =\(old)= \(value)\r\n")
    let found = Transcript.lines(input)
    #expect(found.count == 3)
    #expect(!found.contains { $0.hasPrefix("fault") })
  }

  @Test func anyBytesComeThroughPUTB() throws {
    var parser = LineParser(valueLimitBytes: 256)
    let value = Array(UInt8(0)...255)
    (bytes("PUTB k 256\r\n") + value + bytes("\r\n")).withUnsafeBytes { parser.feed($0) }
    #expect(parser.next() == .command(.put(Key(bytes("k")), value: value)))
    #expect(parser.isIdle)
  }

  @Test func repliesAreAsTheContractHasThem() {
    func reply(_ write: (inout [UInt8]) -> Void) -> String {
      var output: [UInt8] = []
      write(&output)
      return text(output)
    }
    let world = Versioned(revision: 2, value: bytes("world"))
    #expect(reply { LineReply.value(200, world, to: &$0) } == "200 2 world\n")
    #expect(reply { LineReply.value(200, Versioned(revision: 7, value: []), to: &$0) } == "200 7 \n")
    for value in ["a\nb", "a\r", "\n"] {
      let found = Versioned(revision: 3, value: bytes(value))
      let expected = "B 3 \(value.utf8.count)\n\(value)\n"
      #expect(reply { LineReply.value(200, found, to: &$0) } == "200" + expected)
      #expect(reply { LineReply.conditionFailed(found, to: &$0) } == "412" + expected)
    }
    #expect(reply { LineReply.conditionFailed(world, to: &$0) } == "412 2 world\n")
    #expect(reply { LineReply.conditionFailed(nil, to: &$0) } == "412\n")
    #expect(reply { LineReply.revision(201, 1, to: &$0) } == "201 1\n")
    #expect(reply { LineReply.revision(304, .max, to: &$0) } == "304 18446744073709551615\n")
    #expect(reply { LineReply.number(1, -5, to: &$0) } == "200 1 -5\n")
    #expect(reply { LineReply.bare(404, to: &$0) } == "404\n")
    #expect(reply { LineReply.pong(to: &$0) } == "200 pong\n")
    #expect(reply { LineReply.authenticated(to: &$0) } == "200 ok\n")
    #expect(
      reply { LineReply.error(504, .unknown, "the deadline passed", to: &$0) } == "504 unknown the deadline passed\n")
    #expect(
      reply { LineReply.error(HTTPFault(400, "unknown command"), to: &$0) } == "400 not-applied unknown command\n")
  }
}
