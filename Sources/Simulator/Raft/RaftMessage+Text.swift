import Base
package import RaftLog
import Replica

extension Message {
  /// One line of a trace.
  package var text: String {
    switch self {
    case .preVote(let next, let last): "preVote for \(next), last \(last.index)/\(last.term)"
    case .preVoteReply(let next, let granted): "preVoteReply for \(next): \(granted ? "yes" : "no")"
    case .requestVote(let last, let isTransfer):
      "requestVote, last \(last.index)/\(last.term)\(isTransfer ? ", by transfer" : "")"
    case .vote(let granted): "vote: \(granted ? "yes" : "no")"
    case .append(let previous, let commit, let entries):
      "append after \(previous.index)/\(previous.term): \(entries.count), commit \(commit)"
    case .appended(let match): "appended up to \(match)"
    case .mismatch(Message.toStranger, let hint): "I count as a member, last \(hint.index)/\(hint.term)"
    case .mismatch(let previous, let hint): "mismatch at \(previous), try \(hint.index)/\(hint.term)"
    case .heartbeat(let commit, let round, Message.toStranger): "heartbeat \(round), commit \(commit), to a stranger"
    case .heartbeat(let commit, let round, let sent): "heartbeat \(round), commit \(commit), sent \(sent)"
    case .heartbeatReply(let round, _, let matched, _): "heartbeatReply \(round), matched \(matched)"
    case .snapshot(let position, _, let number, let isLast, _):
      "snapshot \(position.index)/\(position.term), part \(number)\(isLast ? ", the last" : "")"
    case .snapshotReply(let index, let next, let isInstalled):
      "snapshotReply \(index): \(isInstalled ? "installed" : "next part \(next)")"
    case .timeoutNow: "timeoutNow"
    case .forward(let attempt, _): "forward \(attempt & 0xFFF_FFFF)"
    case .forwardReply(let attempt, let outcome):
      "forwardReply \(attempt & 0xFFF_FFFF): \(outcome.map { "\($0)" } ?? "not started")"
    case .forwardRepeated(let attempt, let last): "forwardRepeated \(attempt & 0xFFF_FFFF): up to \(last) or never"
    case .readIndex: "readIndex"
    case .readIndexReply(_, let index): "readIndexReply \(index)"
    case .durable(let match): "durable up to \(match)"
    case .markerWanted(let attempt): "markerWanted \(attempt & 0xFFF_FFFF)"
    }
  }
}
