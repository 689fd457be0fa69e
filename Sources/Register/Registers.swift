import Base
import Replica

/// The registers of one partition on one node: its acceptors, and the proposer that runs rounds for its clients.
///
/// No leader and no log: each key has at most one round under way here, and any node may run one.
/// The parts: `Proposer` (phases of a round), `QuorumRead` (R6), `Forwarding` (R10), `Waiting` (long polls), `Listing`.
///
/// A value that ``RegisterReplica`` holds: within a step no access to it has to be checked at run time, which for the
/// properties of a class costs as much as the protocol.
struct Registers: ~Copyable {
  let node: NodeID
  let boot: UInt64
  let options: RegisterReplica.Options
  private(set) var configuration: Configuration
  /// Nil: this node is no member; it hands what its clients ask to one that is.
  private(set) var selfIndex: Int?
  var acceptor: Acceptor

  var rounds: ContiguousArray<Round> = []
  var freeSlots: [Int] = []
  /// The slots of the keys that have a round.
  var slots = SlotIndex()
  var timers = Timers()
  var random: SeededRandom
  private var serial: UInt64 = 0

  /// By member index; this node is always among them.
  var reachable: BitSet
  var clocks: [PeerClock?]
  var forwards: [UInt64: Forwarded] = [:]
  private var forwardSerial: UInt64 = 0
  /// What each other node, member or not, has forwarded to this one.
  var forwardFilters: [NodeID: ForwardFilter] = [:]
  /// This node's clock when its process began: what was forwarded before that was forwarded to an earlier life.
  let startedAt: Instant
  /// R10: keys whose traffic has moved here; the next operation is coordinated here and not forwarded.
  var claims: [Key: Bool] = [:]
  var parked: [UInt64: Pending] = [:]
  var parkedOfKey: [Key: [UInt64]] = [:]
  var listings: [UInt64: Listing] = [:]
  /// Listings whose reads are all in; gone on with at the end of the step, when no round is half-way through a
  /// transition.
  var readyListings: [UInt64] = []
  var carrying: Carrying?
  var collecting = Collecting()
  var catchingUp = CatchingUp()
  var repairing = Repairing()
  /// When this replica last did something for a client, of any node.
  var lastBusyAt = Instant.zero
  private var early = EarlyMessages()
  var caching = Caching()
  var isStartTraced = false
  var statistics = ReplicaStatistics()

  init(
    node: NodeID, boot: UInt64, configuration: Configuration, floor: Floor, reserve: UInt64, seed: UInt64,
    startedAt: Instant, options: RegisterReplica.Options
  ) {
    self.node = node
    self.boot = boot
    self.startedAt = startedAt
    self.options = options
    self.configuration = configuration
    selfIndex = configuration.index(of: node)
    acceptor = Acceptor(
      node: node, epoch: configuration.epoch, since: configuration.since(of: node), floor: floor, reserve: reserve,
      reserveStep: options.reserveStep)
    acceptor.table.cacheBytes = options.cacheBytes ?? .max
    random = SeededRandom(seed: seed)
    reachable = BitSet()
    if let selfIndex { reachable.insert(selfIndex) }
    clocks = Array(repeating: nil, count: configuration.members.count)
    carrying = configuration.isJoint ? Carrying(epoch: configuration.epoch) : nil
    startCatchingUp(startedAt)
  }

  var isQuiescent: Bool {
    slots.isEmpty && freeSlots.count == rounds.count && forwards.isEmpty && parked.isEmpty && parkedOfKey.isEmpty
      && listings.isEmpty && readyListings.isEmpty && !(carrying?.isActive ?? false) && collecting.isQuiet
      && catchingUp.isQuiet && early.isEmpty && repairing.isQuiet && acceptor.table.damaged == 0 && caching.isEmpty
      && rounds.allSatisfy { $0.fold.isEmpty && $0.waiting.isEmpty }
  }

