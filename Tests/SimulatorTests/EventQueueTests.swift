import Base
import Simulator
import Testing

@Suite struct EventQueueTests {
  /// Against the plain way: a stable sort.
  @Test(arguments: 1...20 as ClosedRange<UInt64>) func comesInOrderOfTimeAndThenOfScheduling(_ seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var queue = EventQueue<Int>()
    var expected: [(at: UInt64, element: Int)] = []
    for element in 0..<300 {
      let at = random.below(40)
      queue.schedule(element, at: at)
      expected.append((at, element))
      if random.below(4) == 0, let next = queue.next() {
        let first = expected.enumerated().min {
          ($0.element.at, $0.element.element) < ($1.element.at, $1.element.element)
        }
        #expect(first.map { $0.element == next } == true)
        if let first { expected.remove(at: first.offset) }
      }
    }
    expected.sort { ($0.at, $0.element) < ($1.at, $1.element) }
    for one in expected { #expect(queue.next().map { $0 == one } == true) }
    #expect(queue.next() == nil)
  }
}
