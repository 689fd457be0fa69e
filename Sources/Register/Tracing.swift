import Base
import Replica

// What the checker of `Proofs/` reads: a line for each step of the protocol's model (Proofs/trace/trace-format.md). A
// line is like one more message, to the recorder, with the ticket of the answer that it tells of: so it leaves when
// that does. Off unless asked for; then each place below costs one branch.

/// One line: fields with a space between.
struct TraceLine {
  private(set) var bytes: [UInt8]

  init(_ what: StaticString) { bytes = what.withUTF8Buffer { Array($0) } }

  /// `PARTITION/KEY`. No percent-coded key is written like that of the configuration.
  init(_ what: StaticString, _ key: Key, of partition: Int) {
    bytes = what.withUTF8Buffer { Array($0) }
    add(UInt64(partition))
    bytes.append(UInt8(ascii: "/"))
    if key.isConfiguration { bytes.append(UInt8(ascii: "%")) }
    PercentCoding.append(key.bytes, keepingSlashes: false, to: &bytes)
  }

  /// `NODE/PARTITION`.
  init(_ what: StaticString, _ node: NodeID, of partition: Int) {
    bytes = what.withUTF8Buffer { Array($0) }
    add(UInt64(node.value))
    bytes.append(UInt8(ascii: "/"))
    Decimal.append(UInt64(partition), to: &bytes)
  }

  mutating func add(_ number: UInt64) {
    bytes.append(UInt8(ascii: " "))
    Decimal.append(number, to: &bytes)
  }

  mutating func add(_ ballot: Ballot) {
    bytes.append(UInt8(ascii: " "))
    guard ballot != .zero else { return bytes.append(UInt8(ascii: "0")) }
    Decimal.append(UInt64(ballot.epoch), to: &bytes)
    bytes.append(UInt8(ascii: "."))
    Decimal.append(ballot.counter, to: &bytes)
    bytes.append(UInt8(ascii: "@"))
    Decimal.append(UInt64(ballot.node.value), to: &bytes)
    bytes.append(UInt8(ascii: "/"))
    Decimal.append(ballot.boot & 0xFFFF, to: &bytes)
  }

  mutating func add(_ word: [UInt8]) {
    bytes.append(UInt8(ascii: " "))
    bytes += word
  }
}

/// Parts of a line.
enum TraceWord {
  /// Sixty bits stand for what they digest.
  private static func digest(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    hexadecimal(Checksum.xxh64(bytes, seed: 0) & (1 << 60 - 1))
  }

  private static func hexadecimal(_ number: UInt64) -> [UInt8] {
    var digits: [UInt8] = []
    var rest = number
    repeat {
      let digit = UInt8(rest & 15)
      digits.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
      rest >>= 4
    } while rest > 0
    return digits.reversed()
  }

  static func decimal(_ number: UInt64) -> [UInt8] {
    var digits: [UInt8] = []
    Decimal.append(number, to: &digits)
    return digits
  }

  static func name(_ id: OperationID) -> [UInt8] {
    var writer = ByteWriter()
    writer.u64(id.high)
    writer.u64(id.low)
    return digest(writer.bytes[...])
  }

  static func content(_ value: ArraySlice<UInt8>?) -> [UInt8] { value.map { digest($0) } ?? [UInt8(ascii: "-")] }

  static func effect(_ effect: Effect) -> [UInt8] {
    var writer = ByteWriter()
    Outcome.changed(revision: 0, effect, replayed: false).encode(into: &writer)
    return digest(writer.bytes[...])
  }

  static func list(_ items: [[UInt8]], separator: UInt8) -> [UInt8] {
    items.isEmpty ? [UInt8(ascii: "-")] : Array(items.joined(separator: [separator]))
  }

  /// `REV:CONTENT:WINDOW:MARKS`, newest first.
  static func cell(_ cell: Cell) -> [UInt8] {
    let comma = UInt8(ascii: ",")
    let window = cell.window.reversed().map { name($0.id) + [UInt8(ascii: "=")] + effect($0.effect) }
    let marks = cell.marks.reversed().map { name($0.id) }
    return list(
      [decimal(cell.revision), content(cell.value), list(window, separator: comma), list(marks, separator: comma)],
      separator: UInt8(ascii: ":"))
  }

