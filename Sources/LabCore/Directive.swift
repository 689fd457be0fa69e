import Base
import Linearizability
package import Simulator

/// One line of a script: at which time, to which pane, what happens.
///
///     TIME [register:|raft:] WHAT
///
/// TIME is in milliseconds of the run, with up to three decimals. Nodes are `1` to `9`, clients `A` to `H`. WHAT is one
/// of
///
///     A put KEY VALUE via N    A add KEY NUMBER via N    A delete KEY via N    A get KEY via N    A settle KEY via N
///         … named         the change bears an Idempotency-Key, so that it can be asked about and sent again
///         … if REVISION   … if absent   … if present      only then
///         … within MS     the client's deadline, 1500 where nothing is said
///     A settle KEY fate via N      settle, and what became of A's last named change?
///     A again via N                A's last named change once more, under the same name
///     crash N   start N   pause N   resume N   wipe N   timeout N
///     isolate N   join N   cut N M   mend N M   split N…   heal   slow N M MS
///     members N… via N      these are to be the members; whoever is to be added must run
///     drop MESSAGE   delay MESSAGE MS   double MESSAGE     by the number of a message on its way, of one pane
///     lose KIND FROM TO COUNT      the next messages of this kind between the two are lost; `accept:x` for those of x
///     say TEXT                     a remark
package struct Directive: Sendable {
  package enum Side: Sendable, Equatable { case both, register, raft }

  package enum What: Sendable {
    case ask(client: Int, Ask)
    case crash(Int)
    case start(Int)
    case pause(Int)
    case resume(Int)
    case wipe(Int)
    case timeOut(Int)
    case isolate(Int)
    case join(Int)
    case cut(Int, Int)
    case mend(Int, Int)
    case split([Int])
    case members([Int], node: Int)
    case heal
    case slow(Int, Int, milliseconds: UInt64)
    case drop(UInt64)
    case delay(UInt64, milliseconds: UInt64)
    case double(UInt64)
    case lose(Snare)
    case say(String)
  }

  package struct Ask: Sendable {
    package enum Verb: Sendable { case get, settle, fate, put, add, delete, again }
    var verb: Verb
    var key: [UInt8] = []
    var value: [UInt8] = []
    var node = 0
    var isNamed = false
    var condition = Call.Condition.always
    var timeoutMilliseconds: UInt64 = 1500
  }

  /// Microseconds since the run began.
  package let at: UInt64
  package let side: Side
  package let what: What

  /// Nil where the line is none.
  package init?(_ line: [UInt8]) {
    var words = Words(line)
    guard let time = words.next(), let at = Self.microseconds(time) else { return nil }
    self.at = at
    var side = Side.both
    if words.take("register:") { side = .register } else if words.take("raft:") { side = .raft }
    self.side = side
    guard let what = Self.what(&words), words.isAtEnd else { return nil }
    self.what = what
  }

  /// `12`, `12.5`, `12.345` milliseconds.
  static func microseconds(_ text: ArraySlice<UInt8>) -> UInt64? {
    guard let point = text.firstIndex(of: UInt8(ascii: ".")) else {
      return Decimal.unsigned(text).flatMap { $0 < 1 << 40 ? $0 * 1000 : nil }
    }
    var decimals = text[(point + 1)...]
    guard !decimals.isEmpty, decimals.count <= 3, let whole = Decimal.unsigned(text[..<point]), whole < 1 << 40
    else { return nil }
    while decimals.count < 3 { decimals.append(UInt8(ascii: "0")) }
    return Decimal.unsigned(decimals).map { whole * 1000 + $0 }
  }

  private static func what(_ words: inout Words) -> What? {
    guard let word = words.next() else { return nil }
    if word.count == 1, let letter = word.first, letter >= UInt8(ascii: "A"), letter <= UInt8(ascii: "H") {
      return ask(&words).map { .ask(client: Int(letter - UInt8(ascii: "A")), $0) }
    }
    switch Verb.named(word) {
    case .crash: return words.node().map { .crash($0) }
    case .start: return words.node().map { .start($0) }
    case .pause: return words.node().map { .pause($0) }
    case .resume: return words.node().map { .resume($0) }
    case .wipe: return words.node().map { .wipe($0) }
    case .timeout: return words.node().map { .timeOut($0) }
    case .isolate: return words.node().map { .isolate($0) }
    case .join: return words.node().map { .join($0) }
    case .cut: return words.nodes(2).map { .cut($0[0], $0[1]) }
    case .mend: return words.nodes(2).map { .mend($0[0], $0[1]) }
    case .slow:
      guard let nodes = words.nodes(2), let extra = words.number() else { return nil }
      return .slow(nodes[0], nodes[1], milliseconds: extra)
    case .split:
      var side: [Int] = []
      while let node = words.node() { side.append(node) }
      return side.isEmpty ? nil : .split(side)
    case .members:
      var wanted: [Int] = []
      while let node = words.node() { wanted.append(node) }
      guard !wanted.isEmpty, words.take("via"), let node = words.node() else { return nil }
      return .members(wanted, node: node)
    case .heal: return .heal
    case .drop: return words.number().map { .drop($0) }
    case .double: return words.number().map { .double($0) }
    case .delay:
      guard let flight = words.number(), let by = words.number() else { return nil }
      return .delay(flight, milliseconds: by)
    case .lose:
      guard let kind = words.next(), let from = words.party(), let to = words.party(), let count = words.number(),
        count < 1000
      else { return nil }
      return .lose(Snare(kind: String(decoding: kind, as: UTF8.self), from: from, to: to, count: Int(count)))
    case .say: return .say(String(decoding: words.rest(), as: UTF8.self))
    case nil: return nil
    }
  }

  private static func ask(_ words: inout Words) -> Ask? {
    var ask: Ask
    if words.take("again") {
      ask = Ask(verb: .again)
    } else {
      let verb: Ask.Verb
      if words.take("put") {
        verb = .put
      } else if words.take("add") {
        verb = .add
      } else if words.take("delete") {
        verb = .delete
      } else if words.take("get") {
        verb = .get
      } else if words.take("settle") {
        verb = .settle
      } else {
        return nil
      }
      ask = Ask(verb: verb)
      guard let key = words.next(), key.count <= 16 else { return nil }
      ask.key = Array(key)
      if verb == .put || verb == .add {
        guard let value = words.next(), value.count <= 64 else { return nil }
        ask.value = Array(value)
        if verb == .add, Decimal.integer(value) == nil { return nil }
      }
      if verb == .settle, words.take("fate") { ask.verb = .fate }
    }
    guard words.take("via"), let node = words.node() else { return nil }
    ask.node = node
    while !words.isAtEnd {
      if words.take("named") {
        ask.isNamed = true
      } else if words.take("within") {
        guard let limit = words.number(), limit > 0, limit <= 60_000 else { return nil }
        ask.timeoutMilliseconds = limit
      } else if words.take("if") {
        if words.take("absent") {
          ask.condition.exists = false
        } else if words.take("present") {
          ask.condition.exists = true
        } else if let revision = words.number() {
          ask.condition.revisionIn = [revision]
        } else {
          return nil
        }
      } else {
        return nil
      }
    }
    return ask
  }
}

