import Base

/// Finds the round that is under way for a key, by its slot. Open addressing, at most half full, without hashing the
/// key again as a `Dictionary` would: each operation asks three times.
struct SlotIndex {
  private struct Place {
    var hash: UInt64 = 0
    /// Slot + 1; 0 where the place is free.
    var entry: UInt32 = 0
  }

  private var places = ContiguousArray(repeating: Place(), count: 64)
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }

  /// The slot of `key`; `rounds` are those that the slots are of.
  func find(_ key: Key, in rounds: ContiguousArray<Round>) -> Int? {
    var place = start(of: key.hash)
    while places[place].entry != 0 {
      let slot = Int(places[place].entry) - 1
      if places[place].hash == key.hash && rounds[slot].key == key { return slot }
      place = next(place)
    }
    return nil
  }

  /// The key must not be there.
  mutating func insert(_ hash: UInt64, slot: Int) {
    count += 1
    if 2 * count > places.count { grow() }
    put(Place(hash: hash, entry: UInt32(slot) + 1))
  }

  /// The slot must be there.
  mutating func remove(_ hash: UInt64, slot: Int) {
    var hole = start(of: hash)
    while places[hole].entry != UInt32(slot) + 1 { hole = next(hole) }
    count -= 1
    // What stands behind moves up where else the search for it would end at the hole.
    var place = next(hole)
    while places[place].entry != 0 {
      let fromStart = (place - start(of: places[place].hash)) & (places.count - 1)
      if fromStart >= (place - hole) & (places.count - 1) {
        places[hole] = places[place]
        hole = place
      }
      place = next(place)
    }
    places[hole] = Place()
  }

  private func start(of hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (places.count - 1) }
  private func next(_ place: Int) -> Int { (place + 1) & (places.count - 1) }

  private mutating func put(_ new: Place) {
    var place = start(of: new.hash)
    while places[place].entry != 0 { place = next(place) }
    places[place] = new
  }

  private mutating func grow() {
    let old = places
    places = ContiguousArray(repeating: Place(), count: 2 * old.count)
    for place in old where place.entry != 0 { put(place) }
  }
}
