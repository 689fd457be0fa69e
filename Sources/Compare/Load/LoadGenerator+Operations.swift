import Base
import Linux
import Workload

// Operations: how they start, what an answer means, how they end.
extension LoadGenerator {
  // MARK: - Starting

  /// Starts what clients of a closed loop do, wherever they are idle.
  func startIdleClients() {
    for (index, connection) in connections.enumerated() where !connection.idle.isEmpty {
      startClients(of: index, connection)
    }
  }

  func startClients(of index: Int, _ connection: LoadConnection) {
    guard schedules.isEmpty, connection.isOpen else { return }
    while let client = connection.idle.last {
      guard start(client, on: connection) else { break }
      connection.idle.removeLast()
    }
    flush(index, connection)
  }

  /// Closed loop: the next operation of a client. False when there is nothing more to do.
  @inline(__always)
  private func start(_ client: Int, on connection: LoadConnection) -> Bool {
    guard now < measureEnd else { return false }
    if let limit = options.operationLimit {
      guard begun < limit else { return false }
      begun += 1
    }
    if isFilling {
      guard let key = nextKeyToFill() else { return false }
      begin(
        options.profile.share(of: .read) == 100 ? .read : .update, key, client, startedAt: now.nanoseconds,
        on: connection)
    } else {
      let kind = options.profile.next(&random)
      begin(kind, key(for: client), client, startedAt: now.nanoseconds, on: connection)
    }
    return true
  }

  private func nextKeyToFill() -> UInt64? {
    if let key = fillAgain.popLast() { return key }
    guard fillCursor < UInt64(options.keys) else { return nil }
    fillCursor += 1
    return fillCursor - 1
  }

  @inline(__always)
  private func key(for client: Int) -> UInt64 {
    switch options.profile.keys {
    case .all: keyChoice.next(&random)
    case .ownOfClient: UInt64(client)
    case .hot: options.hotKeys == 1 ? 0 : random.below(UInt64(options.hotKeys))
    }
  }

  /// Open loop: starts what is due, on connections that are free.
  func dispatch() {
    for target in schedules.indices {
      while schedules[target].next <= now, schedules[target].next < measureEnd {
        let intended = schedules[target].next
        // Whoever waits for so long has gone away.
        if now >= intended + Milliseconds(options.timeoutMilliseconds) {
          leaveOut(intended, target)
        } else if let index = freeConnection(of: target) {
          let connection = connections[index]
          guard let client = connection.idle.popLast() else { break }
          let kind = options.profile.next(&random)
          begin(kind, key(for: client), client, startedAt: intended.nanoseconds, on: connection)
          flush(index, connection)
        } else if isDown(target) {
          // Whoever comes now is refused at once.
          count(.failed, target, startedAt: intended.nanoseconds, .read)
        } else {
          break
        }
        schedules[target].advance()
      }
    }
  }

  /// An operation that was never sent.
  private func leaveOut(_ intended: Instant, _ target: Int) {
    if intended >= measureFrom { result.notSent += 1 }
    count(.failed, target, startedAt: intended.nanoseconds, .read)
  }

  private func freeConnection(of target: Int) -> Int? {
    let all = connectionsOfTarget[target]
    var place = cursors[target]
    for _ in all.indices {
      place = place + 1 >= all.count ? 0 : place + 1
      let connection = connections[all[place]]
      if connection.isOpen, !connection.idle.isEmpty {
        cursors[target] = place
        return all[place]
      }
    }
    return nil
  }

  /// Whether every connection to an endpoint was refused.
  private func isDown(_ target: Int) -> Bool {
    connectionsOfTarget[target].allSatisfy {
      if case .resting = connections[$0].state { true } else { false }
    }
  }

  @inline(__always)
  private func begin(
    _ kind: OperationKind, _ key: UInt64, _ client: Int, startedAt start: UInt64, on connection: LoadConnection
  ) {
    var flight = Flight(
      kind: kind, step: .write, key: key, client: client, start: start, sentAt: now.nanoseconds)
    let writer = writers[connection.target]
    switch kind {
    case .read, .readModifyWrite:
      flight.step = .read
      writer.read(key, into: &connection.output)
    case .update: writer.write(key, if: .none, into: &connection.output)
    case .add:
      flight.step = .add
      writer.add(key, into: &connection.output)
    case .delete:
      flight.step = .delete
      writer.delete(key, into: &connection.output)
    case .increment:
      let known = revisions[revisionPlace(flight)]
      if known == 0 {
        flight.step = .read
        writer.read(key, into: &connection.output)
      } else {
        writer.write(key, if: known == LoadGenerator.absent ? .absent : .revision(known), into: &connection.output)
      }
    }
    connection.push(flight)
  }

  @inline(__always)
  private func revisionPlace(_ flight: Flight) -> Int {
    options.profile.keys == .hot ? flight.client * options.hotKeys + Int(flight.key) : flight.client
  }

  func forgetRevision(of flight: Flight) {
    if flight.kind == .increment { revisions[revisionPlace(flight)] = 0 }
  }

  // MARK: - Answers

