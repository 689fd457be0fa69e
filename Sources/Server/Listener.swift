import Linux

/// A listening socket that an array can hold and a thread can be given.
final class Listener: Sendable {
  private let descriptor: Descriptor

  init(at address: HostPort, reusePort: Bool = false) throws(SystemError) {
    descriptor = try Socket.listen(at: address, reusePort: reusePort)
  }

  var number: Int32 { descriptor.number }

  func accept() -> Socket.Accepted { Socket.accept(descriptor) }
}

/// SIGTERM and SIGINT, read like input.
final class SignalSource: Sendable {
  private let signals: SignalSet

  init(_ signals: consuming SignalSet) { self.signals = signals }

  var number: Int32 { signals.number }

  func next() -> Int32? { signals.next() }
}
