import Base
import Linux

/// What came of sending a request.
enum Exchange {
  case answered(HTTPResponse)
  /// The request did not reach the node whole, so it was not carried out.
  case notSent(reason: String)
  /// The request was sent and no answer came: it may have been carried out.
  case lost(reason: String)
}

/// A keep-alive connection to one endpoint, one request at a time.
final class Connection {
  private let descriptor: Descriptor
  private var reader = HTTPResponseReader()
  private var buffer = [UInt8](repeating: 0, count: 16 * 1024)
  /// False once it cannot carry another request.
  private(set) var isOpen = true

  init(to endpoint: Endpoint, deadline: Instant) throws(SystemError) {
    descriptor = try Socket.connect(to: endpoint.hostPort, deadline: deadline)
  }

  /// Whether the node has closed the connection, or spoken out of turn, since the last answer: then a request would be
  /// lost on it, and whether it was carried out would be anyone's guess.
  var isStale: Bool { descriptor.hasInput }

  /// Sends `request` and waits for its answer until `deadline`.
  func exchange(_ request: [UInt8], deadline: Instant) -> Exchange {
    // Whatever goes wrong below, the two sides no longer agree on where they are.
    isOpen = false
    if let reason = send(request, deadline) {
      // A node may answer before it has read all, such as 413, and close. That answer is worth more than the failure.
      if case .answered(let response) = receive(MonotonicClock.now() + Milliseconds(100)) {
        return .answered(response)
      }
      return .notSent(reason: reason)
    }
    let exchange = receive(deadline)
    if case .answered(let response) = exchange { isOpen = response.keepAlive && reader.buffer.isEmpty }
    return exchange
  }

  /// nil when all was sent, else the reason why the last byte was not.
  private func send(_ request: [UInt8], _ deadline: Instant) -> String? {
    var sent = 0
    while sent < request.count {
      guard limit(by: deadline) else { return "the request could not be sent in time" }
      switch descriptor.send(request, from: sent) {
      case .bytes(let count): sent += count
      case .wouldBlock: continue
      case .closed: return "the node closed the connection"
      case .failed(let error): return error.reason
      }
    }
    return nil
  }

  private func receive(_ deadline: Instant) -> Exchange {
    var closed = false
    while true {
      do throws(HTTPResponseReader.Malformed) {
        if let response = try reader.next(closed: closed) { return .answered(response) }
      } catch {
        return .lost(reason: "the answer was not HTTP")
      }
      if closed { return .lost(reason: "the node closed the connection before it answered") }
      guard limit(by: deadline) else { return .lost(reason: "no answer came in time") }
      switch descriptor.receive(into: &buffer) {
      case .bytes(let count): reader.feed(buffer[..<count])
      case .wouldBlock: continue
      case .closed: closed = true
      case .failed(let error): return .lost(reason: error.reason)
      }
    }
  }

  /// Bounds the next call to the kernel. False when the deadline has passed.
  private func limit(by deadline: Instant) -> Bool {
    let left = deadline.milliseconds(since: MonotonicClock.now())
    guard left > 0 else { return false }
    do throws(SystemError) {
      try Socket.setTimeout(of: descriptor, milliseconds: left)
      return true
    } catch {
      return false
    }
  }
}