private enum Verb: Sendable {
  case crash, start, pause, resume, wipe, timeout, isolate, join, cut, mend, split, members, heal, slow, drop, delay,
    double, lose, say

  static let names: [(StaticString, Verb)] = [
    ("crash", .crash), ("start", .start), ("pause", .pause), ("resume", .resume), ("wipe", .wipe),
    ("timeout", .timeout), ("isolate", .isolate), ("join", .join), ("cut", .cut), ("mend", .mend),
    ("split", .split), ("members", .members), ("heal", .heal), ("slow", .slow), ("drop", .drop), ("delay", .delay),
    ("double", .double), ("lose", .lose), ("say", .say),
  ]

  static func named(_ word: ArraySlice<UInt8>) -> Verb? {
    for (name, verb) in names where name.equals(word) { return verb }
    return nil
  }
}

/// A line, word by word.
private struct Words {
  private let line: [UInt8]
  private var place = 0

  init(_ line: [UInt8]) {
    self.line = line
    skip()
  }

  var isAtEnd: Bool { place == line.count }

  private mutating func skip() { while place < line.count, line[place] == UInt8(ascii: " ") { place += 1 } }

  private var end: Int {
    var end = place
    while end < line.count, line[end] != UInt8(ascii: " ") { end += 1 }
    return end
  }

  mutating func next() -> ArraySlice<UInt8>? {
    guard place < line.count else { return nil }
    let word = line[place..<end]
    place = end
    skip()
    return word
  }

  /// Takes the word if it is this one.
  mutating func take(_ word: StaticString) -> Bool {
    guard place < line.count, word.equals(line[place..<end]) else { return false }
    place = end
    skip()
    return true
  }

  mutating func rest() -> ArraySlice<UInt8> {
    defer { place = line.count }
    return line[place...]
  }

  mutating func number() -> UInt64? {
    guard place < line.count, let number = Decimal.unsigned(line[place..<end]) else { return nil }
    place = end
    skip()
    return number
  }

  /// By place: node 1 is 0.
  mutating func node() -> Int? {
    guard end == place + 1, line[place] >= UInt8(ascii: "1"), line[place] <= UInt8(ascii: "9") else { return nil }
    let node = Int(line[place] - UInt8(ascii: "1"))
    place = end
    skip()
    return node
  }

  mutating func nodes(_ count: Int) -> [Int]? {
    var nodes: [Int] = []
    while nodes.count < count, let node = node() { nodes.append(node) }
    return nodes.count == count ? nodes : nil
  }

  /// A node or a client.
  mutating func party() -> Party? {
    if let node = node() { return .node(node) }
    guard end == place + 1, line[place] >= UInt8(ascii: "A"), line[place] <= UInt8(ascii: "H") else { return nil }
    let client = Int(line[place] - UInt8(ascii: "A"))
    place = end
    skip()
    return .client(client)
  }
}
