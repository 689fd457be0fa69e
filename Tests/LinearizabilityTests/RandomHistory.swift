import Base
import Linearizability

/// Small histories of one register that happened: a true register answers each call at a moment within its interval.
enum RandomHistory {
  private struct Register {
    var value: String?
    var revision: UInt64 = 0
    var changes: [(id: [UInt8]?, answer: Call.Change)] = []
    var dead: [[UInt8]] = []
  }

  static func make(_ random: inout SeededRandom, calls count: Int = 7) -> History {
    var plans: [(call: Call, moment: UInt64)] = []
    let overlap = 1 + random.below(6)
    // In some, changes one after the other come between, so that what was before them may be forgotten.
    let between = random.below(4) == 0 ? 6 + random.below(4) : 0
    let gap = 1 + random.below(3)
    for index in 0..<count {
      let shift = UInt64(index) > gap ? between * 2 + 40 : 0
      let start = UInt64(index) * 4 + random.below(overlap * 2) + shift
      let moment = start + random.below(overlap * 2)
      var call = Call(process: UInt64(index), key: Key([0x6B]), action: action(&random), invoked: start)
      call.returned = moment + random.below(overlap * 2)
      if call.action.isChange {
        call.condition = condition(&random)
        if random.below(3) == 0 { call.id = bytes(random.below(2) == 0 ? "x" : "y") }
      }
      plans.append((call, moment))
    }
    for index in 0..<between {
      let at = gap * 4 + 38 + index * 2
      let call = Call(
        process: UInt64(plans.count), key: Key([0x6B]), action: .put("\(index)"), invoked: at, returned: at + 1)
      plans.append((call, at))
    }
    // Whoever comes at one moment comes in the order of the plan; equal stamps are concurrent.
    let order = plans.indices.sorted { (plans[$0].moment, $0) < (plans[$1].moment, $1) }
    var register = Register()
    for index in order {
      var call = plans[index].call
      let isLost = call.action.isChange && random.below(6) == 0
      if isLost {
        if random.below(2) == 0 { _ = answer(call, &register, &random) }
        // It came to pass, if at all, before its deadline was over.
        if random.below(2) == 0 { call.expired = call.returned! }
        if random.below(2) == 0 { call.returned = nil }
      } else {
        call.outcome = answer(call, &register, &random)
      }
      plans[index].call = call
    }
    let hidesRevisions = random.below(4) == 0
    var history = History()
    for plan in plans {
      var call = plan.call
      if hidesRevisions { hide(&call) }
      history.append(call)
    }
    return history
  }

  private static func action(_ random: inout SeededRandom) -> Call.Action {
    switch random.below(14) {
    case 0...2: .read
    case 3: .settle(target: random.below(2) == 0 ? bytes("x") : nil, known: random.below(3))
    case 4...6: .put("\(random.below(3))")
    case 7, 8: .delete
    case 9: .add(Int64(random.below(3)))
    case 10: .max(Int64(random.below(3)))
    case 11: .min(Int64(random.below(3)))
    case 12: .append("\(random.below(2))")
    default: .put("no number")
    }
  }

  private static func condition(_ random: inout SeededRandom) -> Call.Condition {
    switch random.below(10) {
    case 0: Call.Condition(exists: true)
    case 1: Call.Condition(exists: false)
    case 2: Call.Condition(revisionIn: [1 + random.below(3)])
    case 3: Call.Condition(revisionNotIn: [1 + random.below(3)])
    case 4: Call.Condition(value: bytes("\(random.below(3))"))
    default: .always
    }
  }

  private static func sight(_ register: Register) -> Call.Sight {
    register.value.map { .at(register.revision, $0) } ?? .absent
  }

