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

  /// Whether the operation may start now; if not, it is to be kept by ``hold(_:)``.
  ///
  /// Of its parts, because most operations start at once, and to make them one thing for this would copy them.
  mutating func admit(_ operation: borrowing Operation, isLongPoll: Bool, exchange: UInt64, part: Int) -> Bool {
    admit(operation, isLongPoll: isLongPoll, exchange: exchange, part: part, behind: held.count)
  }

  private mutating func admit(
    _ operation: borrowing Operation, isLongPoll: Bool, exchange: UInt64, part: Int, behind count: Int
  ) -> Bool {
    let isChange = !operation.action.isRead
    guard !mustWait(operation.key, isChange: isChange, behind: count) else { return false }
    started.append(
      Started(exchange: exchange, part: part, key: operation.key, isChange: isChange, isLongPoll: isLongPoll))
    return true
  }

  /// Keeps what may not start yet; it comes out of ``finished(_:part:)`` in its turn.
  mutating func hold(_ next: Held) { held.append(next) }

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
      let next = held[place]
      let isLongPoll = next.wait != nil
      if admit(next.operation, isLongPoll: isLongPoll, exchange: next.exchange, part: next.part, behind: place) {
        free.append(held.remove(at: place))
      } else {
        place += 1
      }
    }
    return free
  }

  mutating func removeAll() {
    started = []
    held = []
  }

  /// Whether something on the same register is under way, or held among the first `count`, and one of the two is a
  /// change.
  private func mustWait(_ key: Key, isChange: Bool, behind count: Int) -> Bool {
    for other in started where (isChange || other.isChange) && !other.isLongPoll {
      if other.key == key { return true }
    }
    for other in held.prefix(count) where (isChange || !other.operation.action.isRead) && other.wait == nil {
      if other.operation.key == key { return true }
    }
    return false
  }
}
