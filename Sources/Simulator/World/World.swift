import Base
import Host
package import Linearizability
import Replica
import Storage

/// Whole nodes, a network, disks, clocks and clients that are made up, moved event by event. Everything follows from
/// the seed: the same world runs the same way, to the byte, each time.
package final class World {
  let scenario: Scenario
  var plan: SimNode.Plan
  package let monitor: any Monitor
  let faults: [Fault]
  /// Sets of members that the operator wants, in turn, and the one that it is at.
  let goals: [BitSet]
  var goal = 0
  /// Until then it wants nothing.
  var restsUntil: UInt64 = 0
  private let isTaken: (Int) -> Bool
  var nodes: [SimNode] = []
  var clients: [SimClient] = []
  var network: SimNetwork
  var connections: [UInt64: SimConnection] = [:]
  private var nextConnection: UInt64 = 1
  var queue = EventQueue<WorldEvent>()
  /// Nanoseconds since the world began.
  package internal(set) var time: UInt64 = 0
  /// For what happens to nodes, messages and disks.
  var random: SeededRandom
  /// For what clients want, so that it stays the same when a fault is left out.
  var clientRandom: SeededRandom
  package internal(set) var history = History()
  package internal(set) var occurrences = Occurrences()
  /// Messages, finished batches, requests, answers, turns, faults: whatever came to a node or a client.
  package internal(set) var events: UInt64 = 0
  package internal(set) var operations: UInt64 = 0
  package internal(set) var trace: Trace?
  /// Whether a run ends where the monitor finds something; else that is for the checker of `Proofs/` to find.
  private let isWatched: Bool
  let isRecorded: Bool
  /// For the checker of `Proofs/`, where it is wanted.
  package internal(set) var record: [UInt8] = []
  /// What went wrong, one line each.
  package internal(set) var failures: [String] = []
  /// Copies of folders that were made at the begin of a fault, by its number.
  var copies: [Int: MemoryDevice] = [:]
  /// Where operations are timed; then clients do only what that load says.
  var measurement: Measurement?
  /// The clients ask for nothing more.
  var isClosing = false
  /// A lane of a disk needs at least so long for a batch, in nanoseconds, by node.
  var diskNanoseconds: [UInt64] = []
  /// By node: the factors by which faults slow its disk down.
  var slowdowns: [[UInt64]] = []
  /// Of a world whose messages move one by one, and in which nothing happens by itself.
  package internal(set) var stage: Stage?

  /// - Parameter only: the numbers of the faults that happen; nil: all that the seed draws.
  package init(
    _ scenario: Scenario, seed: UInt64, backend: any SimulatedBackend, only: [Int]?, traces: Bool,
    records: Bool = false,
    isWatched: Bool = true
  ) {
    self.scenario = scenario
    self.isWatched = isWatched
    isRecorded = records
    isTaken = { only?.contains($0) ?? true }
    var random = SeededRandom(seed: seed)
    let first = scenario.nodes[Int(random.below(UInt64(scenario.nodes.count)))]
    let count = first + scenario.newcomers
    let shape = WorldShape(nodes: count, partitions: scenario.partitions, isRecorded: records)
    let monitor = backend.makeMonitor(shape, scenario)
    self.monitor = monitor
    plan = SimNode.Plan(
      nodes: first, partitions: scenario.partitions, backend: backend, monitor: monitor, options: scenario.host,
      floorRevision: scenario.floorRevision, reserve: scenario.isMeasured ? nil : scenario.reserveStep)
    network = SimNetwork(nodes: count, random: &random)
    clientRandom = SeededRandom(seed: random.next())
    faults = scenario.drawFaults(nodes: count, SeededRandom(seed: random.next()))
    goals = scenario.newcomers > 0 ? Self.drawGoals(scenario, first: first, SeededRandom(seed: random.next())) : []
    if traces { trace = Trace() }
    if records {
      record += "members \(Self.list(first))\n".utf8
    }
    for place in 0..<count {
      let drift = Int64(random.below(1001)) - 500
      let clock = SimClock(origin: Self.clockOrigin(&random), driftPartsPerMillion: drift)
      nodes.append(SimNode(place: place, clock: clock))
      nodes[place].isYetToCome = place >= first
      diskNanoseconds.append(20_000 + random.below(200_000))
      slowdowns.append([])
    }
    self.random = random
    for number in 0..<scenario.workload.clients {
      let node = Int(clientRandom.below(UInt64(count)))
      clients.append(SimClient(number: number, node: node, keys: scenario.workload.keys))
    }
  }

  /// `1,2,…`
  static func list(_ count: Int) -> String { (1...count).map { String($0) }.joined(separator: ",") }

  /// Monotonic clocks of two lives have nothing to do with each other.
  static func clockOrigin(_ random: inout SeededRandom) -> UInt64 {
    1_000_000_000_000 + random.below(1 << 50)
  }

  // MARK: - The run

  /// Runs the whole scenario: formation, faults under load, healing, and what must be true at the end.
  package func run() {
    for node in nodes { start(node.place) }
    run(until: 10_000_000_000) { self.areAllReady }
    if failures.isEmpty && !areAllReady { fail("the cluster did not form") }
    let chaosBegins = time
    bringNewcomers()
    for (number, fault) in faults.enumerated() where isTaken(number) {
      queue.schedule(.faultBegins(number), at: chaosBegins + fault.at)
      queue.schedule(.faultEnds(number), at: chaosBegins + fault.at + fault.duration)
    }
    for client in clients.indices { visitLater(client, in: clientRandom.below(20_000_000)) }
    run(until: chaosBegins + scenario.durationNanoseconds)
    heal()
    finish()
    for node in nodes { record += node.host?.effects.trace ?? [] }
  }

  /// Until the time has come, `isDone` says so, or something went wrong.
  func run(until end: UInt64, _ isDone: () -> Bool = { false }) {
    var untilNextLook: UInt64 = 0
    while failures.isEmpty, let next = queue.next() {
      time = next.at
      if time >= end {
        queue.schedule(next.element, at: next.at)
        time = end
        break
      }
      events += 1
      happen(next.element)
      if trace != nil { for note in monitor.takeNotes() { trace?.add(time, note) } }
      if isWatched && !monitor.failures.isEmpty { failures += monitor.failures }
      // Whether all is done is costly to tell, and need not be told at once.
      untilNextLook = untilNextLook == 0 ? 64 : untilNextLook - 1
      if untilNextLook == 0 && isDone() { return }
    }
  }

  func happen(_ event: WorldEvent) {
    switch event {
    case .turn(let node, let life): turn(node, life)
    case .disk(let node, let life, let lane): completeBatch(node, life, lane)
    case .read(let node, let life, let read, let early): completeRead(node, life, read, early)
    case .dial(let from, let to, let life): dial(from, to, life)
    case .bytes(let connection, let toDialler, let bytes): arrive(connection, toDialler, bytes)
    case .late(let from, let to, let frame): arriveLate(from, to, frame)
    case .closed(let connection, let toDialler): closed(connection, toDialler)
    case .client(let number, let visit): if clients[number].visit == visit { goOn(number) }
    case .faultBegins(let number): begin(number)
    case .faultEnds(let number): end(number)
    case .damage(let number): damage(number)
    case .start(let node): start(node)
    case .install(let node): install(node)
    case .arrive(let node): arrive(node)
    case .wish: wish()
    case .resume(let node): resume(node)
    case .landing(let flight): land(flight)
    case .arrival(let node): arrival(node)
    }
  }

  func fail(_ text: String) {
    failures.append(text)
    trace?.add(time, "world fails  \(text)")
  }

  var areAllReady: Bool { expected.allSatisfy { $0.host?.status().isReady ?? false } }

  func newConnection() -> UInt64 {
    nextConnection += 1
    return nextConnection
  }
}
