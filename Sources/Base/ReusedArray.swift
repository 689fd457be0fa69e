// An array that is filled and taken out as a whole, again and again, without new room for each time.
extension Array {
  /// Takes all elements out; what they stood in may be given back by ``reuse(_:)``.
  @inlinable @inline(__always)
  package mutating func takeAll() -> [Element] {
    var taken: [Element] = []
    swap(&taken, &self)
    return taken
  }

  /// Keeps the room of `done`, whose elements are done with, unless there are new ones already.
  @inlinable @inline(__always)
  package mutating func reuse(_ done: inout [Element]) {
    guard isEmpty else { return }
    done.removeAll(keepingCapacity: true)
    swap(&self, &done)
  }
}
