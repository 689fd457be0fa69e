package import Base
import Glibc
package import Host
package import Linux
package import Replica
package import Storage

/// What a node tells while it runs.
package enum NodeEvent: Sendable {
  /// The cluster is formed and this node serves.
  case serving
  case notice(String)
  /// The port is open and the data folder read; the peers are being looked for.
  case listening(records: Int, journalEntries: Int)
  /// A thread cannot go on; the process must end.
  case failed(String)
}

/// Why a node does not start, or stopped. One line for the operator.
package struct NodeError: Error, Sendable {
  package let message: String
  package init(_ message: String) { self.message = message }
}

/// What a node is started with.
package struct NodeOptions: Sendable {
  package var id: NodeID
  /// Where clients connect.
  package var listen: HostPort
  /// The first members' peer addresses, this node's own among them; empty where the data folder knows.
  package var peers: [(id: NodeID, address: HostPort)]
  /// Of a node that is to be added, in place of `peers`.
  package var joining: Joining?
  package var dataFolder: String
  package var backend: NodeState.Backend
  package var threads = 1
  package var partitions = 16
  package var host = HostOptions()
  package var storage = StorageOptions()
  package var log = LogOptions()
  /// How fast the tables are read in the background to find damage; 0: only when somebody asks for it.
  package var scrubBytesPerSecond: UInt64 = 1 << 20
  package var tokens: TokenTable?
  package var peerSecret: [UInt8]?
  package var version: String
  /// Where each step is written for the checker of `Proofs/`; nil: nowhere.
  package var traceFile: String?

  package init(
    id: NodeID, listen: HostPort, peers: [(id: NodeID, address: HostPort)], dataFolder: String,
    backend: NodeState.Backend, version: String
  ) {
    self.id = id
    self.listen = listen
    self.peers = peers
    self.dataFolder = dataFolder
    self.backend = backend
    self.version = version
  }
}

/// What a node that is to be added is told of its cluster.
package struct Joining: Sendable {
  /// Where its peers will reach it.
  package var address: HostPort
  /// The epoch and the members as a node of the cluster tells them; asked for only where the data folder does not know.
  package var members: @Sendable () throws(NodeError) -> (epoch: UInt32, members: [(id: NodeID, address: HostPort)])

  package init(
    address: HostPort,
    members: @escaping @Sendable () throws(NodeError) -> (epoch: UInt32, members: [(id: NodeID, address: HostPort)])
  ) {
    self.address = address
    self.members = members
  }
}