  mutating func step(_ event: consuming Event, now: Instant, into outbox: inout Outbox) {
    if options.isTraced && !isStartTraced { traceStart(&outbox) }
    switch consume event {
    case .message(let from, var reader):
      // A message that does not decode was not written by this protocol's version: dropped, as if lost.
      guard let message = try? Message(from: &reader) else { return }
      receive(message, from: from, now, &outbox)
    case .request(let request): submit(request, now, &outbox)
    case .list(let request): list(request, now, &outbox)
    case .cancel(let token): unpark(token)
    case .peer(let peer, let isReachable, let clock): peerChanged(peer, isReachable, clock, now, &outbox)
    case .configure(let configuration, let peers): adopt(configuration, peers, now, &outbox)
    case .raiseFloor(let floor):
      acceptor.raiseFloor(to: Floor(floor))
      if options.isTraced { traceFloor(&outbox) }
      eraseWaiting(now, &outbox)
    case .raiseReserve(let counter): acceptor.raiseReserve(to: counter)
    case .loaded(let record, let stored): loaded(record, stored, now, &outbox)
    case .verify(let record): verify(record, &outbox)
    case .carryOver: carryOver(now, &outbox)
    // Coordination moves to whoever is asked next.
    case .handOver: break
    case .tick: fireTimers(now, &outbox)
    }
    if !readyListings.isEmpty { continueListings(now, &outbox) }
    if configuration.isJoint { continueCarrying(now, &outbox) }
    continueRepairing(now, &outbox)
    scheduleCollecting(now)
    if acceptor.table.isCrowded { outbox.noteCrowded() }
  }

  mutating func receive(_ message: Message, from: NodeID, _ now: Instant, _ outbox: inout Outbox) {
    if let epoch = message.epoch, epoch > configuration.epoch, Guard.fenceHolds.isIn {
      return early.append(message, from: from, epoch: epoch)
    }
    switch message {
    case .prepare(let attempt, let ballot, let key):
      let key = Key(key)
      if waitsForCell(message, ballot, key, from: from, &outbox) { return }
      let (answer, ticket) = acceptor.prepare(attempt: attempt, ballot, key: key, into: &outbox)
      reply(answer, key, to: from, after: ticket, &outbox)
    case .accept(let attempt, let ballot, let next, let chosen, let bytes, let cell):
      let key = Key(bytes)
      if from != node && !catchingUp.awaitsRound(of: key.hash) { lastBusyAt = now }
      let (answer, ticket) = acceptor.accept(
        attempt: attempt, ballot, next: next, chosen: chosen, key: key, cell: cell, into: &outbox)
      reply(answer, key, next: next, to: from, after: ticket, &outbox)
      wake(key, now, &outbox)
    case .read(let attempt, let epoch, let key):
      let key = Key(key)
      let (answer, ticket) = acceptor.read(attempt: attempt, epoch: epoch, key: key, outbox: outbox)
      reply(answer, key, to: from, after: ticket, &outbox)
    case .promise(let attempt, let ballot, let accepted, let erased, let cell):
      promised(attempt, ballot, from: from, accepted: accepted, erased: erased, cell: cell, now, &outbox)
    case .accepted(let attempt, let ballot):
      accepted(attempt, ballot, from: from, now, &outbox)
    case .conflict(let attempt, let ballot, let promised):
      conflicted(attempt, ballot, from: from, promised: promised, now, &outbox)
    case .readReply(let attempt, let accepted):
      readReplied(attempt, from: from, accepted: accepted, now, &outbox)
    case .stale:
      // R11: the round cannot succeed in this epoch; its timer ends it. A member adopts configurations through its
      // host.
      break
    case .forward(let attempt, let heard, let deadline, let lo, let known, let operation):
      forwarded(operation, attempt: attempt, from: from, heard: heard, deadline, lo: lo, known: known, now, &outbox)
    case .forwardReply(let attempt, let takeOver, let outcome):
      forwardReplied(attempt, from: from, takeOver: takeOver, outcome, now, &outbox)
    case .list(let attempt, let epoch, let prefix, let after, let limit):
      guard epoch == configuration.epoch || !Guard.listedBehindFence.isIn else { return }
      let (keys, more) = acceptor.table.keys(prefix: prefix, after: after, limit: Int(limit))
      if options.isTraced && configuration.isJoint && prefix.isEmpty {
        traceListing(after: after, keys, more: more, &outbox)
      }
      // Absence needs no write, and presence is a hint that a read then proves: nothing to wait for.
      outbox.send(to: from, after: .none) {
        Message.listReply(attempt: attempt, more: more, keys: keys).encode(into: &$0)
      }
    case .listReply(let attempt, let more, let keys):
      listReplied(attempt, from: from, more: more, keys: keys, now, &outbox)
    case .erase(_, let epoch, let key, let ballot): erase(Key(key), ballot, epoch: epoch, now, &outbox)
    case .compare(let attempt, let epoch, let range, let leaves, let digests):
      compared(attempt, from: from, epoch: epoch, range, leaves, digests, now, &outbox)
    case .differing(let attempt, let places): heardDiffering(attempt, from: from, places, now, &outbox)
    case .holdings(let attempt, _, let rest, let holdings):
      heardHoldings(attempt, from: from, rest: rest, holdings, now, &outbox)
    case .want(let attempt, let epoch, let wanted):
      self.wanted(attempt, from: from, epoch: epoch, wanted, now, &outbox)
    case .relay(let attempt, let place, let ballot, let chosen, let key, let cell):
      relayed(attempt, place: Int(place), ballot, chosen: chosen, key: Key(key), cell: cell, now, &outbox)
    }
  }

