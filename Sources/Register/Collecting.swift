import Base
import Replica

/// What the collector remembers (PROTOCOL, "Deletion and space"): it frees the records of registers that were deleted
/// for good, and of promises for keys that nothing was ever accepted for.
///
/// It walks over the records in passes, the next one beginning only `tombstoneAge` after the last one ended, and counts
/// in each record how many passes have found it without a value and unchanged: at the second it is old enough. So
/// it needs no memory but a byte a record and the few questions that are out, however much is deleted. After a restart
/// ages begin anew.
struct Collecting {
  /// Questions that are out at once.
  static let width = 8
  /// Records that are looked at in one step.
  static let slice = 2048
  /// Between the steps of a pass.
  static let pause: Milliseconds = 10
  /// So many passes make a tombstone old, and so many make it anyone's: whose ballot it is may have erased it.
  static let passesUntilOld: UInt8 = 2
  static let passesUntilAnyone: UInt8 = 4
  /// Rounds that one tombstone gets in one pass, to bring it to every member.
  static let rounds = 3
  /// Erasures that may wait for the floor; what is above finds its tombstone again later.
  static let maximumErasures = 4096
  /// How far above what is needed the floor is raised, at most.
  static let maximumHeadRoom: UInt64 = 64

  private struct Question {
    let key: Key
    let ballot: Ballot
    var votes = BitSet()
    /// Rounds that this tombstone has had in this pass.
    let rounds: Int
    let askedAt: Instant
  }

  struct Erasure {
    let key: Key
    let ballot: Ballot
    let epoch: UInt32
  }

  enum Answers {
    case few
    case all(Key, Ballot)
    /// A member holds something else, or nothing.
    case mixed(Key, Ballot, rounds: Int)
  }

  /// By attempt.
  private var questions: [UInt64: Question] = [:]
  fileprivate var erasures: [Erasure] = []
  /// The record at which the pass that is under way goes on; nil: none is.
  fileprivate var place: Int?
  fileprivate var timerAt = Instant.never
  /// What the floor must be for what this pass has met.
  fileprivate var needed = Floor()
  /// What was asked of the host in this pass.
  fileprivate var wanted = Floor()
  var erased: UInt64 = 0

  var isQuiet: Bool { questions.isEmpty && erasures.isEmpty }
  var hasRoom: Bool { questions.count < Self.width }

  @inline(__always)
  func isAsking(_ attempt: UInt64) -> Bool { !questions.isEmpty && questions[attempt] != nil }

  mutating func ask(_ attempt: UInt64, _ key: Key, _ ballot: Ballot, rounds: Int, _ now: Instant) {
    questions[attempt] = Question(key: key, ballot: ballot, rounds: rounds, askedAt: now)
  }

  mutating func heard(
    _ attempt: UInt64, from member: Int, accepted: Ballot, of configuration: Configuration
  ) -> Answers {
    guard var question = questions[attempt] else { return .few }
    guard accepted == question.ballot else {
      // R13: all of them, not most.
      guard Guard.everyoneHasTombstone.isIn else { return .few }
      questions[attempt] = nil
      return .mixed(question.key, question.ballot, rounds: question.rounds)
    }
    question.votes.insert(member)
    questions[attempt] = question
    let isComplete =
      Guard.everyoneHasTombstone.isIn
      ? question.votes == BitSet(first: configuration.members.count) : configuration.isQuorum(question.votes)
    guard isComplete else { return .few }
    questions[attempt] = nil
    return .all(question.key, question.ballot)
  }

  /// Answers to these were lost, or will come when nobody waits for them any more.
  mutating func dropQuestions(askedBefore instant: Instant) {
    if !questions.isEmpty { questions = questions.filter { $0.value.askedAt >= instant } }
  }

  /// What was asked and begun is void: the epoch is another one, or nothing is left to collect.
  mutating func forgetQuestions() {
    questions = [:]
    wanted = Floor()
    if Guard.eraseIsOfStableEpoch.isIn { erasures = [] }
  }
}

extension Registers {
  /// Whether a tombstone can be brought to every member now.
  private var canCollect: Bool {
    guard selfIndex != nil, !configuration.isJoint else { return false }
    return reachable == BitSet(first: configuration.members.count) || !Guard.everyoneHasTombstone.isIn
  }

