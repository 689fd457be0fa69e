import Base
import Wire

/// An answer, whole.
struct HTTPResponse {
  let status: Int
  /// Names in lower case.
  let fields: [(name: [UInt8], value: [UInt8])]
  var body: [UInt8]
  /// Whether another request may follow on this connection.
  let keepAlive: Bool

  func field(_ name: StaticString) -> [UInt8]? { fields.first { name.equals($0.name) }?.value }

  /// The revision in the `ETag`; nil where there is none.
  var revision: UInt64? {
    guard let tag = field("etag"), tag.count > 2, tag.first == 0x22, tag.last == 0x22 else { return nil }
    return Decimal.unsigned(tag.dropFirst().dropLast())
  }

  var isReplay: Bool { field("idempotent-replay").map { ("true" as StaticString).equals($0) } ?? false }

  /// The register that a 200 shows.
  var entry: Entry? { revision.map { Entry(revision: $0, value: body) } }

  /// The problem of an error (RFC 9457), nil where the body is something else.
  var problem: JSONValue? {
    guard let type = field("content-type"), type.starts(with: "application/problem+json".utf8) else { return nil }
    return JSONValue.read(body)
  }

  /// Whether the node vouches that nothing was changed: an answer of 4xx, or one that says so.
  ///
  /// A 502 or 503 of something in between says nothing of what a node did before.
  var isNotApplied: Bool {
    if let outcome = problem?["outcome"]?.string { return ("not-applied" as StaticString).equals(outcome) }
    return (400..<500).contains(status)
  }

  /// What went wrong, for a person.
  var reason: String {
    if let detail = problem?["detail"]?.text ?? problem?["title"]?.text { return detail }
    let line = body.prefix { $0 != 0x0A }
    if !line.isEmpty, line.count < 200, UTF8Validation.isValid(line) { return String(decoding: line, as: UTF8.self) }
    return "the node answered \(status)"
  }
}