/// A node as a process: its data folder, its recovery, its threads.
package enum Node {
  /// The replicas of a node, by what they want kept.
  package enum Replicas {
    /// One for each partition.
    case records([any Replica & RecordHolder])
    /// One for all keys.
    case log(any Replica & LogHolder)
  }

  /// Makes the replicas. Called on start-up, before any thread runs.
  package typealias MakeReplicas = (NodeState, _ seed: UInt64, _ startedAt: Instant) -> Replicas

  /// Runs the node on this thread and `threads - 1` others, until SIGTERM or SIGINT; returns when it has shut down
  /// cleanly.
  ///
  /// - Throws: what keeps it from starting or going on. Nothing that was acknowledged is harmed by it.
  package static func run(
    _ options: NodeOptions, makeReplicas: MakeReplicas, report: @escaping @Sendable (NodeEvent) -> Void
  ) throws(NodeError) {
    do {
      try start(options, makeReplicas: makeReplicas, report: report)
    } catch let error as NodeError {
      throw error
    } catch let error as SystemError {
      throw NodeError(error.description)
    } catch let error as StorageError {
      throw NodeError(error.description)
    } catch let error as DeviceError {
      throw NodeError("\(error.operation) failed: \(error.reason)")
    } catch {
      throw NodeError("\(error)")
    }
  }

  private static func start(
    _ options: NodeOptions, makeReplicas: MakeReplicas, report: @escaping @Sendable (NodeEvent) -> Void
  ) throws {
    // Before any thread starts: they inherit what is blocked.
    let signals = SignalSource(try SignalSet([SIGTERM, SIGINT]))
    OpenFileLimit.raise()
    var mailboxes: [Mailbox<LoopMessage>] = []
    for _ in 0..<options.threads { mailboxes.append(try Mailbox()) }
    let device = try FileDevice(
      folder: options.dataFolder,
      completion: { [mailboxes] shard, completion in mailboxes[shard].post(.disk(completion)) },
      readCompletion: { [mailboxes] shard, completion in mailboxes[shard].post(.read(completion)) })
    var (state, superblock) = try loadState(options, device)
    let peerAddress = try ownPeerAddress(state)
    // Ports before recovery: a port that is taken is found before a long start, and before anything is written.
    let clientListeners = try listeners(options)
    let peerListener = try Listener(at: peerAddress)

    // R2: durable before any ballot of this life is used; in both copies, so that no bad sector brings the last boot
    // back.
    state.boot += 1
    for _ in 0..<2 { try device.perform(superblock.nextChanges(state.encoded())) }
    let recovered = try recover(
      makeReplicas(state, Entropy.word(), MonotonicClock.now()), state, options, device, report)

    var traceFile: TraceFile?
    if let path = options.traceFile { traceFile = try TraceFile(path) }
    let sizes = try fileSizes(device)
    let scrubber = try startScrubber(options, device, mailboxes, partitions: state.partitions)
    defer { scrubber?.stop() }
    var setups: [Host.Setup] = []
    for shard in 0..<options.threads {
      setups.append(
        Host.Setup(
          shard: shard, shards: options.threads, state: state, options: options.host,
          replicas: recovered.replicas.enumerated().map { $0.offset % options.threads == shard ? $0.element : nil },
          store: recovered.stores[shard], superblock: superblock,
          diskUse: DiskUse(sizes: sizes.filter { shardOwning($0.key, options.threads) == shard }),
          tokens: options.tokens, peerSecret: options.peerSecret, version: options.version, seed: Entropy.word(),
          now: MonotonicClock.now(), wallSeconds: UInt64(max(0, WallClock.seconds()))))
    }
    for shard in 1..<max(1, options.threads) {
      let listener = clientListeners[shard]
      // Each setup is used by one thread only, from here on: its partitions, its journal, its sessions are nobody
      // else's.
      nonisolated(unsafe) let setup = setups[shard]
      _ = try OSThread(name: "loop \(shard)") { [mailboxes] in
        do {
          let loop = try EventLoop(
            shard: shard, host: Host(setup), device: device, mailboxes: mailboxes,
            clientListener: listener, peerListener: nil, signals: nil, traceFile: traceFile, scrubber: scrubber,
            report: report)
          if let reason = try loop.run() { report(.failed(reason)) }
        } catch {
          report(.failed("\(error)"))
        }
      }
    }
    let loop = try EventLoop(
      shard: 0, host: Host(setups[0]), device: device, mailboxes: mailboxes,
      clientListener: clientListeners[0], peerListener: peerListener, signals: signals, traceFile: traceFile,
      scrubber: scrubber, report: report)
    report(.listening(records: recovered.records, journalEntries: recovered.journalEntries))
    if let reason = try loop.run() { throw NodeError(reason) }
    device.close()
    // The process ends: to give millions of values back one by one before that would take seconds.
    _ = Unmanaged.passRetained(loop)
  }

  /// Of a log everything is read at the start, and again only when it is needed.
  private static func startScrubber(
    _ options: NodeOptions, _ device: FileDevice, _ mailboxes: [Mailbox<LoopMessage>], partitions: Int
  ) throws(SystemError) -> Scrubber? {
    guard options.backend == .register else { return nil }
    let scrubber = Scrubber(device, partitions: partitions, rate: options.scrubBytesPerSecond, mailboxes)
    _ = try OSThread(name: "scrub") { scrubber.run() }
    return scrubber
  }

  private struct Recovered {
    var replicas: [any Replica]
    /// By shard.
    var stores: [any ReplicaStore]
    var records: Int
    var journalEntries: Int
  }

  private static func recover(
    _ replicas: Replicas, _ state: NodeState, _ options: NodeOptions, _ device: FileDevice,
    _ report: (NodeEvent) -> Void
  ) throws -> Recovered {
    switch replicas {
    case .records(let replicas):
      let recovery = try RecordStore.recover(
        device: device, shards: options.threads, holders: replicas, options: options.storage,
        noted: state.ownPositions)
      try judgeDamage(recovery, report)
      return Recovered(
        replicas: replicas, stores: recovery.stores, records: recovery.records,
        journalEntries: recovery.journalEntries)
    case .log(let replica):
      let recovery = try LogStore.recover(
        device: device, holder: replica, options: options.log, noted: state.ownPositions[0] ?? 0)
      if let damage = recovery.damage { report(.notice(damage.notice)) }
      var stores: [any ReplicaStore] = [recovery.store]
      // The log belongs to the first thread; the others serve clients only.
      for _ in 1..<max(1, options.threads) { stores.append(NoStore()) }
      return Recovered(
        replicas: [replica], stores: stores, records: Int(replica.statistics.records),
        journalEntries: recovery.entries)
    }
  }

  // MARK: - The data folder

  private static func loadState(_ options: NodeOptions, _ device: FileDevice) throws -> (NodeState, Superblock) {
    guard let superblock = try Superblock.read(from: device) else {
      let others = try device.files()
      guard others.isEmpty else {
        throw NodeError(
          "\(options.dataFolder) holds synod's files but no superblock: its node cannot be trusted any more. "
            + "Replace the node: a new data folder, a new node id")
      }
      return (try newState(options), Superblock())
    }
    let state: NodeState
    do throws(DecodeError) {
      state = try NodeState(decoding: superblock.payload)
    } catch {
      throw NodeError("the superblock in \(options.dataFolder) was written by another version of synod")
    }
    guard state.node == options.id else {
      throw NodeError(
        "\(options.dataFolder) is the data folder of node \(state.node.value), not of node \(options.id.value): "
          + "give --id \(state.node.value), or another --data")
    }
    guard state.backend == options.backend else {
      throw NodeError(
        "\(options.dataFolder) belongs to the \(state.backend.name) backend: give --backend \(state.backend.name)")
    }
    if state.formation == .joining, options.joining != nil {
      // It has promised nothing yet, and members may have changed since.
      var again = try newState(options)
      again.incarnation = state.incarnation
      again.boot = state.boot
      return (again, superblock)
    }
    if state.formation == .guest, let joining = options.joining {
      var again = state
      again.address = Array(joining.address.description.utf8)
      return (again, superblock)
    }
    guard state.formation == .gathering, !options.peers.isEmpty else { return (state, superblock) }
    // Not formed yet: nothing was promised, so the list of first members may still be put right.
    var again = try newState(options)
    again.incarnation = state.incarnation
    again.boot = state.boot
    again.partitions = state.partitions
    return (again, superblock)
  }

  private static func newState(_ options: NodeOptions) throws(NodeError) -> NodeState {
    if let joining = options.joining { return try newState(options, joining) }
    guard !options.peers.isEmpty else {
      throw NodeError(
        "\(options.dataFolder) is new: name the first members with --peers 1=HOST:PORT,2=HOST:PORT,…, or a member of "
          + "the cluster that it is to join with --join HOST:PORT")
    }
    guard options.peers.contains(where: { $0.id == options.id }) else {
      throw NodeError("--peers does not name this node, \(options.id.value): give its own peer address too")
    }
    let members = options.peers.map {
      Member(id: $0.id, address: Array($0.address.description.utf8), incarnation: Incarnation(0), since: 0)
    }
    return NodeState(
      backend: options.backend, node: options.id, incarnation: Incarnation(Entropy.word()),
      partitions: options.backend == .raft ? 1 : options.partitions, first: Configuration(epoch: 0, stable: members))
  }

  /// A node that is to be added. The epoch is stable: whatever is heard from a member takes its place.
  private static func newState(_ options: NodeOptions, _ joining: Joining) throws(NodeError) -> NodeState {
    let (epoch, seeds) = try joining.members()
    let members = seeds.filter { $0.id != options.id }.map {
      Member(id: $0.id, address: Array($0.address.description.utf8), incarnation: Incarnation(0), since: 0)
    }
    guard members.count == seeds.count else {
      throw NodeError(
        "the cluster has a member \(options.id.value) already, with another data folder: bring that folder back, or "
          + "give this node another --id")
    }
    return NodeState(
      backend: options.backend, node: options.id, incarnation: Incarnation(Entropy.word()),
      partitions: options.backend == .raft ? 1 : options.partitions,
      joining: Configuration(epoch: epoch & ~1, stable: members), address: Array(joining.address.description.utf8))
  }

  private static func ownPeerAddress(_ state: NodeState) throws(NodeError) -> HostPort {
    guard let address = HostPort(String(decoding: state.ownAddress, as: UTF8.self)) else {
      throw NodeError("the configuration does not tell this node's own peer address")
    }
    return address
  }

  /// Records that were lost are healed by the others, as long as it is known which they are.
  private static func judgeDamage(_ recovery: Recovery, _ report: (NodeEvent) -> Void) throws(NodeError) {
    func place(_ record: DamagedRecord) -> String { "in table \(record.partition) at byte \(record.offset)" }
    if recovery.mended > 0 { report(.notice("\(recovery.mended) slots had one wrong bit each, which is put right")) }
    if let nameless = recovery.damaged.first(where: { $0.key == nil }) {
      throw NodeError(
        "a damaged record \(place(nameless)) does not tell its key any more, so nobody knows what this node has "
          + "promised. Nothing was changed. Replace this node: start another on a new folder with --join, then "
          + "synod members replace")
    }
    guard let first = recovery.damaged.first else { return }
    report(
      .notice(
        "\(recovery.damaged.count) damaged records, the first \(place(first)): register "
          + "\(String(decoding: first.key ?? [], as: UTF8.self)). This node says nothing of them until the others have "
          + "healed them"))
  }

  private static func fileSizes(_ device: FileDevice) throws -> [FileID: UInt64] {
    var sizes: [FileID: UInt64] = [:]
    for file in try device.files() { sizes[file] = try device.size(of: file) ?? 0 }
    return sizes
  }

  private static func shardOwning(_ file: FileID, _ shards: Int) -> Int {
    switch file {
    case .superblock, .log, .snapshot, .vote: 0
    case .journal(let number): number
    case .table(let partition): partition % shards
    }
  }

  /// One listener a thread, and the kernel spreads the connections.
  private static func listeners(_ options: NodeOptions) throws(SystemError) -> [Listener] {
    // Without SO_REUSEPORT first: with it, two nodes could share a port and neither would know.
    let first = try Listener(at: options.listen)
    guard options.threads > 1 else { return [first] }
    _ = consume first
    var listeners: [Listener] = []
    for _ in 0..<options.threads { listeners.append(try Listener(at: options.listen, reusePort: true)) }
    return listeners
  }
}
