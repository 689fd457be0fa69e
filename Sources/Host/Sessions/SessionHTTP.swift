import Base
import Replica
import Wire

extension Session {
  /// A refused request's body that is not longer is read and dropped, so that the connection can go on.
  private static let longestDroppedBody: UInt64 = 1 << 20

  /// Takes one event out of the parser; false when there is none.
  func takeHTTP(_ now: Instant, _ host: any SessionHost) -> Bool {
    do throws(HTTPFault) {
      guard let event = try http.next(policy: { (head: HTTPRequest) in self.accept(head) }) else {
        return false
      }
      switch consume event {
      case .request(let request):
        if !request.keepAlive { stopsReading = true }
        take(request, now, host)
      // Not for a refused one: its client is told the refusal instead, and may keep the body.
      case .continueDue: if pendingFault == nil { continueNow() }
      case .streamBegan(let request): refuse(request, host)
      case .streamPart: break
      case .streamEnded: pendingFault = nil
      }
    } catch {
      stopsReading = true
      let fault = error
      let date = date(host)
      answerNow { writer in writer.reject(fault, nil, .refused, date) }
    }
    return true
  }

  /// Judges a request with a body by its head: what is refused is not gathered, whoever sends it.
  private func accept(_ head: HTTPRequest) -> HTTPBodyPolicy {
    do throws(HTTPFault) {
      // Into its place at once: as a value of its own it would be moved again and again.
      pendingPlan = try plan(head)
      let limitBytes =
        switch pendingPlan {
        case .batch: BatchRequest.maximumBodyBytes
        case .changeMembers: MembersRequest.maximumBodyBytes
        case .register, .listing, .members, .page, .lab, .scrub, .options, nil: options.maximumValueBytes
        }
      return .gather(limitBytes: limitBytes)
    } catch {
      pendingFault = error
      return .stream
    }
  }

  /// Refuses a request whose body is still to come.
  private func refuse(_ request: HTTPRequest, _ host: any SessionHost) {
    if !request.keepAlive { stopsReading = true }
    guard var fault = pendingFault else { invariantFailed("a body is streamed only where its request is refused") }
    let isShort: Bool
    switch request.framing {
    case .none: isShort = true
    case .length(let bytes): isShort = bytes <= Self.longestDroppedBody
    case .chunked: isShort = false
    }
    // Whether a client that waits for `100 Continue` will send the body after all cannot be known (RFC 9110 §10.1.1).
    if request.expectsContinue || !isShort { fault = HTTPFault(fault.status, fault.reason) }
    reject(request, fault, host)
  }

  private func reject(_ request: HTTPRequest, _ fault: HTTPFault, _ host: any SessionHost) {
    if fault.close { stopsReading = true }
    let date = date(host)
    let exchange = HTTPExchange(request)
    let resource = request.isAsterisk ? nil : Routes.resource(request.path)
    answerNow { writer in writer.reject(fault, resource, exchange, date) }
  }

  /// What the head asks for; throws why it is refused. The order tells a stranger least: path, method, token, key,
  /// rest.
  private func plan(_ request: HTTPRequest) throws(HTTPFault) -> Plan {
    if isDraining { throw HTTPFault(503, "this node is shutting down") }
    if request.isAsterisk { return .options(nil) }
    guard let resource = Routes.resource(request.path) else {
      throw HTTPFault(404, "there is nothing at this path", close: false)
    }
    guard Routes.allows(request.method, on: resource) else {
      throw HTTPFault(405, "the method is not allowed here", close: false)
    }
    if case .options = request.method { return .options(resource) }
    let grant = Routes.isOpen(resource) ? .everything : try grant(request)
    switch resource {
    case .register: return .register(try RegisterRequest.read(request, grant, options))
    case .listing: return .listing(try ListingRequest(request, grant, options))
    case .batch: return .batch(try BatchRequest(request, grant, options))
    case .members where request.method == .put: return .changeMembers(try MembersRequest(request, grant))
    case .members:
      _ = try Administration.checkQuery(request, resource)
      guard let tags = request.value(of: "if-none-match") else { return .members(unless: nil) }
      return .members(unless: try EntityTags.parse(tags))
    case .lab:
      guard let page = options.labPage else { throw HTTPFault(404, "this node has no teaching page", close: false) }
      _ = try Administration.checkQuery(request, resource)
      return .lab(page)
    case .scrub:
      _ = try Administration.checkQuery(request, resource)
      guard request.method == .post else { return .scrub(begins: false) }
      guard grant.mayAdminister else { throw HTTPFault(403, "the token may not begin a scrub", close: false) }
      try RequestFields.checkContent(request)
      return .scrub(begins: true)
    case .help, .live, .ready, .metrics, .status:
      return .page(resource, verbose: try Administration.checkQuery(request, resource))
    }
  }

  private func grant(_ request: HTTPRequest) throws(HTTPFault) -> Grant {
    guard let tokens else { return .everything }
    guard let field = try request.singleValue(of: "authorization"), let token = FieldValues.bearerToken(field) else {
      throw HTTPFault(401, "a bearer token is needed", close: false)
    }
    let bytes = Array(token)
    if let lastToken, SHA256.equalInConstantTime(lastToken.token, bytes) { return lastToken.grant }
    guard let grant = tokens.grant(token) else { throw HTTPFault(401, "the token is wrong", close: false) }
    lastToken = (bytes, grant)
    return grant
  }

