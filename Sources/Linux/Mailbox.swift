public import Synchronization

/// A queue from many threads to one event loop. A post takes a lock and appends; only where the receiver sleeps, or is
/// about to, does it cost a system call.
///
/// Public, with bodies that other targets can inline: an unspecialised post costs 35 ns instead of 13.
///
/// The receiver's turn:
/// ```
/// let idle = mailbox.prepareToSleep()
/// epoll.wait(timeoutMilliseconds: idle ? … : 0)
/// mailbox.wakeUp()
/// mailbox.drain(into: &messages)
/// ```
public final class Mailbox<Message: Sendable>: Sendable {
  @usableFromInline struct State: Sendable {
    @usableFromInline var messages: [Message] = []
    /// Invariant: true only if the receiver will look at the messages no sooner than the counter is signalled, or its
    /// wait times out. The first post that sees it takes it away and signals, so that a burst costs one system call.
    @usableFromInline var asleep = false

    @inlinable init() {}
  }

  @usableFromInline let state = Mutex(State())
  private let counter: EventCounter

  package init() throws(SystemError) { counter = try EventCounter() }

  /// Makes `epoll`, the receiver's, wake when a message comes while it sleeps.
  ///
  /// The counter is never read: each signal is an edge of its own, and 2⁶⁴ signals do not happen. (Reading it would
  /// race with a sender that has taken `asleep` away but not signalled yet, and cost a system call a turn.)
  package func attach(to epoll: borrowing Epoll, tag: UInt64) throws(SystemError) {
    try epoll.add(counter.number, tag: tag, for: [.readable, .edgeTriggered])
  }

  /// Adds a message; any thread.
  @inlinable public func post(_ message: Message) {
    let asleep = state.withLock { state in
      state.messages.append(message)
      let asleep = state.asleep
      state.asleep = false
      return asleep
    }
    if asleep { wakeReceiver() }
  }

  @usableFromInline func wakeReceiver() { counter.signal() }

  /// Moves all messages into `messages`, which must be empty and whose storage the mailbox keeps for the next ones.
  /// Receiver only.
  @inlinable public func drain(into messages: inout [Message]) {
    state.withLock { swap(&$0.messages, &messages) }
  }

  /// False if messages are waiting: then the receiver must not block. Receiver only.
  @inlinable public func prepareToSleep() -> Bool {
    state.withLock { state in
      state.asleep = state.messages.isEmpty
      return state.asleep
    }
  }

  /// To be called after each wait that ``prepareToSleep()`` came before, whatever woke it. Receiver only.
  @inlinable public func wakeUp() {
    state.withLock { $0.asleep = false }
  }
}
