import Base
import Wire

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

/// All that comes out of a connection, as lines that a table can state.
enum Transcript {
  /// Cuts `input` at `cuts`, feeds it piece by piece and writes down what comes out between the pieces.
  static func http(
    _ input: [UInt8], cuts: [Int] = [], bodyLimit: Int = 1 << 16, limits: HTTPLimits = HTTPLimits(),
    streams: Bool = false
  ) -> [String] {
    var parser = HTTPParser(limits: limits)
    return http(input, cuts: cuts, bodyLimit: bodyLimit, streams: streams, of: &parser, describe)
  }

  /// As `describe` puts it, on a connection that goes on.
  static func http(
    _ input: [UInt8], cuts: [Int] = [], bodyLimit: Int = 1 << 16, streams: Bool = false, of parser: inout HTTPParser,
    _ describe: (HTTPEvent) -> String
  ) -> [String] {
    var found: [String] = []
    var start = 0
    for end in cuts + [input.count] {
      parser.feed(input[start..<end])
      start = end
      do throws(HTTPFault) {
        while let event = try parser.next(policy: { _ in streams ? .stream : .gather(limitBytes: bodyLimit) }) {
          found.append(describe(event))
        }
      } catch {
        found.append("fault \(error.status)\(error.close ? " close" : "")")
        return found
      }
    }
    return found
  }

  static func lines(_ input: [UInt8], cuts: [Int] = [], valueLimit: Int = 64) -> [String] {
    var parser = LineParser(valueLimitBytes: valueLimit)
    var found: [String] = []
    var start = 0
    for end in cuts + [input.count] {
      parser.feed(Array(input[start..<end]))
      start = end
      while let event = parser.next() { found.append(describe(event)) }
    }
    return found
  }

  static func describe(_ event: HTTPEvent) -> String {
    switch event {
    case .request(let request): describe(request)
    case .continueDue: "continue"
    case .streamBegan(let request): "stream " + describe(request)
    case .streamPart(let part): "part \(text(part))"
    case .streamEnded: "end"
    }
  }

  static func describe(_ request: HTTPRequest) -> String {
    var line = "\(request.method) \(text(request.path))"
    if let query = request.query { line += " ?\(text(query))" }
    if request.version == .http10 { line += " 1.0" }
    if !request.keepAlive { line += " close" }
    if request.framing != .none { line += " [\(text(request.body))]" }
    return line
  }

  static func describe(_ event: LineEvent) -> String {
    switch event {
    case .refused(let fault): "fault \(fault.status)\(fault.close ? " close" : "")"
    case .command(let command): describe(command)
    }
  }

  private static func describe(_ command: LineCommand) -> String {
    switch command {
    case .get(let key): "get \(text(key.bytes))"
    case .put(let key, let value): "put \(text(key.bytes)) [\(text(value))]"
    case .compareAndSet(let key, let revision, let value):
      "cas \(text(key.bytes)) \(revision.map { "\($0)" } ?? "absent") [\(text(value))]"
    case .swap(let key, let expected, let value): "swap \(text(key.bytes)) [\(text(expected))] [\(text(value))]"
    case .delete(let key, let revision): "delete \(text(key.bytes)) \(revision.map { "\($0)" } ?? "any")"
    case .add(let key, let delta): "add \(text(key.bytes)) \(delta)"
    case .wait(let key, let revision, let time): "wait \(text(key.bytes)) \(revision) \(time.count)ms"
    case .ping: "ping"
    case .quit: "quit"
    case .authenticate(let token): "auth \(text(token))"
    }
  }
}

/// Damages bytes in the ways that a hostile or broken peer does: flips, cuts, doublings, insertions of special bytes.
struct Mutator {
  var random: SeededRandom

  private static let special: [UInt8] = [
    0, 9, 10, 13, 32, 34, 37, 44, 45, 47, 48, 57, 58, 59, 61, 92, 123, 125, 127, 255,
  ]

  mutating func mutate(_ input: [UInt8]) -> [UInt8] {
    var output = input
    for _ in 0...random.below(4) {
      let at = Int(random.below(UInt64(output.count + 1)))
      switch random.below(5) {
      case 0 where at < output.count: output[at] ^= UInt8(1 << random.below(8))
      case 1 where at < output.count:
        output.removeSubrange(at..<min(output.count, at + 1 + Int(random.below(8))))
      case 2:
        let end = min(output.count, at + Int(random.below(16)))
        output.insert(contentsOf: Array(output[at..<end]), at: at)
      default: output.insert(Self.special[Int(random.below(UInt64(Self.special.count)))], at: at)
      }
    }
    return output
  }

  /// Up to four places to cut `count` bytes at, ascending.
  mutating func cuts(_ count: Int) -> [Int] {
    (0..<random.below(5)).map { _ in Int(random.below(UInt64(count + 1))) }.sorted()
  }
}