  private func take(_ request: HTTPRequest, _ now: Instant, _ host: any SessionHost) {
    do throws(HTTPFault) {
      if pendingPlan == nil { return try carryOut(plan(request), request, now, host) }
      // The head came before the shutdown began, the end of the body after it.
      if isDraining {
        pendingPlan = nil
        throw HTTPFault(503, "this node is shutting down")
      }
      try carryOut(pendingPlan.take()!, request, now, host)
    } catch {
      reject(request, error, host)
    }
  }

  private func carryOut(
    _ plan: consuming Plan, _ request: HTTPRequest, _ now: Instant, _ host: any SessionHost
  ) throws(HTTPFault) {
    let exchange = HTTPExchange(request)
    switch consume plan {
    case .register(let register):
      var wait: Request.Wait?
      var deadline = now + register.timeout
      if let time = register.wait {
        wait = Request.Wait(unlessRevision: register.form.unlessRevision, until: now + time)
        deadline = now + time + register.timeout
      }
      let task: HTTPTask =
        register.verb.isChange ? .change(minimal: register.prefersMinimal) : .read(register.form)
      let wallSeconds = register.form.isSettle ? host.wallSeconds : 0
      let operation = try (consume register).operation(
        request.body, wallSeconds: wallSeconds, fallback: host.makeOperationID())
      guard host.hasRoom else { return fail(.overloaded, exchange, host) }
      let number = queue.append(.http(exchange, task))
      start(consume operation, wait: wait, deadline: deadline, exchange: number, part: 0, host)
    case .listing(let listing):
      guard host.hasRoom else { return fail(.overloaded, exchange, host) }
      let number = queue.append(.http(exchange, .listing(values: listing.values)))
      host.list(
        prefix: listing.prefix, after: listing.after, limit: Int(listing.limit), deadline: now + listing.timeout,
        for: ExchangeID(session: id, exchange: number))
    case .batch(let batch):
      try start(batch, request, exchange, now, host)
    case .members(let unless):
      let status = host.status()
      let date = date(host)
      answerNow { writer in MembersAnswer.members(status, unless, exchange, date, &writer) }
    case .changeMembers(let members):
      let wanted = try members.wanted(request.body)
      let number = queue.append(.http(exchange, .changeMembers))
      host.changeMembers(wanted, for: ExchangeID(session: id, exchange: number))
    case .lab(let page):
      let date = date(host)
      answerNow { writer in
        writer.begin(200, exchange, date)
        writer.end(.html, page())
        return 200
      }
    case .page(let resource, let verbose):
      answer(resource, verbose, exchange, host)
    case .scrub(let begins):
      let status = host.status()
      guard status.backend == "register" else {
        throw HTTPFault(501, "a log is read, and every checksum of it checked, when its node starts", close: false)
      }
      if begins { host.beginScrub() }
      let date = date(host)
      answerNow { writer in ScrubAnswer.write(status, code: begins ? 202 : 200, exchange, date, &writer) }
    case .options(let resource):
      let date = date(host)
      answerNow { writer in
        writer.begin(204, exchange, date)
        writer.field("Allow", Routes.allow(resource))
        writer.endEmpty()
        return 204
      }
    }
  }

  private func fail(_ failure: Failure, _ exchange: HTTPExchange, _ host: any SessionHost) {
    let date = date(host)
    answerNow { writer in writer.fail(failure, exchange, date) }
  }

  private func answer(_ resource: Resource, _ verbose: Bool, _ exchange: HTTPExchange, _ host: any SessionHost) {
    let date = date(host)
    switch resource {
    case .help: answerNow { writer in Administration.help(exchange, date, &writer) }
    case .live: answerNow { writer in Administration.live(exchange, date, &writer) }
    case .ready:
      let status = host.status()
      answerNow { writer in Administration.ready(status, verbose: verbose, exchange, date, &writer) }
    case .status:
      let status = host.status()
      answerNow { writer in Administration.status(status, exchange, date, &writer) }
    case .metrics:
      let page = Metrics.page(host.status(), counters.total)
      answerNow { writer in
        writer.begin(200, exchange, date)
        writer.end(.metrics, page)
        return 200
      }
    case .lab, .members, .scrub, .listing, .batch, .register: invariantFailed("this path has more to it than a page")
    }
  }

  /// Starts the operations of all lines that are right; the others are answered with what is wrong with them.
  private func start(
    _ request: BatchRequest, _ message: HTTPRequest, _ exchange: HTTPExchange, _ now: Instant,
    _ host: any SessionHost
  ) throws(HTTPFault) {
    let ranges = try BatchLine.ranges(in: message.body)
    guard host.hasRoom else { return fail(.overloaded, exchange, host) }
    let batch = Batch()
    let number = queue.append(.http(exchange, .batch(batch)))
    for (index, range) in ranges.enumerated() {
      do throws(HTTPFault) {
        let line = try BatchLine.parse(message.body[range], valueLimitBytes: options.maximumValueBytes)
        let operation = try request.operation(line, number: index, fallback: host.makeOperationID())
        guard host.hasRoom else {
          batch.append(.overloaded)
          continue
        }
        let part = batch.appendWaiting(isRead: operation.action.isRead)
        start(operation, wait: nil, deadline: now + request.timeout, exchange: number, part: part, host)
      } catch {
        batch.append(error)
      }
    }
    guard batch.waiting == 0 else { return }
    let date = date(host)
    answer(number) { writer in batch.write(exchange, date, &writer) }
  }
}
