import Base
import Storage
import Testing

/// Records that are erased: they stay away over restarts, and leave their slots and numbers to others.
struct ErasureTests {
  private func erase(_ number: Int, in node: Node) { node.write(key(number), []) }

  @Test func erasedRecordStaysAway() throws {
    let node = Node(partitions: 1)
    try node.start()
    for number in 0..<20 { node.write(key(number), payload(UInt64(number + 1), bytes: 300)) }
    node.settle()
    // Half of them stand in the table only, and the journal erases them.
    try node.start()
    for number in 0..<10 { erase(number, in: node) }
    node.settle()
    for _ in 0..<3 {
      try node.start()
      #expect(node.recovery.damaged == [])
      #expect(node.recovery.records == 10)
      for number in 0..<20 {
        #expect(node.read(key(number)) == (number < 10 ? nil : payload(UInt64(number + 1), bytes: 300)))
      }
    }
    #expect(node.recovery.journalEntries == 0)
  }

  @Test func whatIsMadeAgainBeforeTheFlushIsKept() throws {
    let node = Node(partitions: 1)
    try node.start()
    node.writeDurably(key(1), payload(1, bytes: 100))
    try node.start()
    erase(1, in: node)
    node.settle()
    node.writeDurably(key(1), payload(2, bytes: 100))
    try node.start()
    #expect(node.read(key(1)) == payload(2, bytes: 100))
    #expect(node.holders[0].free.isEmpty)
  }

  /// The number of an erased record is given again only when a flush has freed its slot and no half of the journal
  /// has to do with it.
  @Test func numbersAndSlotsAreUsedAgain() throws {
    let node = Node(partitions: 1)
    try node.start()
    var version: UInt64 = 0
    var afterFirst: UInt64 = 0
    // Never more than 40 records at once, under names that never come again.
    for round in 0..<(isHeavy ? 600 : 60) {
      for place in 0..<40 {
        version += 1
        node.write(Array("r\(round)/\(place)".utf8), payload(version, bytes: 200))
      }
      node.settle()
      for place in 0..<40 { node.write(Array("r\(round)/\(place)".utf8), []) }
      node.settle()
      if round == 20 { afterFirst = try #require(try node.device.size(of: .table(0))) }
      if round % 50 == 49 { try node.start() }
    }
    #expect(try #require(try node.device.size(of: .table(0))) == afterFirst)
    #expect(node.holders[0].keys.count < 40 * 16)
    try node.start()
    #expect(node.recovery.records == 0)
    #expect(node.holders[0].keys.count == node.holders[0].free.count)
  }
}
