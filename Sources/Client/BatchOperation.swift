import Base
import Wire

/// One line of ``SynodClient/batch(_:)``.
public enum BatchOperation: Hashable, Sendable {
  case get(RegisterKey)
  case put(RegisterKey, [UInt8])
  /// ``Condition/revision(_:)``, ``Condition/absent`` and ``Condition/value(_:)`` can be said here.
  case cas(RegisterKey, [UInt8], if: Condition)
  /// With `revision`, only if the register is at it.
  case delete(RegisterKey, revision: UInt64?)
  case add(RegisterKey, Int64)
}

/// The answer to one line of a batch.
public struct BatchResult: Hashable, Sendable {
  /// As for a request of its own: 200, 201, 204, 404, 409, 412, 503, 504 and so on.
  public let status: Int
  /// The register's revision after the operation, or as the failed condition found it; nil where it is absent or
  /// unknown.
  public let revision: UInt64?
  /// What a get read, the number that an add made, or the value that made the condition fail.
  public let value: [UInt8]?
}

extension BatchOperation {
  var key: RegisterKey {
    switch self {
    case .get(let key), .put(let key, _), .cas(let key, _, _), .delete(let key, _), .add(let key, _): key
    }
  }

  var isRead: Bool {
    if case .get = self { true } else { false }
  }

  /// Appends one JSON line. False if it cannot be said in one.
  func append(to output: inout [UInt8]) -> Bool {
    func begin(_ name: StaticString, _ output: inout [UInt8]) {
      output.append("{\"op\":\"")
      output.append(name)
      output.append("\",")
      JSONText.appendMember("key", key.bytes, to: &output)
    }
    func value(_ name: StaticString, _ value: [UInt8], _ output: inout [UInt8]) {
      output.append(",")
      JSONText.appendMember(name, value, to: &output)
    }
    switch self {
    case .get: begin("get", &output)
    case .put(_, let new):
      begin("put", &output)
      value("value", new, &output)
    case .cas(_, let new, let condition):
      begin("cas", &output)
      value("value", new, &output)
      switch condition {
      case .revision(let revision): output += Array(",\"if_revision\":\(revision)".utf8)
      case .absent: output.append(",\"if_absent\":true")
      case .value(let old): value("if_value", old, &output)
      case .exists, .notRevision: return false
      }
    case .delete(_, let revision):
      begin("delete", &output)
      if let revision { output += Array(",\"if_revision\":\(revision)".utf8) }
    case .add(_, let delta):
      begin("add", &output)
      output += Array(",\"delta\":\(delta)".utf8)
    }
    output.append("}\n")
    return true
  }
}

extension BatchResult {
  /// `{"status":200,"revision":N,"value":…}`, or a problem.
  init?(_ line: JSONValue) {
    guard let status = line["status"]?.unsigned else { return nil }
    let current = line["current"]?.entry
    let number = line["value"]?.signed.map { Array(String($0).utf8) }
    self.init(
      status: Int(truncatingIfNeeded: status), revision: line["revision"]?.unsigned ?? current?.revision,
      value: line.bytes("value", orBase64: "value_base64") ?? number ?? current?.value)
  }
}

extension SynodClient {
  /// The most operations of one batch.
  public static let maximumBatch = 256

  /// Sends up to 256 operations in one request and returns their results in the same order.
  ///
  /// Not a transaction: each takes effect, or not, by itself. Changes of a batch bear no idempotency key, so where the
  /// answer is lost this throws ``ClientError/unknown(reason:)``; a batch of reads alone is repeated.
  public func batch(_ operations: [BatchOperation]) throws(ClientError) -> [BatchResult] {
    guard operations.count <= SynodClient.maximumBatch else {
      throw .notApplied(status: 400, reason: "a batch has at most \(SynodClient.maximumBatch) operations")
    }
    if operations.isEmpty { return [] }
    var request = HTTPRequestText("POST", "/v1/batch")
    var body: [UInt8] = []
    for operation in operations {
      try SynodClient.check(operation.key)
      guard operation.append(to: &body) else {
        throw .notApplied(status: 400, reason: "a batch cannot carry this condition")
      }
    }
    request.body = body
    switch ask(request, repeated: operations.allSatisfy(\.isRead), until: callDeadline) {
    case .answered(let response, _) where response.status == 200:
      let lines = response.body.split(separator: 0x0A)
      let results = lines.compactMap { JSONValue.read(Array($0)).flatMap { BatchResult($0) } }
      guard results.count == operations.count, lines.count == operations.count else {
        throw .unknown(reason: "the node's answer to the batch cannot be read")
      }
      return results
    case .answered(let response, _): throw .notApplied(status: response.status, reason: response.reason)
    case .notApplied(let status, let reason): throw .notApplied(status: status, reason: reason)
    case .lost(let reason): throw .unknown(reason: reason)
    }
  }
}
