import Foundation

/// A thread that lives as long as the process. All children are started on it: the kernel's parent-death signal, which
/// they ask for, goes by the *thread* that forked, and the threads of a pool end when they are not needed.
final class ImmortalThread: Sendable {
  static let shared = ImmortalThread()

  private let jobs = Locked<[@Sendable () -> Void]>([])
  private let available = DispatchSemaphore(value: 0)

  private init() {
    Thread.detachNewThread { [jobs, available] in
      while true {
        available.wait()
        jobs.with { $0.removeFirst() }()
      }
    }
  }

  func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) throws -> R {
    let result = Locked<Result<R, any Error>?>(nil)
    let done = DispatchSemaphore(value: 0)
    jobs.with {
      $0.append {
        let made = Result { try body() }
        result.with { $0 = made }
        done.signal()
      }
    }
    available.signal()
    done.wait()
    guard let made = result.value else { throw NeverHappened(description: "a job of the starting thread") }
    return try made.get()
  }
}
