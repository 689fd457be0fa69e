import Base
import CProcessor
import Host
import Linux
import Replica
import Storage
import Synchronization

/// What reaches an event loop from other threads.
enum LoopMessage: Sendable {
  case disk(DeviceCompletion)
  case read(DeviceReadCompletion)
  case shard(ShardMessage)
  /// A peer's link whose greeting thread 0 has done.
  case adopt(descriptor: Int32, Effects.HandOver)
  case shutDown
}

/// One thread of a node: waits on its sockets, hands what comes to its ``Host``, and carries out what the host wants
/// done.
///
/// Each turn takes in everything that is ready, so that one write to each peer and one journal batch serve all of it.
final class EventLoop {
  private let shard: Int
  private let host: Host
  private let device: FileDevice
  private let ring: JournalRing?
  private let mailboxes: [Mailbox<LoopMessage>]
  private let report: @Sendable (NodeEvent) -> Void
  private var epoll: Epoll
  private let clientListener: Listener?
  private let peerListener: Listener?
  private let signals: SignalSource?
  private let traceFile: TraceFile?
  private let scrubber: Scrubber?

  /// By descriptor number.
  private var connections: [Connection?] = []
  /// Of whom more may be waiting than the last read took: an edge-triggered event does not come again.
  private var unread: [UInt64] = []
  private var nextRegistration: UInt32 = 16
  private var addresses: [NodeID: SocketAddress] = [:]
  private var readBuffer = [UInt8](repeating: 0, count: 256 << 10)
  /// How much of it holds what has arrived and is not delivered yet.
  private var filled = 0
  private var arrivals: [Arrival] = []
  /// With less room left in the buffer than this nothing is read into it.
  private static let smallestRoom = 64 << 10
  private var messages: [LoopMessage] = []
  private var shutdownDeadline: Instant?
  private var hasReportedReady = false
  private var acceptsAgainAt = Instant.never
  /// Events since something last left for the disk and the peers.
  private var gathered = 0
  /// About a millisecond's work.
  private static let gatheringLimit = 128

  private enum Fixed {
    static let clients = EventTag(descriptor: 0, registration: 1).packed
    static let peers = EventTag(descriptor: 0, registration: 2).packed
    static let mailbox = EventTag(descriptor: 0, registration: 3).packed
    static let signals = EventTag(descriptor: 0, registration: 4).packed
    static let journal = EventTag(descriptor: 0, registration: 5).packed
  }

  init(
    shard: Int, host: Host, device: FileDevice, mailboxes: [Mailbox<LoopMessage>], clientListener: Listener?,
    peerListener: Listener?, signals: SignalSource?, traceFile: TraceFile?, scrubber: Scrubber?,
    report: @escaping @Sendable (NodeEvent) -> Void
  ) throws(SystemError) {
    self.shard = shard
    self.host = host
    self.device = device
    ring = JournalRing(device)
    self.mailboxes = mailboxes
    self.report = report
    epoll = try Epoll(capacity: 512)
    try mailboxes[shard].attach(to: epoll, tag: Fixed.mailbox)
    if let number = ring?.number { try epoll.add(number, tag: Fixed.journal, for: .readable) }
    if let number = clientListener?.number { try epoll.add(number, tag: Fixed.clients, for: .readable) }
    if let number = peerListener?.number { try epoll.add(number, tag: Fixed.peers, for: .readable) }
    if let number = signals?.number { try epoll.add(number, tag: Fixed.signals, for: .readable) }
    self.clientListener = clientListener
    self.peerListener = peerListener
    self.signals = signals
    self.traceFile = traceFile
    self.scrubber = scrubber
  }

  /// Runs until the node has shut down, or cannot go on; then says why.
  func run() throws(SystemError) -> String? {
    while true {
      host.now = MonotonicClock.now()
      let hasWork = gathered > 0 || !unread.isEmpty
      let timeout = mailboxes[shard].prepareToSleep() && !hasWork ? millisecondsUntil(host.nextTurn) : 0
      let count = try epoll.wait(timeoutMilliseconds: timeout)
      mailboxes[shard].wakeUp()
      host.now = MonotonicClock.now()
      host.wallSeconds = UInt64(max(0, WallClock.seconds()))
      // Whatever woke the loop: the end of a write interrupts its wait, and only the next one would tell of the ring.
      // (One client: an answer leaves a peer 7 µs after its write has ended instead of 19.)
      if let completion = ring?.completed() { host.completed(completion) }
      mailboxes[shard].drain(into: &messages)
      for message in messages { receive(message) }
      messages.removeAll(keepingCapacity: true)
      readFurther()
      for index in 0..<count {
        if index + 1 < count { approach(epoll[index + 1].tag) }
        try handle(epoll[index])
      }
      deliver()
      if host.now >= acceptsAgainAt { acceptAgain() }
      gather(count)
      host.endTurn(isGathering: gathered > 0)
      try carryOut()
      if let fatal = host.effects.fatal { return fatal }
      if shard == 0 && !hasReportedReady && host.isServing {
        hasReportedReady = true
        report(.serving)
      }
      if let deadline = shutdownDeadline, host.isDrained || host.now >= deadline { return nil }
    }
  }