  private static func answer(
    _ call: Call, _ register: inout Register, _ random: inout SeededRandom
  ) -> Call.Outcome {
    switch call.action {
    case .read: return .read(sight(register))
    case .settle(let target, let known):
      guard let target else { return .settled(sight(register), nil) }
      return .settled(sight(register), fate(target, known, &register))
    default: break
    }
    if let id = call.id {
      if register.dead.contains(id) { return .notApplied }
      if let found = register.changes.suffix(8).last(where: { $0.id == id }) {
        var change = found.answer
        change.replayed = true
        return .changed(change)
      }
    }
    guard holds(call.condition, register) else { return .conditionFailed(sight(register)) }
    let number = register.value == nil ? 0 : Int64(register.value!)
    var change = Call.Change(replayed: false)
    var value: String?
    switch call.action {
    case .read, .settle: return .notApplied
    case .put(let new):
      value = String(decoding: new, as: UTF8.self)
      change.created = register.value == nil
    case .delete: if register.value == nil { return .absent }
    case .append(let tail):
      value = (register.value ?? "") + String(decoding: tail, as: UTF8.self)
      change.length = UInt64(value!.utf8.count)
    case .add(let delta):
      guard let number else { return .notANumber }
      change.number = number + delta
    case .max(let bound), .min(let bound):
      guard let number else { return .notANumber }
      var isMax = false
      if case .max = call.action { isMax = true }
      change.number = register.value == nil ? bound : isMax ? max(number, bound) : min(number, bound)
      if register.value != nil, change.number == number {
        change.revision = register.revision
        return .changed(change)
      }
    }
    if let number = change.number { value = "\(number)" }
    register.revision += register.value == nil && random.below(4) == 0 ? 2 : 1
    register.value = value
    change.revision = register.revision
    register.changes.append((call.id, change))
    return .changed(change)
  }

  private static func fate(_ target: [UInt8], _ known: UInt64, _ register: inout Register) -> Call.Fate {
    if register.dead.contains(target) { return .dead }
    let window = register.changes.suffix(8)
    if let found = window.last(where: { $0.id == target }) { return .applied(revision: found.answer.revision) }
    guard window.count == register.changes.count else { return .forgotten }
    register.dead.append(target)
    return .dead
  }

  private static func holds(_ condition: Call.Condition, _ register: Register) -> Bool {
    if let exists = condition.exists, exists != (register.value != nil) { return false }
    if let value = condition.value, register.value.map({ bytes($0) }) != value { return false }
    if let wanted = condition.revisionIn { return register.value != nil && wanted.contains(register.revision) }
    if let hated = condition.revisionNotIn { return register.value == nil || !hated.contains(register.revision) }
    return true
  }

  /// Takes the revisions out, as in a format without them.
  private static func hide(_ call: inout Call) {
    call.condition.revisionIn = nil
    call.condition.revisionNotIn = nil
    switch call.outcome {
    case .read(.present(_, let value)): call.outcome = .read(.present(revision: nil, value: value))
    case .settled: call.outcome = .notApplied
    case .conditionFailed(let sight):
      if call.condition == .always {
        // Its condition is gone; what it saw remains.
        call.action = .read
        call.outcome = .read(sight)
        return hide(&call)
      }
      call.outcome = .conditionFailed(.nothing)
    case .changed(var change):
      change.revision = nil
      call.outcome = .changed(change)
    default: break
    }
  }

  /// Makes a small change to what one call saw, or to when it was.
  static func falsify(_ history: inout History, _ random: inout SeededRandom) {
    var calls = history.calls
    let index = Int(random.below(UInt64(calls.count)))
    var call = calls[index]
    if random.below(3) == 0, let returned = call.returned {
      let length = returned - call.invoked
      call.invoked = random.below(28)
      call.returned = call.invoked + length
      if call.expired != nil { call.expired = call.returned }
    } else {
      switch call.outcome {
      case .read(.present(let revision, let value)):
        call.outcome = .read(
          .present(revision: revision.map { $0 + random.below(2) }, value: random.below(2) == 0 ? value : bytes("1")))
      case .read(.absent): call.outcome = .read(.at(nil, "1"))
      case .changed(var change):
        if let revision = change.revision { change.revision = max(1, revision + random.below(3) - 1) }
        if random.below(3) == 0 { change.replayed = nil }
        call.outcome = .changed(change)
      case .settled(let sight, .applied(let revision)):
        let fates: [Call.Fate] = [.dead, .forgotten, .applied(revision: revision.map { $0 + 1 })]
        call.outcome = .settled(sight, fates[Int(random.below(3))])
      case .settled(let sight, .dead): call.outcome = .settled(sight, .applied(revision: nil))
      case .conditionFailed: call.outcome = .done(created: nil)
      case .absent: call.outcome = .done()
      case .settled(.present, nil): call.outcome = .settled(.absent, nil)
      case .settled(.absent, nil): call.outcome = .settled(.at(nil, "1"), nil)
      case .unknown:
        if random.below(2) == 0 { call.expired = call.invoked + random.below(8) }
        call.outcome = call.returned == nil || random.below(2) == 0 ? .unknown : .done()
      default: call.outcome = .unknown
      }
    }
    calls[index] = call
    var falsified = History(initialValue: history.initialValue)
    for call in calls { falsified.append(call) }
    history = falsified
  }
}
