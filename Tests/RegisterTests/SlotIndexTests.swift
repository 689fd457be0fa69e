import Base
import Testing

@testable import Register

@Suite struct SlotIndexTests {
  /// Beside a dictionary; slots are given up and taken again as replicas do it.
  @Test(arguments: 1...20)
  func findsWhatADictionaryFinds(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var index = SlotIndex()
    var twin: [Key: Int] = [:]
    var rounds: ContiguousArray<Round> = []
    var free: [Int] = []
    for _ in 0..<2000 {
      let key = Key([UInt8(random.below(seed % 2 == 0 ? 20 : 250)), UInt8(random.below(2))])
      #expect(index.find(key, in: rounds) == twin[key])
      if let slot = twin[key] {
        index.remove(key.hash, slot: slot)
        twin[key] = nil
        free.append(slot)
      } else {
        let slot = free.popLast() ?? rounds.count
        if slot == rounds.count { rounds.append(Round(key: key)) } else { rounds[slot].key = key }
        index.insert(key.hash, slot: slot)
        twin[key] = slot
      }
      #expect(index.count == twin.count && index.isEmpty == twin.isEmpty)
    }
    for (key, slot) in twin { #expect(index.find(key, in: rounds) == slot) }
  }
}
