import CLinux
import Glibc

/// An address that the kernel understands, IPv4 or IPv6.
package struct SocketAddress: Sendable {
  private var storage: sockaddr_storage
  private var length: socklen_t

  /// Asks the resolver, which for a name may block for seconds; for a literal address it does not.
  ///
  /// The result is not empty, in the resolver's order of preference. `passive` makes addresses to listen on.
  package static func resolve(_ name: HostPort, passive: Bool = false) throws(SystemError) -> [SocketAddress] {
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_NUMERICSERV | (passive ? AI_PASSIVE : 0)
    var found: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(name.host, String(name.port), &hints, &found)
    guard code == 0 else {
      let text = code == EAI_SYSTEM ? SystemError.last("getaddrinfo").reason : String(cString: gai_strerror(code))
      throw SystemError(call: "getaddrinfo", code: code, clause: "\(name.host): \(text)")
    }
    defer { freeaddrinfo(found) }
    var addresses: [SocketAddress] = []
    var next = found
    while let info = next {
      if let address = info.pointee.ai_addr, info.pointee.ai_addrlen <= MemoryLayout<sockaddr_storage>.size {
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) {
          $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: Int(info.pointee.ai_addrlen)))
        }
        addresses.append(SocketAddress(storage: storage, length: info.pointee.ai_addrlen))
      }
      next = info.pointee.ai_next
    }
    if addresses.isEmpty {
      throw SystemError(call: "getaddrinfo", code: EAI_NONAME, clause: "\(name.host): no address")
    }
    return addresses
  }

  private init(storage: sockaddr_storage, length: socklen_t) {
    self.storage = storage
    self.length = length
  }

  /// What `getsockname`, `getpeername` and the like say, nil where they fail.
  init?(_ ask: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32) {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let code = withUnsafeMutablePointer(to: &storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { ask($0, &length) }
    }
    guard code == 0 else { return nil }
    self.init(storage: storage, length: length)
  }

  var family: Int32 { Int32(storage.ss_family) }

  func withPointer<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
    withUnsafePointer(to: storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
    }
  }

  /// In numbers, nothing is looked up.
  package var hostPort: HostPort {
    var storage = storage
    if family == AF_INET6 {
      return withUnsafeBytes(of: &storage) { bytes in
        var address = bytes.load(as: sockaddr_in6.self)
        return HostPort(
          host: SocketAddress.text(AF_INET6, &address.sin6_addr), port: UInt16(bigEndian: address.sin6_port))
      }
    }
    return withUnsafeBytes(of: &storage) { bytes in
      var address = bytes.load(as: sockaddr_in.self)
      return HostPort(host: SocketAddress.text(AF_INET, &address.sin_addr), port: UInt16(bigEndian: address.sin_port))
    }
  }

  private static func text(_ family: Int32, _ address: UnsafeRawPointer) -> String {
    var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    guard let text = inet_ntop(family, address, &buffer, socklen_t(buffer.count)) else { return "?" }
    return String(cString: text)
  }
}
