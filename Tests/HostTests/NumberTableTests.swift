import Base
import Testing

@testable import Host

@Suite struct NumberTableTests {
  private final class Thing {}

  /// Beside a dictionary, with few and close numbers so that places are contested and given up again.
  @Test(arguments: 1...20)
  func holdsWhatADictionaryHolds(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var table = NumberTable<Thing>()
    var twin: [UInt64: Thing] = [:]
    for _ in 0..<2000 {
      let number = random.below(seed % 2 == 0 ? 40 : 4000) << (seed % 3 * 16)
      switch random.below(3) {
      case 0:
        let thing = Thing()
        table[number] = thing
        twin[number] = thing
      case 1: #expect(table.remove(number) === twin.removeValue(forKey: number))
      default: #expect(table[number] === twin[number])
      }
      #expect(table.count == twin.count && table.isEmpty == twin.isEmpty)
    }
    #expect(table.all.count == twin.count)
    for (number, thing) in table.all { #expect(twin[number] === thing) }
  }
}
