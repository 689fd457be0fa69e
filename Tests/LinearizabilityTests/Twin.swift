import Base
import Linearizability

/// The naive twin of the checker: it tries every order of a few calls on one register, with every revision a creation
/// may take, and knows the rules of CONTRACT §1 in the plainest words. Nothing of it is the checker's.
struct Twin {
  struct State {
    var value: [UInt8]?
    var revision: UInt64 = 0
    var changes: [(id: [UInt8]?, change: Call.Change, by: Int)] = []
    var dead: [[UInt8]] = []
  }

  let calls: [Call]
  let initialValue: [UInt8]?
  private let settledBy: [UInt64]
  /// The highest revision that any call speaks of.
  private let highest: UInt64

  init(_ history: History) {
    calls = history.calls
    initialValue = history.initialValue
    var settledBy: [UInt64] = []
    for call in calls {
      var by = UInt64.max
      for other in calls {
        if case .settled = other.outcome, let expired = call.expired, other.invoked > expired {
          by = min(by, other.returned!)
        }
      }
      settledBy.append(by)
    }
    self.settledBy = settledBy
    var highest: UInt64 = 0
    for call in calls { for seen in Self.revisions(call) { highest = max(highest, seen) } }
    self.highest = highest
  }

  private static func revisions(_ call: Call) -> [UInt64] {
    var all = (call.condition.revisionIn ?? []) + (call.condition.revisionNotIn ?? [])
    if case .settled(_, .applied(let revision?)) = call.outcome { all.append(revision) }
    switch call.outcome {
    case .read(.present(let revision?, _)), .settled(.present(let revision?, _), _),
      .conditionFailed(.present(let revision?, _)):
      all.append(revision)
    case .changed(let change): if let revision = change.revision { all.append(revision) }
    default: break
    }
    return all
  }

  var isLinearizable: Bool {
    var isDone = [Bool](repeating: false, count: calls.count)
    var state = State()
    state.value = initialValue
    return search(&isDone, state)
  }

  private func search(_ isDone: inout [Bool], _ state: State) -> Bool {
    if !calls.indices.contains(where: { !isDone[$0] && mustHappen(calls[$0]) }) { return true }
    for index in calls.indices where !isDone[index] && calls[index].outcome != .notApplied {
      // No call that is not in the order may have been over before this one began.
      let isFree = calls.indices.allSatisfy { other in
        isDone[other] || other == index || !mustHappen(calls[other]) || calls[other].returned! >= calls[index].invoked
      }
      guard isFree else { continue }
      if calls[index].outcome == .unknown {
        // It must be in the order before the settle that decided it.
        let isLate = calls.indices.contains { isDone[$0] && decides(calls[$0], calls[index]) }
        guard !isLate, calls[index].action.isChange else { continue }
      }
      isDone[index] = true
      for next in after(state, index) where search(&isDone, next) { return true }
      isDone[index] = false
    }
    return false
  }

  private func decides(_ settle: Call, _ call: Call) -> Bool {
    guard case .settled = settle.outcome, let expired = call.expired else { return false }
    return settle.invoked > expired
  }

  private func mustHappen(_ call: Call) -> Bool { call.outcome != .unknown && call.outcome != .notApplied }

  private func sees(_ state: State, _ sight: Call.Sight) -> Bool {
    switch sight {
    case .nothing: true
    case .absent: state.value == nil
    case .present(let revision, let value):
      state.value != nil && (revision == nil || revision == state.revision) && (value == nil || value == state.value)
    }
  }

