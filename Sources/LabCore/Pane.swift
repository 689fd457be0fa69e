import Base
package import Linearizability
package import Simulator

/// One of the two clusters of a run, on the run's clock.
package final class Pane {
  package let name: StaticString
  package let world: World
  let stage: Stage
  /// The world's time at which the run begins, in nanoseconds.
  private let zero: UInt64
  /// By client: the last change that bore a name, to be sent again or asked about.
  private var named: [StageRequest?]
  private var nameSerial: UInt64 = 0

  private var judged = -1
  private var lastVerdict = Verdict.linearizable

  init?(_ name: StaticString, _ rules: StageRules, seed: UInt64, _ backend: any SimulatedBackend) {
    self.name = name
    world = World.staged(rules, seed: seed, backend: backend)
    guard let stage = world.stage, world.failures.isEmpty else { return nil }
    self.stage = stage
    zero = world.time
    named = Array(repeating: nil, count: rules.clients)
  }

  /// Microseconds of the run, of a moment of the world.
  func micros(_ worldTime: UInt64) -> UInt64 { worldTime > zero ? (worldTime - zero) / 1000 : 0 }

  var now: UInt64 { micros(world.time) }
  /// When something happens next, in microseconds rounded up; nil: never.
  var nextEventAt: UInt64? { world.nextEventAt.map { $0 > zero ? ($0 - zero + 999) / 1000 : 0 } }

  func play(until micros: UInt64) { world.play(until: zero + micros * 1000) }

  /// A number that changes when anything does that can be seen.
  var look: Int {
    var sum = stage.log.count + stage.operations.count
    for flight in stage.flights { sum &+= Int(truncatingIfNeeded: flight.number &* 31 &+ flight.arrivesAt) }
    for disk in stage.disks { for work in disk { sum &+= Int(truncatingIfNeeded: work.endsAt) } }
    return sum
  }

  // MARK: - What it is told

  func perform(_ what: Directive.What) {
    switch what {
    case .ask(let client, let ask): perform(client, ask)
    case .crash(let node): if has(node) { world.crash(node) }
    case .start(let node): if has(node) { world.restart(node) }
    case .pause(let node): if has(node) { world.freeze(node) }
    case .resume(let node): if has(node) { world.thaw(node) }
    case .wipe(let node): if has(node) { world.wipe(node) }
    case .timeOut(let node): if has(node) { world.timeOut(node) }
    case .isolate(let node): if has(node) { world.isolate(node) }
    case .join(let node): if has(node) { world.join(node) }
    case .cut(let from, let to): if has(from), has(to) { world.cut(from: from, to: to) }
    case .mend(let from, let to): if has(from), has(to) { world.mend(from: from, to: to) }
    case .split(let side): world.split(side)
    case .members(let wanted, let node): if has(node) { world.want(members: wanted, through: node) }
    case .heal: world.mendAll()
    case .slow(let a, let b, let milliseconds):
      if has(a), has(b) { world.slow(a, b, byNanoseconds: milliseconds * 1_000_000) }
    case .drop(let flight): _ = world.drop(flight: flight)
    case .delay(let flight, let milliseconds): _ = world.delay(flight: flight, by: milliseconds * 1_000_000)
    case .double(let flight): _ = world.double(flight: flight)
    case .lose(let snare): stage.snares.append(snare)
    case .say: break
    }
  }

  private func has(_ node: Int) -> Bool { node < world.nodeCount }

  private func perform(_ client: Int, _ ask: Directive.Ask) {
    guard client < named.count, has(ask.node) else { return }
    if ask.verb == .again {
      guard var request = named[client] else { return }
      request.node = ask.node
      request.timeoutMilliseconds = ask.timeoutMilliseconds
      return world.ask(client, request)
    }
    var action: Call.Action
    switch ask.verb {
    case .get, .again: action = .read
    case .settle: action = .settle(target: nil, known: 0)
    case .fate: action = .settle(target: named[client]?.id, known: 0)
    case .put: action = .put(ask.value)
    case .add: action = .add(Decimal.integer(ask.value[...]) ?? 0)
    case .delete: action = .delete
    }
    var request = StageRequest(
      node: ask.node, key: Key(ask.key), action: action, condition: ask.condition,
      timeoutMilliseconds: ask.timeoutMilliseconds)
    if case .settle(let target?, _) = action { request.id = target }
    if ask.isNamed {
      nameSerial += 1
      var id = Array(World.clientName(client).utf8)
      Decimal.append(nameSerial, to: &id)
      request.id = id
      named[client] = request
    }
    world.ask(client, request)
  }

  // MARK: - What clients have seen

  /// Of what clients have seen so far. Found anew only where they have seen more.
  package var verdict: Verdict {
    var seen = world.history.calls.count
    for call in world.history.calls where call.returned != nil { seen += 1 << 20 }
    if seen != judged {
      judged = seen
      lastVerdict = Checker(limitBytes: 16 << 20).check(world.history)
    }
    return lastVerdict
  }
}
