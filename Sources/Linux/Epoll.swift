import Base
import CLinux
import Glibc

/// What to wait for, and what has come.
package struct Readiness: OptionSet, Sendable {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  package static let readable = Readiness(rawValue: EPOLLIN.rawValue)
  package static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
  /// The other side has finished sending.
  package static let peerFinished = Readiness(rawValue: EPOLLRDHUP.rawValue)
  /// Both directions are closed; reported whether asked for or not.
  package static let hangUp = Readiness(rawValue: EPOLLHUP.rawValue)
  /// Reported whether asked for or not.
  package static let error = Readiness(rawValue: EPOLLERR.rawValue)
  /// What a connection is watched for, as constants: a literal of several members is put together anew at each use.
  package static let incoming = Readiness(rawValue: EPOLLIN.rawValue | EPOLLRDHUP.rawValue)
  package static let anyIncoming = Readiness(
    rawValue: EPOLLIN.rawValue | EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue)
  /// How a connection ends, behind what has still to be read of it.
  package static let ending = Readiness(rawValue: EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue)
  /// Only asked for, never reported: tell of changes alone. Whoever asks must read or write until `wouldBlock`, or less
  /// than asked for, and of a connection that is ending until its end.
  package static let edgeTriggered = Readiness(rawValue: EPOLLET.rawValue)
  package static let incomingEdges = Readiness(rawValue: incoming.rawValue | EPOLLET.rawValue)
  package static let writableEdges = Readiness(rawValue: EPOLLOUT.rawValue | EPOLLET.rawValue)
}

/// What an event carries: the descriptor's number and the number of its registration.
///
/// The kernel reuses descriptor numbers at once, so within one batch of events a later one may speak of a connection
/// that an earlier one closed and replaced. Whoever gets an event compares the registration and drops what is stale.
package struct EventTag: Hashable, Sendable {
  package let descriptor: Int32
  package let registration: UInt32

  package init(descriptor: Int32, registration: UInt32) {
    self.descriptor = descriptor
    self.registration = registration
  }

  package init(packed: UInt64) {
    descriptor = Int32(truncatingIfNeeded: packed)
    registration = UInt32(truncatingIfNeeded: packed >> 32)
  }

  package var packed: UInt64 { UInt64(registration) << 32 | UInt64(UInt32(bitPattern: descriptor)) }
}

/// An epoll instance with its buffer of events. One thread waits on it.
package struct Epoll: ~Copyable {
  package struct Event: Sendable {
    package let tag: UInt64
    package let readiness: Readiness
  }

  private let descriptor: Descriptor
  private var events: [epoll_event]

  /// `capacity` is how many events one wait returns at most.
  package init(capacity: Int) throws(SystemError) {
    invariant(capacity > 0, "an epoll without room for an event")
    let number = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard number >= 0 else { throw .last("epoll_create1") }
    descriptor = Descriptor(owning: number)
    events = [epoll_event](repeating: epoll_event(), count: capacity)
  }

  package func add(_ number: Int32, tag: UInt64, for interest: Readiness) throws(SystemError) {
    try control(EPOLL_CTL_ADD, number, tag, interest)
  }

  package func modify(_ number: Int32, tag: UInt64, for interest: Readiness) throws(SystemError) {
    try control(EPOLL_CTL_MOD, number, tag, interest)
  }

  /// To be called before the descriptor is closed. (The kernel forgets a closed one by itself only when no duplicate is
  /// left.)
  package func remove(_ number: Int32) throws(SystemError) {
    try control(EPOLL_CTL_DEL, number, 0, [])
  }

  /// Waits for at least one event and returns how many there are, to be read by ``subscript(_:)`` until the next wait.
  ///
  /// 0 when `timeoutMilliseconds` have passed, or a signal came. A negative timeout waits for ever.
  package mutating func wait(timeoutMilliseconds: Int32) throws(SystemError) -> Int {
    let count = epoll_wait(descriptor.number, &events, Int32(events.count), timeoutMilliseconds)
    if count >= 0 { return Int(count) }
    if errno == EINTR { return 0 }
    throw .last("epoll_wait")
  }

  /// The same with a timeout in nanoseconds, for whoever must act at a time that is not a whole millisecond. (The
  /// thread's timer slack comes on top, see ``OSThread/askForExactTimers()``.)
  package mutating func wait(timeoutNanoseconds: UInt64) throws(SystemError) -> Int {
    let count = synod_epoll_wait(descriptor.number, &events, Int32(events.count), timeoutNanoseconds)
    if count >= 0 { return Int(count) }
    if errno == EINTR { return 0 }
    throw .last("epoll_pwait2")
  }

  /// Event `index` of the last wait.
  package subscript(index: Int) -> Event {
    Event(tag: events[index].data.u64, readiness: Readiness(rawValue: events[index].events))
  }

  private func control(
    _ operation: Int32, _ number: Int32, _ tag: UInt64, _ interest: Readiness
  ) throws(SystemError) {
    var event = epoll_event()
    event.events = interest.rawValue
    event.data.u64 = tag
    if epoll_ctl(descriptor.number, operation, number, &event) != 0 { throw .last("epoll_ctl") }
  }
}
