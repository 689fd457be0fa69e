import Base
import CProcessor
import Replica

// What comes and goes on connections. Numbers are the driver's, unique in this thread for ever.
extension Host {
  /// A client has connected; false if there are too many, and it is to be closed.
  package func sessionOpened(_ connection: UInt64) -> Bool {
    guard sessions.count < options.maximumSessions, !isDraining else { return false }
    sessions[connection] = Session(id: connection, options: options, tokens: tokens, counters: counters, now: now)
    return true
  }

  /// A hint: this connection comes next. To deal with the one before takes longer than to bring the session into the
  /// cache, where there are more sessions than it holds.
  package func approach(_ connection: UInt64) {
    guard let start = sessions.address(of: connection) else { return }
    for line in 0..<Self.linesOfSession { prefetch(start, at: 64 * line) }
  }

  /// An instance of ``Session`` is 1,200 bytes long.
  private static let linesOfSession = 19

  package func received(_ connection: UInt64, _ bytes: UnsafeRawBufferPointer) {
    if let session = sessions[connection] {
      session.receive(bytes, now: now, host: self)
      touch(session, connection)
    } else if let link = served[connection] {
      receivedOnServed(connection, link, bytes)
    } else if let peer = peers.first(where: { $0.connection == connection }) {
      receivedOnDialled(peer, connection, bytes)
    }
  }

  /// The other side will send no more.
  package func finishedSending(_ connection: UInt64) {
    if let session = sessions[connection] {
      session.peerClosed(now: now, host: self)
      touch(session, connection)
    } else {
      closed(connection)
    }
  }

  /// The connection is gone.
  package func closed(_ connection: UInt64) {
    if let session = sessions.remove(connection) {
      session.connectionLost(host: self)
    } else if served.remove(connection) == nil,
      let peer = peers.first(where: { $0.connection == connection })
    {
      lost(peer, "the connection was lost")
    }
  }

  /// Takes what is to be written, and gives an empty array for what comes next, whose room is kept; `isFinished`: close
  /// the connection when it is written.
  package func takeOutput(
    _ connection: UInt64, leaving room: consuming [UInt8] = []
  ) -> (bytes: [UInt8], isFinished: Bool) {
    var bytes = room
    if let session = sessions[connection] {
      if session.isBroken { return ([], true) }
      swap(&bytes, &session.output)
      return (bytes, session.isFinished)
    }
    if let link = served[connection] {
      swap(&bytes, &link.output.bytes)
      return (bytes, link.isFinished)
    }
    if let peer = peers.first(where: { $0.connection == connection }) {
      peer.sealBatch()
      swap(&bytes, &peer.output.bytes)
      return (bytes, false)
    }
    return (bytes, true)
  }

  /// How much of a connection's output its socket has not taken yet.
  package func unsent(_ connection: UInt64, _ bytes: Int) {
    if let session = sessions[connection] {
      let wasWaiting = !session.wantsToRead
      session.unsentBytes = bytes
      if wasWaiting && session.wantsToRead {
        session.resume(now: now, host: self)
        touch(session, connection)
      }
    } else if let peer = peers.first(where: { $0.connection == connection }) {
      peer.unsentBytes = bytes
    }
  }

  /// Whether more should be read from the connection now (backpressure).
  package func wantsToRead(_ connection: UInt64) -> Bool { sessions[connection]?.wantsToRead ?? true }

  func touch(_ session: Session, _ connection: UInt64) {
    if !session.output.isEmpty || session.isFinished { effects.touched.append(connection) }
  }

  /// Now and then: connections that are idle or too slow, and what the other threads should know.
  func sweep() {
    nextSweep = now + 250
    for (connection, session) in sessions.all where session.deadline <= now {
      session.timedOut(now: now, host: self)
      touch(session, connection)
    }
    for (connection, link) in served.all {
      switch link.state {
      case .awaitingHello(let since), .awaitingProof(_, _, let since):
        if since + 5000 <= now {
          link.isFinished = true
          effects.touched.append(connection)
        }
      case .established: break
      }
    }
    shareStatistics()
    noteOwnPosition()
    // R12: lazily. What a crash forgets of it only makes this node a little more trusting.
    if positionsChanged && shard == 0 && isServing && superblockWrites.isIdle && now >= nextPositionsWrite {
      positionsChanged = false
      nextPositionsWrite = now + 2000
      superblockWrites.change(state) { _ in }
    }
  }

  // MARK: - The end

  /// Begins a graceful shutdown: requests under way are answered, new ones refused.
  package func beginShutdown() {
    isDraining = true
    for (connection, session) in sessions.all {
      session.drain(now: now)
      touch(session, connection)
    }
    refuseWaits()
    for partition in owned { step(partition, .handOver) }
    noteOwnPosition()
    if shard == 0 && isServing { superblockWrites.change(state) { _ in } }
  }

  /// Whether nothing is under way any more.
  package var isDrained: Bool { isDraining && operations.count == 0 && sessions.isEmpty && superblockWrites.isIdle }
}
