import Foundation

/// A TCP connection to a node, on which a test sees the exact bytes. Not for two threads at once.
final class RawConnection {
  enum Failure: Error {
    case refused
    /// Closed or reset by the other side, or silent for longer than any test waits.
    case closed
    case malformed(String)
  }

  private let descriptor: Int32
  private var received: [UInt8] = []

  init(port: UInt16) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = LoopbackAddress.make(port)
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard code == 0 else {
      close(descriptor)
      throw Failure.refused
    }
    var on: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    // Well below the 60 s of the longest wait, so that a wait which nothing but its end wakes is a failure.
    var time = timeval(tv_sec: 30, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  func send(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { throw Failure.closed }
      rest = rest.dropFirst(count)
    }
  }

  func send(_ text: String) throws { try send(Array(text.utf8)) }

  /// Says that nothing more comes.
  func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// False when the other side has closed.
  private func receive() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    guard count > 0 else { return false }
    received += buffer[..<count]
    return true
  }

  func bytes(_ count: Int) throws -> [UInt8] {
    while received.count < count { guard receive() else { throw Failure.closed } }
    defer { received.removeFirst(count) }
    return Array(received[..<count])
  }

  /// The next line without its LF.
  func line() throws -> String {
    var searched = 0
    while true {
      if let end = received[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        defer { received.removeFirst(end + 1) }
        return String(decoding: received[..<end], as: UTF8.self)
      }
      searched = received.count
      guard receive() else { throw Failure.closed }
    }
  }

  /// Everything until the other side closes; throws if it keeps the connection open.
  func rest() throws -> [UInt8] {
    while receive() {}
    guard errno != EAGAIN && errno != EWOULDBLOCK else { throw NeverHappened(description: "the connection was closed") }
    defer { received = [] }
    return received
  }

  /// Whether the other side closes it now without another byte.
  func isClosedByPeer() throws -> Bool {
    errno = 0
    return try rest().isEmpty
  }

  /// The next answer, interim ones (1xx) included.
  func answer(toHead: Bool = false) throws -> HTTPAnswer {
    var answer = HTTPAnswer()
    let start = try headLine().split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
    guard start.count == 3, start[0].hasPrefix("HTTP/1."), let status = Int(start[1]) else {
      throw Failure.malformed(start.joined(separator: " "))
    }
    answer.version = String(start[0])
    answer.status = status
    while case let line = try headLine(), !line.isEmpty {
      guard let colon = line.firstIndex(of: ":") else { throw Failure.malformed(line) }
      let value = line[line.index(after: colon)...].drop { $0 == " " }
      answer.fields.append((String(line[..<colon]), String(value)))
    }
    let hasBody = !toHead && status >= 200 && status != 204 && status != 304
    if hasBody {
      guard let length = answer["Content-Length"].flatMap({ Int($0) }) else {
        throw Failure.malformed("\(status) without a Content-Length")
      }
      answer.body = try bytes(length)
    }
    return answer
  }

  private func headLine() throws -> String {
    let line = try line()
    // A grapheme of its own: CR LF would be one character, and the LF is off already.
    guard line.utf8.last == 0x0D else { throw Failure.malformed(line) }
    return String(decoding: line.utf8.dropLast(), as: UTF8.self)
  }

  /// Sends one request with a Host, and a Content-Length where there is a body, and reads its answer.
  func ask(
    _ method: String, _ target: String, _ fields: [String] = [], body: [UInt8]? = nil
  ) throws -> HTTPAnswer {
    try send(RawConnection.request(method, target, fields, body: body))
    return try answer(toHead: method == "HEAD")
  }

  static func request(_ method: String, _ target: String, _ fields: [String] = [], body: [UInt8]? = nil) -> [UInt8] {
    var text = "\(method) \(target) HTTP/1.1\r\nHost: synod.test\r\n"
    for field in fields { text += field + "\r\n" }
    if let body { text += "Content-Length: \(body.count)\r\n" }
    return Array((text + "\r\n").utf8) + (body ?? [])
  }
}
