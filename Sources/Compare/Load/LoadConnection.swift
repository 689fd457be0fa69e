import Base
import Linux
import Workload

/// A request under way.
struct Flight {
  /// What the request that is under way does; an operation may take several.
  enum Step {
    case read, write, add, delete
  }

  let kind: OperationKind
  var step: Step
  let key: UInt64
  /// The client among all, see ``LoadConnection/firstClient``.
  let client: Int
  /// When the operation (was meant to) start, in nanoseconds of the monotonic clock.
  let start: UInt64
  /// When this request was handed over for sending.
  var sentAt: UInt64

  /// Whether it may take effect although its answer is lost.
  var mayTakeEffect: Bool { step != .read }
}

/// One connection of a load: up to `depth` requests under way, answered in order.
final class LoadConnection {
  /// A socket, so that it can be replaced: a descriptor cannot be taken out of a class.
  final class Channel {
    let descriptor: Descriptor
    init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
  }

  enum State {
    /// Nobody is there; to be tried again at a time.
    case resting(until: Instant)
    case connecting(Channel, since: Instant)
    case open(Channel)
  }

  /// The endpoint's place in the list.
  let target: Int
  /// Each of the `depth` places for a request is a client of its own, numbered over all connections.
  let firstClient: Int
  var state = State.resting(until: .zero)
  /// Tells events of this connection's socket from those of the one before.
  var registration: UInt32 = 0
  /// What is to be sent, and how far it is.
  var output: [UInt8] = []
  var sent = 0
  var isWatchedForWriting = false
  /// The start of an answer whose rest has not come.
  var input: [UInt8] = []
  /// Clients that do nothing now.
  var idle: [Int]

  // The requests under way, oldest first, in a ring.
  private var ring: [Flight?]
  private var head = 0
  private(set) var underWay = 0

  init(target: Int, firstClient: Int, depth: Int) {
    self.target = target
    self.firstClient = firstClient
    idle = Array((firstClient..<firstClient + depth).reversed())
    ring = [Flight?](repeating: nil, count: depth)
  }

  var isOpen: Bool {
    if case .open = state { true } else { false }
  }

  var oldest: Flight? { underWay > 0 ? ring[head] : nil }

  @inline(__always)
  func push(_ flight: Flight) {
    invariant(underWay < ring.count, "more requests under way than the connection has clients")
    var place = head + underWay
    if place >= ring.count { place -= ring.count }
    ring[place] = flight
    underWay += 1
  }

  /// The one whose answer comes next.
  @inline(__always)
  func pop() -> Flight? {
    guard underWay > 0 else { return nil }
    let flight = ring[head]
    head = head + 1 == ring.count ? 0 : head + 1
    underWay -= 1
    return flight
  }
}