  /// Before anything leaves, a look at what else has come: each batch costs every node a write to the disk, and waking
  /// up. (64 clients: from 29 operations a batch to 60, and a fifth more of them a second.)
  private func gather(_ count: Int) {
    gathered += count
    if count == 0 || gathered >= Self.gatheringLimit { gathered = 0 }
  }

  private func millisecondsUntil(_ instant: Instant) -> Int32 {
    var next = instant
    if let deadline = shutdownDeadline { next = min(next, min(deadline, host.now + 5)) }
    guard next > host.now else { return 0 }
    // Rounded up: waking early would only spin until the instant has come.
    return Int32(min((next.nanoseconds - host.now.nanoseconds) / 1_000_000 + 1, 1000))
  }

  // MARK: - What comes in

  private func receive(_ message: LoopMessage) {
    switch message {
    case .disk(let completion): host.completed(completion)
    case .read(let completion): host.completed(completion)
    case .shard(let message): host.received(message)
    case .adopt(let number, var handOver):
      let connection = register(Descriptor(owning: number), .servedPeer, .incomingEdges)
      guard let connection else { return }
      handOver.connection = connection.id
      host.adopt(handOver)
    case .shutDown: shutDown()
    }
  }

  private func shutDown() {
    guard shutdownDeadline == nil else { return }
    shutdownDeadline = host.now + 5000
    if let number = clientListener?.number { try? epoll.remove(number) }
    host.beginShutdown()
  }

  private func handle(_ event: Epoll.Event) throws(SystemError) {
    switch event.tag {
    case Fixed.mailbox, Fixed.journal: break
    case Fixed.clients: acceptClients()
    case Fixed.peers: acceptPeers()
    case Fixed.signals: readSignals()
    default:
      if let connection = connection(event.tag) { handle(event.readiness, on: connection) }
    }
  }

  /// Nil where it is gone, though an event or an effect still speaks of it.
  private func connection(_ id: UInt64) -> Connection? {
    let place = Int(EventTag(packed: id).descriptor)
    guard place < connections.count, let connection = connections[place], connection.id == id else { return nil }
    return connection
  }

  /// A hint: this connection is dealt with soon.
  private func approach(_ id: UInt64) {
    let place = Int(EventTag(packed: id).descriptor)
    guard place < connections.count else { return }
    // A reference would be retained, and so the connection waited for.
    let address = connections.withUnsafeBytes {
      $0.load(fromByteOffset: place * MemoryLayout<Connection?>.stride, as: UnsafeRawPointer?.self)
    }
    guard let address else { return }
    prefetch(address, at: 0)
    prefetch(address, at: 64)
  }

  private func readSignals() {
    guard let signals else { return }
    while signals.next() != nil {
      for mailbox in mailboxes { mailbox.post(.shutDown) }
    }
  }

  private func handle(_ readiness: Readiness, on connection: Connection) {
    if case .dialling(let peer) = connection.kind { return connected(connection, peer) }
    if readiness.contains(.writable) || !connection.pending.isEmpty {
      guard flush(connection) else { return }
    }
    if readiness.rawValue & Readiness.ending.rawValue != 0 { connection.isEnding = true }
    if readiness.rawValue & Readiness.anyIncoming.rawValue != 0 { read(connection) }
  }

  private func readFurther() {
    guard !unread.isEmpty else { return }
    let ids = unread
    unread.removeAll(keepingCapacity: true)
    for id in ids {
      if let connection = connection(id), connection.interest.contains(.readable) { read(connection) }
    }
  }

  /// One read a turn: no connection keeps the others waiting. What comes is delivered behind all reads.
  private func read(_ connection: Connection) {
    if readBuffer.count - filled < Self.smallestRoom { deliver() }
    let room = readBuffer.count - filled
    switch connection.receive(into: &readBuffer, at: filled) {
    case .bytes(let count):
      if count == room || connection.isEnding { unread.append(connection.id) }
      arrivals.append(Arrival(connection: connection, bytes: filled..<filled + count))
      filled += count
    case .wouldBlock: break
    case .closed:
      connection.isInputFinished = true
      arrivals.append(Arrival(connection: connection, bytes: filled..<filled))
    case .failed:
      deliver()
      close(connection)
    }
  }

