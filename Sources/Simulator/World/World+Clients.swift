import Base
import Linearizability
import Wire

// What clients do and hear.
extension World {
  func clientDelay() -> UInt64 { stage?.rules.clientNanoseconds ?? 10_000 + clientRandom.below(60_000) }

  func visitLater(_ number: Int, in delay: UInt64) {
    clients[number].visit += 1
    queue.schedule(.client(number, visit: clients[number].visit), at: time + delay)
  }

  /// The client's time has come: for its next request, or to wait no longer.
  func goOn(_ number: Int) {
    if measurement != nil { return measuredVisit(number) }
    if clients[number].open != nil { return giveUp(number) }
    guard !isClosing else { return }
    if clientRandom.below(100) < scenario.workload.wandering || clients[number].unfinished != nil {
      move(number, to: Int(clientRandom.below(UInt64(nodes.count))))
    }
    let (request, key) = scenario.workload.next(&clients[number], &clientRandom)
    send(number, request, key)
  }

  /// The client asks another node from now on.
  func move(_ number: Int, to node: Int) {
    guard node != clients[number].node || clients[number].connection == nil else { return }
    hangUp(number)
    clients[number].node = node
  }

  func hangUp(_ number: Int) {
    clients[number].input = []
    guard let id = clients[number].connection else { return }
    clients[number].connection = nil
    queue.schedule(.closed(connection: id, toDialler: false), at: time + clientDelay())
    closeEnd(id, atDialler: true)
  }

  func send(_ number: Int, _ request: ClientRequest, _ key: Int?) {
    operations += 1
    let id: UInt64
    if let open = clients[number].connection {
      id = open
    } else {
      id = newConnection()
      let node = clients[number].node
      connections[id] = SimConnection(dialler: .client(number), listener: node, listenerLife: nodes[node].life)
      clients[number].connection = id
    }
    note(request, key, by: number)
    clients[number].open = SimClient.Open(request: request, calls: record(number, request))
    let bytes = request.encoded()
    if trace != nil {
      let lines = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\r") }.dropLast(9), as: UTF8.self)
      trace?.add(time, "c\(number + 1) to n\(clients[number].node + 1)  \(lines)")
    }
    send(id, toDialler: false, bytes, in: clientDelay())
    var patience = request.timeoutMilliseconds * 1_200_000 + 300_000_000
    if case .wait(_, _, let milliseconds) = request.subject { patience += milliseconds * 1_000_000 }
    visitLater(number, in: patience)
  }

  /// Keeps what the client may ask again for, or ask about.
  private func note(_ request: ClientRequest, _ key: Int?, by number: Int) {
    guard case .register(_, let action, _) = request.subject, action.isChange, request.id != nil, let key else {
      return
    }
    if clients[number].unfinished?.request.id == request.id {
      occurrences.note(.retried)
    } else {
      clients[number].unfinished = SimClient.Unfinished(
        request: request, key: key, known: clients[number].known[key],
        attemptsLeft: Int(clientRandom.below(4)))
    }
  }

  private func record(_ number: Int, _ request: ClientRequest) -> [Int] {
    let process = clients[number].process
    switch request.subject {
    case .register(let key, let action, let condition):
      var id: [UInt8]?
      if action.isChange { id = request.id }
      return [
        history.append(
          Call(process: process, key: key, action: action, condition: condition, id: id, invoked: time))
      ]
    case .wait(let key, _, _):
      return [history.append(Call(process: process, key: key, action: .read, invoked: time))]
    case .list:
      // Each entry, and each absence, is a read by itself.
      return (0..<scenario.workload.keys).map { key in
        history.append(
          Call(process: process << 20 | UInt64(key), key: scenario.workload.key(key), action: .read, invoked: time))
      }
    }
  }

  /// The node has the request: from now on its deadline runs. Not of one that the client waits for no longer: that may
  /// come late.
  func requestArrived(_ number: Int, on connection: UInt64) {
    guard clients[number].connection == connection, let open = clients[number].open,
      case .register(_, let action, _) = open.request.subject, action.isChange
    else { return }
    // By the node's clock, and by another one's where it is forwarded; and a client hears of its passing later.
    let timeout = open.request.timeoutMilliseconds * 1_000_000
    history.expire(open.calls[0], at: time + timeout + timeout / 500 + 1_000_000)
  }

  func clientReceived(_ number: Int, _ id: UInt64, _ bytes: [UInt8]) {
    guard clients[number].connection == id else { return }
    clients[number].input += bytes
    while let answer = ClientAnswer.take(from: &clients[number].input) {
      guard let open = clients[number].open else { return fail("client \(number + 1) was answered twice") }
      events += 1
      if trace != nil {
        let tag = answer.entityTag.map { "  revision \($0)" } ?? ""
        trace?.add(time, "c\(number + 1) hears  \(answer.status)\(tag)\(answer.isReplay ? "  replayed" : "")")
      }
      clients[number].open = nil
      if measurement != nil {
        measuredAnswer(number, answer)
        continue
      }
      finish(number, open, answer)
      visitLater(number, in: 1 + clientRandom.below(scenario.workload.longestPause * 1_000_000))
    }
  }

