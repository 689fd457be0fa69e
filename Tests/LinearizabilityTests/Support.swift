import Base
import Linearizability

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

extension Verdict {
  var isLinearizable: Bool {
    if case .linearizable = self { true } else { false }
  }

  var explanation: Explanation? {
    if case .notLinearizable(let explanation) = self { explanation } else { nil }
  }
}

extension Call.Sight {
  static func at(_ revision: UInt64?, _ value: String) -> Call.Sight {
    .present(revision: revision, value: bytes(value))
  }
}

extension Call.Outcome {
  static func at(_ revision: UInt64?, _ value: String) -> Call.Outcome { .read(.at(revision, value)) }
  static let absentRead = Call.Outcome.read(.absent)

  static func done(
    _ revision: UInt64? = nil, created: Bool? = nil, number: Int64? = nil, length: UInt64? = nil, replayed: Bool? = nil
  ) -> Call.Outcome {
    .changed(Call.Change(revision: revision, created: created, number: number, length: length, replayed: replayed))
  }
}

extension Call.Action {
  static func put(_ text: String) -> Call.Action { .put(bytes(text)) }
  static func append(_ text: String) -> Call.Action { .append(bytes(text)) }
}

extension History {
  /// A call on the register `k`; without `to` it never returned.
  mutating func add(
    _ from: UInt64, _ to: UInt64?, _ action: Call.Action, _ outcome: Call.Outcome = .unknown,
    if condition: Call.Condition = .always, id: String? = nil, expired: UInt64? = nil, key: String = "k"
  ) {
    append(
      Call(
        process: UInt64(calls.count), key: Key(bytes(key)), action: action, condition: condition,
        id: id.map { bytes($0) }, invoked: from, returned: to, outcome: outcome, expired: expired))
  }
}
