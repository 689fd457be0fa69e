/// An address as people write it: `127.0.0.1:7001`, `[::1]:7001`, `localhost:80`.
package struct HostPort: Hashable, Sendable, CustomStringConvertible {
  /// A name or an address; an IPv6 address without its brackets.
  package let host: String
  package let port: UInt16

  package init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// nil where `text` is not `HOST:PORT` with a decimal port of 0 to 65535.
  package init?(_ text: some StringProtocol) {
    let host: Substring
    let rest: Substring
    let text = Substring(text)
    if text.first == "[" {
      guard let end = text.firstIndex(of: "]") else { return nil }
      host = text[text.index(after: text.startIndex)..<end]
      rest = text[text.index(after: end)...]
      guard host.contains(":") else { return nil }
    } else {
      guard let colon = text.firstIndex(of: ":") else { return nil }
      host = text[..<colon]
      rest = text[colon...]
      guard !host.contains("]") else { return nil }
    }
    guard rest.first == ":", !host.isEmpty, let port = HostPort.port(rest.dropFirst()) else { return nil }
    guard !host.contains(where: { $0.isWhitespace || $0 == "," || $0 == "/" }) else { return nil }
    self.init(host: String(host), port: port)
  }

  /// A list separated by commas, where a bare port stands for the host before it: `127.0.0.1:7001,7002,7003`.
  /// nil if any part is neither, or if there is none.
  package static func list(_ text: some StringProtocol) -> [HostPort]? {
    var list: [HostPort] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      if let address = HostPort(part) {
        list.append(address)
      } else if let last = list.last, let port = port(part) {
        list.append(HostPort(host: last.host, port: port))
      } else {
        return nil
      }
    }
    return list
  }

  /// Digits only: the initialiser of the library would take a sign as well.
  private static func port(_ text: some StringProtocol) -> UInt16? {
    guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else {
      return nil
    }
    return UInt16(text)
  }

  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
