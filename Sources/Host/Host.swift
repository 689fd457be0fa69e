package import Base
package import Replica
package import Storage
import Wire

/// One thread's share of a node: its partitions' replicas, their storage, its client sessions and its links to the
/// peers.
///
/// Free of IO: whoever drives it hands in what has come (bytes, completions, time), calls ``endTurn()``, and carries
/// out the ``effects``. A request's way is one direction: session → replica → outbox → journal → (durable) → peers →
/// replica → session.
package final class Host {
  package struct Setup {
    package var shard: Int
    package var shards: Int
    package var state: NodeState
    package var options: HostOptions
    /// By partition; nil where another shard owns it.
    package var replicas: [(any Replica)?]
    package var store: any ReplicaStore
    package var superblock: Superblock
    package var diskUse: DiskUse
    package var tokens: TokenTable?
    package var peerSecret: [UInt8]?
    package var version: String
    package var seed: UInt64
    package var now: Instant
    package var wallSeconds: UInt64

    package init(
      shard: Int, shards: Int, state: NodeState, options: HostOptions, replicas: [(any Replica)?],
      store: any ReplicaStore, superblock: Superblock, diskUse: DiskUse, tokens: TokenTable?, peerSecret: [UInt8]?,
      version: String,
      seed: UInt64, now: Instant,
      wallSeconds: UInt64
    ) {
      self.shard = shard
      self.shards = shards
      self.state = state
      self.options = options
      self.replicas = replicas
      self.store = store
      self.superblock = superblock
      self.diskUse = diskUse
      self.tokens = tokens
      self.peerSecret = peerSecret
      self.version = version
      self.seed = seed
      self.now = now
      self.wallSeconds = wallSeconds
    }
  }

  let shard: Int
  let shards: Int
  let options: HostOptions
  let tokens: TokenTable?
  let peerSecret: [UInt8]?
  let version: String
  let startedAt: Instant
  package internal(set) var state: NodeState
  let replicas: [(any Replica)?]
  let owned: [Int]
  let store: any ReplicaStore
  var superblock: Superblock
  var random: SeededRandom

  package var effects = Effects()
  package var now: Instant
  package var wallSeconds: UInt64

  // The peers.
  var peers: [Peer] = []
  var served = NumberTable<ServedLink>()
  /// Why nodes were turned away last.
  var refusedPeers: [NodeID: PeerRefusal] = [:]
  var nextHeartbeat = Instant.zero
  var nextSweep = Instant.zero
  /// The joint epoch for which this node's floor is raised; of the first thread.
  var floorEpoch: UInt32 = 0
  /// It was no member any more when this life began.
  let startedRemoved: Bool
  /// A change of membership, as far as this thread has to do with it.
  var change = MembershipChange()
  var positionsChanged = false
  var nextPositionsWrite = Instant.zero

  // The clients.
  var sessions = NumberTable<Session>()
  let counters = SessionCounters()
  var operations = OperationTable()
  var listings: [UInt64: ListingAcross] = [:]
  var nextListing: UInt64 = 1
  var isDraining = false
  private var operationSequence: UInt64 = 0

  // What is to be done in this turn. Queues, because a replica must not be stepped from inside of its own step.
  var requests: [QueuedRequest] = []
  var listRequests: [(partition: Int, ListRequest)] = []
  var cancels: [(partition: Int, token: UInt64)] = []
  private var toSelf: [(partition: Int, message: Range<Int>)] = []
  /// The messages of `toSelf`.
  private var toSelfBytes: [UInt8] = []
  private var replies: [(token: UInt64, outcome: Outcome)] = []
  private var listReplies: [(token: UInt64, ListPage?)] = []
  private var changeAnswers: [(ExchangeID, ChangeAnswer)] = []
  private var outbox = Outbox()

  private var held = HeldMessages()
  /// Room for what a peer's messages are about, while they are looked through.
  var approached: [(partition: Int, hash: UInt64)] = []

  var otherShards: [Int: ShardStatistics] = [:]
  var superblockWrites = SuperblockWrites()
  var diskUse: DiskUse
  var scrub = ScrubStatus()

  package init(_ setup: Setup) {
    shard = setup.shard
    shards = setup.shards
    options = setup.options
    tokens = setup.tokens
    peerSecret = setup.peerSecret
    version = setup.version
    startedAt = setup.now
    state = setup.state
    startedRemoved = setup.state.formation == .removed
    replicas = setup.replicas
    owned = setup.replicas.indices.filter { setup.replicas[$0] != nil }
    store = setup.store
    superblock = setup.superblock
    diskUse = setup.diskUse
    random = SeededRandom(seed: setup.seed)
    now = setup.now
    wallSeconds = setup.wallSeconds
    operations = OperationTable(shard: shard)
    for member in state.configuration.members where member.id != state.node {
      peers.append(Peer(id: member.id, address: member.address, redial: options.redialFirst))
    }
    if peers.isEmpty { formAlone() }
  }

  package var isServing: Bool { state.formation.isServing }

  func shard(ofPartition partition: Int) -> Int { partition % shards }

  /// R7: unique for ever: the boot number is persisted, and each shard counts in its own residue class.
  package func makeOperationID() -> OperationID {
    operationSequence += 1
    return OperationID(
      node: state.node, boot: state.boot, sequence: operationSequence * UInt64(shards) + UInt64(shard))
  }

  // MARK: - A turn

  /// Brings everything that has come to its end, as far as it gets without the disk and the peers.
  ///
  /// `isGathering`: the driver knows that more may be waiting and will end another turn at once. Then nothing leaves
  /// for the disk and the peers yet, so that they are troubled once with all of it; unless it is much already.
  package func endTurn(isGathering: Bool = false) {
    runQueues()
    for partition in owned where replicas[partition]!.nextTick <= now { step(partition, .tick) }
    runQueues()
    if now >= nextHeartbeat { heartbeat() }
    if now >= nextSweep { sweep() }
    runQueues()
    if isGathering && peers.allSatisfy({ $0.output.count < Peer.frameBytes }) { return }
    commit()
    for peer in peers where peer.output.count > 0 {
      if let connection = peer.connection { effects.touched.append(connection) }
    }
  }

  /// When the next turn is due even if nothing comes.
  package var nextTurn: Instant {
    var next = min(nextHeartbeat, nextSweep)
    for partition in owned { next = min(next, replicas[partition]!.nextTick) }
    return next
  }

  func finishLater(_ token: UInt64, _ outcome: Outcome) { replies.append((token, outcome)) }

  func finishLater(list token: UInt64) { listReplies.append((token, nil)) }

  func finishLater(change exchange: ExchangeID, _ answer: ChangeAnswer) { changeAnswers.append((exchange, answer)) }

  private func runQueues() {
    while true {
      if !requests.isEmpty {
        var batch = requests.takeAll()
        approach(batch)
        for place in batch.indices {
          run(batch[place].partition, .request(batch[place].request.take()!))
        }
        carryOut()
        requests.reuse(&batch)
      } else if !listRequests.isEmpty {
        let batch = listRequests
        listRequests = []
        for (partition, request) in batch { run(partition, .list(request)) }
        carryOut()
      } else if !cancels.isEmpty {
        let batch = cancels
        cancels = []
        for (partition, token) in batch { run(partition, .cancel(token: token)) }
        carryOut()
      } else if !toSelf.isEmpty {
        var batch = toSelf.takeAll()
        var bytes = toSelfBytes.takeAll()
        for (partition, message) in batch {
          run(partition, .message(from: state.node, ByteReader(bytes, in: message)))
        }
        toSelf.reuse(&batch)
        if bytes.capacity <= Self.fullOutboxBytes { toSelfBytes.reuse(&bytes) }
        carryOut()
      } else if !replies.isEmpty {
        var batch = replies.takeAll()
        for place in batch.indices {
          if place + 1 < batch.count, let session = operations.session(of: batch[place + 1].token) { approach(session) }
          finish(batch[place].token, batch[place].outcome)
        }
        replies.reuse(&batch)
      } else if !listReplies.isEmpty {
        let batch = listReplies
        listReplies = []
        for (token, page) in batch { finish(list: token, page) }
      } else if !changeAnswers.isEmpty {
        let batch = changeAnswers
        changeAnswers = []
        for (exchange, answer) in batch { finish(change: exchange, answer) }
      } else {
        return
      }
    }
  }

  private func approach(_ batch: [QueuedRequest]) {
    // A single one would only wait here instead.
    guard batch.count > 1 else { return }
    // Part by part: a request that is passed on has all its parts retained.
    for place in batch.indices { replicas[batch[place].partition]?.approach(batch[place].hash, .place) }
    for place in batch.indices { replicas[batch[place].partition]?.approach(batch[place].hash, .record) }
    for place in batch.indices { replicas[batch[place].partition]?.approach(batch[place].hash, .whole) }
  }

  /// Steps the partition's replica, and has done what it wants done.
  func step(_ partition: Int, _ event: consuming Event) {
    run(partition, event)
    carryOut()
  }

  /// Steps the partition's replica; of many in a row. ``carryOut()`` must follow before anything else is done.
  func run(_ partition: Int, _ event: consuming Event) {
    guard let replica = replicas[partition] else { return }
    outbox.partition = partition
    outbox.openTicket = store.openTicket
    outbox.setDurable(store.durableTicket)
    replica.step(event, now: now, into: &outbox)
    if outbox.arena.count >= Self.fullOutboxBytes { carryOut() }
  }

  /// Room for messages is kept, so it must not grow with the number of events that come at once.
  private static let fullOutboxBytes = 1 << 18

  /// Has done what the steps since the last time want done.
  func carryOut() { carryOut(&outbox) }

  /// One access to the outbox for all of it.
  private func carryOut(_ outbox: inout Outbox) {
    let durable = store.durableTicket
    for record in outbox.writes { store.markDirty(partition: record.partition, index: record.index) }
    for send in outbox.sends {
      // R3: the one place where a message is held back for its write.
      if send.after.number <= durable || !Guard.hostHoldsBack.isIn {
        emit(to: send.to, send.partition, outbox.arena.bytes, send.message)
      } else {
        held.append(
          outbox.arena.bytes, send.message, to: send.to, partition: send.partition, ticket: send.after.number)
      }
    }
    if let configuration = outbox.configuration { followLog(configuration) }
    if let floor = outbox.floorWanted { raiseFloor(to: floor) }
    if let counter = outbox.reserveWanted { raiseReserve(to: counter) }
    for record in outbox.reads { read(record.partition, record.index) }
    for partition in outbox.crowded {
      replicas[partition]?.evict { store.isSettled(partition: partition, index: $0) }
    }
    for reply in outbox.replies { replies.append((reply.token, reply.outcome)) }
    for reply in outbox.listReplies { listReplies.append((reply.token, reply.page)) }
    outbox.removeAll()
  }

  private func emit(to node: NodeID, _ partition: Int, _ bytes: [UInt8], _ range: Range<Int>) {
    if node == state.node {
      let start = toSelfBytes.count
      bytes.withUnsafeBytes { toSelfBytes.append(copying: UnsafeRawBufferPointer(rebasing: $0[range])) }
      toSelf.append((partition, start..<toSelfBytes.count))
    } else if node == .recorder {
      effects.trace += bytes[range] + [UInt8(ascii: "\n")]
    } else if let place = peers.firstIndex(where: { $0.id == node }) {
      peers[place].append(bytes, range, partition: partition, maximumQueueBytes: options.maximumPeerQueueBytes)
    }
  }

  func peer(_ id: NodeID) -> Peer? {
    for place in peers.indices where peers[place].id == id { return peers[place] }
    return nil
  }

  // MARK: - The disk

  /// One journal append and one sync for everything that was written since the last (group commit).
  private func commit() {
    if let batch = store.sealIfPossible() { submit(batch) }
    if let batch = store.nextFlushBatch() { submit(batch) }
    if let batch = superblockWrites.next(&superblock) { submit(batch) }
  }

  private func submit(_ batch: DeviceBatch) {
    var batch = batch
    batch.shard = shard
    diskUse.note(batch)
    effects.batches.append(batch)
  }

  package func completed(_ completion: DeviceCompletion) {
    if let failure = completion.failure {
      // A failed sync is never retried: the kernel may have dropped the pages, and a second one would succeed over the
      // loss.
      effects.fatal =
        "the disk failed: \(failure.operation): \(failure.reason). This node has stopped acknowledging. "
        + "Mend the disk or make room, and start it again; nothing that was acknowledged is lost."
      return
    }
    let (isSuperblock, written) = superblockWrites.completed(completion)
    if isSuperblock {
      if let written { stateIsDurable(written) }
      return
    }
    store.completed(completion)
    held.release(upTo: store.durableTicket) { node, partition, bytes, range in emit(to: node, partition, bytes, range) }
  }

  private func read(_ partition: Int, _ record: UInt32) {
    guard var read = store.read(partition: partition, index: record) else {
      invariantFailed("a value is neither in memory nor in the table")
    }
    read.shard = shard
    effects.reads.append(read)
  }

  /// What was read of the table has come. Reads overtake writes: whether it is still what was wanted is for the replica
  /// to tell.
  package func completed(_ read: DeviceReadCompletion) {
    let partition = Int(read.token >> 32)
    let found = store.record(in: read.bytes, partition: partition)
    step(
      partition,
      .loaded(
        record: UInt32(read.token & 0xFFFF_FFFF), found.map { StoredRecord(key: $0.key, payload: $0.payload) }))
  }

  // MARK: - The other threads

  package func received(_ message: ShardMessage) {
    switch message {
    case .request(let partition, let request):
      requests.append(QueuedRequest(partition: partition, hash: request.operation.key.hash, request: request))
    case .list(let partition, let request): listRequests.append((partition, request))
    case .cancel(let partition, let token): cancels.append((partition, token))
    case .outcome(let token, let outcome): replies.append((token, outcome))
    case .page(let token, let page): listReplies.append((token, page))
    case .peerMessage(let partition, let from, let bytes):
      if isServing { step(partition, .message(from: from, ByteReader(bytes))) }
    case .pong(let from, let body): pong(from, body)
    case .state(let new): adopt(new)
    case .configuration(let configuration): install(configuration)
    case .followLog(let configuration): followLog(configuration)
    case .raiseFloor(let floor): raiseFloor(to: floor)
    case .raiseReserve(let counter): raiseReserve(to: counter)
    case .suspect(let finding): examine(finding)
    case .scrubbed(let event): scrub.note(event)
    case .guest(let id, let address): admit(id, address)
    case .change(let wanted, let asker): changeMembers(wanted, for: asker)
    case .changeAnswer(let exchange, let answer): finishLater(change: exchange, answer)
    case .carryOver(let epoch): carryOwn(epoch: epoch)
    case .position(let name, let position): note(name, position)
    case .statistics(let shard, let statistics):
      otherShards[shard] = statistics
      var others = RequestCounts()
      for (_, other) in otherShards { others += other.requests }
      counters.others = others
    }
  }
}

/// Its request is taken out when its turn comes, and nil from then on: what is only looked at has all its parts
/// retained. (And an initializer of its own would copy it.)
struct QueuedRequest {
  let partition: Int
  /// Of its key.
  let hash: UInt64
  var request: Request?
}
