import Base
import Linearizability
import Wire

// Messages that move one by one.
extension World {
  func sendSingly(_ stage: Stage, _ id: UInt64, from: Int, to: Int, _ bytes: [UInt8]) {
    let toDialler = connections[id]?.listener != to
    for part in PeerStream.parts(of: bytes) {
      switch part {
      case .frame(let range):
        stage.heartbeats += 1
        sendOrHold(id, from, to, toDialler: toDialler, Array(bytes[range]))
        if !network.isCut(from, to) {
          let arrival = time + network[from, to].latency + network[from, to].clog
          stage.beats.append(Beat(from: from, to: to, sentAt: time, arrivesAt: arrival))
        }
      case .message(let message):
        events += 1
        nodes[from].hasSpoken = true
        monitor.left(from, for: to, message.partition, bytes, message.bytes)
        let flight = Flight(
          number: newFlight(stage), from: .node(from), to: .node(to), sentAt: time,
          arrivesAt: time + network.delay(from, to, &random), content: monitor.content(bytes, message.bytes),
          meetsCut: network.isCut(from, to), route: .peer(frame: PeerStream.frame([message], of: bytes)))
        if flight.content.tone == .beat { stage.heartbeats += 1 } else { stage.messages += 1 }
        takeOff(stage, flight)
      }
    }
  }

  func sendSingly(
    _ stage: Stage, _ id: UInt64, client: Int, toDialler: Bool, _ bytes: [UInt8], in delay: UInt64
  ) {
    guard let connection = connections[id] else { return }
    let node = Party.node(connection.listener)
    takeOff(
      stage,
      Flight(
        number: newFlight(stage), from: toDialler ? node : .client(client), to: toDialler ? .client(client) : node,
        sentAt: time, arrivesAt: time + delay, content: clientContent(client, toDialler: toDialler, bytes),
        meetsCut: false, route: .client(connection: id, toDialler: toDialler, bytes: bytes)))
  }

  private func newFlight(_ stage: Stage) -> UInt64 {
    defer { stage.nextFlight += 1 }
    return stage.nextFlight
  }

  private func takeOff(_ stage: Stage, _ flight: Flight) {
    var place = 0
    while place < stage.snares.count {
      if stage.snares[place].takes(flight) {
        stage.snares[place].left -= 1
        return stage.note(time, flight, .dropped)
      }
      place += 1
    }
    stage.flights.append(flight)
    // A message that meets a cut gets half-way.
    let end = flight.meetsCut ? flight.sentAt + (flight.arrivesAt - flight.sentAt) / 2 : flight.arrivesAt
    queue.schedule(.landing(flight: flight.number), at: end)
  }

  func land(_ number: UInt64) {
    guard let stage, let place = stage.flights.firstIndex(where: { $0.number == number }) else { return }
    let flight = stage.flights[place]
    if flight.meetsCut {
      stage.flights.remove(at: place)
      return stage.note(time, flight, .cut)
    }
    // Put off: another landing is to come.
    guard flight.arrivesAt <= time else { return }
    stage.flights.remove(at: place)
    switch flight.route {
    case .client(let connection, let toDialler, let bytes):
      if !toDialler, case .node(let node) = flight.to, nodes[node].host == nil {
        stage.note(time, flight, .refused)
      } else {
        stage.note(time, flight, .arrived)
      }
      arrive(connection, toDialler, bytes)
    case .peer(let frame):
      guard case .node(let from) = flight.from, case .node(let to) = flight.to else { return }
      guard let connection = connection(from, to), nodes[to].host != nil else {
        return stage.note(time, flight, .refused)
      }
      stage.note(time, flight, .arrived)
      arrive(connection, false, frame)
    }
  }

  /// The link on which messages come from one node to another, whether or not its other end still lives.
  private func connection(_ from: Int, _ to: Int) -> UInt64? {
    for id in connections.keys.sorted() {
      guard let connection = connections[id], connection.listener == to, connection.isEstablished,
        connection.listenerLife == nodes[to].life, connection.isOpenAtListener, case .node(from, _) = connection.dialler
      else { continue }
      return id
    }
    return nil
  }

  private func clientContent(_ client: Int, toDialler: Bool, _ bytes: [UInt8]) -> MessageContent {
    guard toDialler else {
      let call = clients[client].open?.calls.first
      let text = call.map { StageText.text(history.calls[$0]) } ?? "a request"
      let line = StageText.text(bytes.prefix { $0 != UInt8(ascii: "\r") })
      return MessageContent(.request, "request", text, [("HTTP", line)])
    }
    let line = StageText.text(bytes.prefix { $0 != UInt8(ascii: "\r") }.dropFirst(9))
    var rest = bytes
    var fields = [(name: "HTTP", value: line)]
    var label = line
    if let answer = ClientAnswer.take(from: &rest) {
      if let revision = answer.entityTag {
        fields.append(("ETag", "\(revision)"))
        label += ", revision \(revision)"
      }
      if !answer.body.isEmpty { fields.append(("body", String(decoding: answer.body.prefix(120), as: UTF8.self))) }
    }
    return MessageContent(.answer, "answer", label, fields)
  }

  // MARK: - What can be done to a message; false where it is no longer on its way

  package func drop(flight number: UInt64) -> Bool {
    guard let stage, let place = stage.flights.firstIndex(where: { $0.number == number }) else { return false }
    stage.note(time, stage.flights.remove(at: place), .dropped)
    return true
  }

  package func delay(flight number: UInt64, by nanoseconds: UInt64) -> Bool {
    guard let stage, let place = stage.flights.firstIndex(where: { $0.number == number }) else { return false }
    guard !stage.flights[place].meetsCut else { return false }
    stage.flights[place].arrivesAt += nanoseconds
    queue.schedule(.landing(flight: number), at: stage.flights[place].arrivesAt)
    return true
  }

  /// A second copy follows a little later.
  package func double(flight number: UInt64) -> Bool {
    guard let stage, let first = stage.flights.first(where: { $0.number == number }), !first.meetsCut else {
      return false
    }
    takeOff(
      stage,
      Flight(
        number: newFlight(stage), from: first.from, to: first.to, sentAt: first.sentAt,
        arrivesAt: first.arrivesAt + stage.rules.linkNanoseconds / 2, content: first.content, meetsCut: false,
        route: first.route))
    return true
  }
}
