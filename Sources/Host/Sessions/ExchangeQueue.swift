import Wire

/// The exchanges of a session, first in, first out, by their numbers.
struct ExchangeQueue {
  /// Invariant: the entries before `head` are `.done`.
  private var entries: [Exchange] = []
  private var head = 0
  /// The number of the first exchange that is not done.
  private(set) var firstNumber: UInt64 = 0

  var count: Int { entries.count - head }
  var isEmpty: Bool { entries.count == head }
  var nextNumber: UInt64 { firstNumber + UInt64(count) }

  @discardableResult
  mutating func append(_ exchange: Exchange) -> UInt64 {
    let number = nextNumber
    entries.append(exchange)
    return number
  }

  func contains(_ number: UInt64) -> Bool { number >= firstNumber && number - firstNumber < UInt64(count) }

  /// The number must be of an exchange in the queue.
  subscript(_ number: UInt64) -> Exchange {
    get { entries[head + Int(number - firstNumber)] }
    set { entries[head + Int(number - firstNumber)] = newValue }
  }

  /// The first one; there must be one.
  var first: Exchange { entries[head] }

  mutating func removeFirst() {
    head += 1
    firstNumber += 1
    if entries.count == 1 {
      // The usual case, for which the other way is long.
      entries.removeLast()
      head = 0
    } else if head == entries.count {
      entries.removeAll(keepingCapacity: entries.capacity <= 64)
      head = 0
    } else if head >= 64, head * 2 >= entries.count {
      // Half of it is done with: each entry is moved at most once on average.
      entries.removeFirst(head)
      head = 0
    } else {
      entries[head - 1] = .done
    }
  }

  /// The last HTTP answer that is not written yet says that the connection is closed behind it.
  mutating func closeBehindLast() {
    guard !isEmpty, case .http(var exchange, let task) = entries[entries.count - 1] else { return }
    exchange.keepAlive = false
    entries[entries.count - 1] = .http(exchange, task)
  }

  mutating func removeAll() {
    firstNumber = nextNumber
    entries = []
    head = 0
  }
}
