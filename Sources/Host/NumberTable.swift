/// What belongs to each connection, by the driver's number. Open addressing, at most half full: a `Dictionary` would
/// hash each number anew, and each request asks several times. Its order depends on the numbers alone.
struct NumberTable<Value: AnyObject> {
  private struct Place {
    /// Nil where the place is free. At the front, where ``address(of:)`` reads it.
    var value: Value?
    var number: UInt64 = 0
  }

  private var places = ContiguousArray(repeating: Place(), count: 16)
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }

  var all: [(number: UInt64, value: Value)] {
    places.compactMap { place in place.value.map { (place.number, $0) } }
  }

  subscript(_ number: UInt64) -> Value? {
    get { places[find(number)].value }
    set {
      if newValue == nil { remove(number) } else { insert(number, newValue) }
    }
  }

  /// Where that which belongs to `number` stands in memory. It is not touched, as it would be to retain it.
  func address(of number: UInt64) -> UnsafeRawPointer? {
    let offset = find(number) * MemoryLayout<Place>.stride
    return places.withUnsafeBytes { $0.load(fromByteOffset: offset, as: UnsafeRawPointer?.self) }
  }

  /// Takes out what belongs to `number`.
  @discardableResult
  mutating func remove(_ number: UInt64) -> Value? {
    var hole = find(number)
    guard let removed = places[hole].value else { return nil }
    count -= 1
    // What stands behind moves up where else the search for it would end at the hole.
    var place = next(hole)
    while places[place].value != nil {
      let fromStart = (place - start(of: places[place].number)) & (places.count - 1)
      if fromStart >= (place - hole) & (places.count - 1) {
        places[hole] = places[place]
        hole = place
      }
      place = next(place)
    }
    places[hole] = Place()
    return removed
  }

  private mutating func insert(_ number: UInt64, _ value: Value?) {
    let place = find(number)
    if places[place].value == nil { count += 1 }
    places[place] = Place(value: value, number: number)
    guard 2 * count > places.count else { return }
    let old = places
    places = ContiguousArray(repeating: Place(), count: 2 * old.count)
    for place in old where place.value != nil { places[find(place.number)] = place }
  }

  /// Where `number` stands, or would stand.
  private func find(_ number: UInt64) -> Int {
    var place = start(of: number)
    while places[place].value != nil && places[place].number != number { place = next(place) }
    return place
  }

  /// Fibonacci hashing (Knuth, TAOCP 6.4): numbers that follow each other spread out.
  private func start(of number: UInt64) -> Int {
    Int(truncatingIfNeeded: (number &* 0x9E37_79B9_7F4A_7C15) >> 32) & (places.count - 1)
  }

  private func next(_ place: Int) -> Int { (place + 1) & (places.count - 1) }
}