  private func finish(_ number: Int, _ open: SimClient.Open, _ answer: ClientAnswer) {
    if case .list(let limit) = open.request.subject { return finishListing(number, open, answer, limit: limit) }
    let isDead = clients[number].unfinished?.isDead ?? false
    guard let outcome = AnswerJudge.outcome(answer, to: open.request) else {
      let detail = String(decoding: answer.body, as: UTF8.self)
      return fail("client \(number + 1) was answered \(answer.status), which nothing it asked deserves: \(detail)")
    }
    history.end(open.calls[0], at: time, outcome)
    count(outcome, open.request)
    learn(number, history.calls[open.calls[0]].key, outcome)
    if case .wait = open.request.subject { occurrences.note(.waited) }
    guard clients[number].unfinished?.request.id == open.request.id else { return }
    switch outcome {
    case .unknown, .settled: break
    // Now and then what was answered is asked again: the answer must be the same.
    case .changed: if clientRandom.below(4) != 0 { clients[number].unfinished = nil }
    case .read, .absent, .conditionFailed, .notANumber, .notApplied:
      if !isDead { clients[number].unfinished = nil }
    }
    if case .settled(_, .dead) = outcome { clients[number].unfinished?.isDead = true }
  }

  private func count(_ outcome: Call.Outcome, _ request: ClientRequest) {
    switch outcome {
    case .read: occurrences.note(.observed)
    case .settled(_, let fate):
      occurrences.note(.settledRound)
      switch fate {
      case .applied: occurrences.note(.settledApplied)
      case .dead: occurrences.note(.settledDead)
      case .forgotten: occurrences.note(.settledForgotten)
      case nil: break
      }
    case .changed(let change):
      occurrences.note(.applied)
      if change.replayed == true { occurrences.note(.replayed) }
    case .absent, .notANumber: occurrences.note(.observed)
    case .conditionFailed: occurrences.note(.conditionFailed)
    case .notApplied: occurrences.note(.notApplied)
    case .unknown: occurrences.note(.unknown)
    }
  }

  private func learn(_ number: Int, _ key: Key, _ outcome: Call.Outcome) {
    var seen: UInt64?
    switch outcome {
    case .read(.present(let revision, _)), .settled(.present(let revision, _), _),
      .conditionFailed(.present(let revision, _)):
      seen = revision
    case .changed(let change): seen = change.revision
    case .read, .settled, .conditionFailed, .absent, .notANumber, .notApplied, .unknown: break
    }
    guard let seen else { return }
    for place in clients[number].known.indices where scenario.workload.key(place) == key {
      clients[number].known[place] = max(seen, clients[number].known[place])
    }
  }

  private func finishListing(_ number: Int, _ open: SimClient.Open, _ answer: ClientAnswer, limit: UInt64) {
    var body = answer.body
    while body.last == UInt8(ascii: "\n") { body.removeLast() }
    guard answer.status == 200 else {
      guard answer.status == 503 || answer.status == 504 || answer.status == 429 else {
        return fail("a listing was answered \(answer.status)")
      }
      for call in open.calls { history.end(call, at: time, .notApplied) }
      return
    }
    guard let page = try? JSONValue.parse(body), let entries = page["keys"]?.array, let more = page["more"]?.boolean
    else { return fail("a listing does not decode") }
    occurrences.note(.listed)
    let last = entries.last?["key"]?.string
    for call in open.calls {
      let key = history.calls[call].key.bytes
      if let entry = entries.first(where: { $0["key"]?.string == key }) {
        let sight = Call.Sight.present(revision: entry["revision"]?.unsigned, value: entry["value"]?.string)
        history.end(call, at: time, .read(sight))
      } else if !more || (last.map { key.lexicographicallyPrecedes($0) } ?? false) {
        history.end(call, at: time, .read(.absent))
      } else {
        history.end(call, at: time, .notApplied)
      }
    }
  }

  /// No answer came in time: the client asks elsewhere, under another name in the history.
  private func giveUp(_ number: Int) {
    occurrences.note(.neverAnswered)
    trace?.add(time, "c\(number + 1) waits no longer")
    abandon(number)
    move(number, to: Int(clientRandom.below(UInt64(nodes.count))))
    hangUp(number)
    visitLater(number, in: 1 + clientRandom.below(scenario.workload.longestPause * 1_000_000))
  }

  func abandon(_ number: Int) {
    clients[number].open = nil
    clients[number].process += 1000
  }

  /// The node has closed the connection, or its machine is gone.
  func clientLost(_ number: Int, _ id: UInt64) {
    guard clients[number].connection == id else { return }
    clients[number].connection = nil
    clients[number].input = []
    guard clients[number].open != nil else { return }
    occurrences.note(.neverAnswered)
    abandon(number)
    if measurement != nil { return measuredLoss(number, isRefused: false) }
    visitLater(number, in: 1 + clientRandom.below(scenario.workload.longestPause * 1_000_000))
  }

  /// The node is down: nothing of the request got there.
  func refuseClient(_ number: Int, _ id: UInt64) {
    closeEnd(id, atDialler: false)
    closeEnd(id, atDialler: true)
    guard clients[number].connection == id else { return }
    clients[number].connection = nil
    if let open = clients[number].open {
      for call in open.calls { history.end(call, at: time, .notApplied) }
      clients[number].open = nil
    }
    if measurement != nil { return measuredLoss(number, isRefused: true) }
    move(number, to: (clients[number].node + 1) % nodes.count)
    visitLater(number, in: 1 + clientRandom.below(scenario.workload.longestPause * 1_000_000))
  }
}
