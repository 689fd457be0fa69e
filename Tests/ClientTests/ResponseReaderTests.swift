import Testing

@testable import Client

@Suite struct ResponseReaderTests {
  /// Feeds `text` in pieces of every length, so that each boundary falls everywhere once.
  private static func read(_ text: String, closed: Bool = false, piece: Int) throws -> [HTTPResponse] {
    var reader = HTTPResponseReader()
    var responses: [HTTPResponse] = []
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      reader.feed(rest.prefix(piece))
      rest = rest.dropFirst(piece)
      while let response = try reader.next(closed: closed && rest.isEmpty) { responses.append(response) }
    }
    return responses
  }

  @Test(arguments: 1...40)
  func answersFollowEachOther(piece: Int) throws {
    let text = """
      HTTP/1.1 200 OK\r\nETag: "7"\r\nContent-Length: 5\r\n\r\nhello\
      HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nX:  a b \t\r\n\r\n\
      HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n00a;x=y\r\n0123456789\r\n0\r\nT: 1\r\n\r\n\
      HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\nConnection: close\r\n\r\n
      """
    let responses = try Self.read(text, piece: piece)
    #expect(responses.map(\.status) == [200, 204, 200, 304])
    #expect(responses.map { String(decoding: $0.body, as: UTF8.self) } == ["hello", "", "abc0123456789", ""])
    #expect(responses.map(\.keepAlive) == [true, true, true, false])
    #expect(responses[0].revision == 7)
    #expect(responses[1].field("x") == Array("a b".utf8))
  }

  @Test(arguments: [1, 7, 1000])
  func aBodyWithoutALengthEndsWithTheConnection(piece: Int) throws {
    let text = "HTTP/1.0 200 OK\r\n\r\nall of it"
    #expect(try Self.read(text, piece: piece).isEmpty)
    let responses = try Self.read(text, closed: true, piece: piece)
    #expect(responses.map { String(decoding: $0.body, as: UTF8.self) } == ["all of it"])
    #expect(responses.map(\.keepAlive) == [false])
  }

  @Test(arguments: [
    "HTTP/1.1 OK 200\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n", "200 2 world\n\r\n\r\n",
  ])
  func whatIsNoAnswerIsRefused(text: String) {
    #expect(throws: HTTPResponseReader.Malformed.self) { try Self.read(text, piece: 1000) }
  }

  @Test func anEndlessHeadIsRefused() {
    #expect(throws: HTTPResponseReader.Malformed.self) {
      try Self.read("HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 70_000), piece: 4096)
    }
  }

  @Test(arguments: ["\"7\"", "W/\"7\"", "7", "\"\"", "\"x\"", "\"18446744073709551615\""])
  func onlyAStrongTagOfDigitsIsARevision(tag: String) throws {
    let response = try Self.read("HTTP/1.1 200 OK\r\nETag: \(tag)\r\nContent-Length: 0\r\n\r\n", piece: 1000)[0]
    let expected: [String: UInt64] = ["\"7\"": 7, "\"18446744073709551615\"": .max]
    #expect(response.revision == expected[tag])
  }
}