  /// ``Acceptor/encodePayload(of:into:)``; asked through the class that holds this, the acceptor would be copied first.
  func encodePayload(of index: Int, into writer: inout ByteWriter) { acceptor.encodePayload(of: index, into: &writer) }

  /// ``RecordTable/approach(_:_:)``, in the same way.
  func approach(_ hash: UInt64, _ distance: Approach) { acceptor.table.approach(hash, distance) }

  // MARK: - Another configuration

  /// What this node has accepted for the register of the configuration.
  var proposedConfiguration: Configuration? {
    guard let found = acceptor.table.find(.configuration), acceptor.table[found].accepted != .zero,
      let value = decode(acceptor.table[found].cell).value
    else { return nil }
    return Configuration(encoded: Array(value))
  }

  /// R11: what is under way belongs to an epoch that is over. Every round begins anew, above the fence; no promise that
  /// rode on an accept counts any more.
  private mutating func adopt(
    _ new: Configuration, _ peers: [PeerState], _ now: Instant, _ outbox: inout Outbox
  ) {
    guard new.epoch > configuration.epoch else { return }
    let before = configuration
    configuration = new
    selfIndex = new.index(of: node)
    acceptor.install(new)
    if options.isTraced { traceInstalled(&outbox) }
    reachable = BitSet()
    if let selfIndex { reachable.insert(selfIndex) }
    clocks = Array(repeating: nil, count: new.members.count)
    for peer in peers where peer.node != node {
      guard let member = new.index(of: peer.node) else { continue }
      clocks[member] = peer.clock
      if peer.isReachable { reachable.insert(member) }
    }
    carrying = new.isJoint ? Carrying(epoch: new.epoch) : nil
    collecting.forgetQuestions()
    startCatchingUp(now)
    for member in before.members where new.index(of: member.id) == nil {
      takeBackForwards(from: member.id, now, &outbox)
    }
    for slot in rounds.indices where rounds[slot].attempt != 0 { beginAnew(slot, now, &outbox) }
    for attempt in listings.keys.sorted() { gatherAnew(attempt, now, &outbox) }
    for (from, message) in early.take(upTo: new.epoch) { receive(message, from: from, now, &outbox) }
  }

