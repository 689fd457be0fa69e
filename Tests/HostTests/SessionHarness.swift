import Base
import Host
import Replica
import Testing

/// One answer as a client reads it.
struct SessionAnswer: Equatable {
  var status: Int
  /// Lower-case names.
  var fields: [String: String]
  var body: [UInt8]

  var text: String { String(decoding: body, as: UTF8.self) }
  subscript(_ name: String) -> String? { fields[name] }
}

/// A session, its host, a clock that stands still, and a client that reads strictly.
final class SessionHarness {
  let host = SessionFakeHost()
  let session: Session
  let counters = SessionCounters()
  var now = Instant(nanoseconds: 1_000_000_000)

  init(options: HostOptions = HostOptions(), tokens: String? = nil) {
    let table = tokens.map {
      do throws(TokenFileError) { return try TokenTable(parsing: Array($0.utf8)) } catch { fatalError("bad tokens") }
    }
    session = Session(id: 7, options: options, tokens: table, counters: counters, now: now)
  }

  func feed(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { session.receive($0, now: now, host: host) }
  }

  func feed(_ text: String) { feed(Array(text.utf8)) }

  func deliver() { host.deliver(to: session, now: now) }

  func take() -> [UInt8] {
    let bytes = session.output
    session.output = []
    return bytes
  }

  /// Sends, has everything carried out, and takes what comes back.
  func talk(_ text: String) -> String {
    feed(text)
    deliver()
    return String(decoding: take(), as: UTF8.self)
  }

  /// One request and its one answer.
  func ask(_ line: String, _ fields: [String] = [], _ body: String? = nil) throws -> SessionAnswer {
    feed(Self.request(line, fields, body))
    deliver()
    let answers = try Self.answers(take(), heads: line.hasPrefix("HEAD") ? [0] : [])
    try #require(answers.count == 1, "\(line): \(answers)")
    return answers[0]
  }

  /// The bytes of a request; a body brings its Content-Length.
  static func request(_ line: String, _ fields: [String] = [], _ body: String? = nil) -> String {
    var text = "\(line) HTTP/1.1\r\nHost: node\r\n"
    for field in fields { text += field + "\r\n" }
    if let body { text += "Content-Length: \(body.utf8.count)\r\n" }
    return text + "\r\n" + (body ?? "")
  }

  /// Reads answers one behind the other; `heads`: which of them answer HEAD, and so have no body.
  static func answers(_ bytes: [UInt8], heads: Set<Int> = []) throws -> [SessionAnswer] {
    var found: [SessionAnswer] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      let end = try #require(
        rest.indices.dropLast(3).first { rest[$0..<$0 + 4].elementsEqual("\r\n\r\n".utf8) }, "no end of the fields")
      let lines = String(decoding: rest[..<end], as: UTF8.self).split(separator: "\r\n")
      let first = try #require(lines.first)
      try #require(first.hasPrefix("HTTP/1.1 "))
      let status = try #require(Int(first.dropFirst(9).prefix(3)))
      var fields: [String: String] = [:]
      for line in lines.dropFirst() {
        let colon = try #require(line.firstIndex(of: ":"))
        let name = line[..<colon].lowercased()
        try #require(fields[name] == nil, "the field \(name) stands twice")
        fields[name] = String(line[line.index(colon, offsetBy: 2)...])
      }
      rest = rest[(end + 4)...]
      var length = try fields["content-length"].map { try #require(Int($0)) } ?? 0
      if [100, 204, 304].contains(status) { try #require(fields["content-length"] == nil) }
      if status != 100, status != 204, status != 304 { try #require(fields["content-length"] != nil) }
      if heads.contains(found.count) { length = 0 }
      try #require(rest.count >= length, "the body is cut off")
      found.append(SessionAnswer(status: status, fields: fields, body: Array(rest.prefix(length))))
      rest = rest.dropFirst(length)
    }
    return found
  }
}
