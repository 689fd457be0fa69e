import Base
import RaftLog
import Replica

/// What clients asked and heard, checked against the log that the monitor saw committed.
///
/// The log is the order of all changes, so linearizability is a matter of places in it: a request stands behind what
/// was committed when it was sent, and not behind what was committed when it was answered. A change stands at its own
/// entry; a read must have seen the state at one of the places in between.
struct ClientHistory {
  struct Request {
    let token: UInt64
    let operation: Operation
    /// How much was committed when it was sent.
    let low: Int
    let invokedAt: Instant
    let deadline: Instant
    var isAnswered = false
    /// How much was committed when it was answered.
    var high = Int.max
    var outcome: Outcome?
  }

  struct Listing {
    let low: Int
    let high: Int
    let after: [UInt8]
    let page: ListPage
  }

  private struct Carried {
    let index: Int
    let operation: Operation
    let outcome: Outcome
  }

  var requests: [Request] = []
  var listings: [Listing] = []

  func check(_ committed: [(term: UInt64, payload: [UInt8])]) -> [String] {
    var failures: [String] = []
    // The log carried out again, by itself.
    var machine = StateMachine()
    var carried: [OperationID: [Carried]] = [:]
    var states: [Key: [(index: Int, content: Versioned?)]] = [:]
    for (place, entry) in committed.enumerated() {
      guard let command = try? Command(decoding: entry.payload) else { return ["entry \(place + 1) does not decode"] }
      guard case .operation(let operation, _, _, let limit) = command else { continue }
      let outcome = machine.apply(operation, maximumValueBytes: limit)
      carried[operation.id, default: []].append(Carried(index: place + 1, operation: operation, outcome: outcome))
      states[operation.key, default: []].append((place + 1, machine.read(operation.key)))
    }
    func wasSeen(_ content: Versioned?, _ key: Key, _ low: Int, _ high: Int) -> Bool {
      let all = states[key] ?? []
      var current: Versioned?
      for state in all where state.index <= low { current = state.content }
      if current == content { return true }
      return all.contains { $0.index > low && $0.index <= high && $0.content == content }
    }
    let byID = Dictionary(grouping: requests) { $0.operation.id }
    for request in requests {
      guard let outcome = request.outcome else { continue }
      let name = "request \(request.token)"
      switch outcome {
      case .read(let content):
        if !wasSeen(content, request.operation.key, request.low, request.high) {
          failures.append("\(name): \(outcome) was not there between \(request.low) and \(request.high)")
        }
      case .settled, .changed, .absent, .conditionFailed, .refused(.notANumber), .refused(.overflow),
        .refused(.tooLarge), .refused(.payloadMismatch), .refused(.dead):
        let fits = (carried[request.operation.id] ?? []).contains {
          $0.index > request.low && $0.index <= request.high && $0.outcome == outcome
        }
        // A snapshot that was installed hides the entry, and the window tells only what an entry of that name did.
        let isRepeat = byID[request.operation.id]?.count ?? 0 > 1
        let isRemembered = (carried[request.operation.id] ?? []).contains {
          (isRepeat || $0.index > request.low) && $0.index <= request.high && Self.isSame($0.outcome, outcome)
        }
        if !fits && !isRemembered {
          failures.append("\(name): no entry between \(request.low) and \(request.high) came to \(outcome)")
        }
      case .refused, .unknown: break
      }
    }
    // Nothing that was refused was carried out, and nothing more often than it was asked for.
    for (id, entries) in carried {
      let sent = byID[id] ?? []
      let possible = sent.count { request in
        switch request.outcome {
        case .refused(.noQuorum), .refused(.expired), .refused(.overloaded), .refused(.shuttingDown): false
        default: true
        }
      }
      if entries.count > possible { failures.append("\(id): \(entries.count) entries, \(possible) possible") }
      for (place, settle) in requests.enumerated() where settle.operation.action.isSettle {
        guard case .settled = settle.outcome, settle.operation.key == entries[0].operation.key,
          let at = carried[settle.operation.id]?.last?.index
        else { continue }
        let isOver = !sent.isEmpty && sent.allSatisfy { $0.deadline <= settle.invokedAt }
        if isOver,
          entries.contains(where: { $0.index > at && $0.operation.action.isChange && Self.changed($0.outcome) })
        {
          failures.append("\(id) took effect after settle \(requests[place].token), which had to decide it")
        }
      }
    }
    for listing in listings { failures += Self.check(listing, Array(states.keys), wasSeen) }
    return failures
  }

  private static func changed(_ outcome: Outcome) -> Bool {
    if case .changed(_, _, replayed: false) = outcome { true } else { false }
  }

  private static func isSame(_ a: Outcome, _ b: Outcome) -> Bool {
    guard case .changed(let revision, let effect, _) = a, case .changed(let other, let otherEffect, _) = b else {
      return false
    }
    return revision == other && effect == otherEffect
  }

  private static func check(
    _ listing: Listing, _ keys: [Key], _ wasSeen: (Versioned?, Key, Int, Int) -> Bool
  ) -> [String] {
    var failures: [String] = []
    for key in keys where listing.after.lexicographicallyPrecedes(key.bytes) {
      let entry = listing.page.entries.first { $0.key == key.bytes }
      if entry == nil && listing.page.more {
        guard let last = listing.page.entries.last, key.bytes.lexicographicallyPrecedes(last.key) else { continue }
      }
      if !wasSeen(entry?.content, key, listing.low, listing.high) {
        failures.append("a listing shows \(key.bytes) as it was not between \(listing.low) and \(listing.high)")
      }
    }
    return failures
  }
}
