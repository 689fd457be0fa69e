import Synchronization

@testable import Linux

/// Runs a test's body on a thread of its own, whose signal mask it may change.
enum OSThreadResult {
  /// What the body threw.
  static func run(_ body: @escaping @Sendable () throws -> Void) throws -> String? {
    let failure = Mutex<String?>(nil)
    let thread = try OSThread(name: "test") {
      do { try body() } catch { failure.withLock { $0 = "\(error)" } }
    }
    thread.join()
    return failure.withLock { $0 }
  }
}
