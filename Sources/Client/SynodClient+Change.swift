import Base
import Wire

/// How a change is made so that it takes effect once, or the caller hears that it may have.
extension SynodClient {
  /// A change that took effect.
  enum Applied {
    /// With the node's answer, 200 to 299 or 404.
    case answered(HTTPResponse)
    /// The answer was lost; this much could be found out, with the register as it is now.
    case found(revision: UInt64, now: Entry?)
  }

  /// What is known to be remembered of a register's last changes, at least (CONTRACT §1, Retries).
  private static let rememberedChanges: UInt64 = 8

  /// Makes a change. `request` bears all but conditions and idempotency key.
  func change(
    _ key: RegisterKey, _ request: HTTPRequestText, if conditions: [Condition], idempotencyKey: String?
  ) throws(ClientError) -> Applied {
    try SynodClient.check(key)
    var request = request
    request.conditions(conditions)
    if let idempotencyKey { return try changeOnce(key, request, conditions, idempotencyKey) }
    let deadline = callDeadline
    // Nothing was sent yet, so these are revisions from before the change.
    var revisionBefore = knownRevision(of: key)
    for case .revision(let revision) in conditions { revisionBefore = Swift.max(revisionBefore, revision) }
    while true {
      let operation = SentOperation(idempotencyKey: newIdempotencyKey(), revisionBefore: revisionBefore)
      var attempt = request
      attempt.field("Idempotency-Key", operation.idempotencyKey)
      switch ask(attempt, repeated: false, until: deadline) {
      case .answered(let response, _):
        return try applied(response, key)
      case .notApplied(let status, let reason):
        throw .notApplied(status: status, reason: reason)
      case .lost(let reason):
        let settled: Settled
        do throws(ClientError) {
          settled = try settle(key, operation: operation, until: deadline)
        } catch {
          throw .unknown(reason: reason)
        }
        switch settled.fate {
        case .applied(let revision): return .found(revision: revision, now: settled.entry)
        // It never will take effect, so another one like it may.
        case .dead: continue
        case .forgotten, nil: throw .unknown(reason: reason)
        }
      }
    }
  }

  /// Makes a change under the caller's own key, which is repeated as it is: a key that settle has marked dead would be
  /// refused ever after, while the caller still counts on it.
  private func changeOnce(
    _ key: RegisterKey, _ request: HTTPRequestText, _ conditions: [Condition], _ idempotencyKey: String
  ) throws(ClientError) -> Applied {
    guard HTTPRequestText.isClean(idempotencyKey), (1...64).contains(idempotencyKey.utf8.count) else {
      throw .notApplied(status: 400, reason: "an idempotency key is 1 to 64 bytes of visible ASCII")
    }
    var request = request
    request.field("Idempotency-Key", idempotencyKey)
    switch ask(request, repeated: true, until: callDeadline) {
    case .answered(let response, afterLoss: false):
      return try applied(response, key)
    case .answered(let response, afterLoss: true):
      // A repeat that was refused speaks for the lost attempt only if the register would still remember that one.
      if response.status < 300 || isCertain(response, conditions) { return try applied(response, key) }
      throw .unknown(reason: "an attempt was lost, and its repeat was answered \(response.status): \(response.reason)")
    case .notApplied(let status, let reason):
      throw .notApplied(status: status, reason: reason)
    case .lost(let reason):
      throw .unknown(reason: reason)
    }
  }

  /// Whether a 412 proves that no earlier attempt took effect: one that did would have made the revision after the one
  /// it was conditioned on, and the register remembers at least its last changes.
  private func isCertain(_ response: HTTPResponse, _ conditions: [Condition]) -> Bool {
    guard response.status == 412, let current = response.problem?["current"]?.entry else { return false }
    for case .revision(let revision) in conditions {
      return current.revision &- revision <= SynodClient.rememberedChanges
    }
    return false
  }

  /// Throws what an answer refuses.
  private func applied(_ response: HTTPResponse, _ key: RegisterKey) throws(ClientError) -> Applied {
    note(response.revision, of: key)
    switch response.status {
    case 200..<300, 404:
      return .answered(response)
    case 412:
      throw .conditionFailed(current: response.problem?["current"]?.entry)
    case let status:
      throw .notApplied(status: status, reason: response.reason)
    }
  }
}
