import Base
import Linearizability
import Wire

/// What a simulated client sends, as HTTP.
struct ClientRequest {
  enum Subject {
    case register(Key, Call.Action, Call.Condition)
    /// A read that waits until the revision differs from `unless` (0: until the register exists).
    case wait(Key, unless: UInt64, milliseconds: UInt64)
    case list(limit: UInt64)
  }

  var subject: Subject
  /// The Idempotency-Key.
  var id: [UInt8]?
  var timeoutMilliseconds: UInt64

  func encoded() -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(256)
    var body: [UInt8] = []
    switch subject {
    case .register(let key, let action, let condition):
      encode(key, action, condition, &text, &body)
    case .wait(let key, let unless, let milliseconds):
      begin("GET", key, &text)
      text.append("?wait=")
      Decimal.append(milliseconds, to: &text)
      text.append("ms")
      endLine(&text)
      if unless > 0 { tag("If-None-Match", [unless], &text) }
    case .list(let limit):
      text.append("GET /v1/kv?limit=")
      Decimal.append(limit, to: &text)
      text.append("&values")
      endLine(&text)
    }
    if let id {
      text.append("Idempotency-Key: ")
      text.append(contentsOf: id)
      text.append("\r\n")
    }
    text.append("Synod-Timeout: ")
    Decimal.append(timeoutMilliseconds, to: &text)
    text.append("ms\r\nContent-Length: ")
    Decimal.append(UInt64(body.count), to: &text)
    text.append("\r\n\r\n")
    text.append(contentsOf: body)
    return text
  }

  private func encode(
    _ key: Key, _ action: Call.Action, _ condition: Call.Condition, _ text: inout [UInt8], _ body: inout [UInt8]
  ) {
    var query: [UInt8] = []
    switch action {
    case .read: begin("GET", key, &text)
    case .settle(let target, let known):
      begin("GET", key, &text)
      query.append("?settle")
      if target != nil {
        query.append("=")
        Decimal.append(known, to: &query)
      }
    case .put(let value):
      begin("PUT", key, &text)
      body = value
    case .delete: begin("DELETE", key, &text)
    case .add(let number), .max(let number), .min(let number):
      begin("POST", key, &text)
      switch action {
      case .add: query.append("?add=")
      case .max: query.append("?max=")
      default: query.append("?min=")
      }
      Decimal.append(number, to: &query)
    case .append(let tail):
      begin("POST", key, &text)
      query.append("?append")
      body = tail
    }
    if let expected = condition.value {
      query.append(query.isEmpty ? "?expect=" : "&expect=")
      query.append(contentsOf: expected)
    }
    text.append(contentsOf: query)
    endLine(&text)
    if condition.exists == true { text.append("If-Match: *\r\n") }
    if condition.exists == false { text.append("If-None-Match: *\r\n") }
    if let revisions = condition.revisionIn { tag("If-Match", revisions, &text) }
    if let revisions = condition.revisionNotIn { tag("If-None-Match", revisions, &text) }
  }

  private func begin(_ method: StaticString, _ key: Key, _ text: inout [UInt8]) {
    text.append(method)
    text.append(" /v1/kv/")
    text.append(contentsOf: key.bytes)
  }

  private func endLine(_ text: inout [UInt8]) { text.append(" HTTP/1.1\r\nHost: s\r\n") }

  private func tag(_ field: StaticString, _ revisions: [UInt64], _ text: inout [UInt8]) {
    text.append(field)
    text.append(": ")
    for (place, revision) in revisions.enumerated() {
      text.append(place == 0 ? "\"" : ", \"")
      Decimal.append(revision, to: &text)
      text.append("\"")
    }
    text.append("\r\n")
  }
}
