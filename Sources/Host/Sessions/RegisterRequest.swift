import Base
import Replica
import Wire

/// A request for one register, as its head asks for it; a body is still to come (CONTRACT §1).
struct RegisterRequest {
  enum Verb {
    case read
    /// With a target: what became of that operation, whose client knew revision `known`.
    case settle(target: OperationID?, known: UInt64)
    case put
    case delete
    case add(Int64)
    case max(Int64)
    case min(Int64)
    case append

    /// Settle is none: it may put a mark, and its answer is that of a read.
    var isChange: Bool {
      switch self {
      case .read, .settle: false
      case .put, .delete, .add, .max, .min, .append: true
      }
    }

    /// Whether a body says something.
    var takesBody: Bool {
      switch self {
      case .put, .append: true
      case .read, .settle, .delete, .add, .max, .min: false
      }
    }
  }

  static let maximumWait: Milliseconds = 60_000

  let key: Key
  let verb: Verb
  var condition = Condition.always
  /// From an Idempotency-Key; nil: the host gives the operation a name.
  var id: OperationID?
  /// How long it may take, a wait not counted.
  let timeout: Milliseconds
  var wait: Milliseconds?
  /// Of a read or a settle.
  var form = ReadForm()
  var prefersMinimal = false

  /// Read part by part, and made of its parts at the end: what an initializer makes bit by bit is copied.
  static func read(
    _ request: borrowing HTTPRequest, _ grant: Grant, _ options: HostOptions
  ) throws(HTTPFault) -> RegisterRequest {
    let key = try KeyCoding.decode(request.path.dropFirst(Routes.registerPath.utf8CodeUnitCount))
    // By cases, here and below: methods are compared through a table.
    let reads =
      switch request.method {
      case .get, .head: true
      case .put, .post, .delete, .options, .patch, .trace: false
      }
    // Before anything else is looked at: who may not touch a key learns nothing about it.
    guard grant.allows(key: key.bytes, toChange: !reads) else { throw Self.forbidden }
    let timeout = try RequestFields.timeout(request, options)
    guard reads else { return try change(request, key, timeout) }
    var form = try readForm(request)
    if form.asksForJSON { form.key = key.bytes }
    var verb = Verb.read
    var wait: Milliseconds?
    if request.hasQuery { try takeReadQuery(request, key, grant, &form, &verb, &wait) }
    return RegisterRequest(key: key, verb: verb, timeout: timeout, wait: wait, form: form)
  }

  private static func change(
    _ request: borrowing HTTPRequest, _ key: Key, _ timeout: Milliseconds
  ) throws(HTTPFault) -> RegisterRequest {
    var verb: Verb =
      switch request.method {
      case .put: .put
      case .delete: .delete
      case .post, .get, .head, .options, .patch, .trace: .append
      }
    var condition = try conditions(request)
    try takeChangeQuery(request, &verb, &condition)
    let id = try RequestFields.idempotencyKey(request).map { OperationID(digest: SHA256.digest(Array($0))[...]) }
    try checkBody(request, verb)
    var prefersMinimal = false
    if case .put = request.method, let prefer = request.value(of: "prefer") {
      prefersMinimal = FieldValues.prefersMinimalReturn(prefer)
    }
    return RegisterRequest(
      key: key, verb: verb, condition: condition, id: id, timeout: timeout, prefersMinimal: prefersMinimal)
  }

  static let forbidden = HTTPFault(403, "the token may not do this to this key", close: false)

  private static func readForm(_ request: borrowing HTTPRequest) throws(HTTPFault) -> ReadForm {
    var form = ReadForm()
    if let tags = request.value(of: "if-none-match") { form.ifNoneMatch = try EntityTags.parse(tags) }
    if let tags = request.value(of: "if-match") { form.ifMatch = try EntityTags.parse(tags) }
    // What is shorter than the name of the type, such as curl's `*/*`, cannot ask for it.
    if let accept = request.value(of: "accept"), accept.count >= 16 {
      form.asksForJSON = FieldValues.asksForJSON(accept)
    }
    return form
  }

  private static func takeReadQuery(
    _ request: borrowing HTTPRequest, _ key: Key, _ grant: Grant, _ form: inout ReadForm, _ verb: inout Verb,
    _ wait: inout Milliseconds?
  ) throws(HTTPFault) {
    let query = try Query(request.query)
    try query.check(onlyOnce: ["wait", "settle"])
    let settle = query["settle"]
    if let asked = query["wait"] {
      guard settle == nil else { throw HTTPFault(400, "wait and settle exclude each other", close: false) }
      guard let time = asked.value.flatMap({ DurationText.parse($0) }) else {
        throw HTTPFault(400, "wait must be a whole number and ms, s or m", close: false)
      }
      guard time <= Self.maximumWait else { throw HTTPFault(400, "at most 60s may be waited", close: false) }
      wait = time
      form.unlessRevision = try Self.waitedRevision(form.ifNoneMatch)
    }
    guard let settle else { return }
    form.isSettle = true
    guard let text = settle.value else {
      verb = .settle(target: nil, known: 0)
      return
    }
    guard let known = Decimal.unsigned(text[...]) else {
      throw HTTPFault(400, "settle takes a revision, or nothing", close: false)
    }
    guard let name = try RequestFields.idempotencyKey(request) else {
      throw HTTPFault(400, "settle with a revision needs the operation's Idempotency-Key", close: false)
    }
    // It may declare the operation dead, which is a change.
    guard grant.allows(key: key.bytes, toChange: true) else { throw Self.forbidden }
    verb = .settle(target: OperationID(digest: SHA256.digest(Array(name))[...]), known: known)
  }

