import Foundation
import Testing

/// CONTRACT §2: the line protocol.
@Suite("Contract: lines", .sharedCluster)
struct LineContractTests {
  /// One line there, one back.
  private func ask(_ connection: RawConnection, _ line: String) throws -> String {
    try connection.send(line + "\n")
    return try connection.line()
  }

  /// The status and the revision of an answer.
  private func revision(_ line: String) throws -> UInt64 {
    let words = line.split(separator: " ")
    return try #require(words.count > 1 ? UInt64(words[1]) : nil, "\(line)")
  }

  @Test func everyCommand() throws {
    let cluster = try TestCluster.shared
    let one = try cluster.connect(1)
    let two = try cluster.connect(2)
    #expect(try ask(one, "GET lines/a") == "404")
    let created = try ask(one, "PUT lines/a hello")
    let first = try revision(created)
    #expect(created == "201 \(first)")
    let replaced = try ask(two, "CAS lines/a \(first) world")
    let second = try revision(replaced)
    #expect(replaced == "200 \(second)" && second > first)
    #expect(try ask(one, "GET lines/a") == "200 \(second) world")
    #expect(try ask(two, "CAS lines/a \(first) late") == "412 \(second) world")
    #expect(try ask(two, "CAS lines/a - late") == "412 \(second) world")
    #expect(try ask(two, "CAS lines/none 1 x") == "412")
    #expect(try ask(one, "CAS lines/new - one two").hasPrefix("201 "))
    #expect(try ask(two, "GET lines/new").hasSuffix(" one two"))

    let third = try revision(try ask(one, "SWAP lines/a =world= two  words "))
    #expect(try ask(two, "GET lines/a") == "200 \(third) two  words ")
    let fourth = try revision(try ask(two, "SWAP lines/a =two%20%20words%20= x"))
    #expect(try ask(one, "SWAP lines/a =y= z") == "412 \(fourth) x")
    #expect(try ask(one, "PUT lines/a ") == "200 \(fourth + 1)")
    #expect(try ask(two, "GET lines/a") == "200 \(fourth + 1) ")
    #expect(try ask(two, "SWAP lines/a == z").hasPrefix("200 "))

    #expect(try ask(one, "DEL lines/a 1").hasPrefix("412 "))
    #expect(try ask(one, "DEL lines/a") == "204")
    #expect(try ask(two, "DEL lines/a") == "404")
    #expect(try ask(two, "ADD lines/hits 5").hasSuffix(" 5"))
    #expect(try ask(one, "ADD lines/hits -7").hasSuffix(" -2"))
    #expect(try ask(two, "PING") == "200 pong")
    try one.send("QUIT\n")
    #expect(try one.isClosedByPeer())
  }

  @Test func waits() throws {
    let cluster = try TestCluster.shared
    let one = try cluster.connect(1)
    let first = try revision(try ask(one, "PUT lines/wait v1"))
    let waiting = try cluster.connect(2)
    try waiting.send("WAIT lines/wait \(first) 60\n")
    let second = try revision(try ask(one, "PUT lines/wait v2"))
    #expect(try waiting.line() == "200 \(second) v2")
    #expect(try ask(waiting, "WAIT lines/wait \(second) 0") == "304 \(second)")
    #expect(try ask(waiting, "WAIT lines/wait \(second) 61").hasPrefix("400 not-applied "))
  }

  @Test func countedValues() throws {
    let cluster = try TestCluster.shared
    let one = try cluster.connect(1)
    try one.send("PUTB lines/counted 7\na\nb\r\n\0c\n")
    let revision = try revision(try one.line())
    let two = try cluster.connect(2)
    try two.send("GET lines/counted\n")
    #expect(try two.line() == "200B \(revision) 7")
    #expect(try two.bytes(8) == Array("a\nb\r\n\0c\n".utf8))
    #expect(try cluster.ask(3, "GET", "/v1/kv/lines/counted").text == "a\nb\r\n\0c")
    #expect(try ask(two, "PUTB lines/counted 0\n") == "200 \(revision + 1)")
    #expect(try ask(two, "GET lines/counted") == "200 \(revision + 1) ")
  }

