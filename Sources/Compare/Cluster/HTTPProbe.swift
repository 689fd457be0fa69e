import Base
package import Linux

/// One request on a connection of its own.
package enum HTTPProbe {
  package struct Answer: Sendable {
    package let status: Int
    package let body: [UInt8]
  }

  /// nil where no whole answer comes in time.
  package static func get(_ endpoint: HostPort, _ path: String, withinMilliseconds limit: UInt64 = 500) -> Answer? {
    ask(endpoint, "GET", path, withinMilliseconds: limit)
  }

  /// nil where no whole answer comes in time.
  ///
  /// - Parameter fields: such as `If-Match: "3"`.
  package static func ask(
    _ endpoint: HostPort, _ method: String, _ path: String, fields: [String] = [], body: String = "",
    withinMilliseconds limit: UInt64 = 500
  ) -> Answer? {
    let deadline = MonotonicClock.now() + Milliseconds(limit)
    guard let descriptor = try? Socket.connect(to: endpoint, deadline: deadline) else { return nil }
    let length = method == "GET" ? [] : ["Content-Length: \(body.utf8.count)"]
    let head = ["\(method) \(path) HTTP/1.1", "Host: \(endpoint)", "Connection: close"] + length + fields
    let request = Array((head.map { $0 + "\r\n" }.joined() + "\r\n" + body).utf8)
    var received: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    var isSent = false
    while true {
      let left = deadline.milliseconds(since: MonotonicClock.now())
      guard left > 0, (try? Socket.setTimeout(of: descriptor, milliseconds: left)) != nil else { return nil }
      if !isSent {
        guard descriptor.send(request) == .bytes(request.count) else { return nil }
        isSent = true
      }
      guard case .bytes(let count) = descriptor.receive(into: &buffer) else { return nil }
      received += buffer[..<count]
      let scanned = received.withUnsafeBytes { AnswerScan.scan($0) }
      switch scanned {
      case .partial: continue
      case .malformed: return nil
      case .whole(let answer): return Answer(status: answer.status, body: Array(received[answer.body]))
      }
    }
  }
}
