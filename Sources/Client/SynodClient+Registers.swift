import Base
import Wire

extension SynodClient {
  /// Reads a register: its newest value, nil if it is absent.
  public func get(_ key: RegisterKey) throws(ClientError) -> Entry? {
    try SynodClient.check(key)
    return entry(try read(HTTPRequestText("GET", of: key), accepted: [200, 404]), key)
  }

  /// Waits until the register is at another revision than `revision`; with nil, until it exists.
  ///
  /// `milliseconds` is at most 60 000; the options' timeout comes on top.
  public func wait(
    _ key: RegisterKey, past revision: UInt64?, forMilliseconds milliseconds: UInt64
  ) throws(ClientError) -> WaitResult {
    try SynodClient.check(key)
    var request = HTTPRequestText("GET", of: key)
    request.query("wait", Array("\(milliseconds)ms".utf8))
    if let revision { request.field("If-None-Match", tag: revision) }
    let response = try read(request, accepted: [200, 304, 404], waitMilliseconds: milliseconds)
    if response.status == 304 { return .unchanged }
    return entry(response, key).map { .changed($0) } ?? .absent
  }

  /// Sets a register's value, if all `conditions` hold.
  @discardableResult
  public func put(
    _ key: RegisterKey, _ value: [UInt8], if conditions: [Condition] = [], idempotencyKey: String? = nil
  ) throws(ClientError) -> PutResult {
    var request = HTTPRequestText("PUT", of: key)
    request.body = value
    switch try change(key, request, if: conditions, idempotencyKey: idempotencyKey) {
    case .answered(let response):
      return PutResult(revision: try SynodClient.revision(response), created: response.status == 201)
    case .found(let revision, _):
      return PutResult(revision: revision, created: nil)
    }
  }

  /// Sets a register's value to the UTF-8 bytes of a text.
  @discardableResult
  public func put(
    _ key: RegisterKey, _ text: String, if conditions: [Condition] = [], idempotencyKey: String? = nil
  ) throws(ClientError) -> PutResult {
    try put(key, Array(text.utf8), if: conditions, idempotencyKey: idempotencyKey)
  }

  /// Replaces a register's value only if `condition` holds (compare and set); throws
  /// ``ClientError/conditionFailed(current:)``, with what the register is instead, if it does not.
  @discardableResult
  public func cas(
    _ key: RegisterKey, _ value: [UInt8], if condition: Condition, idempotencyKey: String? = nil
  ) throws(ClientError) -> PutResult {
    try put(key, value, if: [condition], idempotencyKey: idempotencyKey)
  }

  /// Deletes a register. False if it was absent already.
  @discardableResult
  public func delete(
    _ key: RegisterKey, if conditions: [Condition] = [], idempotencyKey: String? = nil
  ) throws(ClientError) -> Bool {
    switch try change(key, HTTPRequestText("DELETE", of: key), if: conditions, idempotencyKey: idempotencyKey) {
    case .answered(let response): response.status != 404
    case .found: true
    }
  }

  /// Adds to the decimal number that a register holds; an absent one counts as 0.
  ///
  /// Throws ``ClientError/notApplied(status:reason:)`` with 409 if the value is no 64-bit integer, or on overflow.
  @discardableResult
  public func add(
    _ key: RegisterKey, _ delta: Int64, if conditions: [Condition] = [], idempotencyKey: String? = nil
  ) throws(ClientError) -> NumberResult {
    try number(key, "add", delta, conditions, idempotencyKey)
  }

  /// Raises the number to `number` if it is lower; an absent register takes it. Where nothing changes, the revision
  /// stays. Errors as ``add(_:_:if:idempotencyKey:)``.
  @discardableResult
  public func max(
    _ key: RegisterKey, _ number: Int64, if conditions: [Condition] = [], idempotencyKey: String? = nil
  ) throws(ClientError) -> NumberResult {
    try self.number(key, "max", number, conditions, idempotencyKey)
  }

