import Base
import Storage
import Testing

/// A record that is settled may be dropped from memory: whatever is under way, its slot holds its latest state, and
/// goes on holding it until the record is written again.
struct SettledTests {
  @Test(arguments: 1...(isHeavy ? 40 : 6)) func slotOfASettledRecordHoldsItsLatestState(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let node = Node(partitions: 1)
    try node.start()
    var latest: [UInt64: [UInt8]] = [:]
    var settled = 0
    for version in 1...3000 as ClosedRange<UInt64> {
      let number = random.below(60)
      let content = payload(version, bytes: 50 + Int(random.below(1500)))
      node.write(key(Int(number)), content)
      latest[number] = content
      // Batches get as far as they get.
      if random.below(3) == 0 { node.submit() }
      if random.below(3) == 0 { node.complete(.journal) }
      if random.below(2) == 0 { node.complete(.background) }
      if random.below(500) == 0 { node.settle() }
      if random.below(700) == 0 {
        node.settle()
        try node.start()
      }
      for number in latest.keys.sorted() where random.below(8) == 0 {
        settled += try check(node, number, latest[number]!) ? 1 : 0
      }
    }
    // Else nothing was looked at.
    #expect(settled > 1000)
    node.settle()
    try node.start()
    for (number, content) in latest { #expect(try check(node, number, content)) }
  }

  private func check(_ node: Node, _ number: UInt64, _ content: [UInt8]) throws -> Bool {
    let index = node.holders[0].recordIndex(forKey: key(Int(number)))
    guard node.stores[0].isSettled(partition: 0, index: index) else { return false }
    let read = try #require(node.stores[0].read(partition: 0, index: index))
    #expect(read.token == UInt64(index))
    let bytes = try node.device.read(read.file, at: read.offset, count: read.count)
    let found = try #require(node.stores[0].record(in: bytes, partition: 0))
    #expect(Array(found.key) == key(Int(number)) && Array(found.payload) == content)
    return true
  }
}