  @Test func keysAreEncodedAsInPaths() throws {
    let cluster = try TestCluster.shared
    let one = try cluster.connect(1)
    #expect(try ask(one, "PUT lines/%20%C3%A9 x").hasPrefix("201 "))
    #expect(try cluster.ask(2, "GET", "/v1/kv/lines/%20%C3%A9").text == "x")
    #expect(try ask(one, "GET lines/../x").hasPrefix("400 not-applied "))
    #expect(try ask(one, "GET %zz").hasPrefix("400 not-applied "))
    #expect(try ask(one, "GET " + String(repeating: "k", count: 513)).hasPrefix("414 not-applied "))
  }

  @Test(arguments: [
    "PUT lines/bad", "get lines/bad", "NONSENSE", "CAS lines/bad x y", "CAS lines/bad 1", "ADD lines/bad",
    "ADD lines/bad one", "GET", "GET lines/bad x", "SWAP lines/bad x y", "DEL lines/bad x", "WAIT lines/bad 1",
    "PUT  lines/bad x", "PING x",
  ])
  func linesThatAreWrong(_ line: String) throws {
    let cluster = try TestCluster.shared
    let connection = try cluster.connect(3)
    #expect(try ask(connection, line).hasPrefix("400 not-applied "))
    #expect(try ask(connection, "PING") == "200 pong", "a wrong line ends nothing")
    #expect(try ask(connection, "GET lines/bad") == "404")
  }

  @Test func pipelinedLinesAndLineEnds() throws {
    let connection = try TestCluster.shared.connect(1)
    try connection.send((0..<200).map { "ADD lines/pipe 1\(Int($0) % 2 == 0 ? "\r\n" : "\n")" }.joined())
    for number in 1...200 { #expect(try connection.line().hasSuffix(" \(number)")) }
  }

  /// RFC 9112 §9.3.2 allows requests of a pipeline side by side only where all of them are safe; the same is expected
  /// of lines.
  @Test func aReadBehindAWriteSeesIt() throws {
    let cluster = try TestCluster.shared
    var overtaken = 0
    for node in 1...3 {
      let connection = try cluster.connect(node)
      for number in 0..<100 {
        try connection.send("PUT lines/behind \(number)\nGET lines/behind\n")
        _ = try connection.line()
        if try !connection.line().hasSuffix(" \(number)") { overtaken += 1 }
      }
    }
    #expect(overtaken == 0)
  }

  @Test func aLineWithoutItsEndIsNotExecuted() throws {
    let cluster = try TestCluster.shared
    let connection = try cluster.connect(1)
    try connection.send("PUT lines/first x\nPUT lines/cut x")
    connection.finishSending()
    let rest = String(decoding: try connection.rest(), as: UTF8.self)
    #expect(rest.hasPrefix("201 "))
    #expect(try cluster.ask(2, "GET", "/v1/kv/lines/cut").status == 404)
  }

  @Test func aConnectionNeverChangesItsProtocol() throws {
    let cluster = try TestCluster.shared
    let lines = try cluster.connect(1)
    #expect(try ask(lines, "PING") == "200 pong")
    #expect(try ask(lines, "GET /v1/kv/lines HTTP/1.1").hasPrefix("400 "))
    let http = try cluster.connect(2)
    #expect(try http.ask("GET", "/livez").status == 200)
    try http.send("PING\n")
    #expect(try http.answer().status == 400)
  }

  @Test func errorsOfValues() throws {
    let connection = try TestCluster.shared.connect(2)
    #expect(try ask(connection, "PUT lines/word text").hasPrefix("201 "))
    #expect(try ask(connection, "ADD lines/word 1").hasPrefix("409 not-applied "))
    #expect(try ask(connection, "PUT lines/big " + String(repeating: "x", count: 65537)).hasPrefix("413 not-applied "))
  }
}
