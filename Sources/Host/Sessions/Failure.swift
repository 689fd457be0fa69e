import Replica
import Wire

/// How an outcome other than a success reads, the same in both protocols (CONTRACT §1, Errors).
struct Failure {
  let status: Int
  let outcome: ProblemOutcome
  let reason: StaticString

  init(_ status: Int, _ outcome: ProblemOutcome, _ reason: StaticString) {
    self.status = status
    self.outcome = outcome
    self.reason = reason
  }

  init(_ refusal: Refusal) {
    switch refusal {
    case .notANumber: self.init(409, .notApplied, "the value is not a 64-bit integer")
    case .overflow: self.init(409, .notApplied, "the sum does not fit into 64 bits")
    case .tooLarge: self.init(413, .notApplied, "the value would be larger than the limit")
    case .payloadMismatch: self.init(422, .notApplied, "this Idempotency-Key was used for another change")
    case .dead: self.init(409, .notApplied, "settle found this operation dead: it will never be applied")
    case .noQuorum: self.init(503, .notApplied, "no quorum answers")
    case .overloaded: self.init(429, .notApplied, "too many requests wait for this key")
    case .expired: self.init(503, .notApplied, "the deadline passed before the change was sent out")
    case .notAMember: self.init(503, .notApplied, "this node is not a member of the cluster yet")
    case .shuttingDown: self.init(503, .notApplied, "this node is shutting down")
    }
  }

  static let absent = Failure(404, .notApplied, "the register is absent")
  static let conditionFailed = Failure(412, .notApplied, "the condition does not hold")
  static let overloaded = Failure(503, .notApplied, "this node is overloaded")
  static let noQuorum = Failure(503, .notApplied, "no quorum answers")
  /// A read changes nothing, so even when nobody knows what became of it, nothing was changed.
  static let readFailed = Failure(503, .notApplied, "the deadline passed before a quorum answered")
  static let unknown = Failure(504, .unknown, "the deadline passed after the change was sent out; ?settle tells")
  /// An outcome that the operation cannot have.
  static let impossible = Failure(500, .unknown, "the node came to an impossible outcome")

  /// 429 and 503 promise that the same request may be sent again.
  static func mayRetry(_ status: Int) -> Bool { status == 429 || status == 503 }

  var problem: Problem { Problem(status, outcome, reason) }
}

extension ResponseWriter {
  /// The whole answer of a failure.
  mutating func fail(_ failure: Failure, _ exchange: HTTPExchange, _ date: HTTPDate) -> Int {
    begin(failure.status, exchange, date)
    if Failure.mayRetry(failure.status) { field("Retry-After", 1) }
    end(failure.problem)
    return failure.status
  }

  /// The whole answer to a request that is not carried out. `resource`: what a 405 tells the methods of.
  mutating func reject(
    _ fault: HTTPFault, _ resource: Resource?, _ exchange: HTTPExchange, _ date: HTTPDate
  ) -> Int {
    var exchange = exchange
    if fault.close { exchange.keepAlive = false }
    begin(fault.status, exchange, date)
    switch fault.status {
    case 401: field("WWW-Authenticate", "Bearer")
    case 405: field("Allow", Routes.allow(resource))
    case 415: field("Accept-Encoding", "identity")
    case 429, 503: field("Retry-After", 1)
    default: break
    }
    end(Problem(fault))
    return fault.status
  }
}