  /// The round in this slot is void: what it carried goes back to the head of the line.
  private mutating func beginAnew(_ slot: Int, _ now: Instant, _ outbox: inout Outbox) {
    let fold = rounds[slot].fold.filter { if case .abandoned = $0.origin { false } else { true } }
    rounds[slot].fold = []
    rounds[slot].waiting.insert(contentsOf: fold, at: 0)
    rounds[slot].attempt = newAttempt(slot: slot)
    rounds[slot].seenCounter = 0
    rounds[slot].preemptions = 0
    rounds[slot].phase = .idle
    guard selfIndex == nil else { return advance(slot, now, &outbox) }
    let orphans = rounds[slot].waiting
    rounds[slot].waiting = []
    release(slot)
    for pending in orphans { relay(pending, now, &outbox) }
  }

  // MARK: - From request to round

  private mutating func submit(_ request: consuming Request, _ now: Instant, _ outbox: inout Outbox) {
    statistics.operations += 1
    lastBusyAt = now
    // A change of the configuration is for rounds of this node's epoch, and of no node that is behind.
    var mayForward = !request.operation.key.isConfiguration || selfIndex == nil
    guard request.deadline > now else {
      return respond(Pending(consume request, mayForward: mayForward), .refused(.expired), now, &outbox)
    }
    guard configuration.isQuorum(reachable) else {
      return respond(Pending(consume request, mayForward: mayForward), .refused(.noQuorum), now, &outbox)
    }
    // A read asks a quorum itself; only a mix of answers sends it to the coordinator.
    if !request.operation.action.isRead {
      let found = acceptor.table.find(request.operation.key)
      if !claims.isEmpty, claims.removeValue(forKey: request.operation.key) != nil {
        mayForward = false
      } else if let owner = liveOwner(found),
        forward(Pending(copy request, mayForward: mayForward), to: owner, now, &outbox)
      {
        return
      }
      if let found { acceptor.table[found].streak = 0 }
    }
    enqueue(Pending(consume request, mayForward: mayForward), now, &outbox)
  }

  /// Puts the operation in line for its key, and begins a round if none is under way.
  mutating func enqueue(_ pending: consuming Pending, _ now: Instant, _ outbox: inout Outbox) {
    guard selfIndex != nil else { return relay(pending, now, &outbox) }
    let slot = slot(for: pending.operation.key)
    guard rounds[slot].waiting.count < options.maximumWaitingPerKey else {
      return respond(pending, pending.mayHaveTakenEffect ? .unknown : .refused(.overloaded), now, &outbox)
    }
    let deadline = pending.deadline
    rounds[slot].waiting.append(pending)
    rounds[slot].earliestDeadline = min(rounds[slot].earliestDeadline, deadline)
    if case .idle = rounds[slot].phase {
      advance(slot, now, &outbox)
    } else if deadline < rounds[slot].timerAt {
      setTimer(slot, at: deadline)
    }
  }

  mutating func slot(for key: Key) -> Int {
    if let slot = slots.find(key, in: rounds) { return slot }
    let slot: Int
    if let free = freeSlots.popLast() {
      slot = free
      rounds[slot].key = key
    } else {
      slot = rounds.count
      rounds.append(Round(key: key))
    }
    slots.insert(key.hash, slot: slot)
    return slot
  }

  /// Nothing waits for this key any more.
  mutating func release(_ slot: Int) {
    slots.remove(rounds[slot].key.hash, slot: slot)
    rounds[slot].phase = .idle
    rounds[slot].attempt = 0
    rounds[slot].seenCounter = 0
    rounds[slot].preemptions = 0
    rounds[slot].timerAt = .never
    rounds[slot].phaseEnd = .never
    rounds[slot].earliestDeadline = .never
    freeSlots.append(slot)
  }

  /// The round that asked under `attempt`, if it still waits for the answer.
  func slot(ofAttempt attempt: UInt64) -> Int? {
    let slot = Int(attempt & 0xF_FFFF)
    return slot < rounds.count && rounds[slot].attempt == attempt ? slot : nil
  }

  /// A number that this replica never uses twice: `boot:12 serial:32 slot:20`. The boot keeps out answers to an
  /// earlier life.
  mutating func newAttempt(slot: Int = 0) -> UInt64 {
    invariant(slot < 1 << 20, "too many keys have rounds under way")
    serial += 1
    return (boot & 0xFFF) << 52 | (serial & 0xFFFF_FFFF) << 20 | UInt64(slot)
  }

