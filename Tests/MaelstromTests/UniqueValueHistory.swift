/// What clients asked of one register and heard, and whether it is linearizable: a search for an order (Wing and Gong)
/// that never visits a state twice.
struct UniqueValueHistory {
  enum Operation {
    /// Nil: the register was absent.
    case read(Int?)
    case write(Int)
    /// Answered cas_ok.
    case swap(from: Int, to: Int, creates: Bool)
    /// Error 22, or 20 where the register was `absent`.
    case failedSwap(from: Int, absent: Bool)
  }

  struct Entry {
    let operation: Operation
    let invoked: Int
    /// Nil: unknown; it may take effect at any time from its invocation on, or never.
    let returned: Int?
  }

  private struct State: Hashable {
    var done: UInt128
    var value: Int?
  }

  private(set) var entries: [Entry] = []

  mutating func add(_ operation: Operation, invoked: Int, returned: Int?) {
    entries.append(Entry(operation: operation, invoked: invoked, returned: returned))
  }

  var isLinearizable: Bool {
    precondition(entries.count <= 128, "the set of what is done is one word of 128 bits")
    var seen: Set<State> = []
    var open = [State(done: 0, value: nil)]
    while let state = open.popLast() {
      guard seen.insert(state).inserted else { continue }
      let left = entries.indices.filter { state.done & (1 << UInt128($0)) == 0 }
      guard let firstReturn = left.compactMap({ entries[$0].returned }).min() else { return true }
      for index in left where entries[index].invoked < firstReturn {
        guard let value = Self.apply(entries[index].operation, to: state.value) else { continue }
        open.append(State(done: state.done | 1 << UInt128(index), value: value))
      }
    }
    return false
  }

  /// The register's content after `operation`; nil where the operation cannot have been answered so.
  private static func apply(_ operation: Operation, to value: Int?) -> Int?? {
    switch operation {
    case .read(let seen): seen == value ? .some(value) : nil
    case .write(let new): .some(new)
    case .swap(let from, let to, let creates): value == from || (creates && value == nil) ? .some(to) : nil
    case .failedSwap(let from, let absent):
      absent ? (value == nil ? .some(nil) : nil) : (value != nil && value != from ? .some(value) : nil)
    }
  }
}
