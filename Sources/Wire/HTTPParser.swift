import Base

/// What a connection has received, in order.
package enum HTTPEvent: Sendable {
  /// A whole request.
  case request(HTTPRequest)
  /// The client waits for `100 Continue` before it sends the body of the request whose header section was just
  /// accepted. The interim answer goes out after the answers to all requests before it.
  case continueDue
  /// A request whose body follows part by part, as its policy asked.
  case streamBegan(HTTPRequest)
  case streamPart([UInt8])
  case streamEnded
}

/// The requests of one connection (RFC 9112): bytes in, whole requests out, in order, pipelined or in pieces of any
/// size.
///
/// After a fault, and after a request that ends the connection, nothing more comes out: whatever the client sent behind
/// it is never executed (RFC 9112 §9.6). The work is linear in the bytes, however they are cut.
package struct HTTPParser: Sendable {
  private enum State {
    case head
    /// Content-Length: so many bytes are missing.
    case counted(missing: UInt64, streams: Bool)
    case chunked(ChunkedReader, streams: Bool)
    case closed
    case failed(HTTPFault)
  }

  private let limits: HTTPLimits
  private var state = State.head
  /// The request whose body is under way. Invariant: set exactly in the states counted and chunked; it stands beside
  /// them and not in them, because taking a state apart would retain and release all of its arrays at every step.
  private var pending: HTTPRequest?
  private var head: HTTPHeadReader
  private var repeated = RepeatedFields()
  private var buffer: [UInt8] = []
  /// Bytes of `buffer` that are done with.
  private var consumed = 0
  private var emptyLines = 0
  private var body: [UInt8] = []
  private var continueIsDue = false

  package init(limits: HTTPLimits = HTTPLimits()) {
    self.limits = limits
    head = HTTPHeadReader(limits: limits)
  }

  /// Bytes that were fed and are not part of anything yielded yet.
  package var bufferedBytes: Int { buffer.count - consumed + body.count }

  /// Whether the connection rests between two requests, so that it may be closed without breaking one off.
  package var isIdle: Bool {
    if case .head = state { bufferedBytes == 0 } else { false }
  }

  /// Whether nothing will come out any more.
  package var isFinished: Bool {
    switch state {
    case .closed, .failed: true
    case .head, .counted, .chunked: false
    }
  }

  package mutating func feed(_ bytes: UnsafeRawBufferPointer) {
    if !isFinished { buffer.append(contentsOf: bytes) }
  }

  package mutating func feed(_ bytes: [UInt8]) {
    if !isFinished { buffer.append(contentsOf: bytes) }
  }

  package mutating func feed(_ bytes: ArraySlice<UInt8>) {
    if !isFinished { buffer.append(contentsOf: bytes) }
  }

  /// The next event, nil when more bytes are needed. `policy` is asked once for each request that has a body, when its
  /// header section is there and found well-formed.
  ///
  /// Throws the fault to be answered, and again at each later call; the connection is then to be closed.
  package mutating func next(policy: (HTTPRequest) -> HTTPBodyPolicy) throws(HTTPFault) -> HTTPEvent? {
    do throws(HTTPFault) {
      while true {
        let step: Step
        switch state {
        case .head: step = consumed < buffer.count ? try readHead(policy) : .starved
        case .counted(let missing, let streams): step = readCounted(missing, streams)
        case .chunked(let reader, let streams): step = try readChunked(reader, streams)
        case .closed: step = .starved
        case .failed(let fault): throw fault
        }
        switch step {
        case .yield(let event): return event
        case .again: continue
        case .starved:
          compact()
          return nil
        }
      }
    } catch {
      state = .failed(error)
      pending = nil
      buffer = []
      body = []
      consumed = 0
      throw error
    }
  }

  /// Every body is gathered up to `bodyLimitBytes`.
  package mutating func next(bodyLimitBytes: Int) throws(HTTPFault) -> HTTPEvent? {
    try next { (_: HTTPRequest) -> HTTPBodyPolicy in .gather(limitBytes: bodyLimitBytes) }
  }

  private enum Step {
    case yield(HTTPEvent)
    case again
    case starved
  }

  private mutating func readHead(_ policy: (HTTPRequest) -> HTTPBodyPolicy) throws(HTTPFault) -> Step {
    if head.isUntouched {
      guard try skipEmptyLines() else { return .starved }
    }
    // A second reference, because a span of a stored property would borrow all of the parser.
    let bytes = buffer
    guard let length = try head.read(bytes.span.bytes, from: consumed, repeated) else { return .starved }
    // Taken out at the end: a variable that goes one way or the other is copied.
    var made: HTTPRequest? = try head.finish(bytes, from: consumed, length: length, &repeated)
    let framing = made!.framing
    consumed += length
    emptyLines = 0

    switch framing {
    case .none, .length(0):
      return .yield(finish(made.take()!))
    case .length(let missing):
      let (limitBytes, streams) = Self.limit(policy(made!))
      // Before a byte of it is read, and before `100 Continue` would ask for it.
      guard missing <= limitBytes else { throw HTTPFault(413, "the body is larger than the limit") }
      if !streams, missing <= UInt64(bytes.count - consumed) {
        made!.body = Array(bytes[consumed..<consumed + Int(missing)])
        consumed += Int(missing)
        return .yield(finish(made.take()!))
      }
      state = .counted(missing: missing, streams: streams)
      if !streams { body.reserveCapacity(Int(min(missing, 1 << 16))) }
    case .chunked:
      let (limitBytes, streams) = Self.limit(policy(made!))
      state = .chunked(ChunkedReader(limits: limits, limitBytes: limitBytes), streams: streams)
    }
    var request = made.take()!
    request.detach()
    pending = request
    // Needless once the client has begun to send the body anyway (RFC 9110 §10.1.1).
    continueIsDue = request.expectsContinue && consumed == buffer.count
    if case .counted(_, streams: true) = state { return .yield(.streamBegan(request)) }
    if case .chunked(_, streams: true) = state { return .yield(.streamBegan(request)) }
    return .again
  }

  /// The most bytes that a body may have, and whether it is streamed.
  private static func limit(_ policy: HTTPBodyPolicy) -> (UInt64, Bool) {
    switch policy {
    case .gather(let bytes): (UInt64(bytes), false)
    case .stream: (.max, true)
    }
  }

  private mutating func readCounted(_ missing: UInt64, _ streams: Bool) -> Step {
    if let step = yieldContinue() { return step }
    let count = Int(min(UInt64(buffer.count - consumed), missing))
    if count > 0 {
      body.append(contentsOf: buffer[consumed..<consumed + count])
      consumed += count
    }
    let rest = missing - UInt64(count)
    // An empty rest of a streamed body takes one more turn, for the event that ends it.
    if streams, count > 0 {
      state = .counted(missing: rest, streams: true)
      return .yield(.streamPart(takeBody()))
    }
    if rest == 0 { return .yield(finishPending(streams)) }
    state = .counted(missing: rest, streams: streams)
    return .starved
  }

  private mutating func readChunked(_ started: ChunkedReader, _ streams: Bool) throws(HTTPFault) -> Step {
    if let step = yieldContinue() { return step }
    var reader = started
    let bytes = buffer
    let isComplete = try reader.read(bytes.span.bytes, from: &consumed, into: &body)
    // The reader must not see what follows the body, which an event may still have to go ahead of.
    state = isComplete ? .counted(missing: 0, streams: streams) : .chunked(reader, streams: streams)
    if streams, !body.isEmpty { return .yield(.streamPart(takeBody())) }
    if isComplete { return .yield(finishPending(streams)) }
    return .starved
  }

  private mutating func yieldContinue() -> Step? {
    guard continueIsDue else { return nil }
    continueIsDue = false
    return .yield(.continueDue)
  }

  private mutating func takeBody() -> [UInt8] {
    let taken = body
    body = []
    return taken
  }

  private mutating func finish(_ request: consuming HTTPRequest) -> HTTPEvent {
    state = request.keepAlive ? .head : .closed
    return .request(request)
  }

  private mutating func finishPending(_ streams: Bool) -> HTTPEvent {
    guard var request = pending else { invariantFailed("a body came without its request") }
    pending = nil
    request.body = takeBody()
    let event = finish(request)
    return streams ? .streamEnded : event
  }

  /// Steps over empty lines before a request line (RFC 9112 §2.2); false when there is nothing behind them yet.
  private mutating func skipEmptyLines() throws(HTTPFault) -> Bool {
    while consumed < buffer.count {
      var end = consumed
      if buffer[end] == HTTPCharacters.carriageReturn { end += 1 }
      guard end < buffer.count else { return false }
      guard buffer[end] == HTTPCharacters.lineFeed else { return true }
      consumed = end + 1
      emptyLines += 1
      guard emptyLines <= limits.leadingEmptyLines else {
        throw HTTPFault(400, "there are too many empty lines before the request")
      }
    }
    return false
  }

  /// Moves what is left to the front. Only after something was consumed, so each byte moves at most once per event.
  private mutating func compact() {
    if isFinished {
      buffer = []
      consumed = 0
    } else if consumed == buffer.count {
      // A connection that once sent much does not keep the room for as long as it stays.
      buffer.removeAll(keepingCapacity: buffer.capacity <= 1 << 18)
      consumed = 0
    } else if consumed > 0 {
      buffer.removeFirst(consumed)
      consumed = 0
    }
  }
}
