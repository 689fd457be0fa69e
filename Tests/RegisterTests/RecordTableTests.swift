import Base
import Register
import Replica
import Testing

/// The table against a dictionary, over random insertions, erasures and releases.
@Suite struct RecordTableTests {
  @Test(arguments: 1...6) func agreesWithADictionary(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var table = RecordTable()
    var held: [[UInt8]: Int] = [:]
    var erased: [[UInt8]: Int] = [:]
    let present = Cell(absentAt: 0).encoded(changesInFold: 0)
    for _ in 0..<20_000 {
      let name = Array("key \(random.below(700))".utf8)
      switch random.below(4) {
      case 0, 1:
        guard held[name] == nil else { continue }
        let number = table.insert(Key(name))
        if let before = erased.removeValue(forKey: name) { #expect(number == before) }
        table.accept(number, ballot: Ballot(epoch: 0, counter: 1, node: NodeID(1), boot: 1), cell: present)
        held[name] = number
      case 2:
        guard let number = held.removeValue(forKey: name) else { continue }
        table.erase(number)
        erased[name] = number
      case 3:
        guard let number = erased.removeValue(forKey: name) else { continue }
        table.release(number)
      default: break
      }
      #expect(table.find(Key(name)) == held[name])
    }
    #expect(table.count == held.count && table.present == 0 && table.collectable == held.count)
    #expect(table.numbers <= 700)
    for (name, number) in held { #expect(table.find(Key(name)) == number) }
    for name in erased.keys { #expect(table.find(Key(name)) == nil) }
    let listed = table.keys(prefix: [], after: [], limit: 1000)
    #expect(listed.keys == held.keys.sorted { $0.lexicographicallyPrecedes($1) })
  }
}
