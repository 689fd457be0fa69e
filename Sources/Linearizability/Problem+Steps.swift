extension Problem {
  /// What every order begins with.
  var start: RegisterState {
    var state = RegisterState()
    state.value = initialValue
    state.isExact = tracksRevisions
    return state
  }

  /// The states that the item at `position` may lead to from `state`, were it next; none if its outcome does not fit.
  func successors(of state: RegisterState, _ position: Int, into next: inout [RegisterState]) {
    next.removeAll(keepingCapacity: true)
    let item = items[position]
    switch item.call.outcome {
    case .notApplied: return
    case .read(let sight):
      var state = state
      if state.matches(sight) { next.append(state) }
    case .settled(let sight, let fate):
      var state = state
      if state.matches(sight), settle(item, position, fate, &state) { next.append(state) }
    case .changed, .absent, .conditionFailed, .notANumber, .unknown:
      if !mayBeRepeat(item, state, &next) { evaluate(item, position, state, &next) }
    }
    if !tracksRevisions {
      for index in next.indices {
        next[index].revision = 0
        next[index].isExact = false
      }
    }
  }

  /// Whether the register may have been erased before this item reached it: absent for as long as it remembers.
  private func mayBeErased(_ state: RegisterState, _ item: Item) -> Bool {
    guard let deletedAt = state.deletedAt else { return false }
    let latest = item.deadline
    return latest == .max || latest > deletedAt && latest - deletedAt >= deletedRemembers
  }

  /// Appends the state after a repeat's answer, if it may be one; true if it can be nothing else.
  private func mayBeRepeat(_ item: Item, _ state: RegisterState, _ next: inout [RegisterState]) -> Bool {
    var isReplay = false
    if case .changed(let change) = item.call.outcome { isReplay = change.replayed == true }
    guard item.id >= 0, let memory = state.memory(item.id) else { return isReplay }
    let isCertain = memory.isCertain && !mayBeErased(state, item)
    if !memory.isDead, case .changed(let change) = item.call.outcome, memory.repeats(change) {
      // Two attempts that overlap may be one operation, which the answer then cannot tell.
      let done = items[Int(memory.call)].deadline
      if change.replayed != false || item.call.invoked <= done { next.append(state) }
    }
    return isReplay || isCertain
  }

  private func evaluate(_ item: Item, _ position: Int, _ state: RegisterState, _ next: inout [RegisterState]) {
    var state = state
    let condition = item.call.condition
    if case .conditionFailed(let sight) = item.call.outcome {
      guard state.matches(sight) else { return }
      switch holds(condition, state) {
      case true?: break
      case false?: next.append(state)
      case nil: next += condition.splits(state).failing
      }
      return
    }
    let answer = SequentialSpec.answer(item.call.action, state.value)
    // What the answer tells of the revision before it makes it known.
    if state.value != nil, case .changed(let change) = item.call.outcome, let seen = change.revision {
      var before = seen
      if case .changed = answer {
        guard seen > 0 else { return }
        before = seen - 1
      }
      guard state.pin(before) else { return }
    }
    switch holds(condition, state) {
    case true?: finish(item, position, answer, state, &next)
    case false?: break
    case nil: for state in condition.splits(state).holding { finish(item, position, answer, state, &next) }
    }
  }

  private func holds(_ condition: Call.Condition, _ state: RegisterState) -> Bool? {
    SequentialSpec.holds(condition, value: state.value, revision: state.isExact ? state.revision : nil)
  }

  /// Appends the state after the action, if its outcome was `answer`.
  private func finish(
    _ item: Item, _ position: Int, _ answer: SequentialSpec.Answer, _ state: RegisterState,
    _ next: inout [RegisterState]
  ) {
    var state = state
    switch (answer, item.call.outcome) {
    case (.changed(let value, let number, let length), .changed(let seen)):
      guard seen.created == nil || seen.created == (state.value == nil) else { return }
      guard seen.number == nil || seen.number == number, seen.length == nil || seen.length == length else { return }
      change(item, position, value, number, length, seen.revision, state, &next)
    case (.changed(let value, let number, let length), .unknown):
      change(item, position, value, number, length, nil, state, &next)
    case (.unchanged(let number), .changed(let seen)):
      guard seen.created != true, seen.number == nil || seen.number == number else { return }
      if state.pin(seen.revision) { next.append(state) }
    case (.absent, .absent), (.notANumber, .notANumber): next.append(state)
    case (.changed, _), (.unchanged, _), (.absent, _), (.notANumber, _): return
    }
  }

  private func change(
    _ item: Item, _ position: Int, _ value: [UInt8]?, _ number: Int64?, _ length: UInt64?, _ revision: UInt64?,
    _ state: RegisterState, _ next: inout [RegisterState]
  ) {
    var state = state
    let created = state.value == nil
    guard !tracksRevisions || state.advance(revision) else { return }
    let isErased = created && mayBeErased(state, item)
    for index in state.memories.indices {
      let since = state.memories[index].changesSince
      state.memories[index].changesSince = min(since + 1, Memory.window)
      if isErased { state.memories[index].mayBeErased = true }
    }
    state.value = value
    state.deletedAt = value == nil && deletedRemembers < .max ? item.call.invoked : nil
    func mayBe(_ state: RegisterState) -> Bool {
      guard state.isExact, let expectation = expectations[state.revision] else { return true }
      return expectation.allows(item, position, state)
    }
    guard item.id >= 0 else {
      if mayBe(state) { next.append(state) }
      return
    }
    func remembering(_ state: RegisterState) -> RegisterState {
      var state = state
      state.remember(
        Memory(
          id: item.id, call: Int32(position), revision: state.revision, isExact: state.isExact, changesSince: 0,
          isDead: false, mayBeErased: false, created: created, number: number, length: length))
      return state
    }
    if mayBe(state) { next.append(remembering(state)) }
    guard tracksRevisions, !state.isExact else { return }
    // Nobody saw its revision, but a repeat's answer may tell it: then it is one of those that are told. The state
    // above stands for all the others.
    for told in toldRevisions[Int(item.id)] {
      var pinned = state
      if pinned.pin(told), mayBe(pinned) { next.append(remembering(pinned)) }
    }
  }

  /// R8: what a settle says of its target; false if it cannot be.
  private func settle(_ item: Item, _ position: Int, _ fate: Call.Fate?, _ state: inout RegisterState) -> Bool {
    guard case .settle(let target, let known) = item.call.action, target != nil, let fate else { return true }
    let memory = item.id < 0 ? nil : state.memory(item.id)
    let isCertain = memory.map { $0.isCertain && !mayBeErased(state, item) } ?? false
    switch fate {
    case .applied(let revision):
      guard let memory, !memory.isDead else { return false }
      return memory.repeats(Call.Change(revision: revision))
    case .forgotten: return !isCertain
    case .dead:
      // A change since the revision that the client knew must not be called dead, remembered or not.
      if let memory, !memory.isDead, isCertain || memory.revision > known { return false }
      guard item.id >= 0 else { return true }
      state.remember(
        Memory(
          id: item.id, call: Int32(position), revision: state.revision, isExact: state.isExact, changesSince: 0,
          isDead: true, mayBeErased: false, created: false, number: nil, length: nil))
      return true
    }
  }
}

extension Call.Condition {
  /// What `state`, of whose revision only a lower bound is known, must be for this condition to hold, and to fail; all
  /// that it asks of other things than the revision holds.
  fileprivate func splits(_ state: RegisterState) -> (holding: [RegisterState], failing: [RegisterState]) {
    func without(_ revisions: [UInt64]) -> [RegisterState] {
      var state = state
      return state.exclude(revisions) ? [state] : []
    }
    func pinned(_ revisions: [UInt64]) -> [RegisterState] {
      revisions.compactMap { revision in
        var state = state
        return state.pin(revision) ? state : nil
      }
    }
    let hated = revisionNotIn ?? []
    guard let wanted = revisionIn else { return (without(hated), pinned(hated)) }
    return (pinned(wanted.filter { !hated.contains($0) }), without(wanted) + pinned(wanted.filter(hated.contains)))
  }
}