  @inline(__always)
  func answered(
    _ flight: Flight, _ answer: AnswerScan, _ body: UnsafeRawBufferPointer, _ connection: LoadConnection
  ) {
    switch (flight.step, answer.status) {
    case (.read, 200), (.read, 404):
      if flight.kind == .read { return succeed(flight, connection) }
      let revision = answer.status == 200 ? revision(answer, body) : LoadGenerator.absent
      if flight.kind == .increment { revisions[revisionPlace(flight)] = revision }
      again(flight, revision, connection)
    case (.write, 200), (.write, 201), (.write, 204):
      if flight.kind == .increment { revisions[revisionPlace(flight)] = revision(answer, body) }
      succeed(flight, connection)
    case (.add, 200), (.delete, 200), (.delete, 204), (.delete, 404): succeed(flight, connection)
    case (.write, 412):
      if now >= measureFrom { result.conflicts += 1 }
      // Ours says the current revision in the ETag (none where the register is absent); etcd has to be asked.
      let current: UInt64
      switch options.dialect {
      case .synod: current = answer.revision == 0 ? LoadGenerator.absent : answer.revision
      case .etcd: current = 0
      }
      if flight.kind == .increment { revisions[revisionPlace(flight)] = current }
      again(flight, current, connection)
    default: refused(flight, answer, body, connection)
    }
  }

  private func revision(_ answer: AnswerScan, _ body: UnsafeRawBufferPointer) -> UInt64 {
    switch options.dialect {
    case .synod: answer.revision
    case .etcd: AnswerScan.number(after: "\"modifiedIndex\":", in: body) ?? 0
    }
  }

  /// Goes on with an operation that takes another request: a write if the revision is known, else a read.
  private func again(_ flight: Flight, _ revision: UInt64, _ connection: LoadConnection) {
    guard now < measureEnd + LoadGenerator.catchUp else {
      // Nobody waits for this one any more; it has changed nothing.
      end(flight, .failed, connection.target)
      connection.idle.append(flight.client)
      return
    }
    var next = flight
    next.sentAt = now.nanoseconds
    let writer = writers[connection.target]
    if revision == 0 {
      next.step = .read
      writer.read(flight.key, into: &connection.output)
    } else {
      next.step = .write
      let precondition: RequestWriter.Precondition = revision == LoadGenerator.absent ? .absent : .revision(revision)
      writer.write(flight.key, if: precondition, into: &connection.output)
    }
    connection.push(next)
  }

  @inline(__always)
  private func succeed(_ flight: Flight, _ connection: LoadConnection) {
    end(flight, .ok, connection.target)
    if !schedules.isEmpty || !start(flight.client, on: connection) { connection.idle.append(flight.client) }
  }

  /// The client rests until the next tick: whoever is refused at once and asks again at once asks for nothing else.
  private func refused(
    _ flight: Flight, _ answer: AnswerScan, _ body: UnsafeRawBufferPointer, _ connection: LoadConnection
  ) {
    let line = body.prefix { $0 != 0x0A }.prefix(200)
    let endpoint = options.endpoints[connection.target]
    result.lastFailure = "\(endpoint): \(answer.status) \(String(decoding: line, as: UTF8.self))"
    let isUnknown: Bool
    switch options.dialect {
    case .synod: isUnknown = flight.mayTakeEffect && answer.status >= 500 && answer.status != 503
    // Its 503, too, may come after the proposal has left.
    case .etcd: isUnknown = flight.mayTakeEffect && answer.status >= 500
    }
    forgetRevision(of: flight)
    if isFilling { fillAgain.append(flight.key) }
    end(flight, isUnknown ? .unknown : .failed, connection.target)
    connection.idle.append(flight.client)
  }

  // MARK: - Ends

  @inline(__always)
  func end(_ flight: Flight, _ outcome: Outcome, _ target: Int) {
    count(outcome, target, startedAt: flight.start, flight.kind)
  }

  @inline(__always)
  private func count(_ outcome: Outcome, _ target: Int, startedAt start: UInt64, _ kind: OperationKind) {
    total.add(outcome)
    let latency = now.nanoseconds - min(start, now.nanoseconds)
    result.timelines[target].record(outcome, at: now, latency: latency)
    if start < measureFrom.nanoseconds, now >= measureEnd { result.starved += 1 }
    // One that began in the warm-up and has not succeeded to the end is no less a failure.
    let isStarved = outcome != .ok && now >= measureEnd
    guard start < measureEnd.nanoseconds, start >= measureFrom.nanoseconds || isStarved else { return }
    result.counts.add(outcome)
    guard outcome == .ok else { return }
    result.latency.record(latency)
    result.latencyOfEndpoint[target].record(latency)
    if kind == .read { result.latencyOfReads.record(latency) } else { result.latencyOfChanges.record(latency) }
  }

  /// Counts what was never started, and closes the books.
  func finish() {
    for target in schedules.indices where !progress.isStopRequested {
      while schedules[target].next < min(measureEnd, now) {
        leaveOut(schedules[target].next, target)
        schedules[target].advance()
      }
    }
    // Those that are still under way have waited for longer than anybody would.
    for connection in connections {
      while let flight = connection.pop() {
        end(flight, flight.mayTakeEffect ? .unknown : .failed, connection.target)
      }
    }
    let measured = min(now, measureEnd)
    result.seconds =
      measured > measureFrom
      ? Double(measured.nanoseconds - measureFrom.nanoseconds) / 1e9 : Double.leastNonzeroMagnitude
    for target in result.timelines.indices { result.timelines[target].finish(at: now) }
    result.allCounts = total
    progress.tell(total)
  }
}