  static func optional(_ number: UInt64?) -> [UInt8] { number.map { decimal($0) } ?? [UInt8(ascii: "-")] }
}

extension Registers {
  func trace(_ line: consuming TraceLine, after ticket: Ticket, _ outbox: inout Outbox) {
    let bytes = line.bytes
    outbox.send(to: .recorder, after: ticket) { $0.raw(bytes) }
  }

  private var tracedPartition: Int { options.tracedPartition ?? 0 }

  /// What this life begins with: the epoch, and accepts that the disk brings back, whose answers may never have left.
  mutating func traceStart(_ outbox: inout Outbox) {
    isStartTraced = true
    // What a node that is to be added was told of the members is no configuration that it goes by.
    if configuration.epoch > 0 && selfIndex != nil { traceInstalled(&outbox) }
    for index in 0..<acceptor.table.numbers {
      if acceptor.table[index].isDamaged { traceDamaged(index, &outbox) }
      let accepted = acceptor.table[index].accepted
      // Below the fence it is no vote any more.
      guard accepted != .zero, accepted.epoch == configuration.epoch else { continue }
      let vote = Message.accepted(attempt: 0, accepted)
      traceAnswer(vote, acceptor.table[index].key, next: accepted.next, to: node, after: .none, &outbox)
    }
  }

  func traceDamaged(_ index: Int, _ outbox: inout Outbox) {
    var line = TraceLine("damaged", acceptor.table[index].key, of: tracedPartition)
    line.add(UInt64(node.value))
    line.add(acceptor.table[index].promised)
    trace(line, after: .none, &outbox)
  }

  func tracePrepare(_ key: Key, _ ballot: Ballot, _ outbox: inout Outbox) {
    var line = TraceLine("prepare", key, of: tracedPartition)
    line.add(ballot)
    trace(line, after: .none, &outbox)
  }

  /// A promise, a vote, or a reply to a read, with its ticket.
  func traceAnswer(
    _ answer: Message, _ key: Key, next: Ballot, to reader: NodeID, after ticket: Ticket, _ outbox: inout Outbox
  ) {
    switch answer {
    case .promise(_, let ballot, let accepted, let erased, _):
      var line = TraceLine("promise", key, of: tracedPartition)
      line.add(UInt64(node.value))
      line.add(ballot)
      line.add(accepted)
      line.add(accepted == .zero ? erased : 0)
      trace(line, after: ticket, &outbox)
    case .accepted(_, let ballot):
      var line = TraceLine("vote", key, of: tracedPartition)
      line.add(UInt64(node.value))
      line.add(ballot)
      line.add(next)
      trace(line, after: ticket, &outbox)
    case .readReply(let attempt, let accepted):
      var line = TraceLine("reply", key, of: tracedPartition)
      line.add(UInt64(node.value))
      line.add(UInt64(reader.value))
      line.add(attempt)
      line.add(accepted)
      line.add(accepted == .zero ? acceptor.floor.revision : 0)
      trace(line, after: ticket, &outbox)
    case .prepare, .accept, .read, .conflict, .stale, .forward, .forwardReply, .list, .listReply, .erase, .compare,
      .differing, .holdings, .want, .relay:
      break
    }
  }

  /// Returns what the requests will be told once the cell is chosen. `reign`: as R7 was asked with it.
  func traceProposal(
    _ slot: Int, _ ballot: Ballot, from base: Base, reign: UInt64, _ folded: Folded, _ outbox: inout Outbox
  ) -> [UInt8] {
    guard let before = base.cell else { invariantFailed("a traced round has kept no base") }
    let cell = decode(folded.cell.encoded(changesInFold: folded.changes))
    var items: [[UInt8]] = []
    var told: [[UInt8]] = []
    var isFirstSettle = true
    for pending in rounds[slot].fold {
      let isFirst = isFirstSettle
      guard let item = foldItem(pending, pending.verdict, before, cell, reign: reign, isFirstSettle: isFirst)
      else { continue }
      if pending.operation.action.isSettle { isFirstSettle = false }
      items.append(item)
      told.append(toldWord(pending, pending.verdict, folded.cell))
    }
    if rounds[slot].key.isConfiguration, let value = cell.value, let proposed = Configuration(encoded: Array(value)) {
      _ = traceConfiguration(proposed, &outbox)
    }
    var line = TraceLine("propose", rounds[slot].key, of: tracedPartition)
    line.add(ballot)
    line.add(base.ballot)
    line.add(base.ballot == .zero ? before.revision : 0)
    line.add(TraceWord.cell(cell))
    line.add(TraceWord.list(items, separator: UInt8(ascii: ";")))
    trace(line, after: .none, &outbox)
    return TraceWord.list(told, separator: UInt8(ascii: ";"))
  }

