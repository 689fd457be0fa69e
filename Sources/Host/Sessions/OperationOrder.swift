import Base
import Replica

/// Keeps the operations of one connection on one register in the order in which they came, where one of two is a
/// change: a pipelined read must see the write in front of it (RFC 9112 §9.3.2), and so must the lines of a batch.
/// Operations on different registers, and reads, go side by side; and nothing waits behind a long poll, which may last
/// a minute.
struct OperationOrder {
  struct Held {
    let operation: Operation
    let wait: Request.Wait?
    let deadline: Instant
    let exchange: UInt64
    let part: Int
  }

  private struct Started {
    let exchange: UInt64
    let part: Int
    let key: Key
    let isChange: Bool
    let isLongPoll: Bool
  }

  private var started: [Started] = []
  private var held: [Held] = []

  /// Whether the operation may start now; if not, it is kept, and comes out of ``finished(_:part:)`` in its turn.
  mutating func admit(_ candidate: Held) -> Bool {
    guard !mustWait(candidate.operation, behind: held.count) else {
      held.append(candidate)
      return false
    }
    start(candidate)
    return true
  }

  /// An operation is answered; returns those that may start now, in their order.
  mutating func finished(_ exchange: UInt64, part: Int) -> [Held] {
    if let place = started.firstIndex(where: { $0.exchange == exchange && $0.part == part }) {
      started.swapAt(place, started.count - 1)
      started.removeLast()
    }
    guard !held.isEmpty else { return [] }
    var free: [Held] = []
    var place = 0
    while place < held.count {
      if mustWait(held[place].operation, behind: place) {
        place += 1
      } else {
        let next = held.remove(at: place)
        start(next)
        free.append(next)
      }
    }
    return free
  }

  mutating func removeAll() {
    started = []
    held = []
  }

  private mutating func start(_ candidate: Held) {
    started.append(
      Started(
        exchange: candidate.exchange, part: candidate.part, key: candidate.operation.key,
        isChange: !candidate.operation.action.isRead, isLongPoll: candidate.wait != nil))
  }

  /// Whether something on the same register is under way, or held among the first `count`, and one of the two is a
  /// change.
  private func mustWait(_ operation: Operation, behind count: Int) -> Bool {
    let isChange = !operation.action.isRead
    for other in started where (isChange || other.isChange) && !other.isLongPoll {
      if other.key == operation.key { return true }
    }
    for other in held.prefix(count) where (isChange || !other.operation.action.isRead) && other.wait == nil {
      if other.operation.key == operation.key { return true }
    }
    return false
  }
}
