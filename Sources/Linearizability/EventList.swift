/// The invocations and deadlines of a problem's items in the order of their stamps, as a list from which items are
/// lifted and put back (Wing and Gong's entries).
///
/// Node 2i is the invocation of item i, node 2i + 1 its deadline; the last node is the head.
struct EventList {
  private var next: [Int32]
  private var previous: [Int32]
  private let head: Int

  /// Behind the last event.
  static let end = -1

  init(_ items: [Problem.Item]) {
    // An invocation comes before a deadline of the same stamp: the two are concurrent.
    var order: [(stamp: UInt64, rank: UInt8, node: Int)] = []
    order.reserveCapacity(items.count * 2)
    for (index, item) in items.enumerated() {
      order.append((item.call.invoked, 0, 2 * index))
      if item.deadline != .max { order.append((item.deadline, 1, 2 * index + 1)) }
    }
    order.sort { ($0.stamp, $0.rank, $0.node) < ($1.stamp, $1.rank, $1.node) }
    head = 2 * items.count
    next = [Int32](repeating: -1, count: head + 1)
    previous = [Int32](repeating: -1, count: head + 1)
    var last = head
    for event in order {
      next[last] = Int32(event.node)
      previous[event.node] = Int32(last)
      last = event.node
    }
  }

  var first: Int { Int(next[head]) }
  func following(_ node: Int) -> Int { Int(next[node]) }

  mutating func lift(_ item: Int) {
    unlink(2 * item)
    if previous[2 * item + 1] >= 0 { unlink(2 * item + 1) }
  }

  /// The reverse of the last ``lift(_:)`` that was not reversed yet.
  mutating func putBack(_ item: Int) {
    if previous[2 * item + 1] >= 0 { link(2 * item + 1) }
    link(2 * item)
  }

  private mutating func unlink(_ node: Int) {
    let (before, after) = (previous[node], next[node])
    next[Int(before)] = after
    if after >= 0 { previous[Int(after)] = before }
  }

  private mutating func link(_ node: Int) {
    let (before, after) = (previous[node], next[node])
    next[Int(before)] = Int32(node)
    if after >= 0 { previous[Int(after)] = Int32(node) }
  }
}
