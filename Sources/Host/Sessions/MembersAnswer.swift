import Base
import Replica
import Wire

/// The members, and what becomes of a wish for others. Each function writes one whole answer and returns its status.
enum MembersAnswer {
  static func members(
    _ status: NodeStatus, _ unlessMatches: EntityTags?, _ exchange: HTTPExchange, _ date: HTTPDate,
    _ writer: inout ResponseWriter
  ) -> Int {
    let epoch = UInt64(status.configuration.epoch)
    if let unlessMatches, unlessMatches.matchesWeakly(epoch) {
      writer.begin(304, exchange, date)
      writer.entityTag(epoch)
      writer.endEmpty()
      return 304
    }
    return answer(200, status, exchange, date, &writer)
  }

  static func change(
    _ answer: ChangeAnswer, _ status: NodeStatus, _ exchange: HTTPExchange, _ date: HTTPDate,
    _ writer: inout ResponseWriter
  ) -> Int {
    let problem: Problem
    switch answer {
    case .taken: return self.answer(202, status, exchange, date, &writer)
    case .otherEpoch(let epoch):
      problem = Problem(412, .notApplied, detail: Array("the epoch is \(epoch): look at the members again".utf8))
    case .refused(let reason): problem = Problem(409, .notApplied, detail: Array(reason.utf8))
    case .unavailable(let reason): problem = Problem(503, .notApplied, detail: Array(reason.utf8))
    case .unknown:
      problem = Problem(504, .unknown, "the change may or may not begin: look at the members to see")
    }
    writer.begin(problem.status, exchange, date)
    if case .otherEpoch(let epoch) = answer { writer.entityTag(UInt64(epoch)) }
    if Failure.mayRetry(problem.status) { writer.field("Retry-After", 1) }
    writer.end(problem)
    return problem.status
  }

  /// `{"epoch":N,"phase":"stable"|"joint","members":[…],"progress":{"done":N,"total":N}}`; in a joint epoch the members
  /// are those of both sets, and `"old":[ID…],"new":[ID…]` tells which is of which.
  private static func answer(
    _ code: Int, _ status: NodeStatus, _ exchange: HTTPExchange, _ date: HTTPDate, _ writer: inout ResponseWriter
  ) -> Int {
    let configuration = status.configuration
    var json = JSONObject()
    json.add("epoch", UInt64(configuration.epoch))
    json.name("phase")
    json.bytes.append(configuration.isJoint ? "\"joint\"" : "\"stable\"")
    json.name("members")
    append(configuration.members, to: &json.bytes)
    if let new = configuration.new {
      json.name("old")
      append(ids: configuration.old, of: configuration, to: &json.bytes)
      json.name("new")
      append(ids: new, of: configuration, to: &json.bytes)
    }
    json.name("progress")
    var progress = JSONObject()
    progress.add("done", status.progress.done)
    progress.add("total", status.progress.total)
    json.bytes.append(contentsOf: progress.finish())
    writer.begin(code, exchange, date)
    writer.entityTag(UInt64(configuration.epoch))
    writer.end(.json, json.finish())
    return code
  }

  /// `[{"id":1,"address":"HOST:PORT"}…]`
  static func append(_ members: [Member], to body: inout [UInt8]) {
    body.append(UInt8(ascii: "["))
    for (index, member) in members.enumerated() {
      body.append(index == 0 ? "{\"id\":" : ",{\"id\":")
      Decimal.append(UInt64(member.id.value), to: &body)
      body.append(UInt8(ascii: ","))
      JSONText.appendMember("address", member.address, to: &body)
      body.append(UInt8(ascii: "}"))
    }
    body.append(UInt8(ascii: "]"))
  }

  private static func append(ids: BitSet, of configuration: Configuration, to body: inout [UInt8]) {
    body.append(UInt8(ascii: "["))
    var isFirst = true
    for (index, member) in configuration.members.enumerated() where ids.contains(index) {
      if !isFirst { body.append(UInt8(ascii: ",")) }
      isFirst = false
      Decimal.append(UInt64(member.id.value), to: &body)
    }
    body.append(UInt8(ascii: "]"))
  }
}
