import Base
import Host
import Linearizability
import Replica

// A load whose operations are timed.
extension World {
  func measure(_ run: MeasuredRun) -> MeasuredRun.Result {
    for from in nodes.indices {
      for to in nodes.indices { network[from, to].latency = run.ways[from][to] }
      diskNanoseconds[from] = 80_000
    }
    network.setLateness(below: run.jitter, isStormy: run.isStormy)
    for node in nodes { start(node.place) }
    self.run(until: 20_000_000_000) { self.areAllReady }
    if failures.isEmpty && !areAllReady { fail("the cluster did not form") }

    let start = time + run.warmUp.nanoseconds
    measurement = Measurement(run.load, nodes: nodes.count, from: start, end: start + run.duration.nanoseconds)
    let keys = measurement?.keys ?? 0
    for number in 0..<nodes.count * run.load.clientsOfNode {
      clients.append(SimClient(number: number, node: number % nodes.count, keys: keys))
      switch run.load.pace {
      case .closed: visitLater(number, in: 1 + clientRandom.below(1_000_000))
      case .open: measurement?.idle[number % nodes.count].append(number)
      }
    }
    if case .open = run.load.pace {
      for node in nodes.indices { queue.schedule(.arrival(node: node), at: time + UInt64(node) * 10_000 + 1) }
    }
    self.run(until: start)
    let leader = leader
    let victim = leader ?? 0
    if let fault = run.fault {
      self.run(until: start + fault.from * 1_000_000)
      for (from, to) in links(of: victim, fault.kind) { network[from, to].cuts += 1 }
      self.run(until: start + fault.to * 1_000_000)
      for (from, to) in links(of: victim, fault.kind) { uncut(from, to, false) }
    }
    self.run(until: start + run.duration.nanoseconds)
    self.run(until: time + run.load.timeout.nanoseconds + 10_000_000) { !self.isAnythingUnderWay }
    giveUpTheRest()
    return MeasuredRun.Result(
      failures: failures, operations: measurement?.operations ?? [], leader: leader, victim: victim)
  }

  private func links(of victim: Int, _ fault: MeasuredRun.Fault) -> [(Int, Int)] {
    var links: [(Int, Int)] = []
    for other in nodes.indices where other != victim {
      links.append((victim, other))
      if fault == .isolated { links.append((other, victim)) }
    }
    return links
  }

  /// The one that most believe in.
  private var leader: Int? {
    for node in nodes {
      if let id = node.host?.status().replica.log?.leader { return Int(id.value) - 1 }
    }
    return nil
  }

  private var isAnythingUnderWay: Bool {
    guard let measurement else { return false }
    return measurement.flights.contains { $0 != nil } || measurement.due.contains { !$0.isEmpty }
  }

  // MARK: - Starting

  /// Open loop: an operation of this node is due.
  func arrival(_ node: Int) {
    guard let measurement, case .open(let perSecond) = measurement.load.pace, time < measurement.end else { return }
    queue.schedule(.arrival(node: node), at: time + 1_000_000_000 / perSecond)
    self.measurement?.due[node].append(time)
    startDue(node)
  }

  private func startDue(_ node: Int) {
    guard let timeout = measurement?.load.timeout.nanoseconds else { return }
    while let start = measurement?.due[node].first {
      if time >= start + timeout {
        // Whoever waits for so long has gone away.
        measurement?.due[node].removeFirst()
        measurement?.record(node, Measurement.Flight(key: 0, isRead: true, start: start), at: time, .failed)
      } else if let client = measurement?.idle[node].popLast() {
        measurement?.due[node].removeFirst()
        begin(client, startedAt: start)
      } else {
        return
      }
    }
  }

