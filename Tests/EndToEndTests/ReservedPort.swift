import Foundation

/// A port of 127.0.0.1 that stays ours while this lives, also between two lives of a node.
///
/// It is bound and does not listen. Linux lets a server with SO_REUSEADDR listen beside it, but gives the port neither
/// to another bind nor as a source port to a connection, which a port that is only looked up and let go is open to.
final class ReservedPort: Sendable {
  let number: UInt16
  private let descriptor: Int32

  /// `wanted` 0: the kernel's choice.
  init(_ wanted: UInt16 = 0, listening: Bool = false) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var on: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    var address = LoopbackAddress.make(wanted)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer -> Bool in
        guard bind(descriptor, pointer, size) == 0, getsockname(descriptor, pointer, &size) == 0 else { return false }
        return !listening || listen(descriptor, 1) == 0
      }
    }
    guard bound else {
      close(descriptor)
      throw NeverHappened(description: "port \(wanted) of the loopback address: errno \(errno)")
    }
    self.descriptor = descriptor
    number = UInt16(bigEndian: address.sin_port)
  }

  deinit { close(descriptor) }

  /// So many ports, one after the other.
  static func row(_ count: Int) throws -> [ReservedPort] {
    for _ in 0..<1000 {
      let first = try ReservedPort()
      guard Int(first.number) + count < 65536 else { continue }
      let others = (1..<count).compactMap { try? ReservedPort(first.number + UInt16($0)) }
      if others.count == count - 1 { return [first] + others }
    }
    throw NeverHappened(description: "\(count) free ports in a row")
  }
}

enum LoopbackAddress {
  static func make(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
  }
}
