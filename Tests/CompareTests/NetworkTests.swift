import Base
import Compare
import Linux
import Testing

/// Namespaces and what is done to them; they need root.
@Suite("Network", .serialized, .enabled(if: Network.obstacle() == nil, "no network namespaces here"))
struct NetworkTests {
  /// Connects to node 2 from where node 1 lives.
  private static func connect(_ network: Network, withinMilliseconds limit: UInt64) throws(SystemError) -> Descriptor {
    try NetworkNamespace.inside(network.space(1)) { () throws(SystemError) -> Descriptor in
      try Socket.connect(to: network.peerAddress(2), deadline: MonotonicClock.now() + Milliseconds(limit))
    }
  }

  private static func listen(_ network: Network) throws(SystemError) -> Descriptor {
    try NetworkNamespace.inside(network.space(2)) { () throws(SystemError) -> Descriptor in
      try Socket.listen(at: network.peerAddress(2))
    }
  }

  private static func accept(_ listener: borrowing Descriptor) throws -> Descriptor {
    var epoll = try Epoll(capacity: 1)
    try epoll.add(listener.number, tag: 0, for: .readable)
    #expect(try epoll.wait(timeoutMilliseconds: -1) == 1)
    guard case .connection(let descriptor, _) = Socket.accept(listener) else {
      throw SystemError(call: "accept4", code: 0, clause: "nobody is there")
    }
    return descriptor
  }

  @Test func theRelayDelaysBothWays() throws {
    let network = try Network(count: 2, delays: [[0, 40], [40, 0]])
    defer { network.remove() }
    let listener = try Self.listen(network)
    let client = try Self.connect(network, withinMilliseconds: 5000)
    let server = try Self.accept(listener)
    var epoll = try Epoll(capacity: 1)
    try epoll.add(server.number, tag: 0, for: .readable)
    var buffer = [UInt8](repeating: 0, count: 100_000)
    let start = MonotonicClock.now()
    #expect(client.send([1, 2, 3]) == .bytes(3))
    #expect(try epoll.wait(timeoutMilliseconds: -1) == 1)
    #expect(server.receive(into: &buffer) == .bytes(3))
    #expect(MonotonicClock.now() >= start + 40)
    #expect(server.send([4, 5]) == .bytes(2))
    #expect(client.receive(into: &buffer) == .bytes(2))
    #expect(buffer[0] == 4 && MonotonicClock.now() >= start + 80)
  }

  /// Pieces that are late by different times come in their order.
  @Test func whatIsLateIsNotOvertaken() throws {
    let network = try Network(count: 2, delays: [[0, 1], [1, 0]])
    defer { network.remove() }
    network.setJitter(milliseconds: 2)
    let listener = try Self.listen(network)
    let client = try Self.connect(network, withinMilliseconds: 5000)
    let server = try Self.accept(listener)
    var epoll = try Epoll(capacity: 1)
    try epoll.add(server.number, tag: 0, for: .readable)
    var buffer = [UInt8](repeating: 0, count: 1000)
    var received: [UInt8] = []
    for number in 0..<300 { #expect(client.send([UInt8(truncatingIfNeeded: number)]) == .bytes(1)) }
    while received.count < 300 {
      #expect(try epoll.wait(timeoutMilliseconds: -1) == 1)
      guard case .bytes(let count) = server.receive(into: &buffer) else { break }
      received += buffer[..<count]
    }
    #expect(received == (0..<300).map { UInt8(truncatingIfNeeded: $0) })
  }

  @Test func whoIsSilencedIsNotHeardUntilItHeals() throws {
    let network = try Network(count: 2)
    defer { network.remove() }
    let listener = try Self.listen(network)
    _ = try Self.connect(network, withinMilliseconds: 5000)
    _ = try Self.accept(listener)
    try network.silence(1)
    #expect(throws: SystemError.self) { _ = try Self.connect(network, withinMilliseconds: 300) }
    try network.heal()
    try network.deafen(1)
    #expect(throws: SystemError.self) { _ = try Self.connect(network, withinMilliseconds: 300) }
    try network.heal()
    _ = try Self.connect(network, withinMilliseconds: 5000)
  }
}