  var allStatistics: ReplicaStatistics {
    var all = statistics
    all.carrying = carrying?.statistics
    all.carrying?.total = UInt64(acceptor.table.present)
    all.records = UInt64(acceptor.table.count)
    all.registers = UInt64(acceptor.table.present)
    all.pending = UInt64(slots.count)
    var collector = CollectStatistics()
    collector.waiting = UInt64(acceptor.table.collectable)
    collector.erased = collecting.erased
    collector.isPaused = collector.waiting > 0 && !canCollect
    all.collecting = collector
    all.catchingUp = catchUpStatistics
    all.damaged = UInt64(acceptor.table.damaged)
    all.healed = repairing.healed
    all.cache = cacheStatistics
    return all
  }

  /// At the end of each step.
  @inline(__always)
  mutating func scheduleCollecting(_ now: Instant) {
    guard acceptor.table.collectable > 0, collecting.timerAt == .never else { return }
    setCollectTimer(now + options.tombstoneAge)
  }

  private mutating func setCollectTimer(_ instant: Instant) {
    collecting.timerAt = instant
    timers.set(.collecting, at: instant)
  }

  /// Its time has come: for a new pass, or for the next step of one.
  mutating func collect(_ now: Instant, _ outbox: inout Outbox) {
    guard now >= collecting.timerAt else { return }
    collecting.timerAt = .never
    let patience = options.roundTimeout.count * 1_000_000
    collecting.dropQuestions(
      askedBefore: Instant(nanoseconds: now.nanoseconds - min(now.nanoseconds, patience)))
    var number = collecting.place ?? 0
    if collecting.place == nil {
      // What was still asked about holds a value again, or is gone.
      guard acceptor.table.collectable > 0 else { return collecting.forgetQuestions() }
      collecting.needed = Floor()
      collecting.wanted = Floor()
    }
    let end = min(acceptor.table.numbers, number + Collecting.slice)
    while number < end && collecting.hasRoom {
      if acceptor.table[number].isCollectable { look(at: number, now, &outbox) }
      number += 1
    }
    guard number >= acceptor.table.numbers else {
      collecting.place = number
      return setCollectTimer(now + Collecting.pause)
    }
    collecting.place = nil
    // In time for the next pass, which finds most of these old enough.
    if !configuration.isJoint { raiseFloor(toKeep: collecting.needed, &outbox) }
    setCollectTimer(now + options.tombstoneAge)
  }

  private mutating func look(at number: Int, _ now: Instant, _ outbox: inout Outbox) {
    acceptor.table[number].passes = min(acceptor.table[number].passes, .max - 1) + 1
    collecting.needed.raise(to: acceptor.floorNeeded(by: number))
    let key = acceptor.table[number].key
    let passes = acceptor.table[number].passes
    guard passes >= Collecting.passesUntilOld, slots.find(key, in: rounds) == nil else { return }
    guard acceptor.table[number].accepted != .zero else {
      if !configuration.isJoint { eraseNow(number, now, &outbox) }
      return
    }
    guard canCollect, isCollector(of: acceptor.table[number].accepted, passes) else { return }
    askEveryone(number, rounds: 0, now, &outbox)
  }

  /// Liveness only: two collectors do no harm.
  private func isCollector(of ballot: Ballot, _ passes: UInt8) -> Bool {
    if ballot.node == node || passes >= Collecting.passesUntilAnyone { return true }
    if isReachable(ballot.node) { return false }
    let first = configuration.members.indices.first { reachable.contains($0) }
    return first == selfIndex
  }

  private mutating func askEveryone(_ number: Int, rounds: Int, _ now: Instant, _ outbox: inout Outbox) {
    let key = acceptor.table[number].key
    let ballot = acceptor.table[number].accepted
    // R13 speaks of the members of one epoch: a tombstone of an earlier one is carried into this one first.
    guard ballot.epoch == configuration.epoch else { return bringToAll(key, rounds: rounds, now, &outbox) }
    let attempt = newAttempt()
    collecting.ask(attempt, key, ballot, rounds: rounds, now)
    let question = Message.read(attempt: attempt, epoch: configuration.epoch, key: key.bytes)
    sendToOthers(&outbox) { question.encode(into: &$0) }
    // R3: this node's own word too counts when it is on the disk.
    let (answer, ticket) = acceptor.read(attempt: attempt, epoch: configuration.epoch, key: key, outbox: outbox)
    outbox.send(to: node, after: ticket) { answer.encode(into: &$0) }
  }

