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
      // Of any key, held or not, and at any distance: it changes nothing.
      for distance in [Approach.place, .record, .head, .whole] { table.approach(Key(name).hash, distance) }
      #expect(table.find(Key(name)) == held[name])
    }
    #expect(table.count == held.count && table.present == 0 && table.collectable == held.count)
    #expect(table.numbers <= 700)
    for (name, number) in held { #expect(table.find(Key(name)) == number) }
    for name in erased.keys { #expect(table.find(Key(name)) == nil) }
    let listed = table.keys(prefix: [], after: [], limit: 1000)
    #expect(listed.keys == held.keys.sorted { $0.lexicographicallyPrecedes($1) })
  }

  /// What is told of a message before it is decoded.
  @Test func aMessageTellsWhichKeyItIsAbout() {
    let ballot = Ballot(epoch: 0, counter: 7, node: NodeID(2), boot: 1)
    let key = Key(Array("locks/leader".utf8))
    let cell = Cell(absentAt: 3).encoded(changesInFold: 0)
    func hash(_ message: Message, without dropped: Int = 0) -> UInt64? {
      var writer = ByteWriter()
      message.encode(into: &writer)
      return Message.hashOfKey(in: ByteReader(writer.bytes, in: 0..<writer.bytes.count - dropped))
    }
    let prepare = Message.prepare(attempt: 9, ballot, key: key.bytes)
    #expect(hash(prepare) == key.hash)
    #expect(hash(.accept(attempt: 9, ballot, next: ballot, chosen: 5, key: key.bytes, cell: cell)) == key.hash)
    #expect(hash(.read(attempt: 9, epoch: 0, key: key.bytes)) == key.hash)
    #expect(hash(.accepted(attempt: 9, ballot)) == nil)
    #expect(hash(.readReply(attempt: 9, accepted: ballot)) == nil)
    // Cut short anywhere.
    for dropped in 1...(1 + 8 + 16 + 1 + key.bytes.count) { #expect(hash(prepare, without: dropped) == nil) }
  }
}
