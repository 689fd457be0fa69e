import Base
import Replica
package import Storage

// What the node tells of itself.
extension Host {
  package func status() -> NodeStatus {
    var sum = ownStatistics
    for (_, other) in otherShards {
      sum.replica += other.replica
      sum.storage.journalBytes += other.storage.journalBytes
      sum.storage.tableBytes += other.storage.tableBytes
      sum.storage.bytesWritten += other.storage.bytesWritten
      sum.storage.syncs += other.storage.syncs
      sum.sessions += other.sessions
      sum.operations += other.operations
    }
    let problems = readinessProblems
    return NodeStatus(
      version: version, node: state.node, backend: state.backend.name,
      cluster: isServing ? Hexadecimal.text(state.cluster.prefix(16)) : nil, configuration: state.configuration,
      progress: progress, peers: peers.map { status(of: $0, sum.replica.catchingUp) }, isReady: problems.isEmpty,
      problems: problems,
      replica: sum.replica,
      storage: sum.storage, scrub: scrub,
      threads: shards, sessions: sum.sessions, operationsUnderWay: sum.operations,
      uptimeMilliseconds: now.milliseconds(since: startedAt), bootNumber: state.boot)
  }

  private func status(of peer: Peer, _ catchingUp: CatchUpStatistics?) -> NodeStatus.Peer {
    let held = catchingUp?.peers.first { $0.node == peer.id }
    return NodeStatus.Peer(
      id: peer.id, address: peer.address, isReachable: peer.isReachable,
      lastHeardMilliseconds: peer.heardAt.map { now.milliseconds(since: $0) },
      roundTripMicroseconds: peer.roundTripNanoseconds.map { $0 / 1000 }, problem: peer.problem,
      queuedBytes: UInt64(peer.unsentBytes), sentMessages: peer.sentMessages, sentBytes: peer.sentBytes,
      behind: held?.behind, comparedMilliseconds: held?.comparedAt.map { now.milliseconds(since: $0) })
  }

  /// What keeps the node from being ready; empty when a quorum answers.
  var readinessProblems: [String] {
    var problems: [String] = []
    switch state.formation {
    case .complete, .guest: break
    case .joining: problems.append("this node has not met the cluster that it is to join")
    case .removed: problems.append("this node is no member any more, and ends")
    case .gathering, .recorded:
      for peer in peers where peer.formation == .gathering || peer.cluster != state.cluster {
        problems.append("the cluster is not formed: waiting for node \(peer.id.value): \(peer.problem)")
      }
      if problems.isEmpty { problems.append("the cluster is not formed yet") }
    }
    var reachable = BitSet()
    for (index, member) in state.configuration.members.enumerated() {
      if member.id == state.node || peer(member.id)?.isReachable == true { reachable.insert(index) }
    }
    if !state.configuration.isQuorum(reachable) {
      let missing = peers.filter { !$0.isReachable }.map { "node \($0.id.value) (\($0.problem))" }
      var list = ""
      for (place, name) in missing.enumerated() { list += place == 0 ? name : ", " + name }
      problems.append("no quorum answers: missing \(list)")
    }
    if let log = logStatistics, log.leader == nil, problems.isEmpty { problems.append("no leader is elected yet") }
    if store.isStalled { problems.append("the journal is full and waits for the table to be written") }
    if isDraining { problems.append("the node is shutting down") }
    return problems
  }

  /// Of the replica that keeps a log, on this thread or, as last heard, on another.
  var logStatistics: LogStatistics? {
    for partition in owned { if let log = replicas[partition]!.statistics.log { return log } }
    for (_, other) in otherShards { if let log = other.replica.log { return log } }
    return nil
  }

  private var ownStatistics: ShardStatistics {
    var replica = ReplicaStatistics()
    for partition in owned { replica += replicas[partition]!.statistics }
    return ShardStatistics(
      replica: replica, storage: ownStorage, requests: counters.counts, sessions: sessions.count,
      operations: operations.count)
  }

  private var ownStorage: NodeStatus.Storage {
    var storage = NodeStatus.Storage()
    storage.journalBytes = diskUse.bytes { file in
      switch file {
      case .journal, .log: true
      case .superblock, .table, .snapshot, .vote: false
      }
    }
    storage.tableBytes = diskUse.bytes { file in
      switch file {
      case .table, .snapshot: true
      case .superblock, .journal, .log, .vote: false
      }
    }
    storage.bytesWritten = diskUse.bytesWritten
    storage.syncs = diskUse.syncs
    storage.journalPosition = store.position
    return storage
  }

  /// Other threads answer status requests too.
  func shareStatistics() {
    guard shards > 1 else { return }
    let message = ShardMessage.statistics(shard: shard, ownStatistics)
    for other in 0..<shards where other != shard { effects.posts.append((other, message)) }
  }
}

extension NodeStatus {
  /// Registers that this node lacks, by the member of which it lacks most; nil: not known of every one that answers, or
  /// none does.
  var behind: UInt64? {
    var most: UInt64?
    for peer in peers where configuration.index(of: peer.id) != nil && peer.isReachable {
      guard let behind = peer.behind else { return nil }
      most = max(most ?? 0, behind)
    }
    return configuration.members.count == 1 ? 0 : most
  }
}

/// How large this thread's files are, and what it has written.
package struct DiskUse: Sendable {
  private var sizes: [FileID: UInt64]
  private(set) var bytesWritten: UInt64 = 0
  private(set) var syncs: UInt64 = 0

  /// `sizes`: what the files of this thread measure at the start, in bytes.
  package init(sizes: [FileID: UInt64]) { self.sizes = sizes }

  mutating func note(_ batch: DeviceBatch) {
    syncs += 1
    for change in batch.changes {
      switch change {
      case .write(let file, let offset, let bytes):
        bytesWritten += UInt64(bytes.count)
        sizes[file] = max(sizes[file] ?? 0, offset + UInt64(bytes.count))
      case .preallocate(let file, let bytes): sizes[file] = max(sizes[file] ?? 0, bytes)
      case .truncate(let file, let bytes): sizes[file] = min(sizes[file] ?? 0, bytes)
      case .remove(let file): sizes[file] = nil
      }
    }
  }

  func bytes(_ isCounted: (FileID) -> Bool) -> UInt64 {
    var sum: UInt64 = 0
    for (file, size) in sizes where isCounted(file) { sum += size }
    return sum
  }
}