  /// Numbers forwards upwards, over all lives of this node: `boot:20 serial:44` (``ForwardFilter``).
  mutating func newForwardAttempt() -> UInt64 {
    forwardSerial += 1
    return (boot & 0xF_FFFF) << 44 | forwardSerial & 0xFFF_FFFF_FFFF
  }

  // MARK: - Outcomes

  /// Tells whoever asked.
  mutating func respond(_ pending: Pending, _ outcome: Outcome, _ now: Instant, _ outbox: inout Outbox) {
    switch pending.origin {
    case .client(let token):
      if pending.wait != nil, park(pending, token, after: outcome, now) { return }
      outbox.reply(token, outcome)
    case .peer(let peer, let attempt):
      let takeOver = hasMoved(pending.operation.key, to: peer)
      outbox.send(to: peer, after: .none) {
        Message.forwardReply(attempt: attempt, takeOver: takeOver, outcome).encode(into: &$0)
      }
    case .listing(let attempt, let place):
      listingRead(attempt, place: place, outcome, now, &outbox)
    case .carrying(let epoch): carried(pending.operation.key, epoch, outcome)
    case .collecting(let rounds): broughtToAll(pending.operation.key, rounds: rounds, outcome, now, &outbox)
    case .catchingUp: catchingUp.roundsForOthers -= 1
    case .repairing: repaired(pending.operation.key, now)
    case .abandoned:
      break
    }
  }

  /// R8: an operation whose deadline has passed is abandoned. "Not applied" only where no accept message left.
  mutating func expire(_ pending: Pending, _ now: Instant, _ outbox: inout Outbox) {
    respond(pending, pending.mayHaveTakenEffect ? .unknown : .refused(.expired), now, &outbox)
  }

  // MARK: - Time

  mutating func setTimer(_ slot: Int, at instant: Instant) {
    rounds[slot].timerAt = instant
    guard instant < rounds[slot].entryAt else { return }
    rounds[slot].entryAt = instant
    timers.set(.round(slot: slot), at: instant)
  }

  /// An entry of this place has come.
  private mutating func roundEntry(_ slot: Int, at instant: Instant, _ now: Instant, _ outbox: inout Outbox) {
    // One before it was set later, and has fired.
    guard rounds[slot].entryAt == instant else { return }
    rounds[slot].entryAt = .never
    if rounds[slot].timerAt <= now {
      roundTimer(slot, now, &outbox)
    } else if rounds[slot].timerAt < .never {
      setTimer(slot, at: rounds[slot].timerAt)
    }
  }

  private mutating func fireTimers(_ now: Instant, _ outbox: inout Outbox) {
    while let (instant, subject) = timers.popDue(now) {
      switch subject {
      case .round(let slot): roundEntry(slot, at: instant, now, &outbox)
      case .forward(let attempt):
        if let forwarded = forwards.removeValue(forKey: attempt) { expire(forwarded.pending, now, &outbox) }
      case .parked(let token): parkedTimer(token, now, &outbox)
      case .listing(let attempt): finishListing(attempt, nil, &outbox)
      // It goes on at the end of the step.
      case .carrying, .repairing: break
      case .collecting: collect(now, &outbox)
      case .catchingUp: catchUp(now, &outbox)
      }
    }
  }

  private mutating func peerChanged(
    _ peer: NodeID, _ isReachable: Bool, _ clock: PeerClock?, _ now: Instant, _ outbox: inout Outbox
  ) {
    guard let member = configuration.index(of: peer), peer != node else { return }
    clocks[member] = clock
    guard reachable.contains(member) != isReachable else { return }
    if isReachable {
      reachable.insert(member)
      catchUpHeard(member, isReachable: true, now)
    } else {
      catchUpHeard(member, isReachable: false, now)
      reachable.remove(member)
      takeBackForwards(from: peer, now, &outbox)
      askOthers(insteadOf: member, now, &outbox)
    }
  }
}
