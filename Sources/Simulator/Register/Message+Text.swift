import Base
import Register
import Replica

extension Message {
  /// One line of a trace.
  var text: String {
    switch self {
    case .prepare(_, let ballot, let key): "prepare \(Self.text(key)) \(ballot)"
    case .accept(_, let ballot, _, _, let key, let cell):
      "accept \(Self.text(key)) \(ballot) revision \(Cell.revision(of: cell))"
    case .read(_, _, let key): "read \(Self.text(key))"
    case .promise(_, let ballot, let accepted, _, _): "promise \(ballot) has \(accepted)"
    case .accepted(_, let ballot): "accepted \(ballot)"
    case .conflict(_, let ballot, let promised): "conflict \(ballot) promised \(promised)"
    case .readReply(_, let accepted): "read-reply has \(accepted)"
    case .stale(_, let epoch): "stale epoch \(epoch)"
    case .forward(_, _, _, let lo, let known, let operation):
      "forward \(Self.text(operation.key.bytes)) lo \(lo) knows \(known)"
    case .forwardReply(_, let takeOver, let outcome):
      "forward-reply \(Self.text(outcome))\(takeOver ? " take over" : "")"
    case .list: "list"
    case .erase(_, let epoch, let key, let ballot): "erase \(Self.text(key)) \(ballot) epoch \(epoch)"
    case .compare(_, let epoch, let range, _, _): "compare \(Self.text(range)) epoch \(epoch)"
    case .differing(_, let places): "differing \(String(places, radix: 16))"
    case .holdings(_, _, let rest, let holdings): "holdings \(holdings.count)\(rest == 0 ? "" : " and more")"
    case .want(_, _, let wanted): "want \(wanted.count)\(wanted.contains { $0.roundAbove != nil } ? " by rounds" : "")"
    case .relay(_, _, let ballot, _, let key, let cell):
      "relay \(Self.text(key)) \(ballot) revision \(Cell.revision(of: cell))"
    case .listReply(_, let more, let keys): "list-reply \(keys.count) keys\(more ? " and more" : "")"
    }
  }

  private static func text(_ range: DigestRange) -> String {
    switch range {
    case .whole: "whole"
    case .branches: "branches"
    case .leaves(let branch): "leaves(branch: \(branch))"
    }
  }

  private static func text(_ key: [UInt8]) -> String { String(decoding: key, as: UTF8.self) }

  private static func text(_ outcome: Outcome) -> String {
    switch outcome {
    case .read: "read"
    case .settled: "settled"
    case .changed(let revision, _, let replayed): "changed \(revision)\(replayed ? " replayed" : "")"
    case .absent: "absent"
    case .conditionFailed: "condition failed"
    case .refused: "refused"
    case .unknown: "unknown"
    }
  }
}
