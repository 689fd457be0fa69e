/// What is to happen, by the time at which it happens: a binary heap. Events of one instant come in the order in which
/// they were scheduled, so that a run is the same each time.
package struct EventQueue<Element> {
  private struct Entry {
    let at: UInt64
    let number: UInt64
    let element: Element

    func comesBefore(_ other: Entry) -> Bool { at != other.at ? at < other.at : number < other.number }
  }

  private var heap: ContiguousArray<Entry> = []
  private var scheduled: UInt64 = 0

  package init() {}

  /// `at`: nanoseconds of the world's time.
  package mutating func schedule(_ element: Element, at: UInt64) {
    scheduled += 1
    let entry = Entry(at: at, number: scheduled, element: element)
    heap.append(entry)
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard entry.comesBefore(heap[parent]) else { break }
      heap[child] = heap[parent]
      child = parent
    }
    heap[child] = entry
  }

  /// When the next event is due.
  package var nextAt: UInt64? { heap.first?.at }

  package mutating func next() -> (at: UInt64, element: Element)? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    guard !heap.isEmpty else { return (first.at, first.element) }
    var parent = 0
    while true {
      var child = 2 * parent + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, heap[child + 1].comesBefore(heap[child]) { child += 1 }
      guard heap[child].comesBefore(last) else { break }
      heap[parent] = heap[child]
      parent = child
    }
    heap[parent] = last
    return (first.at, first.element)
  }
}
