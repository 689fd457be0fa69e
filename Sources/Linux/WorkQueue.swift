import Base
import CLinux
import Glibc
import Synchronization

/// A queue to a thread that does nothing else than carry out what it holds, and blocks while there is nothing.
final class WorkQueue<Work: Sendable>: Sendable {
  private struct State: Sendable {
    var waiting: [Work] = []
    /// Invariant: true only while the receiver waits for the semaphore and nobody has posted it for that wait.
    var asleep = false
    var closed = false
  }

  private let state = Mutex(State())
  /// A semaphore must not move, hence its own piece of memory.
  private nonisolated(unsafe) let semaphore: UnsafeMutablePointer<sem_t>

  init() {
    semaphore = .allocate(capacity: 1)
    semaphore.initialize(to: sem_t())
    sem_init(semaphore, 0, 0)
  }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  /// Any thread. After ``close()`` the work is dropped.
  func push(_ work: Work) {
    wake { state in
      if !state.closed { state.waiting.append(work) }
    }
  }

  /// The receiver finishes what is waiting, then ``take(into:)`` returns false.
  func close() {
    wake { $0.closed = true }
  }

  private func wake(_ change: (inout sending State) -> Void) {
    let asleep = state.withLock { state in
      change(&state)
      let asleep = state.asleep
      state.asleep = false
      return asleep
    }
    if asleep { sem_post(semaphore) }
  }

  /// Waits for work and moves all of it into `work`, which must be empty. False when the queue is closed and empty.
  func take(into work: inout [Work]) -> Bool {
    while true {
      let closed = state.withLock { state in
        if state.waiting.isEmpty {
          state.asleep = !state.closed
        } else {
          swap(&state.waiting, &work)
        }
        return state.closed
      }
      if !work.isEmpty { return true }
      if closed { return false }
      while sem_wait(semaphore) != 0 {
        invariant(errno == EINTR, "sem_wait: \(SystemError.last("sem_wait").reason)")
      }
    }
  }
}
