import Base
import CLinux
import Glibc
import Storage
import Synchronization

/// A queue of reads to several threads, each of which takes one at a time and blocks while there is none.
final class ReadQueue: Sendable {
  private struct State: Sendable {
    var reads: [DeviceRead] = []
    /// Those before it are taken.
    var first = 0
    var isClosed = false
  }

  private let state = Mutex(State())
  /// Counts the reads that wait, and each thread's end once more. A semaphore must not move, hence its own piece of
  /// memory.
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

  /// Any thread.
  func push(_ read: DeviceRead) {
    state.withLock { $0.reads.append(read) }
    sem_post(semaphore)
  }

  /// What waits is dropped; each thread's ``take()`` returns nil.
  func close() {
    state.withLock { state in
      state.isClosed = true
      state.reads = []
      state.first = 0
    }
    sem_post(semaphore)
  }

  /// Waits for a read; nil when the queue is closed.
  func take() -> DeviceRead? {
    while true {
      while sem_wait(semaphore) != 0 {
        invariant(errno == EINTR, "sem_wait: \(SystemError.last("sem_wait").reason)")
      }
      let (read, isClosed) = state.withLock { state -> (DeviceRead?, Bool) in
        guard state.first < state.reads.count else { return (nil, state.isClosed) }
        let read = state.reads[state.first]
        state.first += 1
        if state.first == state.reads.count || state.first > 4096 {
          state.reads.removeFirst(state.first)
          state.first = 0
        }
        return (read, state.isClosed)
      }
      if let read { return read }
      // The next thread is to end too.
      if isClosed {
        sem_post(semaphore)
        return nil
      }
    }
  }
}
