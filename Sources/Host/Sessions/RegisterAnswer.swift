import Base
import Replica
import Wire

/// How the answer to a read is to look.
struct ReadForm {
  var asksForJSON = false
  var isSettle = false
  var ifMatch: EntityTags?
  var ifNoneMatch: EntityTags?
  /// Of a wait.
  var unlessRevision: UInt64 = 0
  /// Only where the answer repeats it.
  var key: [UInt8] = []
}

/// The answers about one register. Each writes one whole answer and returns its status.
enum RegisterAnswer {
  static func read(
    _ outcome: Outcome, _ form: ReadForm, _ exchange: HTTPExchange, _ date: HTTPDate, _ writer: inout ResponseWriter
  ) -> Int {
    switch outcome {
    case .read(let content): return found(content, nil, form, exchange, date, &writer)
    case .settled(let content, let fate): return found(content, fate, form, exchange, date, &writer)
    case .refused(let refusal): return writer.fail(Failure(refusal), exchange, date)
    // What settle was to find out is still open then, and must not read as `not-applied`.
    case .unknown: return writer.fail(form.isSettle ? .unknown : .readFailed, exchange, date)
    case .changed, .absent, .conditionFailed: return writer.fail(.impossible, exchange, date)
    }
  }

  static func change(
    _ outcome: Outcome, minimal: Bool, _ exchange: HTTPExchange, _ date: HTTPDate, _ writer: inout ResponseWriter
  ) -> Int {
    switch outcome {
    case .changed(let revision, let effect, let replayed):
      return changed(revision, effect, replayed, minimal, exchange, date, &writer)
    case .conditionFailed(let current):
      return conditionFailed(current, exchange, date, &writer)
    case .absent: return writer.fail(.absent, exchange, date)
    case .refused(let refusal): return writer.fail(Failure(refusal), exchange, date)
    case .unknown: return writer.fail(.unknown, exchange, date)
    case .read, .settled: return writer.fail(.impossible, exchange, date)
    }
  }

  private static func found(
    _ content: Versioned?, _ fate: Fate?, _ form: ReadForm, _ exchange: HTTPExchange, _ date: HTTPDate,
    _ writer: inout ResponseWriter
  ) -> Int {
    if let ifMatch = form.ifMatch {
      let holds = content.map { ifMatch.matchesStrongly($0.revision) } ?? false
      if !holds { return conditionFailed(content, exchange, date, &writer) }
    }
    guard let content else {
      writer.begin(404, exchange, date)
      append(fate, &writer)
      writer.end(Failure.absent.problem)
      return 404
    }
    let isUnchanged = form.ifNoneMatch.map { $0.matchesWeakly(content.revision) } ?? false
    let status = isUnchanged ? 304 : 200
    writer.begin(status, exchange, date)
    writer.entityTag(content.revision)
    append(fate, &writer)
    if isUnchanged {
      writer.endEmpty()
    } else if form.asksForJSON {
      var body: [UInt8] = []
      body.reserveCapacity(content.value.count + form.key.count + 64)
      body.append(UInt8(ascii: "{"))
      JSONText.appendMember("key", form.key, to: &body)
      body.append(",\"revision\":")
      Decimal.append(content.revision, to: &body)
      body.append(UInt8(ascii: ","))
      JSONText.appendMember("value", content.value, to: &body)
      body.append(UInt8(ascii: "}"))
      writer.end(.json, body)
    } else {
      writer.end(.octets, content.value)
    }
    return status
  }

  private static func append(_ fate: Fate?, _ writer: inout ResponseWriter) {
    switch fate {
    case nil: break
    case .applied(let revision):
      writer.field("Synod-Outcome", "applied")
      writer.field("Synod-Revision", revision)
    case .dead: writer.field("Synod-Outcome", "dead")
    case .forgotten: writer.field("Synod-Outcome", "forgotten")
    }
  }

  private static func changed(
    _ revision: UInt64, _ effect: Effect, _ replayed: Bool, _ minimal: Bool, _ exchange: HTTPExchange,
    _ date: HTTPDate, _ writer: inout ResponseWriter
  ) -> Int {
    let status: Int
    switch effect {
    case .created: status = minimal ? 204 : 201
    case .replaced: status = minimal ? 204 : 200
    case .deleted: status = 204
    case .number, .length: status = 200
    }
    writer.begin(status, exchange, date)
    // A deleted register has no entity that a tag could name.
    if effect == .deleted { writer.field("Synod-Revision", revision) } else { writer.entityTag(revision) }
    if replayed { writer.field("Idempotent-Replay", "true") }
    switch effect {
    case .created, .replaced:
      if minimal {
        writer.field("Preference-Applied", "return=minimal")
        writer.endEmpty()
      } else {
        writer.endRevision(revision)
      }
    case .deleted:
      writer.endEmpty()
    case .number(let number):
      var body: [UInt8] = []
      Decimal.append(number, to: &body)
      writer.end(.text, body)
    case .length(let length):
      var body: [UInt8] = []
      body.append("{\"revision\":")
      Decimal.append(revision, to: &body)
      body.append(",\"length\":")
      Decimal.append(length, to: &body)
      body.append(UInt8(ascii: "}"))
      writer.end(.json, body)
    }
    return status
  }

  private static func conditionFailed(
    _ current: Versioned?, _ exchange: HTTPExchange, _ date: HTTPDate, _ writer: inout ResponseWriter
  ) -> Int {
    writer.begin(412, exchange, date)
    if let current { writer.entityTag(current.revision) }
    var problem = Failure.conditionFailed.problem
    problem.current = .register(current)
    writer.end(problem)
    return 412
  }
}
