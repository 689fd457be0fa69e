package import Base
package import Replica
import Wire

/// One client connection: bytes in, operations out to a ``SessionHost``; outcomes in, answers out, in the order of the
/// requests, whatever the order of the outcomes. It does no IO and reads no clock.
///
/// The server that drives it
/// - hands in what it received (``receive(_:now:host:)``) while ``wantsToRead``,
/// - after each call takes ``output`` and empties it, says in ``unsentBytes`` what its socket could not take, and calls
///   ``resume(now:host:)`` when that has shrunk,
/// - calls ``timedOut(now:host:)`` at ``deadline``, which each call may move,
/// - closes the connection when ``isFinished`` and everything is sent, or at once when ``isBroken``,
/// - calls ``connectionLost(host:)`` if the connection breaks before.
package final class Session {
  enum Dialect {
    case undecided, http, lines
  }

  package let id: UInt64
  let options: HostOptions
  let tokens: TokenTable?
  let counters: SessionCounters

  var dialect = Dialect.undecided
  private var sniffer: ProtocolSniffer
  var http: HTTPParser
  var lines: LineParser
  /// Writes into ``output``, the answer of the first exchange only.
  var writer = ResponseWriter()
  var queue = ExchangeQueue()
  private var order = OperationOrder()
  private var date = HTTPDate(unixSeconds: 0)

  /// Between the head of a request with a body and its end: what the head asks for, or why it is refused.
  var pendingPlan: Plan?
  var pendingFault: HTTPFault?
  /// The token that the last request bore, and what it grants.
  var lastToken: (token: [UInt8], grant: Grant)?
  /// By AUTH, on a connection that speaks lines.
  var lineGrant: Grant?

  /// Room that is made at once for the first answer after ``output`` was taken, instead of bit by bit.
  private static let usualAnswerBytes = 512
  /// Bytes of answers that wait for those before them.
  private var readyBytes = 0
  /// Nothing more is taken from the client: it said so, broke the rules, or the node shuts down.
  var stopsReading = false
  private var inputEnded = false
  var isDraining = false
  /// The parser may hold whole requests that were not taken yet, because too much was under way.
  private var isHeldBack = false
  /// When the request that is being read began to arrive; nil between requests.
  private var readingSince: Instant?
  private var lastProgress: Instant

  package private(set) var isFinished = false
  /// The client does not take its answers: what is unsent is lost.
  package private(set) var isBroken = false
  /// What the server took out of ``output`` and its socket has not taken yet.
  package var unsentBytes = 0

  package init(
    id: UInt64, options: HostOptions, tokens: TokenTable?, counters: SessionCounters = SessionCounters(), now: Instant
  ) {
    self.id = id
    self.options = options
    self.tokens = tokens
    self.counters = counters
    let limits = HTTPLimits()
    sniffer = ProtocolSniffer(firstLineLimitBytes: limits.requestLineBytes)
    http = HTTPParser(limits: limits)
    lines = LineParser(valueLimitBytes: options.maximumValueBytes)
    lastProgress = now
    counters.countSession()
  }

  /// Bytes of answers that the server has not taken yet.
  package var output: [UInt8] {
    get { writer.bytes }
    // In place, so that a server that empties it may keep its room.
    _modify { yield &writer.bytes }
  }

  /// False while too much is under way or unsent; what is received nevertheless is kept, so memory is the server's
  /// care.
  package var wantsToRead: Bool { !stopsReading && !inputEnded && !isFinished && hasRoom }

  var hasRoom: Bool {
    queue.count < options.maximumPipelined
      && unsentBytes + writer.bytes.count + readyBytes <= options.maximumUnsentBytes
  }

  package func receive(_ bytes: UnsafeRawBufferPointer, now: Instant, host: any SessionHost) {
    guard !stopsReading, !inputEnded, !isFinished else { return }
    lastProgress = now
    switch dialect {
    case .undecided:
      switch sniffer.feed(bytes) {
      case nil: break
      case .http:
        dialect = .http
        http.feed(sniffer.bytes)
      case .lines:
        dialect = .lines
        lines.feed(sniffer.bytes)
      }
      if dialect != .undecided { sniffer = ProtocolSniffer(firstLineLimitBytes: 0) }
    case .http: http.feed(bytes)
    case .lines: lines.feed(bytes)
    }
    parse(now, host)
  }

  /// The outcome of the operation `part` of an exchange.
  package func complete(_ exchange: UInt64, part: Int, _ outcome: Outcome, now: Instant, host: any SessionHost) {
    // After the client has gone, changes go on, and nobody waits for what becomes of them.
    guard queue.contains(exchange) else { return }
    for next in order.finished(exchange, part: part) {
      host.submit(
        next.operation, wait: next.wait, deadline: next.deadline,
        for: ExchangeID(session: id, exchange: next.exchange), part: next.part)
    }
    let taken = queue[exchange]
    switch taken {
    case .http(_, .batch(let batch)):
      batch.answer(part, outcome)
      if batch.waiting > 0 { return }
    case .http(_, .listing), .http(_, .changeMembers), .ready, .done:
      invariantFailed("an outcome came for an exchange that waits for none")
    case .http, .line:
      break
    }
    let date = date(host)
    answer(exchange) { writer in Self.write(taken, outcome, date, &writer) }
    goOn(now, host)
  }

  /// Starts an operation, or keeps it until those before it on the same register are answered.
  func start(
    _ operation: consuming Operation, wait: Request.Wait?, deadline: Instant, exchange: UInt64, part: Int,
    _ host: any SessionHost
  ) {
    guard order.admit(operation, isLongPoll: wait != nil, exchange: exchange, part: part) else {
      return order.hold(
        OperationOrder.Held(operation: operation, wait: wait, deadline: deadline, exchange: exchange, part: part))
    }
    host.submit(
      operation, wait: wait, deadline: deadline, for: ExchangeID(session: id, exchange: exchange), part: part)
  }

  /// The page of a listing; nil: no quorum in time.
  package func complete(list exchange: UInt64, _ page: ListPage?, now: Instant, host: any SessionHost) {
    guard queue.contains(exchange) else { return }
    guard case .http(let head, .listing(let values)) = queue[exchange] else {
      invariantFailed("a page came for an exchange that is no listing")
    }
    let date = date(host)
    answer(exchange) { writer in ListingAnswer.page(page, values: values, head, date, &writer) }
    goOn(now, host)
  }

  /// What becomes of a wish for other members.
  package func complete(change exchange: UInt64, _ answer: ChangeAnswer, now: Instant, host: any SessionHost) {
    guard queue.contains(exchange) else { return }
    guard case .http(let head, .changeMembers) = queue[exchange] else {
      invariantFailed("an answer about members came for an exchange that did not ask for it")
    }
    let date = date(host)
    let status = host.status()
    self.answer(exchange) { writer in MembersAnswer.change(answer, status, head, date, &writer) }
    goOn(now, host)
  }

  /// The client sends nothing more; it still gets the answers to what it has sent.
  package func peerClosed(now: Instant, host: any SessionHost) {
    inputEnded = true
    readingSince = nil
    goOn(now, host)
    finishIfDone()
  }

  /// The server has sent some of what was unsent.
  package func resume(now: Instant, host: any SessionHost) {
    lastProgress = now
    if isHeldBack { parse(now, host) }
    finishIfDone()
  }

  /// Shuts down: what is under way is answered, nothing else is begun. Exactly what the client was not answered by the
  /// time the connection closes was not executed (RFC 9112 §9.6); a request that is half received is answered 503.
  package func drain(now: Instant) {
    isDraining = true
    if !queue.isEmpty {
      queue.closeBehindLast()
      stopsReading = true
    } else if isBetweenRequests, !isHeldBack {
      stopsReading = true
    }
    if stopsReading { readingSince = nil }
    finishIfDone()
  }

  /// The connection broke: nobody will read the answers.
  package func connectionLost(host: any SessionHost) {
    // What was held back was not begun, and is not begun any more.
    order.removeAll()
    var number = queue.firstNumber
    while number < queue.nextNumber {
      switch queue[number] {
      case .http, .line: host.cancel(ExchangeID(session: id, exchange: number))
      case .ready, .done: break
      }
      number += 1
    }
    queue.removeAll()
    writer.bytes = []
    readyBytes = 0
    isFinished = true
  }

  /// When ``timedOut(now:host:)`` is due.
  package var deadline: Instant {
    if isBroken { return .never }
    var due = Instant.never
    // A client that reads nothing must not hold its answers in memory for ever; nor one that has nothing to say a
    // place.
    if unsentBytes > 0 || !writer.bytes.isEmpty || queue.isEmpty { due = lastProgress + options.idleTimeout }
    if let readingSince { due = min(due, readingSince + options.requestReadTimeout) }
    return due
  }

  /// Does nothing before the ``deadline``.
  package func timedOut(now: Instant, host: any SessionHost) {
    guard now >= deadline else { return }
    if now >= lastProgress + options.idleTimeout, unsentBytes > 0 || !writer.bytes.isEmpty {
      isBroken = true
      connectionLost(host: host)
    } else if readingSince != nil {
      readingSince = nil
      stopsReading = true
      if dialect == .lines {
        answerLine(Lines.tooSlow)
      } else {
        let fault = HTTPFault(408, "the request did not arrive in time")
        let date = date(host)
        answerNow { writer in writer.reject(fault, nil, .refused, date) }
      }
      lastProgress = now
    } else {
      stopsReading = true
    }
    finishIfDone()
  }

  /// Takes requests out of the parser, as many as may be under way.
  private func parse(_ now: Instant, _ host: any SessionHost) {
    var taken = 0
    isHeldBack = false
    while !stopsReading {
      guard hasRoom else {
        isHeldBack = true
        break
      }
      let hasTaken: Bool
      switch dialect {
      case .undecided: hasTaken = false
      case .http: hasTaken = takeHTTP(now, host)
      case .lines: hasTaken = takeLine(now, host)
      }
      guard hasTaken else { break }
      taken += 1
    }
    if stopsReading || isHeldBack || inputEnded || isBetweenRequests {
      readingSince = nil
    } else if taken > 0 || readingSince == nil {
      // From the first byte on, and not from the last one: a byte now and then must not hold a place for ever.
      readingSince = now
    }
    finishIfDone()
  }

  private var isBetweenRequests: Bool {
    switch dialect {
    case .undecided: sniffer.bytes.isEmpty
    case .http: Self.isIdle(&http)
    case .lines: lines.isIdle
    }
  }

  /// In place: asked of the property, all of the parser would be copied first, which costs more than the answer.
  private static func isIdle(_ parser: inout HTTPParser) -> Bool { parser.isIdle }

  private func goOn(_ now: Instant, _ host: any SessionHost) {
    lastProgress = now
    if isHeldBack { parse(now, host) } else { finishIfDone() }
  }

  private func finishIfDone() {
    if queue.isEmpty, stopsReading || (inputEnded && !isHeldBack) { isFinished = true }
  }

  func date(_ host: any SessionHost) -> HTTPDate {
    let seconds = host.wallSeconds
    if date.unixSeconds != seconds { date = HTTPDate(unixSeconds: seconds) }
    return date
  }

  /// Answers a request that was not put into the queue, behind those that were.
  func answerNow(_ write: (inout ResponseWriter) -> Int) {
    let status: Int
    if queue.isEmpty {
      status = write(&writer)
    } else {
      var side = ResponseWriter()
      status = write(&side)
      keep(side.bytes)
    }
    count(status)
  }

  /// `100 Continue`, which is no answer and is not counted.
  func continueNow() {
    if queue.isEmpty {
      writer.interimContinue()
    } else {
      var side = ResponseWriter()
      side.interimContinue()
      keep(side.bytes)
    }
  }

  private func keep(_ bytes: [UInt8]) {
    queue.append(.ready(bytes))
    readyBytes += bytes.count
  }

  func answer(_ number: UInt64, _ write: (inout ResponseWriter) -> Int) {
    let status: Int
    if number == queue.firstNumber {
      if writer.bytes.isEmpty { writer.bytes.reserveCapacity(Self.usualAnswerBytes) }
      status = write(&writer)
      queue.removeFirst()
      while !queue.isEmpty, case .ready(let bytes) = queue.first {
        writer.bytes.append(contentsOf: bytes)
        readyBytes -= bytes.count
        queue.removeFirst()
      }
    } else {
      var side = ResponseWriter()
      status = write(&side)
      readyBytes += side.bytes.count
      queue[number] = .ready(side.bytes)
    }
    count(status)
  }

  private func count(_ status: Int) {
    if dialect == .lines { counters.countLineAnswer(status) } else { counters.countAnswer(status) }
  }

  private static func write(
    _ exchange: Exchange, _ outcome: Outcome, _ date: HTTPDate, _ writer: inout ResponseWriter
  ) -> Int {
    switch exchange {
    case .http(let head, .read(let form)): return RegisterAnswer.read(outcome, form, head, date, &writer)
    case .http(let head, .change(let minimal)):
      return RegisterAnswer.change(outcome, minimal: minimal, head, date, &writer)
    case .http(let head, .batch(let batch)): return batch.write(head, date, &writer)
    case .line(let task): return Lines.answer(outcome, task, to: &writer.bytes)
    case .http(_, .listing), .http(_, .changeMembers), .ready, .done:
      invariantFailed("the exchange waits for no outcome")
    }
  }
}
