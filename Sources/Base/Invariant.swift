/// Stops the process with `message` when `condition` is false, in release builds too.
///
/// `precondition` prints no message in release; a node that has seen the impossible must say what it saw.
@inlinable @inline(__always)
package func invariant(_ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String) {
  if !condition() { invariantFailed(message()) }
}

@usableFromInline @inline(never)
package func invariantFailed(_ message: String) -> Never {
  fatalError(message)
}
