import Base
import Linux
import Workload

// Connections: made, lost, made again; what comes and goes on them.
extension LoadGenerator {
  func connect(_ index: Int) {
    let connection = connections[index]
    connection.registration &+= 1
    do throws(SystemError) {
      let channel = LoadConnection.Channel(try Socket.startConnect(to: addresses[connection.target]))
      try epoll.add(channel.descriptor.number, tag: tag(index, connection), for: [.incoming, .writable])
      connection.isWatchedForWriting = true
      connection.state = .connecting(channel, since: now)
    } catch {
      result.lastFailure = "\(options.endpoints[connection.target]): \(error.reason)"
      connection.state = .resting(until: now + LoadGenerator.rest)
    }
  }

  private func tag(_ index: Int, _ connection: LoadConnection) -> UInt64 {
    UInt64(connection.registration) << 32 | UInt64(index)
  }

  func connected(_ index: Int, _ connection: LoadConnection, _ channel: LoadConnection.Channel) {
    do throws(SystemError) {
      try Socket.finishConnect(channel.descriptor)
      try epoll.modify(channel.descriptor.number, tag: tag(index, connection), for: .incoming)
      connection.isWatchedForWriting = false
      connection.state = .open(channel)
    } catch {
      return fail(index, connection, error.reason)
    }
    if measureEnd < .never { startClients(of: index, connection) }
  }

  /// The connection is lost, and with it what was under way.
  func fail(_ index: Int, _ connection: LoadConnection, _ reason: String) {
    result.lastFailure = "\(options.endpoints[connection.target]): \(reason)"
    switch connection.state {
    case .resting: break
    case .connecting(let channel, _), .open(let channel): try? epoll.remove(channel.descriptor.number)
    }
    connection.state = .resting(until: now + LoadGenerator.rest)
    connection.registration &+= 1
    connection.output.removeAll(keepingCapacity: true)
    connection.sent = 0
    connection.input.removeAll(keepingCapacity: true)
    while let flight = connection.pop() {
      forgetRevision(of: flight)
      if isFilling { fillAgain.append(flight.key) }
      end(flight, flight.mayTakeEffect ? .unknown : .failed, connection.target)
      connection.idle.append(flight.client)
    }
  }

  func receive(_ index: Int, _ connection: LoadConnection, _ channel: LoadConnection.Channel) {
    switch channel.descriptor.receive(into: receiveBuffer) {
    case .bytes(let count):
      now = MonotonicClock.now()
      let bytes = UnsafeRawBufferPointer(rebasing: receiveBuffer[..<count])
      if connection.input.isEmpty {
        let used = answers(in: bytes, index, connection)
        if used < count, connection.isOpen {
          connection.input.append(copying: UnsafeRawBufferPointer(rebasing: bytes[used...]))
        }
      } else {
        connection.input.append(copying: bytes)
        // Taken out meanwhile: whatever happens to the connection, these bytes stay where they are.
        var input: [UInt8] = []
        swap(&input, &connection.input)
        let used = input.withUnsafeBytes { answers(in: $0, index, connection) }
        if connection.isOpen {
          input.removeFirst(used)
          connection.input = input
        }
      }
      if connection.isOpen { flush(index, connection) }
    case .wouldBlock: break
    case .closed: fail(index, connection, "the node closed the connection")
    case .failed(let error): fail(index, connection, error.reason)
    }
  }

  /// Handles the whole answers in `bytes`, and returns how many bytes they are.
  private func answers(in bytes: UnsafeRawBufferPointer, _ index: Int, _ connection: LoadConnection) -> Int {
    var used = 0
    while used < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[used...])
      switch AnswerScan.scan(rest) {
      case .partial: return used
      case .malformed:
        fail(index, connection, "the answer was not HTTP")
        return used
      case .whole(let answer):
        guard let flight = connection.pop() else {
          fail(index, connection, "the node spoke out of turn")
          return used
        }
        used += answer.length
        let body = UnsafeRawBufferPointer(rebasing: rest[answer.body])
        answered(flight, answer, body, connection)
        if answer.closes {
          fail(index, connection, "the node closed the connection")
          return used
        }
      }
    }
    return used
  }

  /// Sends what it can.
  func flush(_ index: Int, _ connection: LoadConnection) {
    guard case .open(let channel) = connection.state else { return }
    while connection.sent < connection.output.count {
      switch channel.descriptor.send(connection.output, from: connection.sent) {
      case .bytes(let count): connection.sent += count
      case .wouldBlock:
        watchForWriting(true, index, connection, channel)
        return
      case .closed: return fail(index, connection, "the node closed the connection")
      case .failed(let error): return fail(index, connection, error.reason)
      }
    }
    connection.output.removeAll(keepingCapacity: true)
    connection.sent = 0
    watchForWriting(false, index, connection, channel)
  }

  private func watchForWriting(
    _ wanted: Bool, _ index: Int, _ connection: LoadConnection, _ channel: LoadConnection.Channel
  ) {
    guard connection.isWatchedForWriting != wanted else { return }
    connection.isWatchedForWriting = wanted
    let interest: Readiness = wanted ? [.incoming, .writable] : .incoming
    try? epoll.modify(channel.descriptor.number, tag: tag(index, connection), for: interest)
  }
}
