import Base

/// The commands of one connection that speaks lines (CONTRACT §2): bytes in, commands out, in order.
///
/// ```
/// line   = verb *( SP word ) [ SP value ] ( LF | CR LF )
/// PUTB   = "PUTB" SP key SP length ( LF | CR LF ) length bytes ( LF | CR LF )
/// ```
/// Verbs are upper-case. A value may hold anything but a line feed, and a carriage return at its very end; PUTB takes
/// any bytes. A line without its end is not executed. After QUIT, and after a fault that closes, nothing more comes
/// out.
package struct LineParser: Sendable {
  private struct Counted: Sendable {
    var key: Key?
    /// Set where the line was wrong but its length is known, so that the value can be stepped over.
    var fault: HTTPFault?
    var length: Int
  }

  private let valueLimitBytes: Int
  private var buffer: [UInt8] = []
  private var consumed = 0
  /// Bytes of `buffer` already searched for a line feed.
  private var searched = 0
  /// A PUTB whose value is still to come.
  private var counted: Counted?
  package private(set) var isFinished = false

  package init(valueLimitBytes: Int) { self.valueLimitBytes = valueLimitBytes }

  package var bufferedBytes: Int { buffer.count - consumed }
  /// Whether the connection rests between two commands.
  package var isIdle: Bool { bufferedBytes == 0 && counted == nil }

  package mutating func feed(_ bytes: UnsafeRawBufferPointer) {
    if !isFinished { buffer.append(contentsOf: bytes) }
  }

  package mutating func feed(_ bytes: [UInt8]) {
    if !isFinished { buffer.append(contentsOf: bytes) }
  }

  /// The next command or refusal, nil when more bytes are needed or the connection is over.
  package mutating func next() -> LineEvent? {
    guard !isFinished else { return nil }
    let event: LineEvent?
    do throws(HTTPFault) {
      let command: LineCommand?
      if let counted { command = try readCounted(counted) } else { command = try readLine() }
      event = command.map { .command($0) }
      if command == .quit { isFinished = true }
    } catch {
      event = .refused(error)
      if error.close { isFinished = true }
    }
    if isFinished { buffer = [] }
    if event == nil || isFinished { compact() }
    return event
  }

  private mutating func readLine() throws(HTTPFault) -> LineCommand? {
    guard let lineFeed = HTTPCharacters.lineFeed(in: buffer.span.bytes, from: searched) else {
      searched = buffer.count
      try checkLength(consumed..<buffer.count)
      return nil
    }
    let hasReturn = lineFeed > consumed && buffer[lineFeed - 1] == HTTPCharacters.carriageReturn
    let line = consumed..<(hasReturn ? lineFeed - 1 : lineFeed)
    consumed = lineFeed + 1
    searched = consumed
    try checkLength(line)
    var words = LineWords(buffer[line])
    let verb = words.next()
    if let verb, StaticString("PUTB").equals(verb) {
      let counted = try beginCounted(&words)
      self.counted = counted
      return try readCounted(counted)
    }
    guard let verb, let command = try Self.command(verb, &words) else {
      throw HTTPFault(400, "unknown command", close: false)
    }
    try checkValue(command)
    return command
  }

  /// A line beyond what any command can need is given up before its end arrives.
  private func checkLength(_ line: Range<Int>) throws(HTTPFault) {
    let values = StaticString("SWAP ").equals(buffer[line].prefix(5)) ? 1 + 3 : 1
    guard line.count <= 64 + 3 * Key.maximumBytes + values * valueLimitBytes else {
      throw HTTPFault(413, "the line is longer than a key and a value can be")
    }
  }

  private func checkValue(_ command: LineCommand) throws(HTTPFault) {
    switch command {
    case .put(_, let value), .compareAndSet(_, _, let value), .swap(_, _, let value):
      guard value.count <= valueLimitBytes else { throw Self.valueTooLarge }
    case .get, .delete, .add, .wait, .ping, .quit, .authenticate:
      break
    }
  }

  private static let valueTooLarge = HTTPFault(413, "the value is larger than the limit", close: false)

  /// The line of a PUTB. Without a usable length nobody knows where the next line begins, so then the connection
  /// closes; with one, a wrong key is reported after its value was stepped over.
  private func beginCounted(_ words: inout LineWords) throws(HTTPFault) -> Counted {
    guard let key = words.next(), let count = words.next(), words.isAtEnd, let length = Decimal.unsigned(count) else {
      throw HTTPFault(400, "it must be: PUTB KEY LENGTH")
    }
    guard length <= UInt64(valueLimitBytes) else { throw HTTPFault(413, "the value is larger than the limit") }
    do throws(HTTPFault) {
      return Counted(key: try KeyCoding.decode(key), fault: nil, length: Int(length))
    } catch {
      return Counted(key: nil, fault: error, length: Int(length))
    }
  }

  private mutating func readCounted(_ expected: Counted) throws(HTTPFault) -> LineCommand? {
    let end = consumed + expected.length
    guard end < buffer.count else { return nil }
    var next = end + 1
    if buffer[end] == HTTPCharacters.carriageReturn {
      guard next < buffer.count else { return nil }
      next += 1
    }
    guard buffer[next - 1] == HTTPCharacters.lineFeed else {
      throw HTTPFault(400, "the value of PUTB does not end where its length says")
    }
    let value = Array(buffer[consumed..<end])
    consumed = next
    searched = next
    counted = nil
    if let key = expected.key { return .put(key, value: value) }
    throw expected.fault ?? HTTPFault(400, "it must be: PUTB KEY LENGTH")
  }

  private mutating func compact() {
    if consumed >= buffer.count {
      buffer.removeAll(keepingCapacity: buffer.capacity <= 1 << 18)
    } else if consumed > 0 {
      buffer.removeFirst(consumed)
    }
    searched = max(0, searched - consumed)
    consumed = 0
  }
}
