import Base
import Register
import Replica

/// What clients asked and heard, checked against the chain of changes that the monitor saw chosen.
///
/// Each state of a register is named by its revision, so linearizability is a matter of order: an observation stands
/// at the revision it saw, a change at the one it made, and whatever was answered before another began stands no
/// later.
struct ClientHistory {
  struct Request {
    let token: UInt64
    let operation: Operation
    /// The step in which it was sent.
    let invoked: Int
    /// In the cluster's time.
    let invokedAt: Instant
    let deadline: Instant
    var answered: Int?
    var outcome: Outcome?
  }

  struct Listing {
    let token: UInt64
    let invoked: Int
    let answered: Int
    let after: [UInt8]
    let prefix: [UInt8]
    let page: ListPage
  }

  var requests: [Request] = []
  var listings: [Listing] = []

  private struct Observation {
    let invoked: Int
    let answered: Int
    /// Nil: the register was absent, at whatever revision.
    let content: Versioned?
    var settle: Instant?
  }

  /// What is wrong with the history of `key`, one line each.
  func check(_ key: Key, _ monitor: Monitor) -> [String] {
    var failures: [String] = []
    let (changes, cells) = monitor.chain(key.bytes)
    let mine = requests.filter { $0.operation.key == key }
    let byID = Dictionary(grouping: mine) { $0.operation.id }

    // The model: each change applied to the value before it.
    var values: [[UInt8]?] = [nil]
    for (place, change) in changes.enumerated() {
      guard let operation = byID[change.id]?.first?.operation else {
        failures.append("revision \(place + 1) was made by an operation that no one sent")
        return failures
      }
      let old = values[place]
      if !operation.condition.holds(revision: UInt64(place), value: old.map { $0[...] }) {
        failures.append("revision \(place + 1) was made although its condition was false")
      }
      let (new, effect) = Self.apply(operation.action, to: old)
      if effect != change.effect { failures.append("revision \(place + 1) says \(change.effect) and did \(effect)") }
      values.append(new)
    }
    for accept in cells where accept.cell.value.map(Array.init) != values[Int(accept.cell.revision)] {
      failures.append("the cell of revision \(accept.cell.revision) holds another value than its changes make")
    }

    // Each request's outcome, by itself.
    var observations: [Observation] = []
    var answers: [(step: Int, revision: Int)] = []
    for request in mine {
      guard let answered = request.answered, let outcome = request.outcome else { continue }
      func observe(_ content: Versioned?, settle: Instant? = nil) {
        observations.append(
          Observation(invoked: request.invoked, answered: answered, content: content, settle: settle))
      }
      switch outcome {
      case .read(let content): observe(content)
      case .settled(let content, let fate):
        observe(content, settle: request.invokedAt)
        guard case .settle(let target?, _, _) = request.operation.action else { continue }
        switch fate {
        case .applied(let revision):
          if changes.indices.contains(Int(revision) - 1) == false || changes[Int(revision) - 1].id != target {
            failures.append("settle says applied at \(revision), where another change stands")
          }
        case .dead:
          if changes.contains(where: { $0.id == target }) { failures.append("a dead operation was applied") }
        case .forgotten: break
        case nil: failures.append("settle told no fate of its target")
        }
      case .changed(let revision, let effect, _):
        let place = Int(revision) - 1
        if changes.indices.contains(place), changes[place].id == request.operation.id {
          if effect != changes[place].effect { failures.append("\(request.token) was told another effect") }
          answers.append((answered, place + 1))
        } else if changes.indices.contains(place), let value = values[place + 1],
          Self.leavesAsItIs(request.operation.action, value)
        {
          observe(Versioned(revision: revision, value: value))
        } else {
          failures.append("\(request.token) was acknowledged at \(revision), where another change stands")
        }
      case .absent: observe(nil)
      case .conditionFailed(let current):
        observe(current)
        if request.operation.condition.holds(revision: current?.revision ?? 0, value: current.map { $0.value[...] }) {
          failures.append("\(request.token) was told that its condition failed, of a state where it holds")
        }
      case .refused, .unknown: break
      }
    }
    for listing in listings { observations += Self.observations(listing, key) }

    // Nothing that was refused was applied; nothing was applied twice while it was remembered.
    for (id, sent) in byID {
      let places = changes.indices.filter { changes[$0].id == id }
      let possible = Self.possibleApplications(sent, changes)
      if places.count > possible {
        failures.append("\(sent[0].token): applied \(places.count) times, \(possible) possible")
      }
      for (a, b) in zip(places, places.dropFirst()) where b - a < Window.length {
        failures.append("\(sent[0].token): applied twice, at \(a + 1) and \(b + 1)")
      }
    }

    failures += order(changes, values, byID, observations, answers)
    return failures
  }

