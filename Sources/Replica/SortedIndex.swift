import Base

/// The records of a partition in the order of their keys, for listings: blocks of record numbers, split when full.
///
/// Four bytes a record and some slack. An insertion compares about log₂(n) keys and moves at most a block.
package struct SortedIndex {
  private static let blockLimit = 512
  private var blocks: [[UInt32]] = []

  package init() {}

  /// - Parameter numbers: in the order of their keys.
  package init(_ numbers: ContiguousArray<UInt32>) {
    // Three quarters full, so that the first insertions split none.
    var start = 0
    while start < numbers.count {
      let end = min(numbers.count, start + Self.blockLimit * 3 / 4)
      blocks.append(Array(numbers[start..<end]))
      start = end
    }
  }

  /// The first place whose record does not stand before the key that `isBefore` compares with.
  ///
  /// - Parameter isBefore: whether a record's key is below the key that is looked for.
  package func firstPlace(_ isBefore: (UInt32) -> Bool) -> Place {
    var low = 0
    var high = blocks.count
    while low < high {
      let middle = (low + high) / 2
      if isBefore(blocks[middle][blocks[middle].count - 1]) { low = middle + 1 } else { high = middle }
    }
    guard low < blocks.count else { return Place(block: low, offset: 0) }
    let block = blocks[low]
    var first = 0
    var last = block.count
    while first < last {
      let middle = (first + last) / 2
      if isBefore(block[middle]) { first = middle + 1 } else { last = middle }
    }
    return Place(block: low, offset: first)
  }

  package struct Place {
    fileprivate var block: Int
    fileprivate var offset: Int
  }

  /// The record at `place`, which then moves on; nil at the end.
  package func next(_ place: inout Place) -> UInt32? {
    guard place.block < blocks.count else { return nil }
    let record = blocks[place.block][place.offset]
    place.offset += 1
    if place.offset == blocks[place.block].count {
      place.block += 1
      place.offset = 0
    }
    return record
  }

  /// Takes out a record that is there.
  package mutating func remove(_ record: UInt32, isBefore: (UInt32) -> Bool) {
    let place = firstPlace(isBefore)
    invariant(
      place.block < blocks.count && blocks[place.block][place.offset] == record, "a record has lost its place in order")
    blocks[place.block].remove(at: place.offset)
    if blocks[place.block].isEmpty {
      blocks.remove(at: place.block)
      return
    }
    // Small neighbours become one, or there would be as many blocks as there were ever records.
    let first = place.block > 0 ? place.block - 1 : place.block
    guard first + 1 < blocks.count, blocks[first].count + blocks[first + 1].count <= Self.blockLimit / 2 else { return }
    blocks[first] += blocks[first + 1]
    blocks.remove(at: first + 1)
  }

  package mutating func insert(_ record: UInt32, isBefore: (UInt32) -> Bool) {
    var place = firstPlace(isBefore)
    if blocks.isEmpty {
      blocks.append([record])
      return
    }
    if place.block == blocks.count {
      place.block -= 1
      place.offset = blocks[place.block].count
    }
    blocks[place.block].insert(record, at: place.offset)
    if blocks[place.block].count > Self.blockLimit {
      let upper = Array(blocks[place.block][(Self.blockLimit / 2)...])
      blocks[place.block].removeSubrange((Self.blockLimit / 2)...)
      blocks.insert(upper, at: place.block + 1)
    }
  }
}
