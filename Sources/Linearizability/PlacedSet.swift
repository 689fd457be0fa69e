import Base

/// Which items of a problem have their place in the order so far, kept so that it can be written down in few bytes:
/// all items below ``front`` but open ones, some of those between ``front`` and ``top``, and some of the open ones.
struct PlacedSet {
  private var isPlaced: [Bool]
  private let isOpen: [Bool]
  /// Every item below it is placed or open.
  private var front = 0
  /// No item from here on is placed.
  private var top = 0
  /// The open items that are placed, in no order.
  private var open = OpenSet()

  private struct OpenSet {
    var words: [UInt64] = []
  }
  /// By item: its number among the open ones.
  private let openNumber: [Int32]

  init(_ items: [Problem.Item]) {
    isPlaced = [Bool](repeating: false, count: items.count)
    isOpen = items.map { $0.isOpen }
    var numbers = [Int32](repeating: -1, count: items.count)
    var count: Int32 = 0
    for (index, item) in items.enumerated() where item.isOpen {
      numbers[index] = count
      count += 1
    }
    openNumber = numbers
    open.words = [UInt64](repeating: 0, count: (Int(count) + 63) / 64)
    advance()
  }

  func contains(_ item: Int) -> Bool { isPlaced[item] }

  mutating func insert(_ item: Int) {
    isPlaced[item] = true
    if isOpen[item] {
      open.words[Int(openNumber[item]) / 64] |= 1 << UInt64(openNumber[item] % 64)
    } else {
      top = max(top, item + 1)
      if item == front { advance() }
    }
  }

  mutating func remove(_ item: Int) {
    isPlaced[item] = false
    if isOpen[item] {
      open.words[Int(openNumber[item]) / 64] &= ~(1 << UInt64(openNumber[item] % 64))
    } else {
      front = min(front, item)
      while top > 0, isOpen[top - 1] || !isPlaced[top - 1] { top -= 1 }
    }
  }

  private mutating func advance() {
    while front < isPlaced.count, isPlaced[front] || isOpen[front] { front += 1 }
  }

  /// The lowest of the ceilings of the items that have no place yet.
  func ceiling(_ problem: Problem) -> UInt64 {
    var lowest = problem.ceilings[max(front, top)]
    if front < top {
      for item in front..<top where !isPlaced[item] { lowest = min(lowest, problem.items[item].ceiling) }
    }
    return lowest
  }

  /// Appends what tells this set from others.
  func encode(into key: inout ByteWriter) {
    key.varint(UInt64(front))
    var byte: UInt8 = 0
    var bits: UInt8 = 0
    key.varint(UInt64(max(top - front, 0)))
    if front < top {
      for item in front..<top {
        if isPlaced[item] && !isOpen[item] { byte |= 1 << bits }
        bits += 1
        if bits == 8 {
          key.u8(byte)
          (byte, bits) = (0, 0)
        }
      }
      if bits > 0 { key.u8(byte) }
    }
    // What is not written is zero; the state behind it begins with a length of its own.
    var used = open.words.count
    while used > 0, open.words[used - 1] == 0 { used -= 1 }
    key.varint(UInt64(used))
    for word in open.words[..<used] { key.u64(word) }
  }
}