  /// Real-time order: `low` is the highest revision that anyone had been told of when a request began.
  private func order(
    _ changes: [Monitor.Change], _ values: [[UInt8]?], _ byID: [OperationID: [Request]], _ observations: [Observation],
    _ answers: [(step: Int, revision: Int)]
  ) -> [String] {
    var failures: [String] = []
    var told = answers
    func low(_ invoked: Int) -> Int { told.reduce(0) { $1.step < invoked ? max($0, $1.revision) : $0 } }
    for observation in observations.sorted(by: { $0.invoked < $1.invoked }) {
      let low = low(observation.invoked)
      let place: Int
      if let content = observation.content {
        place = Int(content.revision)
        guard values.indices.contains(place), values[place] == content.value else {
          failures.append("revision \(place) was seen with a value that it never had")
          continue
        }
        if place < low { failures.append("revision \(place) was seen after \(low) had been told of") }
      } else {
        // The earliest absence that is possible leaves the most room for the rest.
        guard let absent = values.indices.first(where: { $0 >= low && values[$0] == nil }) else {
          failures.append("absent was seen, which the register never was after revision \(low)")
          continue
        }
        place = absent
      }
      told.append((observation.answered, place))
      guard let settledAt = observation.settle, observation.content != nil else { continue }
      for (index, change) in changes.enumerated() where index + 1 > place {
        if let sent = byID[change.id], sent.allSatisfy({ $0.deadline <= settledAt }) {
          failures.append("revision \(index + 1) took effect after a settle that had to decide it")
        }
      }
    }
    for (index, change) in changes.enumerated() {
      guard let first = byID[change.id]?.map(\.invoked).min() else { continue }
      let low = low(first)
      if index + 1 <= low { failures.append("revision \(index + 1) was asked for after \(low) had been told of") }
    }
    return failures
  }

  /// How often an operation may have been applied: at each revision that was acknowledged, and once for each unknown
  /// outcome.
  private static func possibleApplications(_ sent: [Request], _ changes: [Monitor.Change]) -> Int {
    var acknowledged: Set<UInt64> = []
    var unknown = 0
    for request in sent {
      switch request.outcome {
      case nil, .unknown: unknown += 1
      case .changed(let revision, _, _):
        let place = Int(revision) - 1
        if changes.indices.contains(place), changes[place].id == request.operation.id { acknowledged.insert(revision) }
      case .read, .settled, .absent, .conditionFailed, .refused: break
      }
    }
    return acknowledged.count + unknown
  }

  private static func observations(_ listing: Listing, _ key: Key) -> [Observation] {
    let name = key.bytes
    guard name.starts(with: listing.prefix), listing.after.lexicographicallyPrecedes(name) else { return [] }
    let entry = listing.page.entries.first { $0.key == name }
    if entry == nil && listing.page.more {
      guard let last = listing.page.entries.last, name.lexicographicallyPrecedes(last.key) else { return [] }
    }
    return [Observation(invoked: listing.invoked, answered: listing.answered, content: entry?.content)]
  }

  private static func leavesAsItIs(_ action: Action, _ value: [UInt8]) -> Bool {
    guard let number = Decimal.integer(value[...]) else { return false }
    switch action {
    case .max(let bound): return bound <= number
    case .min(let bound): return bound >= number
    case .read, .settle, .put, .delete, .add, .append: return false
    }
  }

  private static func apply(_ action: Action, to old: [UInt8]?) -> ([UInt8]?, Effect) {
    func number(_ value: Int64) -> ([UInt8]?, Effect) { (Array(String(value).utf8), .number(value)) }
    let current = old.flatMap { Decimal.integer($0[...]) }
    switch action {
    case .read, .settle: return (old, .replaced)
    case .put(let value): return (value, old == nil ? .created : .replaced)
    case .delete: return (nil, .deleted)
    case .append(let tail):
      let joined = (old ?? []) + tail
      return (joined, .length(UInt64(joined.count)))
    case .add(let delta): return number((current ?? 0) + delta)
    case .max(let bound): return number(max(current ?? bound, bound))
    case .min(let bound): return number(min(current ?? bound, bound))
    }
  }
}
