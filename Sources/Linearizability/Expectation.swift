/// What the answers of one register tell of the change that led to one revision. No revision is ever taken twice, so
/// that an order with another change there cannot be completed.
struct Expectation {
  /// The item that did it, -1 where an answer does not say so.
  var item: Int32 = -1
  /// The number of the id of the operation that did it; -1: none or not told.
  var id: Int32 = -1
  var isPresent = false
  var value: [UInt8]?

  /// Takes up what the answer to `item` tells of a change, its own or the one that it speaks of.
  static func collect(_ items: [Problem.Item]) -> [UInt64: Expectation] {
    var all: [UInt64: Expectation] = [:]
    for (index, item) in items.enumerated() {
      switch item.call.outcome {
      case .read(let sight), .conditionFailed(let sight): all.see(sight)
      case .settled(let sight, let fate):
        all.see(sight)
        if case .applied(let revision?)? = fate, item.id >= 0 { all.claim(revision, item: -1, id: item.id) }
      case .changed(let change):
        guard let revision = change.revision else { continue }
        // max and min answer so as well where they changed nothing.
        let isCertain =
          switch item.call.action {
          case .max, .min: change.replayed == true
          case .read, .settle, .put, .delete, .add, .append: true
          }
        guard isCertain else { continue }
        all.claim(revision, item: item.id < 0 ? Int32(index) : -1, id: item.id)
      case .absent, .notANumber, .notApplied, .unknown: continue
      }
    }
    return all
  }

  /// Whether the item at `position` may be what led to `state`.
  func allows(_ item: Problem.Item, _ position: Int, _ state: RegisterState) -> Bool {
    if self.item >= 0, Int(self.item) != position { return false }
    if id >= 0, item.id != id { return false }
    // Of what was answered, the explanation is to show that it can be next, and what then fits no more.
    guard item.isOptional else { return true }
    return (value == nil || state.value == value) && (!isPresent || state.value != nil)
  }
}

extension [UInt64: Expectation] {
  fileprivate mutating func claim(_ revision: UInt64, item: Int32, id: Int32) {
    let old = self[revision] ?? Expectation()
    guard old.item < 0, old.id < 0 else { return }
    self[revision, default: Expectation()].item = item
    self[revision, default: Expectation()].id = id
  }

  fileprivate mutating func see(_ sight: Call.Sight) {
    guard case .present(let revision?, let value) = sight else { return }
    self[revision, default: Expectation()].isPresent = true
    if let value { self[revision, default: Expectation()].value = value }
  }
}