  /// Lowers the number to `number` if it is higher; an absent register takes it. Where nothing changes, the revision
  /// stays. Errors as ``add(_:_:if:idempotencyKey:)``.
  @discardableResult
  public func min(
    _ key: RegisterKey, _ number: Int64, if conditions: [Condition] = [], idempotencyKey: String? = nil
  ) throws(ClientError) -> NumberResult {
    try self.number(key, "min", number, conditions, idempotencyKey)
  }

  private func number(
    _ key: RegisterKey, _ action: StaticString, _ operand: Int64, _ conditions: [Condition], _ idempotencyKey: String?
  ) throws(ClientError) -> NumberResult {
    var request = HTTPRequestText("POST", of: key)
    request.query(action, operand)
    switch try change(key, request, if: conditions, idempotencyKey: idempotencyKey) {
    case .answered(let response):
      return NumberResult(
        revision: try SynodClient.revision(response), value: Decimal.integer(SynodClient.trimmed(response.body)))
    case .found(let revision, let now):
      let value = now.flatMap { $0.revision == revision ? Decimal.integer($0.value[...]) : nil }
      return NumberResult(revision: revision, value: value)
    }
  }

  /// Appends to a register's value; an absent one counts as empty.
  @discardableResult
  public func append(
    _ key: RegisterKey, _ bytes: [UInt8], if conditions: [Condition] = [], idempotencyKey: String? = nil
  ) throws(ClientError) -> AppendResult {
    var request = HTTPRequestText("POST", of: key)
    request.query("append")
    request.body = bytes
    switch try change(key, request, if: conditions, idempotencyKey: idempotencyKey) {
    case .answered(let response):
      let body = JSONValue.read(response.body)
      return AppendResult(revision: try SynodClient.revision(response), length: body?["length"]?.unsigned)
    case .found(let revision, let now):
      let length = now.flatMap { $0.revision == revision ? UInt64($0.value.count) : nil }
      return AppendResult(revision: revision, length: length)
    }
  }

  /// A read that first brings every earlier write of this register to an end: one whose call threw
  /// ``ClientError/unknown(reason:)`` has either taken effect or never will when this returns.
  ///
  /// With an `operation`, it also says what became of that one.
  public func settle(_ key: RegisterKey, operation: SentOperation? = nil) throws(ClientError) -> Settled {
    try SynodClient.check(key)
    return try settle(key, operation: operation, until: callDeadline)
  }

  func settle(
    _ key: RegisterKey, operation: SentOperation?, until deadline: Instant
  ) throws(ClientError) -> Settled {
    var request = HTTPRequestText("GET", of: key)
    if let operation {
      request.query("settle", operation.revisionBefore)
      request.field("Idempotency-Key", operation.idempotencyKey)
    } else {
      request.query("settle")
    }
    let response = try read(request, accepted: [200, 404], until: deadline)
    return Settled(entry: entry(response, key), fate: operation == nil ? nil : SynodClient.fate(response))
  }

  private static func fate(_ response: HTTPResponse) -> Settled.Fate? {
    guard let outcome = response.field("synod-outcome") else { return nil }
    if ("dead" as StaticString).equals(outcome) { return .dead }
    if ("forgotten" as StaticString).equals(outcome) { return .forgotten }
    guard ("applied" as StaticString).equals(outcome),
      let revision = response.field("synod-revision").flatMap({ Decimal.unsigned($0[...]) })
    else { return nil }
    return .applied(revision: revision)
  }

  /// The register that an answer to a read shows, nil with 404.
  private func entry(_ response: HTTPResponse, _ key: RegisterKey) -> Entry? {
    guard response.status == 200, let entry = response.entry else { return nil }
    note(entry.revision, of: key)
    return entry
  }

  /// The revision that a successful change names; an answer without one is nothing of ours.
  private static func revision(_ response: HTTPResponse) throws(ClientError) -> UInt64 {
    if let revision = response.revision { return revision }
    throw .unknown(reason: "the node answered \(response.status) without a revision")
  }

  private static func trimmed(_ body: [UInt8]) -> ArraySlice<UInt8> { body.last == 0x0A ? body.dropLast() : body[...] }
}
