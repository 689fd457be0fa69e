import Synchronization
import Testing

@testable import Linux

@Suite struct WorkQueueTests {
  private final class Taken: Sendable {
    let numbers = Mutex<[Int]>([])
  }

  /// It hangs if a wake-up is lost.
  @Test(arguments: [(1, 1), (1, 4), (3, 1), (3, 4)])
  func eachPieceIsTakenOnceThoughTheQueueCloses(senders: Int, receivers: Int) throws {
    let queue = WorkQueue<Int>()
    let each = 20_000
    let taken = Taken()
    let receiving = try (0..<receivers).map { _ in
      try OSThread(name: "receiver") {
        var mine: [Int] = []
        while let number = queue.take() { mine.append(number) }
        taken.numbers.withLock { $0 += mine }
      }
    }
    let sending = try (0..<senders).map { sender in
      try OSThread(name: "sender") {
        var number = 0
        while number < each {
          let next = min(number + 1 + number % 7, each)
          queue.push((number..<next).map { sender * each + $0 })
          number = next
        }
      }
    }
    for thread in sending { thread.join() }
    queue.close()
    queue.push([-1])
    for thread in receiving { thread.join() }
    #expect(taken.numbers.withLock { $0.sorted() } == Array(0..<senders * each))
  }

  @Test func oneReceiverTakesInOrder() {
    let queue = WorkQueue<Int>()
    queue.push([1, 2])
    queue.push([])
    queue.push([3])
    queue.close()
    #expect([queue.take(), queue.take(), queue.take(), queue.take()] == [1, 2, 3, nil])
  }
}
