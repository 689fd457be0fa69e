/// The fast path: where every answered change tells its revision, the revisions give the order, up to what tells none.
///
/// It lays one order, call by call, by the same steps as the search, and never takes one back: near-linear. What it
/// finds is an order; where it finds none, there may still be one.
struct RevisionOrder {
  private let problem: Problem
  /// The items that tell where they belong, in the order of their revisions.
  private var anchored: [Int] = []
  /// By position in ``anchored``: the first deadline from there on.
  private var deadlines: [UInt64] = []
  /// Items that must have a place and tell none, by their invocations; those that may have none.
  private var floating: [Int] = []
  private var optional: [Int] = []
  private var state: RegisterState
  /// The latest invocation in the order so far: what had returned before can come no more.
  private var now: UInt64 = 0
  /// The latest invocation of a settle in the order so far: what had expired before can come no more (R8).
  private var settledFrom: UInt64 = 0
  private var successors: [RegisterState] = []
  private let applies: Bool

  init(_ problem: Problem) {
    self.problem = problem
    state = problem.start
    var applies = problem.tracksRevisions
    var places: [(revision: UInt64, rank: Int, item: Int)] = []
    for (index, item) in problem.items.enumerated() {
      if item.isOptional {
        optional.append(index)
      } else if let place = Self.place(item) {
        places.append((place.revision, place.rank, index))
      } else {
        if case .changed(let change) = item.call.outcome, change.revision == nil { applies = false }
        floating.append(index)
      }
    }
    self.applies = applies
    guard applies else { return }
    places.sort { ($0.revision, $0.rank, $0.item) < ($1.revision, $1.rank, $1.item) }
    anchored = places.map { $0.item }
    deadlines = [UInt64](repeating: .max, count: anchored.count + 1)
    for (index, item) in anchored.enumerated().reversed() {
      deadlines[index] = min(deadlines[index + 1], problem.items[item].deadline)
    }
  }

  /// The revision at which an item belongs, and its rank there: changes, what may be one, what only looks.
  private static func place(_ item: Problem.Item) -> (revision: UInt64, rank: Int)? {
    switch item.call.outcome {
    case .read(let sight), .settled(let sight, _), .conditionFailed(let sight):
      if case .present(let revision?, _) = sight { return (revision, 2) }
    case .changed(let change):
      guard let revision = change.revision, change.replayed != true else { return nil }
      if case .max = item.call.action { return (revision, 1) }
      if case .min = item.call.action { return (revision, 1) }
      return (revision, 0)
    case .absent, .notANumber, .notApplied, .unknown: break
    }
    return nil
  }

  /// Whether an order of all items was found.
  mutating func isComplete() -> Bool {
    guard applies else { return false }
    // Both have their first item last.
    floating.reverse()
    optional.reverse()
    var waiting: [Int] = []
    for index in 0...anchored.count {
      // What changes nothing for those to come is placed as early as it fits.
      let horizon = deadlines[index]
      while let item = floating.last, problem.items[item].call.invoked <= horizon {
        waiting.append(floating.removeLast())
      }
      settle(&waiting)
      guard index < anchored.count else { break }
      while !take(anchored[index]) {
        guard fill(towards: anchored[index], before: horizon) else { return false }
        settle(&waiting)
      }
    }
    return waiting.isEmpty && floating.isEmpty
  }

  private mutating func settle(_ waiting: inout [Int]) {
    guard !waiting.isEmpty else { return }
    waiting.removeAll { take($0) }
  }

  /// Places an item next, if it fits there.
  private mutating func take(_ position: Int) -> Bool {
    let item = problem.items[position]
    guard item.deadline >= now else { return false }
    problem.successors(of: state, position, into: &successors)
    guard let next = successors.last else { return false }
    state = next
    now = max(now, item.call.invoked)
    settledFrom = max(settledFrom, item.settledFrom)
    return true
  }

  /// Places a change of unknown outcome: one after which `goal` fits, or else any, where `goal` is still further away.
  private mutating func fill(towards goal: Int, before horizon: UInt64) -> Bool {
    let ceiling = problem.items[goal].ceiling
    guard state.revision < ceiling else { return false }
    var spare: (index: Int, state: RegisterState)?
    for (index, position) in optional.enumerated().reversed() {
      let item = problem.items[position]
      guard item.call.invoked <= horizon else { break }
      guard item.deadline >= now, item.expired >= settledFrom else { continue }
      problem.successors(of: state, position, into: &successors)
      guard let next = successors.last else { continue }
      problem.successors(of: next, goal, into: &successors)
      if !successors.isEmpty {
        spare = (index, next)
        break
      }
      if spare == nil, next.revision < ceiling { spare = (index, next) }
    }
    guard let (index, next) = spare else { return false }
    state = next
    now = max(now, problem.items[optional.remove(at: index)].call.invoked)
    return true
  }
}
