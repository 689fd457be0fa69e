import Base
import Glibc
import Linux

/// Serves one page at every path, on this machine only, until the process ends.
struct PageServer: ~Copyable {
  private let listener: Descriptor
  private let page: [UInt8]
  /// Where it listens, with the port that was taken.
  let address: HostPort

  init(at wanted: HostPort, page: [UInt8]) throws(SystemError) {
    listener = try Socket.listen(at: wanted)
    self.page = page
    address = HostPort(host: wanted.host, port: Socket.localAddress(of: listener)?.port ?? wanted.port)
  }

  /// A thread for each connection: browsers open some in advance, and say nothing on them for a while.
  borrowing func run() throws(SystemError) {
    while true {
      var waiting = pollfd(fd: listener.number, events: Int16(POLLIN), revents: 0)
      if poll(&waiting, 1, -1) < 0 && errno != EINTR { throw .last("poll") }
      switch Socket.accept(listener) {
      case .connection(let connection, _):
        let number = connection.giveUp()
        let page = page
        _ = try OSThread(name: "page") { Self.answer(number, page) }
      case .wouldBlock: continue
      case .failed(let error): throw error
      }
    }
  }

  private static func answer(_ number: Int32, _ page: [UInt8]) {
    let connection = Descriptor(owning: number)
    let flags = fcntl(number, F_GETFL)
    guard flags >= 0, fcntl(number, F_SETFL, flags & ~O_NONBLOCK) == 0 else { return }
    try? Socket.setTimeout(of: connection, milliseconds: 30_000)
    var head: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while !ends(head) {
      guard case .bytes(let count) = connection.receive(into: &buffer), head.count < 1 << 16 else { return }
      head += buffer[..<count]
    }
    var bytes: [UInt8] = []
    let isGet = head.starts(with: "GET ".utf8)
    if isGet || head.starts(with: "HEAD ".utf8) {
      bytes += "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n".utf8
      bytes += "Content-Length: \(page.count)\r\nConnection: close\r\n\r\n".utf8
      if isGet { bytes += page }
    } else {
      bytes += "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\n".utf8
      bytes += "Content-Length: 0\r\nConnection: close\r\n\r\n".utf8
    }
    var sent = 0
    while sent < bytes.count {
      guard case .bytes(let count) = connection.send(bytes, from: sent) else { return }
      sent += count
    }
  }

  private static func ends(_ head: [UInt8]) -> Bool { head.suffix(4).elementsEqual("\r\n\r\n".utf8) }
}
