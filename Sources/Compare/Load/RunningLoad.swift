package import Linux
import Synchronization

/// A load on a thread of its own.
package final class RunningLoad: Sendable {
  package let progress = LoadProgress()
  private let thread: OSThread
  private let outcome: OutcomeBox

  private final class OutcomeBox: Sendable {
    let outcome = Mutex<Result<LoadResult, SystemError>?>(nil)
    /// Readable once there is an outcome.
    let done: Mailbox<Bool>

    init() throws(SystemError) { done = try Mailbox() }
  }

  /// Starts it.
  package init(_ options: LoadOptions) throws(SystemError) {
    let box = try OutcomeBox()
    outcome = box
    let progress = progress
    thread = try OSThread(name: "load") {
      do throws(SystemError) {
        let result = try LoadGenerator(options, progress: progress).run()
        box.outcome.withLock { $0 = .success(result) }
      } catch {
        box.outcome.withLock { $0 = .failure(error) }
      }
      box.done.post(true)
    }
  }

  package var isOver: Bool { outcome.outcome.withLock { $0 != nil } }

  /// Waits for its end.
  package func result() throws(SystemError) -> LoadResult {
    thread.join()
    let outcome = outcome.outcome.withLock { $0 }
    guard let outcome else { throw SystemError(call: "pthread_join", code: 0, clause: "the load ended without a word") }
    return try outcome.get()
  }

  /// Makes `epoll` wake when it is over; the caller's turn is as ``Mailbox`` says.
  package func attach(to epoll: borrowing Epoll, tag: UInt64) throws(SystemError) {
    _ = outcome.done.prepareToSleep()
    try outcome.done.attach(to: epoll, tag: tag)
  }
}
