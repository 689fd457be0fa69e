import Base
import Host
import Replica

/// A host of one node and no quorum: a dictionary of registers that carries operations out in the order in which they
/// are submitted, and answers when ``deliver(to:now:)`` is called, or one by one in any order when
/// ``deliver(_:to:now:)`` is.
final class SessionFakeHost: SessionHost {
  struct Submitted {
    var operation: Operation
    var wait: Request.Wait?
    var deadline: Instant
    var exchange: ExchangeID
    var part: Int
  }

  struct Listed {
    var prefix: [UInt8]
    var after: [UInt8]
    var limit: Int
    var deadline: Instant
    var exchange: ExchangeID
  }

  private enum Answer {
    case outcome(Submitted, Outcome)
    case page(Listed, ListPage?)
  }

  private struct Register {
    var revision: UInt64 = 0
    var value: [UInt8]?
    var window: [(id: OperationID, hash: UInt64, outcome: Outcome)] = []
  }

  private var registers: [[UInt8]: Register] = [:]
  private var answers: [Answer] = []
  private var parked: [Submitted] = []
  private var sequence: UInt64 = 0
  private(set) var scrubsBegun = 0
  private var dead: [OperationID] = []

  private(set) var submitted: [Submitted] = []
  private(set) var listed: [Listed] = []
  private(set) var cancelled: [ExchangeID] = []
  /// Outcomes that the next operations have instead of being carried out.
  var script: [Outcome] = []
  var pageIsMissing = false
  var hasRoom = true
  /// So many operations more, and then there is no room.
  var roomFor = Int.max
  var wallSeconds: UInt64 = 784_111_777
  var statusNow = SessionFakeHost.makeStatus(isReady: true)

  private(set) var wanted: [(members: WantedMembers, exchange: ExchangeID)] = []

  var undelivered: Int { answers.count }

  func changeMembers(_ wanted: WantedMembers, for exchange: ExchangeID) { self.wanted.append((wanted, exchange)) }

  func submit(
    _ operation: Operation, wait: Request.Wait?, deadline: Instant, for exchange: ExchangeID, part: Int
  ) {
    let request = Submitted(operation: operation, wait: wait, deadline: deadline, exchange: exchange, part: part)
    submitted.append(request)
    if roomFor != .max {
      roomFor -= 1
      hasRoom = roomFor > 0
    }
    if !script.isEmpty {
      answers.append(.outcome(request, script.removeFirst()))
      return
    }
    if let wait,
      (registers[operation.key.bytes].flatMap { $0.value == nil ? nil : $0.revision } ?? 0) == wait.unlessRevision
    {
      parked.append(request)
      return
    }
    answers.append(.outcome(request, carryOut(operation)))
    for (index, waiting) in parked.enumerated().reversed()
    where operation.action.isChange && waiting.operation.key == operation.key {
      parked.remove(at: index)
      answers.append(.outcome(waiting, carryOut(waiting.operation)))
    }
  }

  /// The time of all waits is over.
  func endWaits() {
    for waiting in parked { answers.append(.outcome(waiting, carryOut(waiting.operation))) }
    parked = []
  }

  func list(prefix: [UInt8], after: [UInt8], limit: Int, deadline: Instant, for exchange: ExchangeID) {
    let request = Listed(prefix: prefix, after: after, limit: limit, deadline: deadline, exchange: exchange)
    listed.append(request)
    guard !pageIsMissing else { return answers.append(.page(request, nil)) }
    var entries: [ListPage.Entry] = []
    for (key, register) in registers {
      guard let value = register.value, key.starts(with: prefix), after.lexicographicallyPrecedes(key) else { continue }
      entries.append(ListPage.Entry(key: key, content: Versioned(revision: register.revision, value: value)))
    }
    entries.sort { $0.key.lexicographicallyPrecedes($1.key) }
    let page = ListPage(entries: Array(entries.prefix(limit)), more: entries.count > limit)
    answers.append(.page(request, page))
  }

  func cancel(_ exchange: ExchangeID) { cancelled.append(exchange) }

  func makeOperationID() -> OperationID {
    sequence += 1
    return OperationID(node: NodeID(1), boot: 1, sequence: sequence)
  }

  func status() -> NodeStatus { statusNow }

  func beginScrub() { scrubsBegun += 1 }

  /// Hands over all outcomes, and those of what is submitted meanwhile.
  func deliver(to session: Session, now: Instant) {
    while !answers.isEmpty { deliver(0, to: session, now: now) }
  }

