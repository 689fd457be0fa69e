import CLinux
import Glibc

/// Signals that are read like input instead of interrupting a thread.
///
/// To be made on the main thread before any other starts: threads inherit what is blocked.
package struct SignalSet: ~Copyable, Sendable {
  private let descriptor: Descriptor

  /// Blocks `signals`, and SIGPIPE with them, for this thread and all that it will start.
  package init(_ signals: [Int32]) throws(SystemError) {
    var blocked = sigset_t()
    sigemptyset(&blocked)
    sigaddset(&blocked, SIGPIPE)
    var code = pthread_sigmask(SIG_BLOCK, &blocked, nil)
    guard code == 0 else { throw SystemError(call: "pthread_sigmask", code: code) }
    var received = sigset_t()
    sigemptyset(&received)
    for signal in signals { sigaddset(&received, signal) }
    code = pthread_sigmask(SIG_BLOCK, &received, nil)
    guard code == 0 else { throw SystemError(call: "pthread_sigmask", code: code) }
    let number = signalfd(-1, &received, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
    guard number >= 0 else { throw .last("signalfd") }
    descriptor = Descriptor(owning: number)
  }

  /// For ``Epoll/add(_:tag:for:)``.
  package var number: Int32 { descriptor.number }

  /// The next signal that has come, nil if there is none.
  package borrowing func next() -> Int32? { nextReceived()?.number }

  package struct Received: Sendable {
    package let number: Int32
    /// Whether the kernel sent it, as a terminal does at Ctrl-C to the whole foreground group, and not a process.
    package let isFromKernel: Bool
  }

  /// Like ``next()``, with its origin.
  package borrowing func nextReceived() -> Received? {
    var info = signalfd_siginfo()
    let transfer = withUnsafeMutableBytes(of: &info) { descriptor.read(into: $0) }
    guard transfer == .bytes(MemoryLayout<signalfd_siginfo>.size) else { return nil }
    return Received(number: Int32(info.ssi_signo), isFromKernel: info.ssi_code == SI_KERNEL)
  }

  /// Gives a child process what it expects: nothing blocked. To be called between fork and exec, or undone by the
  /// caller.
  package static func unblockAll() {
    var none = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, nil)
  }
}
