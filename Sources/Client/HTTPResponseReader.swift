import Base

/// Takes answers apart (RFC 9112): feed it what arrives, ask it for the answer.
struct HTTPResponseReader {
  /// The bytes are no HTTP answer, or more of one than is sensible.
  struct Malformed: Error {}

  private enum Framing {
    case length(Int)
    case chunked
    case untilClosed
  }

  private struct Head {
    let status: Int
    let fields: [(name: [UInt8], value: [UInt8])]
    let keepAlive: Bool
    let framing: Framing
    /// Where the body begins.
    let end: Int
  }

  /// Bytes. A head beyond it is no head of ours.
  private static let maximumHead = 64 * 1024
  /// Bytes. Longer than any page or value can be.
  private static let maximumBody = 1 << 30

  private(set) var buffer: [UInt8] = []
  private var head: Head?
  /// How far a search for the end of the head, or a walk over chunks, has come.
  private var position = 0
  private var chunks: [UInt8] = []

  mutating func feed(_ bytes: ArraySlice<UInt8>) { buffer += bytes }

  /// The next answer, if it is whole; it is taken out of the buffer. `closed` says that no more bytes will come.
  mutating func next(closed: Bool) throws(Malformed) -> HTTPResponse? {
    while true {
      guard let head = try completeHead() else { return nil }
      self.head = head
      // Interim answers (1xx) announce another one.
      if head.status < 200 {
        drop(head.end)
        continue
      }
      guard let body = try completeBody(head, closed) else { return nil }
      return HTTPResponse(status: head.status, fields: head.fields, body: body, keepAlive: head.keepAlive)
    }
  }

  private mutating func drop(_ count: Int) {
    buffer.removeFirst(count)
    head = nil
    position = 0
    chunks = []
  }

  private mutating func completeHead() throws(Malformed) -> Head? {
    if let head { return head }
    while position + 4 <= buffer.count {
      if buffer[position] == 0x0D, buffer[position + 1] == 0x0A, buffer[position + 2] == 0x0D,
        buffer[position + 3] == 0x0A
      {
        let head = try Self.head(buffer[..<position], end: position + 4)
        position = head.end
        return head
      }
      position += 1
    }
    guard buffer.count <= Self.maximumHead else { throw Malformed() }
    return nil
  }

  private static func head(_ text: ArraySlice<UInt8>, end: Int) throws(Malformed) -> Head {
    var lines = text.split(separator: 0x0A, omittingEmptySubsequences: false)[...]
    guard let first = lines.popFirst(), first.starts(with: "HTTP/1.".utf8), first.count >= 12,
      let status = Decimal.unsigned(first[first.startIndex + 9..<first.startIndex + 12]), status >= 100
    else { throw Malformed() }
    var fields: [(name: [UInt8], value: [UInt8])] = []
    for line in lines {
      guard let colon = line.firstIndex(of: 0x3A), colon > line.startIndex else { throw Malformed() }
      let name = line[..<colon].map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }
      fields.append((name, trimmed(line[(colon + 1)...])))
    }
    func field(_ name: StaticString) -> [UInt8]? { fields.first { name.equals($0.name) }?.value }

    let framing: Framing
    if status < 200 || status == 204 || status == 304 {
      framing = .length(0)
    } else if let coding = field("transfer-encoding") {
      guard ("chunked" as StaticString).equalsIgnoringCase(coding[...]) else { throw Malformed() }
      framing = .chunked
    } else if let text = field("content-length") {
      guard let length = Decimal.unsigned(text[...]), length <= UInt64(maximumBody) else { throw Malformed() }
      framing = .length(Int(length))
    } else {
      framing = .untilClosed
    }
    let connection = field("connection").map { $0[...] } ?? []
    let isOld = first[first.startIndex + 7] == UInt8(ascii: "0")
    let keepAlive =
      isOld
      ? ("keep-alive" as StaticString).equalsIgnoringCase(connection)
      : !("close" as StaticString).equalsIgnoringCase(connection)
    return Head(status: Int(status), fields: fields, keepAlive: keepAlive, framing: framing, end: end)
  }

  private static func trimmed(_ text: ArraySlice<UInt8>) -> [UInt8] {
    let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0D }
    let front = text.drop(while: isBlank)
    guard let last = front.lastIndex(where: { !isBlank($0) }) else { return [] }
    return Array(front[...last])
  }

  private mutating func completeBody(_ head: Head, _ closed: Bool) throws(Malformed) -> [UInt8]? {
    switch head.framing {
    case .length(let length):
      guard buffer.count - head.end >= length else { return nil }
      let body = Array(buffer[head.end..<head.end + length])
      drop(head.end + length)
      return body
    case .untilClosed:
      guard closed else {
        if buffer.count > Self.maximumBody { throw Malformed() }
        return nil
      }
      let body = Array(buffer[head.end...])
      drop(buffer.count)
      return body
    case .chunked:
      return try completeChunks()
    }
  }

  /// Gathers chunks until the last one and the end of the trailer.
  private mutating func completeChunks() throws(Malformed) -> [UInt8]? {
    while true {
      guard let lineEnd = buffer[position...].firstIndex(of: 0x0A) else { return nil }
      let line = Self.trimmed(buffer[position..<lineEnd].prefix { $0 != UInt8(ascii: ";") })
      guard !line.isEmpty, line.count <= 8 else { throw Malformed() }
      var size = 0
      for byte in line {
        let digit = PercentCoding.hexadecimal(byte)
        guard digit < 16 else { throw Malformed() }
        size = size << 4 | Int(digit)
      }
      guard chunks.count + size <= Self.maximumBody else { throw Malformed() }
      if size == 0 { return try completeTrailer(from: lineEnd + 1) }
      let end = lineEnd + 1 + size
      guard buffer.count >= end + 2 else { return nil }
      guard buffer[end] == 0x0D, buffer[end + 1] == 0x0A else { throw Malformed() }
      chunks += buffer[lineEnd + 1..<end]
      position = end + 2
    }
  }

  /// Steps over trailer fields; an empty line ends them.
  private mutating func completeTrailer(from start: Int) throws(Malformed) -> [UInt8]? {
    var start = start
    while let end = buffer[start...].firstIndex(of: 0x0A) {
      let isEmpty = Self.trimmed(buffer[start..<end]).isEmpty
      start = end + 1
      guard isEmpty else { continue }
      let body = chunks
      drop(start)
      return body
    }
    return nil
  }
}
