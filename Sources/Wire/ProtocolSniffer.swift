import Base

/// Decides from a connection's first line which of the two protocols it speaks (CONTRACT §2): HTTP if the line ends in
/// a word `HTTP/x.y`, else lines. Empty lines before it decide nothing (RFC 9112 §2.2); they are passed on with the
/// rest.
package struct ProtocolSniffer: Sendable {
  package enum Decision: Sendable, Equatable {
    case http
    case lines
  }

  /// Everything received so far, for the parser that it turns out to be for.
  package private(set) var bytes: [UInt8] = []
  private let firstLineLimitBytes: Int
  private var lineStart = 0
  private var searched = 0

  /// `firstLineLimitBytes`: when so much came without an end of line, the decision is made without it; the parser then
  /// refuses the line as too long.
  package init(firstLineLimitBytes: Int) { self.firstLineLimitBytes = firstLineLimitBytes }

  /// Takes bytes in; the decision, or nil while the first line has not ended.
  package mutating func feed(_ more: UnsafeRawBufferPointer) -> Decision? {
    bytes.append(contentsOf: more)
    return decide()
  }

  package mutating func feed(_ more: [UInt8]) -> Decision? {
    bytes.append(contentsOf: more)
    return decide()
  }

  private mutating func decide() -> Decision? {
    while let lineFeed = HTTPCharacters.lineFeed(in: bytes.span.bytes, from: searched) {
      let hasReturn = lineFeed > lineStart && bytes[lineFeed - 1] == HTTPCharacters.carriageReturn
      let line = lineStart..<(hasReturn ? lineFeed - 1 : lineFeed)
      if !line.isEmpty { return Self.endsInVersion(bytes[line]) ? .http : .lines }
      lineStart = lineFeed + 1
      searched = lineStart
    }
    searched = bytes.count
    guard bytes.count > firstLineLimitBytes else { return nil }
    // Two words of which the second has no end: as a line its key would be beyond all bounds, so it is a target.
    var spaces = 0
    for byte in bytes[lineStart...] where byte == HTTPCharacters.space { spaces += 1 }
    return spaces == 1 ? .http : .lines
  }

  /// Whether the last of several words is `HTTP/` digits `.` digits.
  private static func endsInVersion(_ line: ArraySlice<UInt8>) -> Bool {
    guard let space = line.lastIndex(of: HTTPCharacters.space) else { return false }
    let word = line[(space + 1)...]
    guard word.count >= 8, StaticString("HTTP/").equals(word.prefix(5)) else { return false }
    let numbers = word.dropFirst(5)
    guard let dot = numbers.firstIndex(of: 0x2E), dot > numbers.startIndex, dot + 1 < numbers.endIndex else {
      return false
    }
    return numbers[..<dot].allSatisfy { $0 &- 0x30 < 10 } && numbers[(dot + 1)...].allSatisfy { $0 &- 0x30 < 10 }
  }
}
