import Base
import Glibc
package import Linux
import Workload

/// Loads a cluster from one thread: an epoll loop over non-blocking connections, requests put together from pieces that
/// are made once, answers looked at where they were received. ``run()`` blocks; whoever wants to do something meanwhile
/// gives it a thread.
package final class LoadGenerator {
  static let tickNanoseconds: UInt64 = 10_000_000
  /// Milliseconds until a connection that was refused is tried again.
  static let rest: Milliseconds = 20
  /// Milliseconds that what an open loop is behind with may take after the end.
  static let catchUp: Milliseconds = 1000

  let options: LoadOptions
  let progress: LoadProgress
  let addresses: [SocketAddress]
  let writers: [RequestWriter]
  var connections: [LoadConnection] = []
  var epoll: Epoll
  let receiveBuffer: UnsafeMutableRawBufferPointer
  var random: SeededRandom
  let keyChoice: KeyChoice
  /// Of the keys that only their client, or all of them, increment; 0: not known yet, `absent`: known to be absent.
  var revisions: [UInt64] = []
  static let absent = UInt64.max

  /// Open loop: one schedule for each endpoint, whose users wait for nobody else's node.
  var schedules: [ArrivalSchedule] = []
  /// Where the search for a free connection of an endpoint goes on.
  var cursors: [Int] = []
  var connectionsOfTarget: [[Int]]
  /// Each key once: the next one, and those that failed.
  var fillCursor: UInt64 = 0
  var fillAgain: [UInt64] = []
  /// Operations that a closed loop has begun.
  var begun: UInt64 = 0

  /// What has been said so far of all operations, for the progress bar.
  var total = OutcomeCounts()
  var result: LoadResult
  var measureFrom = Instant.zero
  var measureEnd = Instant.never
  var now = Instant.zero

  /// Resolves the endpoints; connects nothing yet.
  package init(_ options: LoadOptions, progress: LoadProgress = LoadProgress()) throws(SystemError) {
    invariant(!options.endpoints.isEmpty && options.clients > 0 && options.keys > 0, "a load on nothing")
    invariant((1...LoadOptions.maximumDepth).contains(options.depth), "a depth that a node does not take")
    self.options = options
    self.progress = progress
    var addresses: [SocketAddress] = []
    for endpoint in options.endpoints { addresses.append(try SocketAddress.resolve(endpoint)[0]) }
    self.addresses = addresses
    var random = SeededRandom(seed: options.seed)
    let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)
    let value = (0..<options.valueBytes).map { _ in letters[Int(random.below(36))] }
    self.random = random
    writers = options.endpoints.map {
      RequestWriter(options.dialect, host: $0.description, token: options.token, value: value)
    }
    keyChoice = KeyChoice(options.distribution ?? options.profile.distribution, count: options.keys)
    epoll = try Epoll(capacity: 512)
    receiveBuffer = .allocate(byteCount: 1 << 18, alignment: 16)
    connectionsOfTarget = options.endpoints.map { _ in [] }
    cursors = options.endpoints.map { _ in 0 }
    for index in 0..<options.clients {
      let target = index % options.endpoints.count
      connectionsOfTarget[target].append(index)
      connections.append(
        LoadConnection(target: target, firstClient: index * options.depth, depth: options.depth))
    }
    let clients = options.clients * options.depth
    switch options.profile.keys {
    case .all: break
    case .ownOfClient: revisions = [UInt64](repeating: 0, count: clients)
    case .hot: revisions = [UInt64](repeating: 0, count: clients * options.hotKeys)
    }
    result = LoadResult(start: .zero, seconds: 0, timelines: [])
  }

  deinit { receiveBuffer.deallocate() }

  /// Connects, warms up, measures, waits for what is under way, and returns what was measured.
  package func run() throws(SystemError) -> LoadResult {
    OSThread.askForExactTimers()
    OpenFileLimit.raise()
    now = MonotonicClock.now()
    for index in connections.indices { connect(index) }
    try awaitConnections()
    begin()
    var nextTick = now + 10
    while !isOver {
      if now >= nextTick {
        tick()
        nextTick = now + 10
      }
      try turn(until: nextTick)
    }
    finish()
    return result
  }

  /// Gives all connections a moment to be made, so that the first ones do not have the cluster for themselves.
  private func awaitConnections() throws(SystemError) {
    let patience = now + 1000
    while now < patience, !progress.isStopRequested {
      let isWaiting = connections.contains {
        if case .connecting = $0.state { true } else { false }
      }
      guard isWaiting else { return }
      try handleEvents(timeoutNanoseconds: 1_000_000)
    }
  }

  private func begin() {
    now = MonotonicClock.now()
    measureFrom = now + Milliseconds(options.warmUpMilliseconds)
    measureEnd = measureFrom + Milliseconds(options.milliseconds)
    result.start = measureFrom
    // Answers to what has started within the time come later than its end.
    let span = options.milliseconds + options.timeoutMilliseconds
    result.latencyOfEndpoint = options.endpoints.map { _ in Histogram() }
    result.timelines = options.endpoints.map { _ in
      Timeline(
        startingAt: measureFrom, milliseconds: options.milliseconds, windowMilliseconds: options.windowMilliseconds)
    }
    lastMoment = measureFrom + Milliseconds(span + 1000)
    if case .open(let perSecond, let spacing) = options.pace {
      let count = options.endpoints.count
      schedules = (0..<count).map { target in
        ArrivalSchedule(
          perSecond: perSecond / Double(count), spacing: spacing, startingAt: now,
          phase: Double(target) / Double(count), seed: options.seed &+ UInt64(target) &* 7919)
      }
    }
    progress.begin(at: measureFrom)
    startIdleClients()
  }

  /// After it nothing is waited for any more.
  private var lastMoment = Instant.never

  private var isOver: Bool {
    if progress.isStopRequested { return true }
    if isFilling, fillCursor >= UInt64(options.keys), fillAgain.isEmpty, !isAnythingUnderWay { return true }
    if let limit = options.operationLimit, begun >= limit, !isAnythingUnderWay { return true }
    guard now >= measureEnd else { return false }
    return now >= lastMoment || (!isBehind && !isAnythingUnderWay)
  }

  var isFilling: Bool { options.pace == .eachKeyOnce }
  private var isAnythingUnderWay: Bool { connections.contains { $0.underWay > 0 } }
  /// Whether an open loop still has to start what was meant to start within the time.
  private var isBehind: Bool {
    now < measureEnd + LoadGenerator.catchUp && schedules.contains { $0.next < measureEnd }
  }

  private func turn(until tick: Instant) throws(SystemError) {
    dispatch()
    var wake = tick
    for schedule in schedules where schedule.next > now && schedule.next < wake { wake = schedule.next }
    now = MonotonicClock.now()
    try handleEvents(timeoutNanoseconds: wake > now ? wake.nanoseconds - now.nanoseconds : 0)
  }

  private func handleEvents(timeoutNanoseconds: UInt64) throws(SystemError) {
    let count = try epoll.wait(timeoutNanoseconds: timeoutNanoseconds)
    now = MonotonicClock.now()
    for place in 0..<count {
      let event = epoll[place]
      let index = Int(event.tag & 0xFFFF_FFFF)
      let connection = connections[index]
      // An event of a socket that an earlier event of this batch has replaced.
      guard connection.registration == UInt32(event.tag >> 32) else { continue }
      switch connection.state {
      case .resting: break
      case .connecting(let channel, _): connected(index, connection, channel)
      case .open(let channel):
        if !event.readiness.isDisjoint(with: .anyIncoming) { receive(index, connection, channel) }
        if event.readiness.contains(.writable), connection.isOpen { flush(index, connection) }
      }
    }
    progress.tell(total)
  }

  /// What must be looked at now and then: refused connections, lost requests, clients that were refused.
  private func tick() {
    let timeout = Milliseconds(options.timeoutMilliseconds)
    for (index, connection) in connections.enumerated() {
      switch connection.state {
      case .resting(let until): if now >= until { connect(index) }
      case .connecting(_, let since):
        if now >= since + timeout { fail(index, connection, "no connection was made in time") }
      case .open:
        if let oldest = connection.oldest, now >= Instant(nanoseconds: oldest.sentAt) + timeout {
          fail(index, connection, "no answer came in time")
        }
      }
    }
    startIdleClients()
  }
}