  /// Hands over one of the outcomes that wait.
  func deliver(_ index: Int, to session: Session, now: Instant) {
    switch answers.remove(at: index) {
    case .outcome(let request, let outcome):
      session.complete(request.exchange.exchange, part: request.part, outcome, now: now, host: self)
    case .page(let request, let page):
      session.complete(list: request.exchange.exchange, page, now: now, host: self)
    }
  }

  /// Settle finds this operation dead from now on.
  func kill(_ id: OperationID) { dead.append(id) }

  private func carryOut(_ operation: Operation) -> Outcome {
    var register = registers[operation.key.bytes] ?? Register()
    let content = register.value.map { Versioned(revision: register.revision, value: $0) }
    switch operation.action {
    case .read: return .read(content)
    case .settle(let target, _, _):
      guard let target else { return .settled(content, fate: nil) }
      if let entry = register.window.first(where: { $0.id == target }),
        case .changed(let revision, _, _) = entry.outcome
      {
        return .settled(content, fate: .applied(revision: revision))
      }
      dead.append(target)
      return .settled(content, fate: .dead)
    case .put, .delete, .add, .max, .min, .append: break
    }
    if let entry = register.window.first(where: { $0.id == operation.id }) {
      guard entry.hash == operation.payloadHash else { return .refused(.payloadMismatch) }
      guard case .changed(let revision, let effect, _) = entry.outcome else { return entry.outcome }
      return .changed(revision: revision, effect, replayed: true)
    }
    if dead.contains(operation.id) { return .refused(.dead) }
    guard operation.condition.holds(revision: register.revision, value: register.value.map { $0[...] }) else {
      return .conditionFailed(current: content)
    }
    let effect: Effect
    switch operation.action {
    case .read, .settle: return .read(content)
    case .put(let value):
      effect = register.value == nil ? .created : .replaced
      register.value = value
    case .delete:
      guard register.value != nil else { return .absent }
      effect = .deleted
      register.value = nil
    case .append(let tail):
      register.value = (register.value ?? []) + tail
      effect = .length(UInt64(register.value?.count ?? 0))
    case .add(let delta):
      guard let old = number(register, absent: 0) else { return .refused(.notANumber) }
      let (sum, overflow) = old.addingReportingOverflow(delta)
      guard !overflow else { return .refused(.overflow) }
      effect = .number(sum)
      register.value = Array("\(sum)".utf8)
    case .max(let bound), .min(let bound):
      guard let old = number(register, absent: bound) else { return .refused(.notANumber) }
      let isMax = if case .max = operation.action { true } else { false }
      let new = isMax ? Swift.max(old, bound) : Swift.min(old, bound)
      if content != nil, new == old { return .changed(revision: register.revision, .number(old), replayed: false) }
      effect = .number(new)
      register.value = Array("\(new)".utf8)
    }
    register.revision += 1
    let outcome = Outcome.changed(revision: register.revision, effect, replayed: false)
    register.window.append((operation.id, operation.payloadHash, outcome))
    registers[operation.key.bytes] = register
    return outcome
  }

  private func number(_ register: Register, absent: Int64) -> Int64? {
    guard let value = register.value else { return absent }
    return Decimal.integer(value[...])
  }

  static func makeStatus(isReady: Bool) -> NodeStatus {
    let members = (1...3).map {
      Member(
        id: NodeID(UInt16($0)), address: Array("10.0.0.\($0):7100".utf8), incarnation: Incarnation(UInt64($0)), since: 0
      )
    }
    var replica = ReplicaStatistics()
    replica.registers = 12
    var storage = NodeStatus.Storage()
    storage.syncs = 34
    let peers = [
      NodeStatus.Peer(
        id: NodeID(2), address: members[1].address, isReachable: true, lastHeardMilliseconds: 7,
        roundTripMicroseconds: 150, problem: "", queuedBytes: 0),
      NodeStatus.Peer(
        id: NodeID(3), address: members[2].address, isReachable: isReady, lastHeardMilliseconds: nil,
        roundTripMicroseconds: nil, problem: isReady ? "" : "connection refused", queuedBytes: 9),
    ]
    return NodeStatus(
      version: "1.0", node: NodeID(1), backend: "register", cluster: isReady ? "00ff" : nil,
      configuration: Configuration(epoch: 4, stable: members), peers: peers, isReady: isReady,
      problems: isReady ? [] : ["no quorum answers"], replica: replica, storage: storage, threads: 2, sessions: 5,
      operationsUnderWay: 1, uptimeMilliseconds: 1234, bootNumber: 3)
  }
}