  /// Gives what was read to the host, one after the other: the kernel's way and the host's are each as long as a cache
  /// of instructions, and by turns both would be fetched anew for every request.
  private func deliver() {
    var arrivals = self.arrivals.takeAll()
    for place in arrivals.indices {
      if place + 1 < arrivals.count { host.approach(arrivals[place + 1].connection.id) }
      let (connection, bytes) = (arrivals[place].connection, arrivals[place].bytes)
      guard connection.number >= 0 else { continue }
      if bytes.isEmpty {
        host.finishedSending(connection.id)
        updateInterest(connection)
        if case .client = connection.kind { takeOutput(connection) } else { close(connection) }
      } else {
        readBuffer.withUnsafeBytes { host.received(connection.id, UnsafeRawBufferPointer(rebasing: $0[bytes])) }
        updateInterest(connection)
      }
    }
    self.arrivals.reuse(&arrivals)
    filled = 0
  }

  // MARK: - Connections

  private func register(_ descriptor: consuming Descriptor, _ kind: Connection.Kind, _ interest: Readiness)
    -> Connection?
  {
    let number = descriptor.number
    nextRegistration = nextRegistration == .max ? 16 : nextRegistration + 1
    let id = EventTag(descriptor: number, registration: nextRegistration).packed
    let connection = Connection(descriptor, id: id, kind: kind, interest: interest)
    do throws(SystemError) {
      try epoll.add(number, tag: id, for: interest)
    } catch {
      return nil
    }
    if Int(number) >= connections.count {
      connections.append(contentsOf: repeatElement(nil, count: Int(number) + 1 - connections.count))
    }
    connections[Int(number)] = connection
    return connection
  }

  private func acceptClients() {
    guard let clientListener else { return }
    for _ in 0..<64 {
      switch clientListener.accept() {
      case .connection(let descriptor, _):
        guard let connection = register(descriptor, .client, .incomingEdges) else { continue }
        if !host.sessionOpened(connection.id) { close(connection) }
      case .wouldBlock: return
      case .failed: return pauseAccepting()
      }
    }
  }

  private func acceptPeers() {
    guard let peerListener else { return }
    for _ in 0..<64 {
      switch peerListener.accept() {
      case .connection(let descriptor, _):
        guard let connection = register(descriptor, .servedPeer, .incomingEdges) else { continue }
        host.peerAccepted(connection.id)
      case .wouldBlock: return
      case .failed: return pauseAccepting()
      }
    }
  }

  /// No room for another socket: whoever knocks stays queued, and the listeners, which would stay readable and keep
  /// this thread spinning, are looked at again a little later.
  private func pauseAccepting() {
    acceptsAgainAt = host.now + 100
    listen(for: [])
  }

  private func acceptAgain() {
    acceptsAgainAt = .never
    listen(for: .readable)
  }

  private func listen(for interest: Readiness) {
    if let clientListener, shutdownDeadline == nil {
      try? epoll.modify(clientListener.number, tag: Fixed.clients, for: interest)
    }
    if let peerListener { try? epoll.modify(peerListener.number, tag: Fixed.peers, for: interest) }
  }

  private func dial(_ peer: NodeID) {
    do throws(SystemError) {
      let descriptor = try Socket.startConnect(to: address(of: peer))
      if register(descriptor, .dialling(peer), .writable) == nil { host.dialFailed(peer, "no room for another socket") }
    } catch {
      addresses[peer] = nil
      host.dialFailed(peer, error.reason)
    }
  }

  private func address(of peer: NodeID) throws(SystemError) -> SocketAddress {
    if let known = addresses[peer] { return known }
    let text = String(decoding: host.address(of: peer) ?? [], as: UTF8.self)
    guard let name = HostPort(text), let first = try SocketAddress.resolve(name).first else {
      throw SystemError(call: "resolve", code: 0, clause: "\(text) is not an address")
    }
    addresses[peer] = first
    return first
  }

  private func connected(_ connection: Connection, _ peer: NodeID) {
    do throws(SystemError) {
      try connection.finishConnect()
    } catch {
      forget(connection)
      host.dialFailed(peer, error.reason)
      return
    }
    connection.kind = .dialledPeer(peer)
    setInterest(connection, .incomingEdges)
    host.dialled(peer, connection: connection.id)
  }

