import Base

/// The calls of one register, or of a prefix of its history, made ready for the search.
struct Problem {
  /// In the order of their invocations.
  private(set) var items: [Item] = []
  let initialValue: [UInt8]?
  let deletedRemembers: UInt64
  /// Whether any call speaks of revisions; where none does, states that differ in them alone are one.
  private(set) var tracksRevisions = false
  /// By the number of an id: the revisions that answers give to the operation that bears it.
  private(set) var toldRevisions: [[UInt64]] = []
  private(set) var expectations: [UInt64: Expectation] = [:]
  /// By position: no state before the items from there on may be above this revision.
  private(set) var ceilings: [UInt64] = []

  struct Item {
    let call: Call
    /// Its position in the history.
    let index: Int
    /// The stamp by which it takes effect or never does; `.max`: there is none.
    var deadline: UInt64
    /// A settle that was invoked later decides it (R8): behind that it can have no place. `.max`: none does.
    var expired: UInt64 = .max
    /// Whether it may also never take effect.
    let isOptional: Bool
    /// The number of its id, or of the id that it settles, if another call speaks of it as well; else -1.
    var id: Int32 = -1
    /// The highest revision that the register may be at just before it; `.max`: it tells none.
    var ceiling: UInt64 = .max

    /// It may take effect at any time to come.
    var isOpen: Bool { isOptional && deadline == .max }

    /// It only looks: where it leaves the state as it is, it may as well come at once.
    var isObservation: Bool {
      switch call.outcome {
      case .read, .conditionFailed, .absent, .notANumber: true
      case .settled, .changed, .notApplied, .unknown: false
      }
    }

    /// When it was invoked, if it is a settle; 0 for all others.
    var settledFrom: UInt64 {
      if case .settled = call.outcome { call.invoked } else { 0 }
    }
  }

  /// `end`: what happened after this stamp is left out.
  init(_ history: History, register: Int, upTo end: UInt64 = .max, deletedRemembers: UInt64) {
    initialValue = history.initialValue
    self.deletedRemembers = deletedRemembers
    for position in history.registers[register] {
      var call = history.calls[Int(position)]
      guard call.invoked <= end else { continue }
      if call.returned.map({ $0 > end }) ?? true {
        call.returned = nil
        call.outcome = .unknown
      }
      if let expired = call.expired, expired > end { call.expired = nil }
      let isUnknown = call.outcome == .unknown
      // A read that did not return tells nothing, and a settle at most marks dead what then needs no place either.
      if call.outcome == .notApplied || isUnknown && !call.action.isChange { continue }
      items.append(
        Item(
          call: call, index: Int(position), deadline: isUnknown ? .max : call.returned ?? .max, isOptional: isUnknown))
    }
    items.sort { ($0.call.invoked, $0.index) < ($1.call.invoked, $1.index) }
    settle()
    numberIDs()
    tracksRevisions = items.contains { $0.call.mentionsRevision }
    expectations = Expectation.collect(items)
    for index in items.indices { items[index].ceiling = ceiling(items[index]) }
    ceilings = [UInt64](repeating: .max, count: items.count + 1)
    for index in items.indices.reversed() { ceilings[index] = min(ceilings[index + 1], items[index].ceiling) }
  }

  /// R8: what had expired before a settle was invoked has taken effect before it, or never will: its round is above
  /// every ballot that the operation had. So the return of that settle is a deadline for it.
  private mutating func settle() {
    var settles: [(invoked: UInt64, returned: UInt64)] = []
    for item in items {
      if case .settled = item.call.outcome { settles.append((item.call.invoked, item.deadline)) }
    }
    guard !settles.isEmpty else { return }
    // From each settle on, the first return.
    for index in settles.indices.dropLast().reversed() {
      settles[index].returned = min(settles[index].returned, settles[index + 1].returned)
    }
    for index in items.indices where items[index].isOptional {
      guard let expired = items[index].call.expired else { continue }
      items[index].expired = expired
      var low = 0
      var high = settles.count
      while low < high {
        let middle = (low + high) / 2
        if settles[middle].invoked > expired { high = middle } else { low = middle + 1 }
      }
      if low < settles.count { items[index].deadline = settles[low].returned }
    }
  }

  /// Only an id of which two calls speak tells one order from another.
  private mutating func numberIDs() {
    var counts: [[UInt8]: Int] = [:]
    for item in items {
      if let id = item.call.spokenID { counts[id, default: 0] += 1 }
    }
    guard !counts.isEmpty else { return }
    var numbers: [[UInt8]: Int32] = [:]
    for index in items.indices {
      guard let id = items[index].call.spokenID, counts[id, default: 0] > 1 else { continue }
      let number = numbers[id] ?? Int32(numbers.count)
      numbers[id] = number
      items[index].id = number
      if number == toldRevisions.count { toldRevisions.append([]) }
      if let told = items[index].call.toldRevision, !toldRevisions[Int(number)].contains(told) {
        toldRevisions[Int(number)].append(told)
      }
    }
  }

  private func ceiling(_ item: Item) -> UInt64 {
    switch item.call.outcome {
    case .read(let sight), .settled(let sight, _), .conditionFailed(let sight):
      if case .present(let revision?, _) = sight { return revision }
    case .changed(let change):
      // A repeat may be answered long after.
      guard item.id < 0, let revision = change.revision else { return .max }
      switch item.call.action {
      case .max, .min: return revision
      case .read, .settle, .put, .delete, .add, .append: return revision == 0 ? 0 : revision - 1
      }
    case .absent, .notANumber, .notApplied, .unknown: break
    }
    return .max
  }
}

extension Call {
  /// The id that it bears or settles.
  var spokenID: [UInt8]? {
    if case .settle(let target, _) = action { target } else { id }
  }

  /// The revision of the operation with its ``spokenID``, as its answer gives it.
  var toldRevision: UInt64? {
    switch outcome {
    case .changed(let change): change.revision
    case .settled(_, .applied(let revision)): revision
    case .read, .settled, .absent, .conditionFailed, .notANumber, .notApplied, .unknown: nil
    }
  }

  /// Whether it tells, or depends on, a revision.
  var mentionsRevision: Bool {
    if condition.revisionIn != nil || condition.revisionNotIn != nil { return true }
    switch outcome {
    case .read(let sight), .conditionFailed(let sight):
      if case .present(.some, _) = sight { return true }
    case .settled(let sight, let fate):
      if fate != nil { return true }
      if case .present(.some, _) = sight { return true }
    case .changed(let change): return change.revision != nil
    case .absent, .notANumber, .notApplied, .unknown: break
    }
    return false
  }
}
