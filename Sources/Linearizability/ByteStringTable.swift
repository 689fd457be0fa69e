import Base

/// A set of byte strings that only grows, all in one array: what it holds is what it costs.
struct ByteStringTable {
  private var arena: [UInt8] = []
  private var strings: [(start: Int, hash: UInt64)] = []
  /// Open addressing; the number of a string plus 1, or 0.
  private var slots: [UInt32]

  init() { slots = [UInt32](repeating: 0, count: 256) }

  var count: Int { strings.count }
  /// What it keeps in memory, without the slack of its arrays.
  var bytes: Int { arena.count + strings.count * 16 + slots.count * 4 }

  /// The number of `string`, from 0, and whether it is new.
  mutating func insert(_ string: [UInt8]) -> (number: Int, isNew: Bool) {
    let hash = Checksum.xxh64(string)
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] != 0 {
      let number = Int(slots[slot]) - 1
      if strings[number].hash == hash, equals(number, string) { return (number, false) }
      slot = (slot + 1) & mask
    }
    slots[slot] = UInt32(strings.count + 1)
    strings.append((arena.count, hash))
    arena.append(contentsOf: string)
    if strings.count * 2 > slots.count { grow() }
    return (strings.count - 1, true)
  }

  private func equals(_ number: Int, _ string: [UInt8]) -> Bool {
    let start = strings[number].start
    let end = number + 1 < strings.count ? strings[number + 1].start : arena.count
    return end - start == string.count && arena[start..<end].elementsEqual(string)
  }

  private mutating func grow() {
    slots = [UInt32](repeating: 0, count: slots.count * 2)
    let mask = slots.count - 1
    for (number, string) in strings.enumerated() {
      var slot = Int(truncatingIfNeeded: string.hash) & mask
      while slots[slot] != 0 { slot = (slot + 1) & mask }
      slots[slot] = UInt32(number + 1)
    }
  }
}