  mutating func collectorHeard(
    _ attempt: UInt64, from: NodeID, accepted: Ballot, _ now: Instant, _ outbox: inout Outbox
  ) {
    guard let member = configuration.index(of: from) else { return }
    switch collecting.heard(attempt, from: member, accepted: accepted, of: configuration) {
    case .few: break
    case .all(let key, let ballot):
      let message = Message.erase(
        attempt: newAttempt(), epoch: configuration.epoch, key: key.bytes, ballot)
      sendToOthers(&outbox) { message.encode(into: &$0) }
      erase(key, ballot, epoch: configuration.epoch, now, &outbox)
    case .mixed(let key, let ballot, let rounds):
      guard rounds < Collecting.rounds, let found = acceptor.table.find(key), acceptor.table[found].isTombstone,
        acceptor.table[found].accepted == ballot
      else { return }
      bringToAll(key, rounds: rounds, now, &outbox)
    }
  }

  /// An identity round, after which the others hold the tombstone too, at one ballot.
  private mutating func bringToAll(_ key: Key, rounds: Int, _ now: Instant, _ outbox: inout Outbox) {
    guard slots.find(key, in: self.rounds) == nil else { return }
    let identity = Operation(
      id: OperationID(high: 0, low: 0), key: key, action: .settle(target: nil, known: 0, nowSeconds: 0))
    enqueue(
      Pending(
        operation: identity, origin: .collecting(rounds: rounds), deadline: .never, lo: nil, needsFullRound: true,
        mayForward: false),
      now, &outbox)
  }

  /// That round is over.
  mutating func broughtToAll(
    _ key: Key, rounds: Int, _ outcome: Outcome, _ now: Instant, _ outbox: inout Outbox
  ) {
    guard case .settled(nil, _) = outcome, canCollect, let found = acceptor.table.find(key),
      acceptor.table[found].isTombstone, acceptor.table[found].passes >= Collecting.passesUntilOld
    else { return }
    askEveryone(found, rounds: rounds + 1, now, &outbox)
  }

  // MARK: - As an acceptor

  /// R13: a collector says that everyone has accepted the tombstone.
  mutating func erase(_ key: Key, _ ballot: Ballot, epoch: UInt32, _ now: Instant, _ outbox: inout Outbox) {
    switch acceptor.erase(key, at: ballot, epoch: epoch, into: &outbox) {
    case .refused: break
    case .erased(let ticket): noteErased(key, ballot, ticket, &outbox)
    case .belowFloor(let needed):
      guard collecting.erasures.count < Collecting.maximumErasures else { return }
      collecting.erasures.append(Collecting.Erasure(key: key, ballot: ballot, epoch: epoch))
      raiseFloor(toKeep: needed, &outbox)
    }
  }

  /// The floor is higher than it was: what waited for it is erased, if it still may be.
  mutating func eraseWaiting(_ now: Instant, _ outbox: inout Outbox) {
    guard !collecting.erasures.isEmpty else { return }
    let waiting = collecting.erasures
    collecting.erasures = []
    for erasure in waiting { erase(erasure.key, erasure.ballot, epoch: erasure.epoch, now, &outbox) }
  }

  /// Of a record that has accepted nothing. What the floor does not keep yet is met again in the next pass.
  private mutating func eraseNow(_ number: Int, _ now: Instant, _ outbox: inout Outbox) {
    let key = acceptor.table[number].key
    switch acceptor.erase(number, into: &outbox) {
    case .refused: break
    case .erased(let ticket): noteErased(key, .zero, ticket, &outbox)
    case .belowFloor(let needed): raiseFloor(toKeep: needed, &outbox)
    }
  }

  private mutating func noteErased(_ key: Key, _ ballot: Ballot, _ ticket: Ticket, _ outbox: inout Outbox) {
    collecting.erased += 1
    if options.isTraced && ballot != .zero { traceErased(key, ballot, after: ticket, &outbox) }
  }

  private mutating func raiseFloor(toKeep needed: Floor, _ outbox: inout Outbox) {
    guard !acceptor.floor.covers(needed), !collecting.wanted.covers(needed), Guard.floorIsDurable.isIn else { return }
    var wanted = outbox.floorWanted ?? NodeFloor()
    // Less than a step of the reserve: else each round, which must be above the floor, would find itself above the
    // reserve too, be refused, and leave a promise behind that raises the floor again.
    let headRoom = min(Collecting.maximumHeadRoom, options.reserveStep / 2)
    wanted.raise(to: needed.withHeadRoom(headRoom))
    outbox.floorWanted = wanted
    collecting.wanted.raise(to: Floor(wanted))
  }
}
