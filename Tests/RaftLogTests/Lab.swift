import Base
import RaftLog
import Replica
import Simulator
import Testing

/// The network of MIT's 6.5840 Raft labs around our replicas, in simulated time: servers that are connected or not, and
/// where it is unreliable, requests and replies that are late, lost, or very late.
final class Lab {
  enum Network {
    case reliable
    /// Delays of 0–26 ms, a tenth of the requests and a tenth of the replies lost.
    case unreliable
    /// Besides, two thirds of the replies come 200–2200 ms late.
    case longReordering
  }

  let cluster: Cluster
  let count: Int
  var network: Network
  private(set) var isConnected: [Bool]
  private var random: SeededRandom
  private var late: [(at: Instant, envelope: Cluster.Envelope)] = []
  private var serial = 0

  init(_ count: Int, members: Int? = nil, _ network: Network = .reliable, snapshots: Bool = false, seed: UInt64 = 1) {
    var options = RaftOptions()
    if snapshots {
      options.snapshotLogEntries = 10
      options.retainedLogEntries = 2
    }
    self.count = count
    self.network = network
    cluster = Cluster(count, members: members, seed: seed, options: options)
    isConnected = Array(repeating: true, count: count)
    random = SeededRandom(seed: seed)
  }

  func below(_ bound: Int) -> Int { Int(random.below(UInt64(bound))) }

  // MARK: - Time and network

  func pass(milliseconds: Int) {
    for _ in 0..<milliseconds {
      cluster.now = cluster.now + 1
      cluster.tickAll()
      move()
      // The hosts' clocks are known; a cut is not told of, as in the labs.
      if cluster.now.nanoseconds / 1_000_000 % 50 == 0 {
        for at in 0..<count {
          for peer in 0..<count where at != peer { cluster.setReachable(at, peer, true) }
        }
      }
    }
  }

  private func move() {
    while true {
      let new = cluster.network
      cluster.network = []
      for envelope in new {
        if envelope.from == envelope.to {
          cluster.deliver(envelope)
        } else if let delay = delay(envelope) {
          late.append((cluster.now + Milliseconds(delay), envelope))
        }
      }
      let due = late.filter { $0.at <= cluster.now }
      late.removeAll { $0.at <= cluster.now }
      for (_, envelope) in due where isConnected[envelope.from] && isConnected[envelope.to] {
        cluster.deliver(envelope)
      }
      if new.isEmpty && due.isEmpty { return }
    }
  }

  /// Nil: lost.
  private func delay(_ envelope: Cluster.Envelope) -> UInt64? {
    guard isConnected[envelope.from], isConnected[envelope.to] else { return nil }
    guard network != .reliable else { return 0 }
    if below(10) == 0 { return nil }
    if network == .longReordering, !envelope.message.isRequest, below(3) < 2 { return UInt64(200 + below(2000)) }
    return UInt64(below(27))
  }

  func disconnect(_ server: Int) { isConnected[server] = false }
  func connect(_ server: Int) { isConnected[server] = true }

  func crash(_ server: Int) {
    guard cluster.nodes[server].isUp else { return }
    cluster.crash(server, noticed: false, using: &random)
  }

  func restart(_ server: Int) { if !cluster.nodes[server].isUp { cluster.restart(server) } }

  // MARK: - What the labs ask

  private func leads(_ server: Int) -> Bool {
    isConnected[server] && cluster.nodes[server].isUp && cluster.nodes[server].replica.leadership != nil
  }

  /// The one leader among the connected servers, within the labs' five seconds.
  func checkOneLeader(sourceLocation: SourceLocation = #_sourceLocation) -> Int? {
    for _ in 0..<50 {
      pass(milliseconds: 100)
      var byTerm: [UInt64: [Int]] = [:]
      for server in 0..<count where leads(server) {
        byTerm[cluster.nodes[server].replica.term, default: []].append(server)
      }
      for (term, leaders) in byTerm where leaders.count > 1 {
        Issue.record("term \(term) has \(leaders.count) leaders", sourceLocation: sourceLocation)
      }
      if let last = byTerm.keys.max() { return byTerm[last]?.first }
    }
    Issue.record("no leader within 5 s", sourceLocation: sourceLocation)
    return nil
  }

  func checkNoLeader(sourceLocation: SourceLocation = #_sourceLocation) {
    for server in 0..<count where leads(server) {
      Issue.record("server \(server) leads without a quorum", sourceLocation: sourceLocation)
    }
  }

  func checkTerms() -> UInt64? {
    let terms = Set((0..<count).filter { isConnected[$0] }.map { cluster.nodes[$0].replica.term })
    return terms.count == 1 ? terms.first : nil
  }

  /// Starts a command at `server`, which may or may not lead; returns its name.
  @discardableResult
  func start(_ server: Int, bytes: Int = 8) -> [UInt8] {
    serial += 1
    var value = Array("command \(serial) ".utf8)
    while value.count < bytes { value.append(UInt8(ascii: "a") + UInt8(below(26))) }
    cluster.send(server, "key \(serial % 7)", .put(value))
    return value
  }

  /// How many servers have carried the command out.
  func committed(_ value: [UInt8]) -> Int {
    guard let place = cluster.monitor.committed.lastIndex(where: { Self.holds($0.payload, value) }) else { return 0 }
    return (0..<count).count { cluster.nodes[$0].replica.applied >= UInt64(place + 1) }
  }

  private static func holds(_ payload: [UInt8], _ value: [UInt8]) -> Bool {
    guard case .operation(let operation, _, _, _, _)? = try? Command(decoding: payload) else { return false }
    return operation.action == .put(value)
  }

  /// Gets a command through, trying one leader after the other, within the labs' ten seconds.
  func one(_ expected: Int, bytes: Int = 8, sourceLocation: SourceLocation = #_sourceLocation) {
    var spent = 0
    while spent < 10_000 {
      guard let leader = (0..<count).first(where: leads) else {
        pass(milliseconds: 10)
        spent += 10
        continue
      }
      let value = start(leader, bytes: bytes)
      for _ in 0..<200 {
        pass(milliseconds: 10)
        spent += 10
        if committed(value) >= expected { return }
      }
    }
    Issue.record("no agreement of \(expected) within 10 s", sourceLocation: sourceLocation)
  }

  /// Requests sent so far: what the labs count as an RPC.
  var calls: Int {
    [Message.Kind.preVote, .requestVote, .append, .heartbeat, .snapshot, .forward, .readIndex, .timeoutNow]
      .reduce(0) { $0 + cluster.sent[$1, default: 0] }
  }

  func expectInvariants(sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(cluster.monitor.failures == [], sourceLocation: sourceLocation)
  }
}

extension Message {
  var isRequest: Bool {
    switch self {
    case .preVote, .requestVote, .append, .heartbeat, .snapshot, .timeoutNow, .forward, .readIndex, .markerWanted:
      true
    case .preVoteReply, .vote, .appended, .mismatch, .heartbeatReply, .snapshotReply, .forwardReply, .forwardRepeated,
      .readIndexReply, .durable:
      false
    }
  }
}
