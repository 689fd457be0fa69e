import Compare
import Testing

@Suite("Answers")
struct AnswerScanTests {
  private static func scan(_ text: String) -> AnswerScan.Result {
    Array(text.utf8).withUnsafeBytes { AnswerScan.scan($0) }
  }

  private static func whole(_ text: String) -> AnswerScan? {
    if case .whole(let answer) = scan(text) { answer } else { nil }
  }

  static let ours = "HTTP/1.1 200 OK\r\nDate: x\r\nETag: \"4711\"\r\nContent-Length: 5\r\n\r\nhello"
  static let chunked =
    "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
    + "1a\r\nabcdefghijklmnopqrstuvwxyz\r\n3\r\nabc\r\n0\r\n\r\n"

  @Test func statusRevisionAndBodyAreFound() throws {
    let answer = try #require(Self.whole(Self.ours))
    #expect(answer.status == 200 && answer.revision == 4711 && !answer.closes)
    #expect(answer.length == Self.ours.utf8.count && answer.body.count == 5)
  }

  @Test(arguments: [ours, chunked, "HTTP/1.1 204 No Content\r\n\r\n"])
  func whateverIsMissingMakesItPartial(_ text: String) {
    for end in 0..<text.utf8.count {
      guard case .partial = Self.scan(String(decoding: Array(text.utf8)[..<end], as: UTF8.self)) else {
        Issue.record("\(end) bytes are not partial")
        continue
      }
    }
    #expect(Self.whole(text)?.length == text.utf8.count)
    #expect(Self.whole(text + "HTTP/1.1 500")?.length == text.utf8.count, "what follows is another answer's")
  }

  @Test func fieldNamesAreCompared() throws {
    let answer = try #require(
      Self.whole("HTTP/1.1 412 X\r\ncontent-LENGTH:2\r\nX-ETag: \"5\"\r\nConnection: Close\r\netag: \"7\"\r\n\r\nab"))
    #expect(answer.status == 412 && answer.revision == 7 && answer.closes && answer.body.count == 2)
  }

  @Test(arguments: ["FTP/1.1 200 OK\r\n\r\n", "200\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n", chunkedWithoutSize])
  func whatIsNoAnswerIsMalformed(_ text: String) {
    guard case .malformed = Self.scan(text) else {
      Issue.record("\(text) passes")
      return
    }
  }

  static let chunkedWithoutSize = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"

  @Test func aNumberInABodyIsFound() {
    let body = Array(#"{"node":{"key":"/a","modifiedIndex":815,"createdIndex":3},"prevNode":{"modifiedIndex":9}}"#.utf8)
    #expect(body.withUnsafeBytes { AnswerScan.number(after: "\"modifiedIndex\":", in: $0) } == 815)
    #expect(body.withUnsafeBytes { AnswerScan.number(after: "\"absent\":", in: $0) } == nil)
  }
}