  private func toldWord(_ pending: Pending, _ verdict: Verdict, _ cell: Cell) -> [UInt8] {
    func change(_ letter: Unicode.Scalar, _ revision: UInt64, _ effect: Effect) -> [UInt8] {
      [UInt8(ascii: letter)] + TraceWord.decimal(revision) + [UInt8(ascii: "=")] + TraceWord.effect(effect)
    }
    switch verdict {
    case .applied(.changed(_, let effect, _), let revision): return change("a", revision, effect)
    case .observed(.changed(let revision, let effect, _)):
      // A max or min that changes nothing is told so too.
      return cell.remembered(pending.operation.id) == nil ? [UInt8(ascii: "o")] : change("p", revision, effect)
    case .observed(.refused(.dead)): return [UInt8(ascii: "d")]
    case .observed(.settled(_, .applied(let revision)?)): return [UInt8(ascii: "s")] + TraceWord.decimal(revision)
    case .observed(.settled(_, .dead?)): return Array("m0".utf8)
    case .marked(.settled(_, .dead?)): return Array("m1".utf8)
    case .observed(.settled(_, .forgotten?)): return [UInt8(ascii: "f")]
    case .undecidable: return [UInt8(ascii: "u")]
    case .applied, .observed, .marked: return [UInt8(ascii: "o")]
    }
  }

  private func foldItem(
    _ pending: Pending, _ verdict: Verdict, _ before: Cell, _ cell: Cell, reign: UInt64, isFirstSettle: Bool
  ) -> [UInt8]? {
    var parts: [[UInt8]]
    switch pending.operation.action {
    case .read: return nil
    case .settle(let target, let known, _):
      guard let target else { return nil }
      let isFull: Bool =
        if case .observed(.settled(_, .forgotten?)) = verdict { cell.marks.count >= Window.maximumMarks } else { false }
      let retired = before.marks.filter { mark in !cell.marks.contains { $0.id == mark.id } }.map {
        TraceWord.name($0.id)
      }
      parts = [
        [UInt8(ascii: "s")], TraceWord.name(target), TraceWord.decimal(known),
        [UInt8(ascii: isFull ? "1" : "0")],
        TraceWord.list(isFirstSettle ? retired : [], separator: UInt8(ascii: ",")),
      ]
      if let elsewhere = pending.elsewhereLo { parts.append(TraceWord.decimal(elsewhere)) }
    case .put, .delete, .add, .max, .min, .append:
      if case .applied(.changed(_, let effect, _), _) = verdict {
        parts = [
          [UInt8(ascii: "w")], TraceWord.name(pending.operation.id), TraceWord.effect(effect),
          TraceWord.content(cell.value),
        ]
      } else {
        parts = [[UInt8(ascii: "o")], TraceWord.name(pending.operation.id)]
      }
      let lo = pending.lo(reignStart: reign, node: node, boot: boot)
      if lo != nil || pending.elsewhereLo != nil { parts.append(TraceWord.optional(lo)) }
      if let elsewhere = pending.elsewhereLo { parts.append(TraceWord.decimal(elsewhere)) }
    }
    return TraceWord.list(parts, separator: UInt8(ascii: ":"))
  }

  func traceChosen(_ slot: Int, _ ballot: Ballot, told: [UInt8], _ outbox: inout Outbox) {
    var line = TraceLine("ack", rounds[slot].key, of: tracedPartition)
    line.add(ballot)
    line.add(told)
    trace(line, after: .none, &outbox)
  }

