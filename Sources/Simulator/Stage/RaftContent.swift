import Base
import RaftLog
import Replica

extension RaftMonitor {
  package func content(_ bytes: [UInt8], _ range: Range<Int>) -> MessageContent {
    var reader = ByteReader(bytes, in: range)
    guard let (term, message) = try? Message.decode(&reader) else { return MessageContent(.no, "garbage", "garbage") }
    var content = message.content
    content.fields.insert(("term", "\(term)"), at: 0)
    return content
  }
}

extension Command {
  /// A few words about an entry.
  package static func short(_ payload: [UInt8]) -> String {
    guard let command = try? Command(decoding: payload) else { return "?" }
    switch command {
    case .nothing: return "–"
    case .operation(let operation, _, _, _, _): return StageText.text(operation)
    case .configuration(let configuration, _, _):
      return configuration.isJoint ? "members, joint" : "members of epoch \(configuration.epoch)"
    case .marker(let origin, _): return "marker of \(origin.value)"
    }
  }
}

extension Message {
  fileprivate var content: MessageContent {
    switch self {
    case .preVote(let next, let last):
      return MessageContent(
        .ask, "pre-vote", "would you vote, term \(next)?",
        [("for term", "\(next)"), ("its last entry", "\(last.index) of term \(last.term)")])
    case .preVoteReply(let next, let granted):
      return MessageContent(
        granted ? .yes : .no, "pre-voted", granted ? "I would" : "I would not", [("for term", "\(next)")])
    case .requestVote(let last, _):
      return MessageContent(
        .ask, "vote?", "vote for me", [("its last entry", "\(last.index) of term \(last.term)")])
    case .vote(let granted): return MessageContent(granted ? .yes : .no, "vote", granted ? "you have my vote" : "no")
    case .append(let previous, let commit, let entries):
      let first = previous.index + 1
      var fields = [
        (name: "behind entry", value: "\(previous.index) of term \(previous.term)"),
        (name: "committed", value: "up to \(commit)"),
      ]
      for (place, entry) in entries.enumerated() {
        fields.append(("entry \(first + UInt64(place))", "term \(entry.term): \(Command.short(entry.payload))"))
      }
      let what = entries.count == 1 ? Command.short(entries[0].payload) : "\(entries.count) entries"
      return MessageContent(
        entries.isEmpty ? .beat : .write, "append", entries.isEmpty ? "append nothing" : "append \(first): \(what)",
        fields)
    case .appended(let match):
      return MessageContent(.yes, "appended", "have up to \(match)", [("durable up to", "\(match)")])
    case .mismatch(let previous, let hint):
      return MessageContent(
        .no, "mismatch", "no: my log differs at \(previous)",
        [("does not hold", "\(previous)"), ("may agree at", "\(hint.index) of term \(hint.term)")])
    case .heartbeat(let commit, let round, _):
      return MessageContent(
        .beat, "heartbeat", "I lead; committed \(commit)", [("committed", "up to \(commit)"), ("round", "\(round)")])
    case .heartbeatReply(let round, _, let matched, _):
      return MessageContent(.beat, "heard", "I follow", [("round", "\(round)"), ("holds up to", "\(matched)")])
    case .snapshot(let position, _, let number, let isLast, let piece):
      return MessageContent(
        .write, "snapshot", "snapshot at \(position.index)\(isLast ? "" : ", part \(number)")",
        [("covers up to", "\(position.index)"), ("part", "\(number)"), ("bytes", "\(piece.count)")])
    case .snapshotReply(let index, _, let isInstalled):
      return MessageContent(
        .yes, "snapshot-reply", isInstalled ? "installed \(index)" : "go on", [("covers up to", "\(index)")])
    case .timeoutNow: return MessageContent(.beat, "lead", "lead now")
    case .forward(_, let forward):
      return MessageContent(
        .beat, "forward", "please: \(StageText.text(forward.operation))",
        [("operation", StageText.text(forward.operation))])
    case .forwardReply(_, let outcome):
      let text = outcome.map { StageText.text($0) } ?? "not started"
      return MessageContent(.beat, "forwarded", text, [("outcome", text)])
    case .forwardRepeated(_, let last):
      return MessageContent(
        .beat, "forward-repeated", "up to \(last), or never", [("stands at or below", "\(last)")])
    case .readIndex: return MessageContent(.ask, "read-index", "how far must I be?")
    case .readIndexReply(_, let index):
      return MessageContent(.yes, "read-index-reply", "up to \(index)", [("apply up to", "\(index)")])
    case .durable(let match): return MessageContent(.yes, "durable", "durable up to \(match)")
    case .markerWanted: return MessageContent(.ask, "marker", "how far did I get?")
    }
  }
}
