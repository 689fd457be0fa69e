import Base

/// The sizes of table slots: 128 bytes, then each about a quarter more, all multiples of 64, so that a record wastes at
/// most a fifth of its slot while it keeps its size.
///
/// The list is part of the table format: extents name a class by its number.
struct SlotClass {
  /// Bytes of a slot.
  let slotBytes: Int
  /// Extents of this class are so many units of 64 KiB.
  let units: Int
  /// How many slots an extent holds, after its header.
  let slots: Int

  static let unitBytes = 64 << 10
  static let extentHeaderBytes = 64

  static let all: [SlotClass] = {
    var classes: [SlotClass] = []
    // Up to a value of 1 MiB, a key of 512 bytes, 8 KiB of window and the frame's header.
    let needed = (1 << 20) + (8 << 10) + 512 + RecordFrame.headerBytes
    var size = 128
    while true {
      classes.append(SlotClass(slotBytes: size))
      if size >= needed { return classes }
      size = (max(size + 64, size + size / 4) + 63) & ~63
    }
  }()

  /// Bytes of the largest slot.
  static let largest = all[all.count - 1].slotBytes

  /// The smallest class whose slots hold `bytes`.
  static func index(for bytes: Int) -> Int {
    invariant(bytes <= largest, "a record of \(bytes) bytes is larger than the largest slot")
    var low = 0
    var high = all.count - 1
    while low < high {
      let middle = (low + high) / 2
      if all[middle].slotBytes >= bytes { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// Takes the fewest units that leave at most an eighth of the extent unused.
  private init(slotBytes: Int) {
    var units = 1
    while true {
      let usable = units * SlotClass.unitBytes - SlotClass.extentHeaderBytes
      let slots = usable / slotBytes
      if slots > 0 && (usable - slots * slotBytes) * 8 <= usable {
        self.slotBytes = slotBytes
        self.units = units
        self.slots = slots
        return
      }
      units += 1
    }
  }
}