  private func updateInterest(_ connection: Connection) {
    let reads = !connection.isInputFinished && host.wantsToRead(connection.id)
    let incoming = reads ? Readiness.incomingEdges.rawValue : 0
    let outgoing = connection.pending.isEmpty ? 0 : Readiness.writableEdges.rawValue
    setInterest(connection, Readiness(rawValue: incoming | outgoing))
  }

  private func setInterest(_ connection: Connection, _ interest: Readiness) {
    guard interest != connection.interest, connection.number >= 0 else { return }
    connection.interest = interest
    try? epoll.modify(connection.number, tag: connection.id, for: interest)
  }

  private func close(_ connection: Connection) {
    forget(connection)
    host.closed(connection.id)
  }

  private func forget(_ connection: Connection) {
    let number = connection.number
    guard number >= 0 else { return }
    try? epoll.remove(number)
    connections[Int(number)] = nil
    _ = connection.release()
  }

  // MARK: - What goes out

  private func carryOut() throws(SystemError) {
    if let traceFile, !host.effects.trace.isEmpty {
      try traceFile.write(host.effects.trace)
      host.effects.trace.removeAll(keepingCapacity: true)
    }
    for peer in host.effects.readdressed { addresses[peer] = nil }
    host.effects.readdressed.removeAll(keepingCapacity: true)
    if host.effects.isLeaving && shutdownDeadline == nil {
      for mailbox in mailboxes { mailbox.post(.shutDown) }
      host.effects.isLeaving = false
    }
    if host.effects.scrubWanted {
      scrubber?.begin()
      host.effects.scrubWanted = false
    }
    for peer in host.effects.dials { dial(peer) }
    host.effects.dials.removeAll(keepingCapacity: true)
    for batch in host.effects.batches where ring?.submit(batch) != true { device.submit(batch) }
    host.effects.batches.removeAll(keepingCapacity: true)
    device.submit(host.effects.reads)
    if !host.effects.reads.isEmpty { host.effects.reads.removeAll(keepingCapacity: true) }
    for handOver in host.effects.handOvers { hand(handOver) }
    host.effects.handOvers.removeAll(keepingCapacity: true)
    for (shard, message) in host.effects.posts { mailboxes[shard].post(.shard(message)) }
    host.effects.posts.removeAll(keepingCapacity: true)
    for notice in host.effects.notices { report(.notice(notice)) }
    host.effects.notices.removeAll(keepingCapacity: true)
    // By index: what is written may let a session go on, which touches it again.
    var place = 0
    while place < host.effects.touched.count {
      if place + 1 < host.effects.touched.count { approach(host.effects.touched[place + 1]) }
      if let connection = connection(host.effects.touched[place]) { takeOutput(connection) }
      place += 1
    }
    host.effects.touched.removeAll(keepingCapacity: true)
  }

  private func takeOutput(_ connection: Connection) {
    let (bytes, isFinished) = host.takeOutput(connection.id, leaving: connection.takeRoom())
    connection.closesWhenSent = connection.closesWhenSent || isFinished
    if !bytes.isEmpty { connection.append(bytes) }
    _ = flush(connection)
  }

  /// False if the connection is gone.
  private func flush(_ connection: Connection) -> Bool {
    guard connection.flush() else {
      close(connection)
      return false
    }
    if connection.pending.isEmpty && connection.closesWhenSent {
      close(connection)
      return false
    }
    if connection.unsentBytes != connection.toldUnsentBytes {
      connection.toldUnsentBytes = connection.unsentBytes
      host.unsent(connection.id, connection.unsentBytes)
    }
    // What was sent can only widen the interest, but for what could not be sent.
    if connection.interest != .incomingEdges || !connection.pending.isEmpty { updateInterest(connection) }
    return true
  }

  private func hand(_ handOver: Effects.HandOver) {
    let tag = EventTag(packed: handOver.connection)
    guard let connection = connections[Int(tag.descriptor)], connection.id == handOver.connection else { return }
    // What the greeting still has to say goes out first: the other thread knows nothing of it.
    _ = connection.flush()
    let number = connection.number
    try? epoll.remove(number)
    connections[Int(number)] = nil
    guard let descriptor = connection.release() else { return }
    mailboxes[handOver.shard].post(.adopt(descriptor: descriptor.giveUp(), handOver))
  }
}

/// What was read of a connection; nothing where it was its end.
private struct Arrival {
  let connection: Connection
  /// Of the read buffer.
  let bytes: Range<Int>
}
