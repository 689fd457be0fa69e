import Base
import Linearizability
import Testing

@Suite("Histories") struct HistoryTests {
  @Test("Calls are grouped by register") func grouping() {
    var history = History()
    for (index, name) in ["a", "b", "a"].enumerated() {
      let call = Call(process: 1, key: Key(Array(name.utf8)), action: .read, invoked: UInt64(2 * index))
      history.end(history.append(call), at: UInt64(2 * index + 1), .read(.absent))
    }
    #expect(history.registers == [[0, 2], [1]])
    #expect(history.calls[2].returned == 5)
  }
}
