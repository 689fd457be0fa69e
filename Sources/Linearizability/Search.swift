import Base

/// Looks for an order of one register's calls: Wing and Gong's search, with Lowe's memory of what was tried before
/// (the set of calls in the order so far, and the state they lead to), as a loop over an explicit stack.
struct Search {
  enum Result: Equatable {
    case found
    case notFound
    case limitReached
  }

  private let problem: Problem
  private let limitBytes: Int
  private var events: EventList
  private var placed: PlacedSet
  private var state: RegisterState
  /// The last invocation of a settle in the order so far: what had expired before it can come no more (R8).
  private var settledFrom: UInt64 = 0
  private var stack: [Frame] = []
  private var observed: [RegisterState] = []
  private var tried = ByteStringTable()
  private var values = ByteStringTable()
  private var key = ByteWriter()
  /// How many items without a place must get one yet.
  private var mustPlace: Int
  /// So many on the stack are there without effect.
  private var skipped = 0
  /// For the explanation: the longest order so far, as positions in ``Problem/items``.
  private(set) var longest: [Int] = []
  /// The highest stamp of a return that no order could pass.
  private(set) var stuckAt: UInt64 = 0

  private struct Frame {
    let item: Int
    /// Placed as one that never takes effect.
    let isSkip: Bool
    /// Nothing else needs to be tried in its place.
    let isForced: Bool
    /// The state before it.
    let before: RegisterState
    /// The last invocation of a settle before it.
    let settledFrom: UInt64
    /// Other states that it may lead to, not tried yet.
    var others: [RegisterState]
  }

  init(_ problem: Problem, limitBytes: Int) {
    self.problem = problem
    self.limitBytes = limitBytes
    events = EventList(problem.items)
    placed = PlacedSet(problem.items)
    state = problem.start
    mustPlace = problem.items.count { !$0.isOptional }
  }

  /// How much it keeps, in bytes.
  var bytes: Int { tried.bytes + values.bytes }
  var statesTried: Int { tried.count }

  mutating func run() -> Result {
    var successors: [RegisterState] = []
    observe()
    var node = events.first
    var ceiling = placed.ceiling(problem)
    while mustPlace > 0 {
      invariant(node != EventList.end, "a call that must have its place has a deadline")
      let item = node / 2
      if node % 2 == 0 {
        if mayBeNext(item, ceiling) {
          problem.successors(of: state, item, into: &successors)
          if !successors.isEmpty, place(item, &successors) {
            guard bytes <= limitBytes else { return .limitReached }
            observe()
            node = events.first
            ceiling = placed.ceiling(problem)
            continue
          }
        }
        node = events.following(node)
      } else if problem.items[item].isOptional {
        // Its time is over, and placing it earlier was tried: it never takes effect.
        node = events.following(node)
        push(Frame(item: item, isSkip: true, isForced: true, before: state, settledFrom: settledFrom, others: []))
        skipped += 1
      } else {
        note(problem.items[item].deadline)
        guard let next = backtrack() else { return .notFound }
        node = next
        ceiling = placed.ceiling(problem)
      }
    }
    return .found
  }

  /// Places what only looks and fits the state as it is: an order that has it later stays one when it comes now.
  private mutating func observe() {
    var node = events.first
    while node != EventList.end, node % 2 == 0 {
      let item = node / 2
      var isPlaced = false
      if problem.items[item].isObservation {
        problem.successors(of: state, item, into: &observed)
        isPlaced = observed.count == 1 && observed[0] == state
      }
      if isPlaced {
        push(Frame(item: item, isSkip: false, isForced: true, before: state, settledFrom: settledFrom, others: []))
      }
      node = events.following(node)
      // Its own deadline was lifted with it.
      if isPlaced, node == 2 * item + 1 { node = events.following(node) }
    }
  }

  private func mayBeNext(_ item: Int, _ ceiling: UInt64) -> Bool {
    guard problem.items[item].isOptional else { return true }
    // A change by an optional item raises the revision, which those that must come yet do not allow.
    return state.revision < ceiling && problem.items[item].expired >= settledFrom
  }

  /// The order that was found, without what never takes effect.
  var order: [Int] { stack.compactMap { $0.isSkip ? nil : $0.item } }

  private mutating func push(_ frame: Frame) {
    events.lift(frame.item)
    placed.insert(frame.item)
    if !problem.items[frame.item].isOptional { mustPlace -= 1 }
    stack.append(frame)
  }

  /// Places `item` with the first of the states that was not tried before; false if there is none.
  private mutating func place(_ item: Int, _ successors: inout [RegisterState]) -> Bool {
    let frame = Frame(item: item, isSkip: false, isForced: false, before: state, settledFrom: settledFrom, others: [])
    push(frame)
    let ceiling = placed.ceiling(problem)
    while let next = successors.popLast() {
      guard next.revision <= ceiling, isNew(next) else { continue }
      state = next
      settledFrom = max(settledFrom, problem.items[item].settledFrom)
      stack[stack.count - 1].others = successors
      return true
    }
    pop()
    return false
  }

  private mutating func isNew(_ next: RegisterState) -> Bool {
    let number = next.value.map { values.insert($0).number + 1 } ?? 0
    key.bytes.removeAll(keepingCapacity: true)
    placed.encode(into: &key)
    next.encode(value: number, into: &key)
    return tried.insert(key.bytes).isNew
  }

  @discardableResult
  private mutating func pop() -> Frame {
    let frame = stack.removeLast()
    events.putBack(frame.item)
    placed.remove(frame.item)
    if !problem.items[frame.item].isOptional { mustPlace += 1 }
    if frame.isSkip { skipped -= 1 }
    state = frame.before
    settledFrom = frame.settledFrom
    return frame
  }

  /// Takes back what led here, up to where there is something else to try: the node to go on with, nil if nothing is.
  private mutating func backtrack() -> Int? {
    while !stack.isEmpty {
      var frame = pop()
      if frame.isForced { continue }
      if !frame.others.isEmpty, place(frame.item, &frame.others) {
        observe()
        return events.first
      }
      return events.following(2 * frame.item)
    }
    return nil
  }

  private mutating func note(_ deadline: UInt64) {
    stuckAt = max(stuckAt, deadline)
    if stack.count - skipped > longest.count { longest = order }
  }
}
