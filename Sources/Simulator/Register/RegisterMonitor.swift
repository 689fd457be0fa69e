package import Base
package import Host
import Register
package import Replica
package import Storage

/// Watches register replicas. What it holds them to, after each step:
///
/// - one cell per ballot (R1); the proposer's base is the highest cell of its promises, or its own last one (R5)
/// - a proposer's ballots only grow (R2)
/// - promised and accepted never fall, over crashes too; accepted is never above promised (R3)
/// - a chosen cell is an ancestor of every cell accepted at a higher ballot
/// - revisions grow along the chain by the changes made, and the window names them (R7, R9)
/// - nothing leaves before the write that it rests on is on the disk (R3)
/// - no client hears of a revision before it is chosen (R4, R6)
/// - one configuration an epoch, and each that a node goes by was chosen in the epoch before it
/// - nothing below a node's epoch is promised, accepted or read (R11)
/// - a node that came back with less than it had never speaks (R12); but where only the record of a register is damaged
///   it goes on, says nothing of that one, and heals it above whatever it can have promised
package final class RegisterMonitor: Monitor {
  private struct Attempt: Hashable {
    let node: UInt16
    let partition: UInt16
    let attempt: UInt64
  }

  package private(set) var failures: [String] = []
  package var occurrences = Occurrences()
  private let shape: WorldShape
  private let storage: StorageOptions
  private let readHedge: Milliseconds
  private let isRecorded: Bool
  /// Whether members are changed by the register of the configuration, and not from outside.
  private let choosesMembers: Bool
  /// Of all that was erased before the run, on the first members (R14).
  let floorRevision: UInt64
  /// How old a tombstone becomes; 0: as in a real cluster.
  private let tombstoneMilliseconds: UInt64
  private var replicas: [[RegisterReplica?]]
  private var numbers: [Key: Int] = [:]
  var ledgers: ContiguousArray<RegisterLedger> = []
  private var registerOfAttempt: [Attempt: Int] = [:]
  private var asked: [[UInt64: Int]]
  var epochs: [UInt32]
  /// By epoch, as the nodes go by them.
  private(set) var configurations: [UInt32: Configuration] = [:]
  /// By node: records of values that it has erased, and of which register the last.
  var lastErased: [(count: Int, register: Int?)]
  private var isAmnesiac: [Bool]
  /// By node: what its own folder held when another was put in its place.
  private var setAside: [[RegisterLedger.Holding]?]
  /// The read that a node is taking in, and the epoch that it bears.
  private var reading: (attempt: UInt64, epoch: UInt32)?
  /// As it is shipped, or as a scenario wants it.
  private let isMeasured: Bool
  private let reserveStep: UInt64
  private let roundTimeout: Milliseconds?
  private let digestPause: Milliseconds?
  private let cacheBytes: Int?

  init(_ shape: WorldShape, _ scenario: Scenario, isRecorded: Bool) {
    self.shape = shape
    readHedge = scenario.readHedge
    self.isRecorded = isRecorded
    storage = scenario.storage
    choosesMembers = scenario.newcomers > 0
    floorRevision = scenario.floorRevision
    tombstoneMilliseconds = scenario.tombstoneMilliseconds
    replicas = Array(repeating: Array(repeating: nil, count: shape.partitions), count: shape.nodes)
    asked = Array(repeating: [:], count: shape.nodes)
    epochs = Array(repeating: 0, count: shape.nodes)
    isAmnesiac = Array(repeating: false, count: shape.nodes)
    lastErased = Array(repeating: (0, nil), count: shape.nodes)
    setAside = Array(repeating: nil, count: shape.nodes)
    isMeasured = scenario.isMeasured
    reserveStep = scenario.reserveStep
    roundTimeout = scenario.roundTimeout
    digestPause = scenario.digestPause
    cacheBytes = scenario.cacheBytes
  }

  func fail(_ register: Int?, _ text: String) {
    var line = text
    if let register { line = "register \(String(decoding: ledgers[register].key.bytes, as: UTF8.self)): " + text }
    failures.append(line)
  }

  /// The round of a key that is under way at a node, in a word.
  func round(_ node: Int, _ key: Key) -> String {
    replicas[node][key.partition(of: shape.partitions)]?.phase(of: key)?.name ?? ""
  }

  func nextTickOfReplicas(_ node: Int) -> Instant {
    var next = Instant.never
    for replica in replicas[node] { next = min(next, replica?.nextTick ?? .never) }
    return next
  }

  func register(_ key: Key) -> Int {
    if let number = numbers[key] { return number }
    numbers[key] = ledgers.count
    ledgers.append(RegisterLedger(key, nodes: shape.nodes))
    return ledgers.count - 1
  }

  // MARK: - Nodes

  package func open(
    _ node: Int, _ state: NodeState, _ folder: FolderOrigin, on device: MemoryDevice, seed random: inout SeededRandom,
    startedAt: Instant
  ) throws(StorageError) -> OpenedReplicas {
    var made: [RegisterReplica?] = []
    // Embedded Swift turns no array of one kind into an array of another.
    var holders: [any RecordHolder] = []
    var hosted: [any Replica] = []
    for partition in 0..<state.partitions {
      let seed = random.next()
      var options = RegisterReplica.Options()
      options.maximumValueBytes = 4 << 10
      if let digestPause { options.digestPause = digestPause }
      if !isMeasured { options.takeOverStreak = UInt8(2 + seed % 7) }
      if !isMeasured { options.reserveStep = reserveStep }
      if let roundTimeout { options.roundTimeout = roundTimeout }
      options.cacheBytes = cacheBytes
      options.tracedPartition = isRecorded ? partition : nil
      if tombstoneMilliseconds > 0 { options.tombstoneAge = Milliseconds(tombstoneMilliseconds) }
      options.readHedge = readHedge
      let replica = RegisterReplica(
        node: state.node, boot: state.boot, configuration: state.configuration, floor: Floor(state.floor),
        reserve: state.reserve, seed: seed, startedAt: startedAt, options: options)
      made.append(replica)
      holders.append(replica)
      hosted.append(replica)
    }
    let recovery = try RecordStore.recover(device: device, shards: 1, holders: holders, options: storage)
    guard let store = recovery.stores.first else {
      throw .damaged(file: .table(0), offset: 0, reason: "records are damaged whose keys are lost too")
    }
    replicas[node] = made
    recovered(node, state, folder)
    return OpenedReplicas(replicas: hosted, store: store)
  }

  private func recovered(_ node: Int, _ state: NodeState, _ folder: FolderOrigin) {
    asked[node] = [:]
    epochs[node] = state.configuration.epoch
    goes(by: state.configuration, node, state.formation.isServing)
    isAmnesiac[node] = false
    forget(node, acceptedBefore: state.configuration.since(of: state.node))
    switch folder {
    case .own: setAside[node] = nil
    case .other: if setAside[node] == nil { setAside[node] = ledgers.map { $0.holdings[node] } }
    case .ownAgain:
      guard let held = setAside[node] else { break }
      for register in ledgers.indices {
        ledgers[register].holdings[node] = register < held.count ? held[register] : RegisterLedger.Holding()
      }
      setAside[node] = nil
    }
    for register in ledgers.indices {
      let key = ledgers[register].key
      // Ballots of another life bear another boot number.
      ledgers[register].prepared[node] = .zero
      guard let replica = replicas[node][key.partition(of: shape.partitions)] else { continue }
      let found = replica.acceptor.table.find(key)
      var holding = ledgers[register].holdings[node]
      if let found, replica.acceptor.table[found].isDamaged {
        damaged(register, node, pinnedTo: replica.acceptor.table[found].promised)
        continue
      }
      holding.isDamaged = false
      // R14: what is erased is promised by the floor.
      holding.promised = found.map { replica.acceptor.table[$0].promised } ?? Floor(state.floor).ballot
      holding.accepted = found.map { replica.acceptor.table[$0].accepted } ?? .zero
      let isErased = holding.durablyAccepted <= holding.erased
      if holding.promised < holding.durablyPromised || holding.accepted < holding.durablyAccepted && !isErased {
        if case .other = folder {
          isAmnesiac[node] = true
        } else {
          fail(register, "node \(node + 1) came back with less than was on its disk")
        }
      }
      if let found, holding.accepted != .zero, !replica.acceptor.table[found].isCold,
        ledgers[register].proposals[holding.accepted]?.cell != replica.acceptor.table[found].cell
      {
        fail(register, "node \(node + 1) came back with a cell that nobody proposed")
      }
      // What recovery has found is durable, also where it had never been told so.
      holding.durablyPromised = holding.promised
      holding.durablyAccepted = holding.accepted
      holding.erased = .zero
      holding.erasedPromise = .zero
      ledgers[register].holdings[node] = holding
      if holding.accepted != .zero, !isAmnesiac[node], failures.isEmpty { vote(register, holding.accepted, by: node) }
    }
  }

  // MARK: - Steps

  package func willStep(_ node: Int, _ partition: Int, _ event: borrowing Event) {
    reading = nil
    switch event {
    case .message(let from, let reader): incoming(node, partition, from, reader)
    case .request(let request):
      let register = register(request.operation.key)
      asked[node][request.token] = register
    case .configure(let configuration, _):
      epochs[node] = configuration.epoch
      forget(node, acceptedBefore: configuration.since(of: NodeID(UInt16(node + 1))))
      goes(by: configuration, node, true)
    case .list, .cancel, .peer, .carryOver, .loaded, .verify, .raiseFloor, .raiseReserve, .handOver, .tick: break
    }
  }

  private func goes(by configuration: Configuration, _ node: Int, _ isSure: Bool) {
    // What a node that is to be added was told of the members is no configuration yet, nor what the first were told.
    guard isSure || configurations[0] == nil else { return }
    if let known = configurations[configuration.epoch] {
      // The first members are known before they have met.
      if known != configuration && configuration.epoch > 0 {
        fail(nil, "two configurations of epoch \(configuration.epoch)")
      }
    } else {
      configurations[configuration.epoch] = configuration
      if configuration.epoch > 0 && !configuration.isJoint { chooseAnew(at: configuration.epoch - 1) }
      if choosesMembers && configuration.epoch > 0 && !isChosen(configuration) {
        fail(nil, "node \(node + 1) goes by a configuration of epoch \(configuration.epoch), which is not chosen")
      }
    }
  }

  /// Whether a ballot of the epoch before it carried the configuration into its register.
  private func isChosen(_ configuration: Configuration) -> Bool {
    let register = register(.configuration)
    var ballot = ledgers[register].chosen
    while ballot != .zero, let proposal = ledgers[register].proposals[ballot] {
      if ballot.epoch + 1 == configuration.epoch, let value = (try? Cell.decode(proposal.cell))?.value,
        value.elementsEqual(configuration.encoded)
      {
        return true
      }
      ballot = proposal.parent
    }
    return false
  }

  /// A majority of the old and of the new, by the count of this monitor. Once a joint epoch is over a majority of those
  /// who are members since is enough: each later round meets it, and no round of the joint epoch can end without it.
  func isQuorum(_ voters: BitSet, at epoch: UInt32) -> Bool {
    guard let configuration = configurations[epoch] else { return false }
    if let new = configuration.new {
      if Self.isMajority(voters, of: configuration, configuration.old)
        && Self.isMajority(voters, of: configuration, new)
      {
        return true
      }
      guard let next = configurations[epoch + 1] else { return false }
      return Self.isMajority(voters, of: next, next.old)
    }
    return Self.isMajority(voters, of: configuration, configuration.old)
  }

  private static func isMajority(_ voters: BitSet, of configuration: Configuration, _ set: BitSet) -> Bool {
    var votes = 0
    for (index, member) in configuration.members.enumerated() where set.contains(index) {
      if voters.contains(Int(member.id.value) - 1) { votes += 1 }
    }
    return 2 * votes > set.count
  }

  /// What was accepted in a joint epoch that is over now may be chosen by that.
  private func chooseAnew(at epoch: UInt32) {
    for register in ledgers.indices {
      for ballot in ledgers[register].pending.sorted() where ballot.epoch == epoch {
        chooseIfVoted(register, ballot)
      }
    }
  }

  private func incoming(_ node: Int, _ partition: Int, _ from: NodeID, _ reader: ByteReader) {
    // Of the other kinds nothing is to be learnt here, and taking them apart costs.
    guard reader.remaining > 0, 3...7 ~= reader.bytes[reader.offset] else { return }
    var reader = reader
    guard let message = try? Message(from: &reader) else { return fail(nil, "a message does not decode") }
    let sender = Int(from.value) - 1
    switch message {
    case .promise(let attempt, let ballot, let accepted, let erased, _):
      guard let register = register(attempt, askedBy: node, partition) else { return }
      guard ledgers[register].proposals[ballot] == nil else { return }
      ledgers[register].erasedRevisions[ballot] = max(ledgers[register].erasedRevisions[ballot] ?? 0, erased)
      ledgers[register].bases[ballot] = max(ledgers[register].bases[ballot] ?? .zero, accepted)
      if accepted > ledgers[register].chosen { occurrences.note(.minorityAcceptFound) }
    case .accepted(let attempt, let ballot):
      // A node's word to itself leaves it here.
      guard sender == node, let register = register(attempt, askedBy: node, partition) else { return }
      vote(register, ballot, by: node)
    case .readReply(let attempt, let accepted):
      guard let register = register(attempt, askedBy: node, partition) else { return }
      if accepted != ledgers[register].holdings[node].accepted { occurrences.note(.quorumReadMixed) }
    case .read(let attempt, let epoch, _): reading = (attempt, epoch)
    default: break
    }
  }

  private func register(_ attempt: UInt64, askedBy node: Int, _ partition: Int) -> Int? {
    registerOfAttempt[Attempt(node: UInt16(node), partition: UInt16(partition), attempt: attempt)]
  }

  package func didStep(_ node: Int, _ partition: Int, _ outbox: borrowing Outbox, since mark: Outbox.Mark) {
    guard let replica = replicas[node][partition] else { return }
    for record in outbox.writes[mark.writes...] { wrote(node, replica, Int(record.index)) }
    for place in outbox.sends.indices[mark.sends...] {
      let send = outbox.sends[place]
      if send.to == .recorder { continue }
      // Copies of one message differ in nothing but whom they go to.
      if place > mark.sends && outbox.sends[place - 1].message == send.message { continue }
      said(node, partition, outbox, send)
    }
    for reply in outbox.replies[mark.replies...] { answered(node, reply.token, reply.outcome) }
  }

  private func wrote(_ node: Int, _ replica: RegisterReplica, _ index: Int) {
    let record = replica.acceptor.table[index]
    let register = register(record.key)
    let before = ledgers[register].holdings[node]
    if before.isDamaged {
      occurrences.note(.recordHealed)
      ledgers[register].holdings[node].isDamaged = false
    }
    if record.presence != .held { return erased(register, node, replica.acceptor.floor) }
    if record.promised < before.promised { fail(register, "the promise of node \(node + 1) fell") }
    if record.accepted < before.accepted && before.accepted > before.erased {
      fail(register, "what node \(node + 1) has accepted fell")
    }
    if record.accepted > record.promised { fail(register, "node \(node + 1) accepted above its promise") }
    if record.promised > before.promised && record.promised.epoch < epochs[node] {
      fail(register, "node \(node + 1) promised below its fence (R11)")
    }
    ledgers[register].holdings[node].promised = record.promised
    ledgers[register].holdings[node].accepted = record.accepted
    if record.accepted != before.accepted { propose(register, record.accepted, record.cell) }
  }

  private func said(_ node: Int, _ partition: Int, _ outbox: borrowing Outbox, _ send: Outbox.Send) {
    let bytes = outbox.arena.bytes
    switch bytes[send.message.lowerBound] {
    // Promises, acceptances and refusals are judged when they leave.
    case 4, 5: return nameOwn(node, partition, outbox, send)
    case 6: return occurrences.note(.conflict)
    case 8: return occurrences.note(.staleRefused)
    case 9: return occurrences.note(.forwarded)
    case 7:
      guard let reading, reading.epoch != epochs[node] else { return }
      return fail(nil, "node \(node + 1) answered a read of epoch \(reading.epoch) in \(epochs[node]) (R11)")
    case 10...16: return
    default: break
    }
    var reader = ByteReader(bytes, in: send.message)
    guard let message = try? Message(from: &reader) else { return fail(nil, "a message does not decode") }
    switch message {
    case .prepare(let attempt, let ballot, let key):
      occurrences.note(.prepared)
      let register = register(Key(key))
      name(attempt, register, node, partition)
      if ballot <= ledgers[register].prepared[node] {
        fail(register, "node \(node + 1) prepares \(ballot) after \(ledgers[register].prepared[node]) (R2)")
      }
      ledgers[register].prepared[node] = ballot
    case .read(let attempt, _, let key):
      occurrences.note(.quorumRead)
      name(attempt, register(Key(key)), node, partition)
    case .accept(let attempt, let ballot, _, _, let key, let cell):
      let register = register(Key(key))
      name(attempt, register, node, partition)
      propose(register, ballot, cell)
      if ledgers[register].bases[ballot] == nil { occurrences.note(.oneRoundWrite) }
    case .want(_, _, let wanted):
      if wanted.contains(where: { $0.roundAbove != nil }) { occurrences.note(.broughtByRound) }
    case .relay(_, _, let ballot, _, let key, let cell):
      occurrences.note(.relayed)
      propose(register(Key(key)), ballot, cell)
    default: break
    }
  }

  /// The only member asks nobody but itself: what it is asked for, its answer alone tells.
  private func nameOwn(_ node: Int, _ partition: Int, _ outbox: borrowing Outbox, _ send: Outbox.Send) {
    guard Int(send.to.value) == node + 1, configurations[epochs[node]]?.members.count == 1 else { return }
    var reader = ByteReader(outbox.arena.bytes, in: send.message)
    switch try? Message(from: &reader) {
    case .promise(let attempt, _, _, _, _), .accepted(let attempt, _):
      if let key = replicas[node][partition]?.key(ofAttempt: attempt) { name(attempt, register(key), node, partition) }
    default: break
    }
  }

  private func name(_ attempt: UInt64, _ register: Int, _ node: Int, _ partition: Int) {
    registerOfAttempt[Attempt(node: UInt16(node), partition: UInt16(partition), attempt: attempt)] = register
  }

  /// R4, R6: what a client is told of is chosen.
  private func answered(_ node: Int, _ token: UInt64, _ outcome: Outcome) {
    guard let register = asked[node].removeValue(forKey: token) else {
      return fail(nil, "node \(node + 1) answered a request twice, or one that nobody made")
    }
    var told: UInt64?
    switch outcome {
    case .read(let content), .conditionFailed(let content), .settled(let content, _): told = content?.revision
    case .changed(let revision, _, _): told = revision
    case .absent, .refused, .unknown: break
    }
    if let told, told > ledgers[register].chosenRevision {
      fail(register, "a client of node \(node + 1) was told of revision \(told), which is not chosen")
    }
  }

  // MARK: - What leaves, and what is durable

  package func left(_ node: Int, for other: Int, _ partition: Int, _ bytes: [UInt8], _ message: Range<Int>) {
    switch bytes[message.lowerBound] {
    case 4, 5, 7: break
    default: return
    }
    var reader = ByteReader(bytes, in: message)
    guard let message = try? Message(from: &reader) else { return fail(nil, "a message does not decode") }
    if isAmnesiac[node] { fail(nil, "node \(node + 1) speaks, and has forgotten what it promised (R12)") }
    switch message {
    case .promise(let attempt, let ballot, let accepted, _, let cell):
      guard let register = register(attempt, askedBy: other, partition) else { return }
      abstains(register, node)
      if accepted != .zero, ledgers[register].proposals[accepted]?.cell != cell {
        fail(register, "a promise of node \(node + 1) bears a cell that nobody proposed at its ballot")
      }
      if ledgers[register].holdings[node].durablyPromised < ballot {
        fail(register, "a promise of node \(node + 1) left before it was on the disk (R3)")
      }
    case .accepted(let attempt, let ballot):
      guard let register = register(attempt, askedBy: other, partition) else { return }
      if ledgers[register].holdings[node].hasAcceptedDurably < ballot {
        fail(register, "node \(node + 1) told of an accept before it was on the disk (R3)")
      }
      vote(register, ballot, by: node)
    case .readReply(let attempt, let accepted):
      guard let register = register(attempt, askedBy: other, partition) else { return }
      abstains(register, node)
      if ledgers[register].holdings[node].hasAcceptedDurably < accepted {
        fail(register, "node \(node + 1) answered a read by what was not on the disk (R3)")
      }
    default: break
    }
  }

  package func durable(_ node: Int, _ batch: DeviceBatch) {
    guard batch.lane == .journal else { return }
    for change in batch.changes {
      guard case .write(_, _, let bytes) = change else { continue }
      JournalBatch.forEachRecord(in: bytes) { _, key, payload in
        guard !payload.isEmpty else { return erasedDurably(register(Key(Array(key))), node) }
        var reader = ByteReader(payload)
        guard let promised = try? Ballot(from: &reader), let accepted = try? Ballot(from: &reader) else {
          return fail(nil, "a record on the disk does not decode")
        }
        let register = register(Key(Array(key)))
        let before = ledgers[register].holdings[node]
        let isErased = before.durablyAccepted <= before.erased
        if promised < before.durablyPromised || accepted < before.durablyAccepted && !isErased {
          if !isAmnesiac[node] { fail(register, "a promise or accept on the disk of node \(node + 1) fell") }
        }
        ledgers[register].holdings[node].durablyPromised = promised
        ledgers[register].holdings[node].durablyAccepted = accepted
        if accepted != .zero { vote(register, accepted, by: node) }
      }
    }
  }

  package func unfinishedWork(_ node: Int) -> [String] {
    var left: [String] = []
    for partition in 0..<shape.partitions {
      if let replica = replicas[node][partition], !replica.isQuiescent {
        left.append("node \(node + 1), partition \(partition): something still waits when all is over")
      }
    }
    return left
  }

  package func takeNotes() -> [String] { [] }

  package func describe(_ bytes: [UInt8], _ message: Range<Int>) -> String {
    var reader = ByteReader(bytes, in: message)
    guard let message = try? Message(from: &reader) else { return "garbage" }
    return message.text
  }
}
