import Base
import Glibc
import Testing

@testable import Linux

@Suite struct SocketTests {
  private static func local(_ descriptor: borrowing Descriptor) throws -> HostPort {
    guard let address = Socket.localAddress(of: descriptor) else { throw SystemError.last("getsockname") }
    return address
  }

  private static let anywhere = HostPort(host: "127.0.0.1", port: 0)
  private static var deadline: Instant { MonotonicClock.now() + Milliseconds(60_000) }

  /// The connection that a listener has been asked for, which may take a moment to show.
  private static func accept(_ listener: borrowing Descriptor) throws -> Descriptor {
    var epoll = try Epoll(capacity: 1)
    try epoll.add(listener.number, tag: 0, for: .readable)
    _ = try epoll.wait(timeoutMilliseconds: -1)
    switch Socket.accept(listener) {
    case .connection(let descriptor, _): return descriptor
    case .wouldBlock: throw SystemError(call: "accept4", code: EAGAIN)
    case .failed(let error): throw error
    }
  }

  @Test(arguments: ["127.0.0.1", "localhost"])
  func connectsAndTalks(host: String) throws {
    let listener = try Socket.listen(at: HostPort(host: host, port: 0))
    let port = try Self.local(listener).port
    #expect(port != 0)
    let client = try Socket.connect(to: HostPort(host: host, port: port), deadline: Self.deadline)
    let server = try Self.accept(listener)
    #expect(Socket.peerAddress(of: server) == Socket.localAddress(of: client))

    var buffer = [UInt8](repeating: 0, count: 8)
    #expect(server.receive(into: &buffer) == .wouldBlock)
    #expect(server.send([5]) == .bytes(1))
    #expect(client.receive(into: &buffer) == .bytes(1))
    #expect(buffer[0] == 5)
    try Socket.setTimeout(of: client, milliseconds: 1)
    #expect(client.receive(into: &buffer) == .wouldBlock)
  }

  @Test func anAcceptedConnectionIsReadyForAnEventLoop() throws {
    let listener = try Socket.listen(at: Self.anywhere)
    let address = try Self.local(listener)
    let client = try Socket.connect(to: address, deadline: Self.deadline)
    let server = try Self.accept(listener)
    for number in [client.number, server.number] {
      #expect(fcntl(number, F_GETFD) & FD_CLOEXEC != 0)
      var noDelay: Int32 = 0
      var size = socklen_t(4)
      #expect(getsockopt(number, Int32(IPPROTO_TCP), TCP_NODELAY, &noDelay, &size) == 0)
      #expect(noDelay != 0)
    }
    #expect(fcntl(server.number, F_GETFL) & O_NONBLOCK != 0)
    #expect(fcntl(client.number, F_GETFL) & O_NONBLOCK == 0)
    guard case .wouldBlock = Socket.accept(listener) else {
      Issue.record("one connection was accepted twice")
      return
    }
  }

  @Test func aTakenPortIsSaidInPlainWords() throws {
    let listener = try Socket.listen(at: Self.anywhere)
    let address = try Self.local(listener)
    #expect(
      throws: SystemError(call: "bind", code: EADDRINUSE, clause: "\(address) is taken by another process")
    ) { _ = try Socket.listen(at: address) }
  }

  @Test func aPortIsSharedOnlyByThoseWhoAllSaySo() throws {
    let first = try Socket.listen(at: Self.anywhere, reusePort: true)
    let address = try Self.local(first)
    let second = try Socket.listen(at: address, reusePort: true)
    #expect(Socket.localAddress(of: second) == address)
    #expect(throws: SystemError.self) { _ = try Socket.listen(at: address) }
  }

  @Test func nobodyListensThere() throws {
    let address: HostPort
    do {
      let listener = try Socket.listen(at: Self.anywhere)
      address = try Self.local(listener)
    }
    #expect(throws: SystemError(call: "connect", code: ECONNREFUSED)) {
      _ = try Socket.connect(to: address, deadline: Self.deadline)
    }
  }

  @Test func aConnectionIsStartedNowAndFinishedLater() throws {
    let listener = try Socket.listen(at: Self.anywhere)
    let address = try Self.local(listener)
    let target = try #require(try SocketAddress.resolve(address).first)
    #expect(target.hostPort == address)
    let client = try Socket.startConnect(to: target)
    var epoll = try Epoll(capacity: 1)
    try epoll.add(client.number, tag: 0, for: .writable)
    #expect(try epoll.wait(timeoutMilliseconds: -1) == 1)
    try Socket.finishConnect(client)
    #expect(Socket.peerAddress(of: client) == address)
  }

  @Test func aSocketThatMetItselfIsNoConnection() throws {
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let descriptor = Descriptor(owning: number)
    let any = try #require(try SocketAddress.resolve(Self.anywhere).first)
    #expect(any.withPointer { bind(number, $0, $1) } == 0)
    let itself = try Self.local(descriptor)
    let target = try #require(try SocketAddress.resolve(itself).first)
    #expect(target.withPointer { connect(number, $0, $1) } == 0)
    #expect(throws: SystemError(call: "connect", code: ECONNREFUSED)) { try Socket.finishConnect(descriptor) }
  }

  @Test func anAddressOfAnotherMachineOrNoneIsRefused() throws {
    #expect(throws: SystemError.self) { _ = try Socket.listen(at: HostPort(host: "192.0.2.1", port: 0)) }
    #expect(throws: SystemError.self) { _ = try SocketAddress.resolve(HostPort(host: "300.1.1.1.", port: 1)) }
  }
}
