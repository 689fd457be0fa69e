import Base
import Linearizability
import Wire

/// What an answer comes to in the history.
enum AnswerJudge {
  /// Nil where no client of a simulation can deserve such an answer.
  static func outcome(_ answer: ClientAnswer, to request: ClientRequest) -> Call.Outcome? {
    if answer.status == 429 || answer.status == 503 { return .notApplied }
    if answer.status == 504 { return .unknown }
    switch request.subject {
    case .list: return nil
    case .wait(_, let unless, _):
      if answer.status == 304 { return .read(.present(revision: unless, value: nil)) }
      return sight(answer).map { .read($0) }
    case .register(_, .read, _): return sight(answer).map { .read($0) }
    case .register(_, .settle(let target, _), _):
      guard let sight = sight(answer) else { return nil }
      return .settled(sight, target == nil ? nil : fate(answer))
    case .register(_, let action, _): return change(answer, action)
    }
  }

  private static func sight(_ answer: ClientAnswer) -> Call.Sight? {
    switch answer.status {
    case 200: .present(revision: answer.entityTag, value: Array(answer.body))
    case 404: .absent
    default: nil
    }
  }

  private static func fate(_ answer: ClientAnswer) -> Call.Fate? {
    guard let text = answer.fate else { return nil }
    let applied: StaticString = "applied"
    let dead: StaticString = "dead"
    if applied.equals(text) { return .applied(revision: answer.revision) }
    return dead.equals(text) ? .dead : .forgotten
  }

  private static func change(_ answer: ClientAnswer, _ action: Call.Action) -> Call.Outcome? {
    switch answer.status {
    case 200, 201, 204:
      var change = Call.Change(revision: answer.entityTag ?? answer.revision, replayed: answer.isReplay ? true : nil)
      switch action {
      case .put: change.created = answer.status == 201
      case .add, .max, .min: change.number = Decimal.integer(answer.body)
      case .append:
        let body = try? JSONValue.parse(answer.body)
        change.length = body?["length"]?.unsigned
      case .delete, .read, .settle: break
      }
      return .changed(change)
    case 404 where action == .delete: return .absent
    case 409:
      if saysDead(answer) { return .notApplied }
      switch action {
      case .add, .max, .min: return .notANumber
      case .put, .delete, .append, .read, .settle: return nil
      }
    case 412: return current(answer).map { .conditionFailed($0) }
    default: return nil
    }
  }

  /// A settle found the operation dead (R8); its answer may have been lost, so the client need not know.
  private static func saysDead(_ answer: ClientAnswer) -> Bool {
    let dead: StaticString = "settle found this operation dead"
    guard let detail = problem(answer)?["detail"]?.string else { return false }
    return dead.withUTF8Buffer { detail.starts(with: $0) }
  }

  private static func problem(_ answer: ClientAnswer) -> JSONValue? {
    var body = answer.body
    while body.last == UInt8(ascii: "\n") { body.removeLast() }
    return try? JSONValue.parse(body)
  }

  /// The register as the problem body of a 412 tells it.
  private static func current(_ answer: ClientAnswer) -> Call.Sight? {
    guard let current = problem(answer)?["current"] else { return nil }
    if case .null = current { return .absent }
    guard let revision = current["revision"]?.unsigned, let value = current["value"]?.string else { return nil }
    return .present(revision: revision, value: value)
  }
}
