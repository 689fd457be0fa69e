package import Base
import CLinux
import Glibc

/// Making TCP connections. What comes out is a ``Descriptor``, close-on-exec, with TCP_NODELAY.
package enum Socket {
  /// A connection that was asked for, or nothing.
  package enum Accepted: ~Copyable {
    case connection(Descriptor, from: SocketAddress?)
    case wouldBlock
    /// Often EMFILE: the connection is still queued, and the listener stays readable until there is room.
    case failed(SystemError)
  }

  /// A non-blocking socket that listens at `address`; port 0 takes a free one, see ``localAddress(of:)``.
  ///
  /// With `reusePort` several sockets of this user may listen at the same address and the kernel spreads connections.
  package static func listen(
    at address: HostPort, reusePort: Bool = false, backlog: Int32 = 1024
  ) throws(SystemError) -> Descriptor {
    var failure: SystemError?
    for candidate in try SocketAddress.resolve(address, passive: true) {
      do throws(SystemError) {
        return try listen(at: candidate, named: address, reusePort: reusePort, backlog: backlog)
      } catch {
        failure = failure ?? error
      }
    }
    throw failure ?? SystemError(call: "bind", code: EADDRNOTAVAIL)
  }

  private static func listen(
    at address: SocketAddress, named name: HostPort, reusePort: Bool, backlog: Int32
  ) throws(SystemError) -> Descriptor {
    let descriptor = try open(address.family)
    // A listener that was killed leaves connections in TIME_WAIT; without this its port is refused for a minute.
    try set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
    if reusePort { try set(descriptor, SOL_SOCKET, SO_REUSEPORT, 1) }
    // `[::]` is to mean every address of the machine, whatever the system's default.
    if address.family == AF_INET6 { try set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
    if address.withPointer({ bind(descriptor.number, $0, $1) }) != 0 { throw bindFailure(name) }
    if Glibc.listen(descriptor.number, backlog) != 0 { throw bindFailure(name) }
    return descriptor
  }

  private static func bindFailure(_ name: HostPort) -> SystemError {
    switch errno {
    case EADDRINUSE:
      SystemError(call: "bind", code: EADDRINUSE, clause: "\(name) is taken by another process")
    case EADDRNOTAVAIL:
      SystemError(call: "bind", code: EADDRNOTAVAIL, clause: "\(name.host) is not an address of this machine")
    case EACCES:
      SystemError(call: "bind", code: EACCES, clause: "no permission to listen at \(name)")
    case let code:
      SystemError(call: "bind", code: code)
    }
  }

  /// The next connection of a listener, non-blocking.
  package static func accept(_ listener: borrowing Descriptor) -> Accepted {
    let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    while true {
      var number: Int32 = -1
      let peer = SocketAddress {
        number = accept4(listener.number, $0, $1, flags)
        return number >= 0 ? 0 : -1
      }
      if number >= 0 {
        let descriptor = Descriptor(owning: number)
        // Without it a small answer waits for the acknowledgement of the one before, up to 40 ms.
        try? set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        return .connection(descriptor, from: peer)
      }
      switch errno {
      case EAGAIN, EWOULDBLOCK: return .wouldBlock
      // A connection that died in the queue (accept(2): treat pending network errors like EAGAIN, and go on).
      case EINTR, ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, ENETUNREACH: continue
      default: return .failed(.last("accept4"))
      }
    }
  }

  /// Starts a connection without waiting. When it is writable, ``finishConnect(_:)`` tells what came of it.
  package static func startConnect(to address: SocketAddress) throws(SystemError) -> Descriptor {
    let descriptor = try open(address.family)
    try set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    if address.withPointer({ Glibc.connect(descriptor.number, $0, $1) }) != 0 && errno != EINPROGRESS && errno != EINTR
    {
      throw .last("connect")
    }
    return descriptor
  }

  /// Throws what kept a connection of ``startConnect(to:)`` from being made.
  package static func finishConnect(_ descriptor: borrowing Descriptor) throws(SystemError) {
    var code: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    if getsockopt(descriptor.number, SOL_SOCKET, SO_ERROR, &code, &length) != 0 { throw .last("getsockopt") }
    if code != 0 { throw SystemError(call: "connect", code: code) }
    // TCP lets a socket meet itself, where its own port is chosen to be the one it calls and nobody listens there.
    if let local = localAddress(of: descriptor), let peer = peerAddress(of: descriptor), local == peer {
      throw SystemError(call: "connect", code: ECONNREFUSED)
    }
  }

  /// Connects to the first address of `name` that answers. The result blocks, see ``setTimeout(of:milliseconds:)``.
  ///
  /// After `deadline` it throws ETIMEDOUT. The resolver keeps to its own time limits.
  package static func connect(to name: HostPort, deadline: Instant) throws(SystemError) -> Descriptor {
    var failure: SystemError?
    for address in try SocketAddress.resolve(name) {
      do throws(SystemError) {
        let descriptor = try startConnect(to: address)
        try waitWritable(descriptor, until: deadline)
        try finishConnect(descriptor)
        let flags = fcntl(descriptor.number, F_GETFL)
        if flags < 0 || fcntl(descriptor.number, F_SETFL, flags & ~O_NONBLOCK) < 0 { throw .last("fcntl") }
        return descriptor
      } catch {
        failure = error
      }
    }
    throw failure ?? SystemError(call: "connect", code: EADDRNOTAVAIL)
  }

  private static func waitWritable(_ descriptor: borrowing Descriptor, until deadline: Instant) throws(SystemError) {
    while true {
      let left = deadline.milliseconds(since: MonotonicClock.now())
      var request = pollfd(fd: descriptor.number, events: Int16(POLLOUT), revents: 0)
      let count = poll(&request, 1, Int32(clamping: left))
      if count > 0 { return }
      if count == 0 && left == 0 { throw SystemError(call: "connect", code: ETIMEDOUT) }
      if count < 0 && errno != EINTR { throw .last("poll") }
    }
  }

  /// Bounds each receive and send of a blocking socket (SO_RCVTIMEO, SO_SNDTIMEO); then they give `wouldBlock`.
  /// `milliseconds` must not be 0, which to the kernel means for ever.
  package static func setTimeout(of descriptor: borrowing Descriptor, milliseconds: UInt64) throws(SystemError) {
    invariant(milliseconds > 0, "a socket timeout of 0 means for ever")
    var time = timeval(tv_sec: Int(milliseconds / 1000), tv_usec: Int(milliseconds % 1000) * 1000)
    let size = socklen_t(MemoryLayout<timeval>.size)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] where setsockopt(descriptor.number, SOL_SOCKET, option, &time, size) != 0 {
      throw .last("setsockopt")
    }
  }

  /// Where this end is, for a listener the port that it got.
  package static func localAddress(of descriptor: borrowing Descriptor) -> HostPort? {
    let number = descriptor.number
    return SocketAddress { getsockname(number, $0, $1) }?.hostPort
  }

  package static func peerAddress(of descriptor: borrowing Descriptor) -> HostPort? {
    let number = descriptor.number
    return SocketAddress { getpeername(number, $0, $1) }?.hostPort
  }

  private static func open(_ family: Int32) throws(SystemError) -> Descriptor {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let number = socket(family, type, 0)
    guard number >= 0 else { throw .last("socket") }
    return Descriptor(owning: number)
  }

  private static func set(
    _ descriptor: borrowing Descriptor, _ level: Int32, _ option: Int32, _ value: Int32
  ) throws(SystemError) {
    var value = value
    if setsockopt(descriptor.number, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) != 0 {
      throw .last("setsockopt")
    }
  }
}
