import Testing
import Wire

@Suite("Protocol sniffer")
struct ProtocolSnifferTests {
  static let decisions: [(String, ProtocolSniffer.Decision)] = [
    ("GET / HTTP/1.1\r\n", .http), ("GET / HTTP/1.1\n", .http), ("GET / HTTP/2.0\r\n", .http),
    ("PRI * HTTP/2.0\r\n", .http), ("GET / HTTP/11.10\r\n", .http), ("PUT foo hello HTTP/1.1\n", .http),
    ("\r\n\nGET / HTTP/1.1\r\n", .http), ("x HTTP/1.1\n", .http),
    ("GET foo\n", .lines), ("PING\r\n", .lines), ("PUT foo HTTP\n", .lines), ("PUT foo HTTP/1\n", .lines),
    ("PUT foo HTTP/1.\n", .lines), ("PUT foo HTTP/.1\n", .lines), ("PUT foo HTTP/1.1 \n", .lines),
    ("PUT foo xHTTP/1.1\n", .lines), ("GET / http/1.1\n", .lines), ("HTTP/1.1\n", .lines), ("\nGET foo\n", .lines),
    ("GET / HTTP/1.1x\n", .lines), ("x HTTP/1111\n", .lines), ("x HTTP/111.\n", .lines),
  ]

  @Test(arguments: decisions)
  func decidesAtTheFirstLineFeed(_ line: String, _ decision: ProtocolSniffer.Decision) {
    var sniffer = ProtocolSniffer(firstLineLimitBytes: 1 << 16)
    let input = bytes(line)
    for index in input.indices.dropLast() { #expect(sniffer.feed([input[index]]) == nil) }
    #expect(sniffer.feed([input[input.count - 1]]) == decision)
    #expect(sniffer.bytes == input)
    var whole = ProtocolSniffer(firstLineLimitBytes: 1 << 16)
    let more = input + bytes("GET / HTTP/1.1\r\nPING\r\n")
    #expect(more.withUnsafeBytes { whole.feed($0) } == decision)
  }

  @Test func decidesWithoutAnEndWhenTooMuchCame() {
    var target = ProtocolSniffer(firstLineLimitBytes: 100)
    #expect(target.feed(bytes("GET /" + String(repeating: "a", count: 95))) == nil)
    #expect(target.feed(bytes("a")) == .http)
    var value = ProtocolSniffer(firstLineLimitBytes: 100)
    #expect(value.feed(bytes("PUT foo " + String(repeating: "a", count: 95))) == .lines)
    var word = ProtocolSniffer(firstLineLimitBytes: 100)
    #expect(word.feed(bytes(String(repeating: "a", count: 101))) == .lines)
    var nothing = ProtocolSniffer(firstLineLimitBytes: 100)
    #expect(nothing.feed(bytes(String(repeating: "\n", count: 101))) == .lines)
  }
}
