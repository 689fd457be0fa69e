import Linux

/// Where a node serves clients: a host name or address, and a TCP port.
public struct Endpoint: Hashable, Sendable, CustomStringConvertible {
  /// A name or an address; an IPv6 address without brackets.
  public let host: String
  public let port: UInt16

  public init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// Reads `HOST:PORT`, such as `127.0.0.1:7001`, `[::1]:7001` or `localhost:7001`; nil for anything else.
  public init?(_ text: String) {
    guard let address = HostPort(text) else { return nil }
    self.init(host: address.host, port: address.port)
  }

  /// Reads a list separated by commas, where a bare port stands for the host before it: `127.0.0.1:7001,7002,7003`.
  /// nil if any part is malformed, or if there is none.
  public static func list(_ text: String) -> [Endpoint]? {
    HostPort.list(text)?.map { Endpoint(host: $0.host, port: $0.port) }
  }

  /// `127.0.0.1:7001`, `:7002` and `:7003`: the nodes of `synod demo`.
  public static let standard = [7001, 7002, 7003].map { Endpoint(host: "127.0.0.1", port: $0) }

  public var description: String { hostPort.description }

  var hostPort: HostPort { HostPort(host: host, port: port) }
}
