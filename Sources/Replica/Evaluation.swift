import Base

/// What one operation comes to when it is evaluated against the running cell of a fold.
package enum Verdict: Sendable, Equatable {
  /// The cell was changed, at this revision. The outcome holds once the new cell is chosen.
  case applied(Outcome, revision: UInt64)
  /// Nothing was changed; the outcome holds once the cell that was looked at is known to be chosen (R4).
  case observed(Outcome)
  /// A dead mark was put on the cell: the outcome holds once that is chosen, and the revision stays.
  case marked(Outcome)
  /// R7: what became of an earlier attempt can no longer be seen.
  case undecidable
}

extension Cell {
  /// Applies `operation`, or observes why it does not apply.
  ///
  /// - Parameters:
  ///   - lo: R7: the lowest revision at which any earlier attempt may have placed the operation; nil if there was none.
  ///   - isFresh: no attempt of this very request was made; what the window names was another request's doing.
  ///   - maximumValueBytes: the limit that append must keep.
  package mutating func evaluate(
    _ operation: Operation, lo: UInt64?, isFresh: Bool, maximumValueBytes: Int
  ) -> Verdict {
    switch operation.action {
    case .read:
      return .observed(.read(content))
    case .settle(let target, let known, let nowSeconds):
      return settle(target: target, known: known, nowSeconds: nowSeconds)
    case .put, .delete, .add, .max, .min, .append:
      break
    }
    // R9: an operation that took effect is answered from the window, whoever asks again. A repeat, unless this very
    // request may have done it.
    if Guard.windowAnswers.isIn, let (entry, revision) = remembered(operation.id) {
      guard entry.payloadHash == operation.payloadHash else { return .observed(.refused(.payloadMismatch)) }
      let isReplay = isFresh || lo.map { revision < $0 } ?? true
      return .observed(.changed(revision: revision, entry.effect, replayed: isReplay))
    }
    // R8: a late start of what settle declared dead is refused.
    if Guard.deadStaysDead.isIn, marks.contains(where: { $0.id == operation.id }) { return .observed(.refused(.dead)) }
    // R7: without this, an earlier attempt that has slid out of the window is applied twice.
    if Guard.windowReachesBack.isIn, let lo, !showsEverything(since: lo) { return .undecidable }
    guard operation.condition.holds(revision: revision, value: value) else {
      return .observed(.conditionFailed(current: content))
    }
    return change(operation, maximumValueBytes: maximumValueBytes)
  }

  /// Whether `verdict` holds however late another node starts the operation, with `lo` in its hands: it took effect
  /// at `lo` or above, so that R7 stops that node for good, or it is marked dead. An entry below `lo` made by an
  /// earlier request may slide out unseen.
  package func isFinal(_ verdict: Verdict, of id: OperationID, from lo: UInt64) -> Bool {
    switch verdict {
    case .applied, .marked: true
    case .observed(.changed): remembered(id).map { $0.revision >= lo } ?? false
    case .observed(let outcome): outcome == .refused(.dead)
    case .undecidable: false
    }
  }

  private mutating func change(_ operation: Operation, maximumValueBytes: Int) -> Verdict {
    switch operation.action {
    case .read, .settle:
      invariantFailed("reads and settles change nothing")
    case .put(let new):
      return apply(operation, new[...], isPresent ? .replaced : .created)
    case .delete:
      return isPresent ? apply(operation, nil, .deleted) : .observed(.absent)
    case .append(let tail):
      let joined = Array(value ?? []) + tail
      guard joined.count <= maximumValueBytes else { return .observed(.refused(.tooLarge)) }
      return apply(operation, joined[...], .length(UInt64(joined.count)))
    case .add(let delta):
      guard let old = number(absent: 0) else { return .observed(.refused(.notANumber)) }
      let (sum, overflow) = old.addingReportingOverflow(delta)
      guard !overflow else { return .observed(.refused(.overflow)) }
      return apply(operation, decimal(sum), .number(sum))
    case .max(let bound), .min(let bound):
      guard let old = number(absent: bound) else { return .observed(.refused(.notANumber)) }
      let new = if case .max = operation.action { Swift.max(old, bound) } else { Swift.min(old, bound) }
      // What changes nothing leaves the revision; an absent register is created.
      if isPresent && new == old {
        return .observed(.changed(revision: revision, .number(old), replayed: false))
      }
      return apply(operation, decimal(new), .number(new))
    }
  }

  private mutating func apply(_ operation: Operation, _ new: ArraySlice<UInt8>?, _ effect: Effect) -> Verdict {
    revision += 1
    value = new
    remember(WindowEntry(id: operation.id, payloadHash: operation.payloadHash, effect: effect))
    return .applied(.changed(revision: revision, effect, replayed: false), revision: revision)
  }

  /// The value as a number; `absent` where there is no value; nil where it is no 64-bit integer.
  private func number(absent: Int64) -> Int64? {
    guard let value else { return absent }
    return Decimal.integer(value)
  }

  private func decimal(_ number: Int64) -> ArraySlice<UInt8> {
    var bytes: [UInt8] = []
    Decimal.append(number, to: &bytes)
    return bytes[...]
  }

  /// R8: with an operation's id and a revision that its client knew before it sent it.
  private mutating func settle(target: OperationID?, known: UInt64, nowSeconds: UInt64) -> Verdict {
    guard let target else { return .observed(.settled(content, fate: nil)) }
    if let (_, revision) = remembered(target) {
      return .observed(.settled(content, fate: .applied(revision: revision)))
    }
    if marks.contains(where: { $0.id == target }) { return .observed(.settled(content, fate: .dead)) }
    // An applied change whose id was evicted must not be called dead.
    guard showsEverything(since: known == .max ? known : known + 1) else {
      return .observed(.settled(content, fate: .forgotten))
    }
    // Only where room is wanted: the age is that of wall clocks, and one of them may have been set by as much.
    if marks.count >= Window.maximumMarks {
      marks.removeAll { $0.placedAtSeconds + Window.markLifetimeSeconds < nowSeconds }
    }
    // A full list forgets nothing that may still matter: it says so instead, and puts no mark.
    guard marks.count < Window.maximumMarks else { return .observed(.settled(content, fate: .forgotten)) }
    marks.append(DeadMark(id: target, placedAtSeconds: nowSeconds))
    return .marked(.settled(content, fate: .dead))
  }
}