  private func after(_ state: State, _ index: Int) -> [State] {
    let call = calls[index]
    switch call.outcome {
    case .read(let sight): return sees(state, sight) ? [state] : []
    case .settled(let sight, let fate):
      guard sees(state, sight), let fate, case .settle(let target?, let known) = call.action else {
        return sees(state, sight) ? [state] : []
      }
      let found = state.changes.lastIndex { $0.id == target }
      let isDead = state.dead.contains(target)
      let isRemembered = !isDead && found.map { state.changes.count - $0 <= 8 } ?? false
      switch fate {
      case .applied(let revision):
        return !isDead && found != nil && (revision == nil || state.changes[found!].change.revision == revision)
          ? [state] : []
      case .dead:
        if !isDead && (isRemembered || found.map { state.changes[$0].change.revision! > known } ?? false) { return [] }
        var next = state
        next.dead.append(target)
        return [next]
      case .forgotten: return isDead || isRemembered ? [] : [state]
      }
    default: return change(state, index)
    }
  }

  private func change(_ state: State, _ index: Int) -> [State] {
    let call = calls[index]
    var next: [State] = []
    var seen = Call.Change()
    if case .changed(let change) = call.outcome { seen = change }
    if let id = call.id {
      if state.dead.contains(id) { return [] }
      if let found = state.changes.lastIndex(where: { $0.id == id }) {
        let (_, did, by) = state.changes[found]
        let done = calls[by].outcome == .unknown ? settledBy[by] : calls[by].returned!
        if case .changed = call.outcome, seen.replayed != false || call.invoked <= done, fits(seen, did) {
          next.append(state)
        }
        if state.changes.count - found <= 8 { return next }
      }
    }
    if seen.replayed == true { return next }
    let holds = self.holds(call.condition, state)
    if case .conditionFailed(let sight) = call.outcome { return !holds && sees(state, sight) ? next + [state] : next }
    guard holds else { return next }
    let old = state.value.map { String(decoding: $0, as: UTF8.self) }
    let number = old == nil ? 0 : Int64(old!)
    var value: [UInt8]?
    var did = Call.Change(created: state.value == nil)
    switch call.action {
    case .read, .settle: return next
    case .put(let new): value = new
    case .delete:
      if state.value == nil { return call.outcome == .absent ? next + [state] : next }
    case .append(let tail):
      value = (state.value ?? []) + tail
      did.length = UInt64(value!.count)
    case .add(let delta):
      guard let number, !number.addingReportingOverflow(delta).overflow else {
        return call.outcome == .notANumber ? next + [state] : next
      }
      did.number = number + delta
    case .max(let bound), .min(let bound):
      guard let number else { return call.outcome == .notANumber ? next + [state] : next }
      var isMax = false
      if case .max = call.action { isMax = true }
      did.number = old == nil ? bound : isMax ? max(number, bound) : min(number, bound)
      if old != nil, did.number == number {
        did.revision = state.revision
        if case .changed = call.outcome, fits(seen, did) { next.append(state) }
        return next
      }
    }
    if let number = did.number { value = Array(String(number).utf8) }
    let isFitting =
      switch call.outcome {
      case .changed, .unknown: true
      default: false
      }
    guard isFitting else { return next }
    // A creation may take any revision above; one above all that are spoken of stands for the others.
    let least = state.revision + 1
    let choices = state.value == nil && least <= highest ? Array(least...(highest + 1)) : [least]
    for revision in choices {
      did.revision = revision
      guard fits(seen, did) else { continue }
      var changed = state
      changed.value = value
      changed.revision = revision
      changed.changes.append((call.id, did, index))
      next.append(changed)
    }
    return next
  }

  private func fits(_ seen: Call.Change, _ did: Call.Change) -> Bool {
    (seen.revision == nil || seen.revision == did.revision) && (seen.created == nil || seen.created == did.created)
      && (seen.number == nil || seen.number == did.number) && (seen.length == nil || seen.length == did.length)
  }

  private func holds(_ condition: Call.Condition, _ state: State) -> Bool {
    if let exists = condition.exists, exists != (state.value != nil) { return false }
    if let wanted = condition.revisionIn, state.value == nil || !wanted.contains(state.revision) { return false }
    if let hated = condition.revisionNotIn, state.value != nil, hated.contains(state.revision) { return false }
    if let value = condition.value, state.value != value { return false }
    return true
  }
}
