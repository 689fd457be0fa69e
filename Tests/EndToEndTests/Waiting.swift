import Foundation

/// A condition that a test waited for did not come.
struct NeverHappened: Error, CustomStringConvertible {
  let description: String
}

/// Lets other threads and processes run for a moment.
func letOthersRun(milliseconds: Int32 = 5) { _ = poll(nil, 0, milliseconds) }

/// Waits for a condition. The bound is only there so that a test ends; no test is about time.
func waitUntil(
  _ what: @autoclosure () -> String, within seconds: Double = 90, _ condition: () throws -> Bool
) throws {
  let start = ContinuousClock.now
  while try !condition() {
    guard ContinuousClock.now - start < .seconds(seconds) else {
      throw NeverHappened(description: "waited for ever: \(what())")
    }
    letOthersRun()
  }
}

/// Runs `body` on so many threads of their own at once, and returns when all have ended. The first error is thrown.
func concurrently(_ count: Int, _ body: @escaping @Sendable (_ index: Int) throws -> Void) throws {
  let failures = Locked<[any Error]>([])
  let group = DispatchGroup()
  for index in 0..<count {
    group.enter()
    Thread.detachNewThread {
      defer { group.leave() }
      do { try body(index) } catch { failures.with { $0.append(error) } }
    }
  }
  group.wait()
  if let first = failures.with({ $0.first }) { throw first }
}