  func traceErased(_ key: Key, _ ballot: Ballot, after ticket: Ticket, _ outbox: inout Outbox) {
    var line = TraceLine("erase", key, of: tracedPartition)
    line.add(UInt64(node.value))
    line.add(ballot)
    line.add(UInt64(configuration.epoch))
    trace(line, after: ticket, &outbox)
  }

  func traceRead(_ slot: Int, _ outbox: inout Outbox) {
    var line = TraceLine("read", rounds[slot].key, of: tracedPartition)
    line.add(UInt64(node.value))
    line.add(UInt64(configuration.epoch))
    line.add(rounds[slot].attempt)
    trace(line, after: .none, &outbox)
  }

  func traceReturned(_ slot: Int, _ ballot: Ballot, _ cell: Cell, _ outbox: inout Outbox) {
    var line = TraceLine("returned", rounds[slot].key, of: tracedPartition)
    line.add(UInt64(node.value))
    line.add(rounds[slot].attempt)
    line.add(ballot)
    line.add(cell.value == nil ? 0 : cell.revision)
    line.add(TraceWord.content(cell.value))
    trace(line, after: .none, &outbox)
  }

  // MARK: - Membership

  /// Behind it may come votes of an earlier epoch, which have waited for their writes since: the checker knows.
  func traceInstalled(_ outbox: inout Outbox) {
    let content = traceConfiguration(configuration, &outbox)
    var line = TraceLine("install", node, of: tracedPartition)
    line.add(UInt64(configuration.epoch))
    line.add(content)
    trace(line, after: .none, &outbox)
    guard configuration.isJoint else { return }
    line = TraceLine("tell", node, of: tracedPartition)
    line.add(acceptor.floor.revision)
    trace(line, after: .none, &outbox)
    traceFloor(&outbox)
  }

  /// Step 2: whether this floor is as high as those of a majority of the old members, the checker sees.
  func traceFloor(_ outbox: inout Outbox) {
    guard configuration.isJoint else { return }
    var line = TraceLine("join", node, of: tracedPartition)
    line.add(UInt64(configuration.epoch))
    line.add(acceptor.floor.revision)
    trace(line, after: .none, &outbox)
  }

  /// What the content of the configuration's register stands for. Returns its digest.
  private func traceConfiguration(_ configuration: Configuration, _ outbox: inout Outbox) -> [UInt8] {
    let content = TraceWord.content(configuration.encoded[...])
    let comma = UInt8(ascii: ",")
    func set(_ members: BitSet) -> [UInt8] {
      let inside = configuration.members.indices.filter { members.contains($0) }
      return TraceWord.list(
        inside.map { TraceWord.decimal(UInt64(configuration.members[$0].id.value)) }, separator: comma)
    }
    let since = configuration.members.map {
      TraceWord.decimal(UInt64($0.id.value)) + [UInt8(ascii: "=")] + TraceWord.decimal(UInt64($0.since))
    }
    var line = TraceLine("configuration")
    line.add(UInt64(configuration.epoch))
    line.add(content)
    line.add(set(configuration.old))
    line.add(configuration.new.map { set($0) } ?? [UInt8(ascii: "-")])
    line.add(TraceWord.list(since, separator: comma))
    trace(line, after: .none, &outbox)
    return content
  }

  /// Which keys of a page of its registers this node has accepted something for (step 3).
  func traceListing(after: [UInt8], _ keys: [[UInt8]], more: Bool, _ outbox: inout Outbox) {
    var line = TraceLine("listing", node, of: tracedPartition)
    line.add(acceptor.floor.revision)
    func add(_ key: [UInt8]?) {
      var word: [UInt8] = []
      PercentCoding.append(key ?? [], keepingSlashes: false, to: &word)
      // No percent-coded key is written like this.
      line.add(word.isEmpty ? [UInt8(ascii: "*")] : word)
    }
    add(after)
    add(more ? keys.last : nil)
    for key in keys { add(key) }
    trace(line, after: .none, &outbox)
  }
}