  /// The revision that a wait is to see replaced; 0: it waits for creation.
  private static func waitedRevision(_ tags: EntityTags?) throws(HTTPFault) -> UInt64 {
    switch tags {
    case nil: return 0
    case .list(let list) where list.count == 1: return list[0].revision ?? 0
    case .any, .list: throw HTTPFault(400, "wait takes one entity tag", close: false)
    }
  }

  private static func conditions(_ request: borrowing HTTPRequest) throws(HTTPFault) -> Condition {
    var condition = Condition.always
    if let text = request.value(of: "if-match") {
      switch try EntityTags.parse(text) {
      case .any: condition.exists = true
      // A weak tag, and a tag that no revision of ours has, match nothing; an empty list stands for that.
      case .list(let tags): condition.revisionIn = tags.compactMap { $0.isWeak ? nil : $0.revision }
      }
    }
    if let text = request.value(of: "if-none-match") {
      switch try EntityTags.parse(text) {
      case .any:
        if condition.exists == true { condition.never = true }
        condition.exists = false
      case .list(let tags): condition.revisionNotIn = tags.compactMap { $0.revision }
      }
    }
    return condition
  }

  private static func takeChangeQuery(
    _ request: borrowing HTTPRequest, _ verb: inout Verb, _ condition: inout Condition
  ) throws(HTTPFault) {
    let isPost = if case .post = request.method { true } else { false }
    guard request.hasQuery || isPost else { return }
    let query = try Query(request.query)
    if isPost {
      try query.check(onlyOnce: ["add", "max", "min", "append", "expect"])
    } else {
      try query.check(onlyOnce: ["expect"])
    }
    var verbs = 0
    for parameter in query.parameters {
      if StaticString("expect").equals(parameter.name) {
        guard let value = parameter.value else { throw HTTPFault(400, "expect takes a value", close: false) }
        condition.value = value
        continue
      }
      verbs += 1
      if StaticString("append").equals(parameter.name) {
        guard parameter.value == nil else { throw HTTPFault(400, "append takes no value", close: false) }
        verb = .append
        continue
      }
      guard let number = parameter.value.flatMap({ Decimal.integer($0[...]) }) else {
        throw HTTPFault(400, "add, max and min take a 64-bit integer", close: false)
      }
      if StaticString("add").equals(parameter.name) {
        verb = .add(number)
      } else if StaticString("max").equals(parameter.name) {
        verb = .max(number)
      } else {
        verb = .min(number)
      }
    }
    guard verbs == (isPost ? 1 : 0) else {
      throw HTTPFault(400, "POST takes one of ?add=N, ?max=N, ?min=N and ?append", close: false)
    }
  }

  private static func checkBody(_ request: borrowing HTTPRequest, _ verb: Verb) throws(HTTPFault) {
    guard verb.takesBody else { return }
    guard request.framing != .none else {
      throw HTTPFault(411, "the value needs a Content-Length, or the chunked coding", close: false)
    }
    try RequestFields.checkContent(request)
  }

  /// The operation, now that the body is here. `fallback`: its name if the client gave none.
  consuming func operation(_ body: [UInt8], wallSeconds: UInt64, fallback: OperationID) throws(HTTPFault) -> Operation {
    let action: Action
    switch verb {
    case .read: action = .read
    case .settle(let target, let known): action = .settle(target: target, known: known, nowSeconds: wallSeconds)
    case .put: action = .put(body)
    case .delete: action = .delete
    case .append: action = .append(body)
    case .add(let number): action = .add(try Self.without(body, number))
    case .max(let number): action = .max(try Self.without(body, number))
    case .min(let number): action = .min(try Self.without(body, number))
    }
    return Self.named(Operation(id: id ?? fallback, key: key, action: action, condition: condition))
  }

  /// A number stands in the query; a body beside it is a mistake that must not be passed over, like a value for append.
  private static func without(_ body: [UInt8], _ number: Int64) throws(HTTPFault) -> Int64 {
    guard body.isEmpty else {
      throw HTTPFault(400, "add, max and min take their number from the query, and no body", close: false)
    }
    return number
  }

  /// The operation with the hash of its payload, which only a name that a client chose needs.
  static func named(_ operation: Operation) -> Operation {
    guard operation.id.isFromClient, operation.action.isChange else { return operation }
    var hashed = operation
    var writer = ByteWriter(reserving: 128)
    operation.encode(into: &writer)
    // 0 stands for no hash.
    hashed.payloadHash = Swift.max(1, Checksum.xxh64(writer.bytes))
    return hashed
  }
}