  private func begin(_ number: Int, startedAt start: UInt64) {
    guard let measurement else { return }
    let flight: Measurement.Flight
    switch measurement.load.work {
    case .shared(let keys, let reads):
      let isRead = clientRandom.below(100) < reads
      flight = Measurement.Flight(key: Int(clientRandom.below(UInt64(keys))), isRead: isRead, start: start)
    case .compareAndSet: flight = Measurement.Flight(key: number, isRead: false, start: start)
    case .read: flight = Measurement.Flight(key: number, isRead: true, start: start)
    }
    self.measurement?.flights[number] = flight
    ask(number, flight)
  }

  private func ask(_ number: Int, _ flight: Measurement.Flight) {
    guard let load = measurement?.load else { return }
    var condition = Call.Condition.always
    if case .compareAndSet = load.work {
      let known = clients[number].known[flight.key]
      condition = known == 0 ? Call.Condition(exists: false) : Call.Condition(revisionIn: [known])
    }
    let value: [UInt8] = [UInt8](repeating: UInt8(ascii: "v"), count: 16)
    // Far from the client's own patience: a node that holds a request does so for as long as it does by default.
    let request = ClientRequest(
      subject: .register(key(flight.key), flight.isRead ? .read : .put(value), condition), timeoutMilliseconds: 5000)
    send(number, request, flight.key)
    visitLater(number, in: load.timeout.nanoseconds)
  }

  /// All of one length, unlike those of other scenarios, of which there are few.
  private func key(_ number: Int) -> Key {
    var name: [UInt8] = []
    Decimal.append(UInt64(100_000 + number), to: &name)
    return Key(name)
  }

  // MARK: - Ends

  /// The client's time has come: for its next operation, or to wait no longer.
  func measuredVisit(_ number: Int) {
    guard let measurement else { return }
    if let flight = measurement.flights[number] {
      abandon(number)
      hangUp(number)
      return ended(number, flight.isRead ? .failed : .unknown, isRefused: true)
    }
    switch measurement.load.pace {
    case .closed: if time < measurement.end { begin(number, startedAt: time) }
    case .open:
      self.measurement?.idle[clients[number].node].append(number)
      startDue(clients[number].node)
    }
  }

  func measuredAnswer(_ number: Int, _ answer: ClientAnswer) {
    guard let measurement, let flight = measurement.flights[number] else { return }
    switch (flight.isRead, answer.status) {
    case (true, 200), (true, 404): ended(number, .succeeded)
    case (false, 200), (false, 201):
      clients[number].known[flight.key] = answer.entityTag ?? 0
      ended(number, .succeeded)
    case (false, 412):
      clients[number].known[flight.key] = answer.entityTag ?? 0
      ask(number, flight)
    case (_, 503), (_, 429), (true, _): ended(number, .failed, isRefused: true)
    default: ended(number, .unknown, isRefused: true)
    }
  }

  /// The connection is lost. `isRefused`: nothing of the request got there.
  func measuredLoss(_ number: Int, isRefused: Bool) {
    guard let flight = measurement?.flights[number] else { return }
    ended(number, flight.isRead || isRefused ? .failed : .unknown, isRefused: true)
  }

  /// Whoever was refused asks again a little later, so as not to ask for nothing else.
  private func ended(_ number: Int, _ outcome: MeasuredOperation.Outcome, isRefused: Bool = false) {
    guard let flight = measurement?.flights[number] else { return }
    measurement?.flights[number] = nil
    measurement?.record(clients[number].node, flight, at: time, outcome)
    visitLater(number, in: isRefused ? 10_000_000 : 1)
  }

  /// What nobody has answered to the end.
  private func giveUpTheRest() {
    guard let measurement else { return }
    for (number, flight) in measurement.flights.enumerated() {
      guard let flight else { continue }
      self.measurement?.record(clients[number].node, flight, at: time, flight.isRead ? .failed : .unknown)
    }
    for (node, starts) in measurement.due.enumerated() {
      for start in starts {
        self.measurement?.record(node, Measurement.Flight(key: 0, isRead: true, start: start), at: time, .failed)
      }
    }
  }
}
