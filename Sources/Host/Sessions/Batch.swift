import Base
import Replica
import Wire

/// `POST /v1/batch`, as its head asks for it.
struct BatchRequest {
  /// The body's limit; 413 above. Each value keeps to the limit of a value besides.
  static let maximumBodyBytes = 8 << 20

  let timeout: Milliseconds
  let grant: Grant
  /// Each line's operation is named after it and the line's number.
  private let idempotencyKey: [UInt8]?

  init(_ request: HTTPRequest, _ grant: Grant, _ options: HostOptions) throws(HTTPFault) {
    self.grant = grant
    timeout = try RequestFields.timeout(request, options)
    if request.query != nil { try Query(request.query).check(onlyOnce: []) }
    idempotencyKey = try RequestFields.idempotencyKey(request).map { Array($0) }
    try RequestFields.checkContent(request)
    // Passed over in silence, they would let a change through that its client meant to hold back.
    guard request.value(of: "if-match") == nil, request.value(of: "if-none-match") == nil else {
      throw HTTPFault(400, "the conditions of a batch stand in its lines", close: false)
    }
  }

  /// The operation of one line.
  func operation(_ line: BatchLine, number: Int, fallback: OperationID) throws(HTTPFault) -> Operation {
    guard grant.allows(key: line.key.bytes, toChange: line.verb != .get) else { throw RegisterRequest.forbidden }
    var condition = Condition.always
    if let revision = line.ifRevision { condition.revisionIn = [revision] }
    if line.ifAbsent { condition.exists = false }
    condition.value = line.ifValue
    let action: Action =
      switch line.verb {
      case .get: .read
      case .put, .compareAndSet: .put(line.value ?? [])
      case .delete: .delete
      case .add: .add(line.delta ?? 0)
      }
    var id = fallback
    if var text = idempotencyKey, line.verb != .get {
      // No field value holds a NUL, so no key of a single request gives the same name.
      text.append(0)
      Decimal.append(UInt64(number), to: &text)
      id = OperationID(digest: SHA256.digest(text)[...])
    }
    return RegisterRequest.named(Operation(id: id, key: line.key, action: action, condition: condition))
  }
}

/// The lines of a batch under way, and what became of them.
final class Batch {
  private enum Line {
    case waiting(isRead: Bool)
    case answered(Outcome)
    case refused(HTTPFault)
    case failed(Failure)
  }

  private var lines: [Line] = []
  private(set) var waiting = 0

  /// One more line, whose operation is under way; its part.
  func appendWaiting(isRead: Bool) -> Int {
    lines.append(.waiting(isRead: isRead))
    waiting += 1
    return lines.count - 1
  }
  func append(_ fault: HTTPFault) { lines.append(.refused(fault)) }
  func append(_ failure: Failure) { lines.append(.failed(failure)) }

  func answer(_ part: Int, _ outcome: Outcome) {
    guard case .waiting(let isRead) = lines[part] else { invariantFailed("a line of a batch was answered twice") }
    lines[part] = isRead && outcome == .unknown ? .failed(.readFailed) : .answered(outcome)
    waiting -= 1
  }

  /// Writes the answer of all lines; returns its status, which is that of the batch and not of a line.
  func write(_ exchange: HTTPExchange, _ date: HTTPDate, _ writer: inout ResponseWriter) -> Int {
    var body: [UInt8] = []
    for line in lines {
      switch line {
      case .answered(let outcome): Self.append(outcome, to: &body)
      case .refused(let fault): BatchAnswer.problem(Problem(fault), to: &body)
      case .failed(let failure): BatchAnswer.problem(failure.problem, to: &body)
      case .waiting: invariantFailed("a batch was answered before all of its lines were")
      }
    }
    writer.begin(200, exchange, date)
    writer.end(.jsonLines, body)
    return 200
  }

  private static func append(_ outcome: Outcome, to body: inout [UInt8]) {
    switch outcome {
    case .read(let content):
      if let content { BatchAnswer.value(content, to: &body) } else { BatchAnswer.absent(to: &body) }
    case .changed(let revision, let effect, _):
      switch effect {
      case .created: BatchAnswer.changed(201, revision: revision, to: &body)
      case .replaced, .length: BatchAnswer.changed(200, revision: revision, to: &body)
      case .deleted: BatchAnswer.changed(204, revision: revision, to: &body)
      case .number(let number):
        var text: [UInt8] = []
        Decimal.append(number, to: &text)
        BatchAnswer.value(Versioned(revision: revision, value: text), to: &body)
      }
    case .absent: BatchAnswer.absent(to: &body)
    case .conditionFailed(let current):
      var problem = Failure.conditionFailed.problem
      problem.current = .register(current)
      BatchAnswer.problem(problem, to: &body)
    case .refused(let refusal): BatchAnswer.problem(Failure(refusal).problem, to: &body)
    case .unknown: BatchAnswer.problem(Failure.unknown.problem, to: &body)
    case .settled: BatchAnswer.problem(Failure.impossible.problem, to: &body)
    }
  }
}
