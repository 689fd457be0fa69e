import Base

/// Puts the numbers of many records in the order of their keys.
///
/// Comparing keys means to fetch each from where it lies in memory, twenty times a key or so. Instead eight bytes of
/// each key stand beside its number: those behind what all keys have in common. Only where they are the same are keys
/// fetched.
enum KeyOrder {
  private struct Entry {
    let head: UInt64
    let number: UInt32
  }

  /// Of those that belong to a key.
  static func numbers(of records: ContiguousArray<Record>) -> ContiguousArray<UInt32> {
    let common = commonBytes(records)
    var entries: ContiguousArray<Entry> = []
    entries.reserveCapacity(records.count)
    for index in records.indices where records[index].presence != .free {
      entries.append(Entry(head: head(of: records[index].key.bytes, from: common), number: UInt32(index)))
    }
    entries.sort {
      $0.head != $1.head ? $0.head < $1.head : records[Int($0.number)].key < records[Int($1.number)].key
    }
    var numbers = ContiguousArray<UInt32>()
    numbers.reserveCapacity(entries.count)
    for entry in entries { numbers.append(entry.number) }
    return numbers
  }

  /// How many bytes all keys begin with alike, but for the empty one, which is before all of them in any case.
  private static func commonBytes(_ records: ContiguousArray<Record>) -> Int {
    var common: Int?
    var first: [UInt8] = []
    for index in records.indices where records[index].presence != .free && !records[index].key.isConfiguration {
      let key = records[index].key.bytes
      guard let known = common else {
        first = key
        common = key.count
        continue
      }
      let limit = min(known, key.count)
      var place = 0
      while place < limit && key[place] == first[place] { place += 1 }
      common = place
    }
    return common ?? 0
  }

  /// The eight bytes from `start`, big-endian, with zeros behind the key's end: keys whose heads differ are in the
  /// order of their heads.
  private static func head(of key: [UInt8], from start: Int) -> UInt64 {
    var head: UInt64 = 0
    for place in start..<start + 8 { head = head << 8 | (place < key.count ? UInt64(key[place]) : 0) }
    return head
  }
}
