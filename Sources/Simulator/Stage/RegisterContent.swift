import Base
import Register
import Replica

extension RegisterMonitor {
  package func content(_ bytes: [UInt8], _ range: Range<Int>) -> MessageContent {
    var reader = ByteReader(bytes, in: range)
    guard let message = try? Message(from: &reader) else { return MessageContent(.no, "garbage", "garbage") }
    return message.content
  }
}

extension Ballot {
  /// `3.n2`: the third ballot of node 2; `e2:3.n2` where the epoch is not the first.
  var short: String {
    guard self != .zero else { return "none" }
    let own = node.value == 0 ? "fence" : "\(counter).n\(node.value)"
    return epoch == 0 ? own : "e\(epoch):\(own)"
  }
}

extension Message {
  fileprivate var content: MessageContent {
    switch self {
    case .prepare(_, let ballot, let key):
      return MessageContent(
        .ask, "prepare", "prepare \(StageText.key(key)) \(ballot.short)",
        [("register", StageText.key(key)), ("ballot", ballot.short)])
    case .accept(_, let ballot, let next, _, let key, let cell):
      let fields = [("register", StageText.key(key)), ("ballot", ballot.short), ("also promises", next.short)]
      return MessageContent(
        .write, "accept", "accept \(StageText.key(key))=\(StageText.value(ofCell: cell)) \(ballot.short)",
        fields.map { (name: $0.0, value: $0.1) } + StageText.fields(ofCell: cell))
    case .read(_, _, let key):
      return MessageContent(
        .ask, "read", "which \(StageText.key(key))?", [("register", StageText.key(key)), ("asks", "accepted ballot")])
    case .promise(_, let ballot, let accepted, _, let cell):
      let has = accepted == .zero ? "nothing yet" : "\(StageText.value(ofCell: cell)) at \(accepted.short)"
      return MessageContent(
        .yes, "promise", "promise \(ballot.short)", [("ballot", ballot.short), ("has accepted", has)])
    case .accepted(_, let ballot):
      return MessageContent(.yes, "accepted", "accepted \(ballot.short)", [("ballot", ballot.short)])
    case .conflict(_, let ballot, let promised):
      return MessageContent(
        .no, "conflict", "no: \(promised.short) came first",
        [("refuses", ballot.short), ("has promised", promised.short)])
    case .readReply(_, let accepted):
      return MessageContent(.yes, "seen", "has \(accepted.short)", [("accepted ballot", accepted.short)])
    case .stale(_, let epoch):
      return MessageContent(.no, "stale", "no: epoch \(epoch)", [("epoch of the sender", "\(epoch)")])
    case .forward(_, _, _, _, let known, let operation):
      return MessageContent(
        .beat, "forward", "please: \(StageText.text(operation))",
        [("operation", StageText.text(operation)), ("knows ballot", known.short)])
    case .forwardReply(_, _, let outcome):
      return MessageContent(
        .beat, "forwarded", StageText.text(outcome), [("outcome", StageText.text(outcome))])
    case .list: return MessageContent(.ask, "list", "which keys?")
    case .listReply(_, _, let keys): return MessageContent(.yes, "keys", "\(keys.count) keys")
    case .erase(_, _, let key, let ballot):
      return MessageContent(
        .write, "erase", "erase \(StageText.key(key))",
        [("register", StageText.key(key)), ("if still at", ballot.short)])
    case .compare: return MessageContent(.beat, "compare", "do you hold the same?")
    case .differing(_, let places): return MessageContent(.beat, "differing", places == 0 ? "the same" : "not the same")
    case .holdings(_, _, _, let holdings): return MessageContent(.beat, "holdings", "\(holdings.count) held")
    case .want(_, _, let wanted): return MessageContent(.ask, "want", "I lack \(wanted.count)")
    case .relay(_, _, let ballot, _, let key, let cell):
      return MessageContent(
        .write, "relay", "relay \(StageText.key(key))=\(StageText.value(ofCell: cell)) \(ballot.short)",
        [("register", StageText.key(key)), ("accepted at", ballot.short)] + StageText.fields(ofCell: cell))
    }
  }
}
