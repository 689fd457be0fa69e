import Base
import Linux
import Synchronization

/// Carries connections between network namespaces, each byte later than it came: a wide-area network as TCP sees one,
/// with delay and jitter but without loss and without a limit of bandwidth. Many kernels have no `tc netem`; and the
/// same way on all of them gives figures that can be held side by side.
///
/// In the namespace of each node the addresses of all others are its own, and the relay listens there in their place.
final class Relay: Sendable {
  /// One direction between two nodes.
  struct Route: Sendable {
    /// Where connections are accepted.
    let from: String
    /// Where they are made.
    let to: String
    /// The same in both namespaces.
    let address: HostPort
    /// Of each direction.
    let delayNanoseconds: UInt64
  }

  /// What the thread is told while it runs.
  fileprivate final class Weather: Sendable {
    /// What comes is late by a random time below this, in nanoseconds; of a thousand pieces one by ten times this.
    let jitter = Atomic<UInt64>(0)
  }

  private let stop: Mailbox<Bool>
  private let thread: OSThread
  private let weather = Weather()

  /// Listens on all routes, and carries until ``end()``.
  init(_ routes: [Route]) throws(SystemError) {
    let stop = try Mailbox<Bool>()
    var listeners: [Int32] = []
    do throws(SystemError) {
      for route in routes {
        let listener = try NetworkNamespace.inside(route.from) { () throws(SystemError) -> Descriptor in
          try Socket.listen(at: route.address)
        }
        listeners.append(listener.giveUp())
      }
    } catch {
      for number in listeners { _ = Descriptor(owning: number) }
      throw error
    }
    let numbers = listeners
    let weather = weather
    thread = try OSThread(name: "relay") { RelayLoop(routes, numbers, stop, weather)?.run() }
    self.stop = stop
  }

  /// From now on pieces are late by a random time below this; one in a thousand by ten times this, as if it had been
  /// lost and sent again. What comes behind one does not overtake it.
  func setJitter(nanoseconds: UInt64) { weather.jitter.store(nanoseconds, ordering: .relaxed) }

  func end() {
    stop.post(true)
    thread.join()
  }
}

/// The relay's thread.
private final class RelayLoop {
  /// One end of a carried connection.
  private final class End {
    let descriptor: Descriptor
    let delay: UInt64
    /// What is to be sent here, and when.
    var queue: [(due: UInt64, bytes: ArraySlice<UInt8>)] = []
    /// Of the last piece that came: none overtakes another.
    var lastDue: UInt64 = 0
    /// The other end has finished; to be passed on at this time.
    var finishedAt: UInt64?
    /// Not connected yet, or its socket is full.
    var isBlocked: Bool
    var other: UInt64 = 0

    init(_ descriptor: consuming Descriptor, delay: UInt64, isBlocked: Bool) {
      self.descriptor = descriptor
      self.delay = delay
      self.isBlocked = isBlocked
    }
  }

  private final class Listening {
    let descriptor: Descriptor
    init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
  }

  private let routes: [Relay.Route]
  private let listeners: [Listening]
  private let stop: Mailbox<Bool>
  private let weather: Relay.Weather
  private var random = SeededRandom(seed: 1)
  private var epoll: Epoll
  /// By the number that their events carry.
  private var ends: [UInt64: End] = [:]
  private var nextTag: UInt64 = 1000
  private var buffer = [UInt8](repeating: 0, count: 1 << 18)

  init?(_ routes: [Relay.Route], _ listeners: [Int32], _ stop: Mailbox<Bool>, _ weather: Relay.Weather) {
    self.routes = routes
    self.listeners = listeners.map { Listening(Descriptor(owning: $0)) }
    self.stop = stop
    self.weather = weather
    guard let epoll = try? Epoll(capacity: 64) else { return nil }
    self.epoll = epoll
    guard (try? stop.attach(to: self.epoll, tag: 0)) != nil else { return nil }
    for (index, listener) in self.listeners.enumerated() {
      guard (try? self.epoll.add(listener.descriptor.number, tag: UInt64(index) + 1, for: .readable)) != nil else {
        return nil
      }
    }
  }

