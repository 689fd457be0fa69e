import Base
import Host
import Wire

// Connections and the bytes on them.
extension World {
  // MARK: - Between nodes

  func startDialling(_ from: Int, _ to: Int) {
    let way = network.delay(from, to, &random)
    queue.schedule(.dial(from: from, to: to, life: nodes[from].life), at: time + way)
  }

  func dial(_ from: Int, _ to: Int, _ life: UInt32) {
    guard nodes[from].life == life, nodes[from].host != nil else { return }
    if putBy(from, .dial(from: from, to: to, life: life)) { return }
    guard !network.isCut(from, to), !network.isCut(to, from), nodes[to].host != nil, !nodes[to].isPaused else {
      enter(from)?.dialFailed(nodes[to].id, "no answer")
      return turnSoon(from)
    }
    let id = newConnection()
    var connection = SimConnection(
      dialler: .node(from, life: life), listener: to, listenerLife: nodes[to].life)
    connection.isAccepted = true
    connections[id] = connection
    enter(to)?.peerAccepted(id)
    enter(from)?.dialled(nodes[to].id, connection: id)
    turnSoon(from)
    turnSoon(to)
  }

  /// Sends what the host has for this connection.
  func flush(_ place: Int, _ host: Host, _ id: UInt64) {
    guard let connection = connections[id] else { return }
    let (bytes, isFinished) = host.takeOutput(id)
    var isDialler = false
    if case .node(place, _) = connection.dialler { isDialler = true }
    if !bytes.isEmpty {
      switch connection.dialler {
      case .client: send(id, toDialler: true, bytes, in: clientDelay())
      case .node(let other, _): sendToPeer(id, from: place, to: isDialler ? connection.listener : other, bytes)
      }
    }
    guard isFinished else { return }
    host.closed(id)
    // Behind what was just sent.
    let last = (isDialler ? connections[id]?.arrivalAtListener : connections[id]?.arrivalAtDialler) ?? 0
    closeEnd(id, atDialler: isDialler)
    queue.schedule(.closed(connection: id, toDialler: !isDialler), at: max(time + 50_000, last + 1))
  }

  /// Streams keep their order; the network does to single messages what its weather is.
  private func sendToPeer(_ id: UInt64, from: Int, to: Int, _ bytes: [UInt8]) {
    if let stage { return sendSingly(stage, id, from: from, to: to, bytes) }
    let isDialler = connections[id]?.listener == to
    var onTime: [PeerStream.Message] = []
    var stream: [UInt8] = []
    var isWhole = true
    func seal() {
      if !onTime.isEmpty { stream += PeerStream.frame(onTime, of: bytes) }
      onTime = []
    }
    for part in PeerStream.parts(of: bytes) {
      switch part {
      case .frame(let range):
        seal()
        stream += bytes[range]
      case .message(let message):
        events += 1
        if !nodes[from].hasSpoken { speaks(from) }
        monitor.left(from, for: to, message.partition, bytes, message.bytes)
        let fate = network.fate(&random)
        if trace != nil { traceMessage(from, to, bytes, message, fate) }
        switch fate {
        case .arrives: onTime.append(message)
        case .isLost:
          isWhole = false
          occurrences.note(.messageLost)
        case .arrivesTwice(let late):
          occurrences.note(.messageDoubled)
          onTime.append(message)
          queue.schedule(.late(from: from, to: to, PeerStream.frame([message], of: bytes)), at: time + late)
        case .isDelayed(let late):
          isWhole = false
          occurrences.note(.messageDelayed)
          queue.schedule(.late(from: from, to: to, PeerStream.frame([message], of: bytes)), at: time + late)
        }
      }
    }
    seal()
    sendOrHold(id, from, to, toDialler: !isDialler, isWhole ? bytes : stream)
  }

  private func speaks(_ place: Int) {
    nodes[place].hasSpoken = true
    record += nodes[place].unheard
    nodes[place].unheard = []
  }

  func sendOrHold(_ id: UInt64, _ from: Int, _ to: Int, toDialler: Bool, _ bytes: [UInt8]) {
    guard !bytes.isEmpty else { return }
    if network.isCut(from, to) {
      network.hold(from, to, connection: id, toDialler: toDialler, bytes)
    } else {
      send(id, toDialler: toDialler, bytes, in: network.delay(from, to, &random))
    }
  }

  func send(_ id: UInt64, toDialler: Bool, _ bytes: [UInt8], in delay: UInt64) {
    guard var connection = connections[id] else { return }
    if let stage, case .client(let number) = connection.dialler {
      return sendSingly(stage, id, client: number, toDialler: toDialler, bytes, in: delay)
    }
    let arrival: UInt64
    if toDialler {
      arrival = max(time + delay, connection.arrivalAtDialler + 1)
      connection.arrivalAtDialler = arrival
    } else {
      arrival = max(time + delay, connection.arrivalAtListener + 1)
      connection.arrivalAtListener = arrival
    }
    connections[id] = connection
    queue.schedule(.bytes(connection: id, toDialler: toDialler, bytes), at: arrival)
  }

