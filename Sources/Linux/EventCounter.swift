import CLinux
import Glibc

/// An eventfd. Any thread may signal; an epoll that watches it edge-triggered wakes once or more.
package struct EventCounter: ~Copyable, Sendable {
  private let descriptor: Descriptor

  package init() throws(SystemError) {
    let number = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
    guard number >= 0 else { throw .last("eventfd") }
    descriptor = Descriptor(owning: number)
  }

  /// For ``Epoll/add(_:tag:for:)``.
  package var number: Int32 { descriptor.number }

  package borrowing func signal() {
    var one: UInt64 = 1
    // It can only fail when the counter is full, and then it is signalled already.
    _ = withUnsafeBytes(of: &one) { descriptor.write($0) }
  }
}