  func run() {
    OSThread.askForExactTimers()
    while stop.prepareToSleep() {
      let now = MonotonicClock.now().nanoseconds
      let due = ends.values.compactMap { $0.isBlocked ? nil : $0.queue.first?.due ?? $0.finishedAt }.min()
      let wait = due.map { $0 > now ? min($0 - now, 100_000_000) : 0 } ?? 100_000_000
      let count = (try? epoll.wait(timeoutNanoseconds: wait)) ?? 0
      for place in 0..<count {
        let event = epoll[place]
        if event.tag == 0 { return }
        if event.tag < 1000 {
          accept(Int(event.tag) - 1)
        } else if let end = ends[event.tag] {
          if event.readiness.contains(.writable) { becameWritable(event.tag, end) }
          if !event.readiness.isDisjoint(with: .anyIncoming), ends[event.tag] != nil { receive(event.tag, end) }
        }
      }
      for (tag, end) in ends { send(tag, end) }
    }
  }

  private func accept(_ index: Int) {
    let route = routes[index]
    while case .connection(let accepted, _) = Socket.accept(listeners[index].descriptor) {
      guard let address = try? SocketAddress.resolve(route.address)[0],
        let made = try? NetworkNamespace.inside(
          route.to,
          { () throws(SystemError) -> Descriptor in
            try Socket.startConnect(to: address)
          })
      else { continue }
      let near = End(accepted, delay: route.delayNanoseconds, isBlocked: false)
      let far = End(made, delay: route.delayNanoseconds, isBlocked: true)
      near.other = nextTag + 1
      far.other = nextTag
      ends[nextTag] = near
      ends[nextTag + 1] = far
      try? epoll.add(near.descriptor.number, tag: nextTag, for: .incoming)
      try? epoll.add(far.descriptor.number, tag: nextTag + 1, for: [.incoming, .writable])
      nextTag += 2
    }
  }

  private func becameWritable(_ tag: UInt64, _ end: End) {
    guard (try? Socket.finishConnect(end.descriptor)) != nil else { return drop(tag, end) }
    end.isBlocked = false
    try? epoll.modify(end.descriptor.number, tag: tag, for: .incoming)
  }

  private func receive(_ tag: UInt64, _ end: End) {
    guard let other = ends[end.other] else { return drop(tag, end) }
    switch end.descriptor.receive(into: &buffer) {
    case .bytes(let count):
      let due = max(other.lastDue, MonotonicClock.now().nanoseconds + end.delay + lateness())
      other.lastDue = due
      other.queue.append((due, Array(buffer[..<count])[...]))
    case .wouldBlock: break
    case .closed:
      other.finishedAt = MonotonicClock.now().nanoseconds + end.delay
      try? epoll.remove(end.descriptor.number)
    case .failed: drop(tag, end)
    }
  }

  private func lateness() -> UInt64 {
    let jitter = weather.jitter.load(ordering: .relaxed)
    guard jitter > 0 else { return 0 }
    return random.below(1000) == 0 ? 10 * jitter : random.below(jitter)
  }

  private func send(_ tag: UInt64, _ end: End) {
    let now = MonotonicClock.now().nanoseconds
    while !end.isBlocked, let first = end.queue.first, first.due <= now {
      switch end.descriptor.send(Array(first.bytes)) {
      case .bytes(let count) where count == first.bytes.count: end.queue.removeFirst()
      case .bytes(let count): end.queue[0].bytes = first.bytes.dropFirst(count)
      case .wouldBlock:
        end.isBlocked = true
        try? epoll.modify(end.descriptor.number, tag: tag, for: [.incoming, .writable])
      case .closed, .failed: return drop(tag, end)
      }
    }
    if end.queue.isEmpty, let finished = end.finishedAt, finished <= now { drop(tag, end) }
  }

  /// Both ends: half a connection is of no use to our nodes.
  private func drop(_ tag: UInt64, _ end: End) {
    ends[tag] = nil
    if ends[end.other]?.finishedAt == nil { ends[end.other]?.finishedAt = 0 }
    if ends[end.other]?.queue.isEmpty == true { ends[end.other] = nil }
  }
}