  // MARK: - What arrives

  func arrive(_ id: UInt64, _ toDialler: Bool, _ bytes: [UInt8]) {
    guard let connection = connections[id] else { return }
    let (place, life): (Int, UInt32)
    if !toDialler {
      (place, life) = (connection.listener, connection.listenerLife)
    } else {
      switch connection.dialler {
      case .client(let number): return clientReceived(number, id, bytes)
      case .node(let dialler, let diallerLife): (place, life) = (dialler, diallerLife)
      }
    }
    guard let host = enter(place) else {
      if case .client(let number) = connection.dialler { refuseClient(number, id) }
      return
    }
    guard nodes[place].life == life, toDialler ? connection.isOpenAtDialler : connection.isOpenAtListener else {
      // The machine has no such connection, perhaps because it has started anew: it says so.
      closeEnd(id, atDialler: toDialler)
      queue.schedule(.closed(connection: id, toDialler: !toDialler), at: time + 50_000)
      return
    }
    if putBy(place, .bytes(connection: id, toDialler: toDialler, bytes)) { return }
    if !connection.isAccepted {
      connections[id]?.isAccepted = true
      guard host.sessionOpened(id) else {
        // It takes leave: nothing of the request got there.
        if nodes[place].isLeaving, case .client(let number) = connection.dialler { return refuseClient(number, id) }
        return fail("a node had no room for one more client")
      }
    }
    if case .client(let number) = connection.dialler { requestArrived(number, on: id) }
    if !toDialler, !connection.isEstablished, bytes.count > 3, bytes[3] >= FrameKind.batch.rawValue {
      connections[id]?.isEstablished = true
    }
    bytes.withUnsafeBytes { host.received(id, $0) }
    turnSoon(place)
  }

  func arriveLate(_ from: Int, _ to: Int, _ frame: [UInt8]) {
    guard !network.isCut(from, to), nodes[from].host != nil else { return }
    for id in connections.keys.sorted() {
      guard let connection = connections[id], connection.listener == to, connection.isEstablished,
        connection.dialler == .node(from, life: nodes[from].life), connection.listenerLife == nodes[to].life
      else { continue }
      return arrive(id, false, frame)
    }
  }

  /// The end learns that the connection is over.
  func closed(_ id: UInt64, _ toDialler: Bool) {
    guard let connection = connections[id], toDialler ? connection.isOpenAtDialler : connection.isOpenAtListener else {
      return
    }
    var (end, life) = (connection.listener, connection.listenerLife)
    if toDialler {
      switch connection.dialler {
      case .client(let number):
        closeEnd(id, atDialler: true)
        return clientLost(number, id)
      case .node(let dialler, let diallerLife): (end, life) = (dialler, diallerLife)
      }
    }
    if putBy(end, .closed(connection: id, toDialler: toDialler)) { return }
    closeEnd(id, atDialler: toDialler)
    guard nodes[end].life == life, let host = enter(end) else { return }
    if case .node = connection.dialler { occurrences.note(.linkBroken) }
    host.closed(id)
    turnSoon(end)
  }

  func closeEnd(_ id: UInt64, atDialler: Bool) {
    if connections[id]?.close(atDialler: atDialler) == true { connections[id] = nil }
  }

  /// A fault that cut the way has ended: what waited goes on, or its connection is found broken.
  func mend(_ from: Int, _ to: Int, breaking: Bool) {
    for (id, toDialler, bytes) in network.release(from, to) {
      if breaking {
        queue.schedule(.closed(connection: id, toDialler: true), at: time + 10_000)
        queue.schedule(.closed(connection: id, toDialler: false), at: time + 10_000)
      } else {
        send(id, toDialler: toDialler, bytes, in: network.delay(from, to, &random))
      }
    }
  }

  private func traceMessage(
    _ from: Int, _ to: Int, _ bytes: [UInt8], _ message: PeerStream.Message, _ fate: SimNetwork.Fate
  ) {
    let what = monitor.describe(bytes, message.bytes)
    let end =
      switch fate {
      case .arrives: network.isCut(from, to) ? "  held by a cut" : ""
      case .isLost: "  lost"
      case .arrivesTwice: "  comes twice"
      case .isDelayed: "  delayed"
      }
    trace?.add(time, "n\(from + 1) to n\(to + 1)  p\(message.partition) \(what)\(end)")
  }
}
