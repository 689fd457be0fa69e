import Base
import CLinux
import Glibc
import Synchronization

/// A thread of the operating system.
///
/// The body is handed over with all it captures, so it can build an event loop that is not Sendable and keep it to
/// itself.
package final class OSThread: Sendable {
  private final class Body {
    let run: () -> Void
    let name: String

    init(_ name: String, _ run: @escaping () -> Void) {
      self.name = name
      self.run = run
    }
  }

  /// nil once joined: a joined thread's id may already be another thread's.
  private let handle: Mutex<pthread_t?>

  /// Starts it. `name` shows in `top -H` and the like, cut to 15 bytes.
  package init(name: String, _ body: sending @escaping () -> Void) throws(SystemError) {
    let carried = Unmanaged.passRetained(Body(name, body))
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
        _ = pthread_setname_np(pthread_self(), String(decoding: body.name.utf8.prefix(15), as: UTF8.self))
        body.run()
        return nil
      }, carried.toOpaque())
    guard code == 0 else {
      carried.release()
      throw SystemError(call: "pthread_create", code: code)
    }
    handle = Mutex(thread)
  }

  deinit {
    if let thread = handle.withLock({ $0 }) { pthread_detach(thread) }
  }

  /// Asks the scheduler to run the calling thread for so long at a time, and so the sooner. A wish: what comes of it
  /// depends on the kernel.
  package static func askForSlices(microseconds: UInt64) { _ = synod_ask_for_slices(microseconds * 1000) }

  /// Asks that the calling thread's waits end when they should, instead of up to 50 µs later.
  package static func askForExactTimers() { _ = synod_set_timer_slack(1) }

  /// Waits until the body has returned. A second call returns at once; the thread itself must not call it.
  package func join() {
    let thread = handle.withLock { handle in
      let thread = handle
      handle = nil
      return thread
    }
    guard let thread else { return }
    let code = pthread_join(thread, nil)
    invariant(code == 0, "pthread_join: \(SystemError(call: "pthread_join", code: code).reason)")
  }
}
