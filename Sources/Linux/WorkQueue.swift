import Base
import CLinux
import Glibc
import Synchronization

/// A queue to threads that do nothing else than carry out what it holds, one piece at a time, and block while there is
/// nothing.
final class WorkQueue<Work: Sendable>: Sendable {
  private struct State: Sendable {
    var waiting: [Work?] = []
    /// Those before it are taken.
    var first = 0
    /// Receivers that wait for the semaphore, and that nobody has posted it for. A receiver only begins to wait where
    /// nothing else does, so as many as have come since are enough to wake.
    var sleepers = 0
    var isClosed = false
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
  func push(_ work: [Work]) {
    wake { state in
      guard !state.isClosed else { return 0 }
      for piece in work { state.waiting.append(piece) }
      return work.count
    }
  }

  /// The receivers finish what is waiting, then their ``take()`` returns nil.
  func close() {
    wake { state in
      state.isClosed = true
      return state.sleepers
    }
  }

  /// `change` returns how many receivers it has something for.
  private func wake(_ change: (inout sending State) -> Int) {
    let woken = state.withLock { state in
      let woken = min(change(&state), state.sleepers)
      state.sleepers -= woken
      return woken
    }
    for _ in 0..<woken { sem_post(semaphore) }
  }

  /// Waits for work; nil when the queue is closed and empty.
  func take() -> Work? {
    while true {
      let (work, isOver) = state.withLock { state -> (Work?, Bool) in
        guard state.first < state.waiting.count else {
          if !state.isClosed { state.sleepers += 1 }
          return (nil, state.isClosed)
        }
        let work = state.waiting[state.first]
        state.waiting[state.first] = nil
        state.first += 1
        if state.first == state.waiting.count || state.first > 4096 {
          state.waiting.removeFirst(state.first)
          state.first = 0
        }
        return (work, false)
      }
      if let work { return work }
      if isOver { return nil }
      while sem_wait(semaphore) != 0 {
        invariant(errno == EINTR, "sem_wait: \(SystemError.last("sem_wait").reason)")
      }
    }
  }
}
