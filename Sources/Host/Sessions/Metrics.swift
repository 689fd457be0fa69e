import Base
import Replica
import Wire

/// `GET /metrics`: the Prometheus text format, version 0.0.4.
///
/// ```
/// # HELP name text LF  # TYPE name counter|gauge LF  name [ "{" label="value" "}" ] SP number LF
/// ```
struct Metrics {
  private var text: [UInt8] = []

  static func page(_ status: NodeStatus, _ requests: RequestCounts) -> [UInt8] {
    var metrics = Metrics()
    metrics.text.reserveCapacity(4096)
    metrics.add(requests)
    metrics.add(status)
    metrics.add(status.replica)
    metrics.add(status.storage)
    metrics.add(status.peers)
    return metrics.text
  }

  private mutating func add(_ requests: RequestCounts) {
    begin("synod_requests_total", "counter", "Answers of both protocols, by status.")
    for status in 100..<600 where requests.answers(status) > 0 {
      text.append("synod_requests_total{status=\"")
      Decimal.append(UInt64(status), to: &text)
      text.append("\"} ")
      Decimal.append(requests.answers(status), to: &text)
      text.append("\n")
    }
    counter("synod_line_requests_total", "Answers on connections that speak lines.", requests.lineAnswers)
    counter("synod_connections_total", "Client connections since the start.", requests.sessions)
  }

  private mutating func add(_ status: NodeStatus) {
    begin("synod_info", "gauge", "What this node is.")
    text.append("synod_info{node=\"")
    Decimal.append(UInt64(status.node.value), to: &text)
    text.append("\",")
    label("version", Array(status.version.utf8))
    text.append(",")
    label("backend", Array(status.backend.utf8))
    text.append("} 1\n")
    gauge("synod_ready", "1 while a quorum answers.", status.isReady ? 1 : 0)
    gauge("synod_uptime_milliseconds", "Since the process began.", status.uptimeMilliseconds)
    gauge("synod_boot_number", "How often this data folder was started.", status.bootNumber)
    gauge("synod_threads", "Event loops.", UInt64(status.threads))
    gauge("synod_connections", "Client connections that are open.", UInt64(status.sessions))
    gauge("synod_operations_under_way", "Operations not answered yet.", UInt64(status.operationsUnderWay))
    gauge("synod_epoch", "Of the configuration; odd while a change is under way.", UInt64(status.configuration.epoch))
    gauge("synod_members", "Voters of the configuration.", UInt64(status.configuration.members.count))
  }

  private mutating func add(_ replica: ReplicaStatistics) {
    gauge("synod_registers", "Registers that exist.", replica.registers)
    gauge("synod_records", "Records held, tombstones too.", replica.records)
    gauge("synod_pending", "Operations that the replica holds.", replica.pending)
    counter("synod_operations_total", "Changes, before folding.", replica.operations)
    counter("synod_prepares_total", "Prepare phases begun.", replica.prepares)
    counter("synod_accepts_total", "Accept phases begun.", replica.accepts)
    counter("synod_quorum_reads_total", "Reads of one round.", replica.quorumReads)
    counter("synod_conflicts_total", "Rounds that lost to a higher ballot.", replica.conflicts)
    counter("synod_forwards_total", "Operations sent on to another node.", replica.forwards)
    gauge("synod_damaged_records", "Records lost by the disk that abstain until they are healed.", replica.damaged)
    counter("synod_healed_records_total", "Damaged records that were healed since the start.", replica.healed)
    if let collecting = replica.collecting { add(collecting) }
    if let catchingUp = replica.catchingUp { add(catchingUp) }
    if let cache = replica.cache { add(cache) }
    if let log = replica.log { add(log) }
  }

  private mutating func add(_ collecting: CollectStatistics) {
    gauge("synod_tombstones_waiting", "Records without a value that are to be erased.", collecting.waiting)
    counter("synod_records_erased_total", "Records erased since the start.", collecting.erased)
    gauge(
      "synod_collector_paused", "1 while nothing is erased, for want of a member or in a change of members.",
      collecting.isPaused ? 1 : 0)
  }

  private mutating func add(_ catchingUp: CatchUpStatistics) {
    counter("synod_caught_up_total", "Registers that this node lacked and was given.", catchingUp.caughtUp)
    counter("synod_relayed_total", "Registers that this node gave to others that lacked them.", catchingUp.relayed)
    counter("synod_relayed_bytes_total", "Their bytes.", catchingUp.relayedBytes)
    counter(
      "synod_compared_bytes_total", "Bytes sent to find out what another member holds and this one lacks.",
      catchingUp.comparedBytes)
    counter("synod_catch_up_rounds_total", "Rounds where giving does not help.", catchingUp.rounds)
  }

  private mutating func add(_ cache: CacheStatistics) {
    gauge("synod_cache_bytes", "Values in memory that may be dropped.", cache.bytes)
    counter("synod_cache_hits_total", "Rounds and promises that found the value in memory.", cache.hits)
    counter("synod_cache_misses_total", "Rounds and promises that waited for a read of the disk.", cache.misses)
    counter("synod_cache_overtaken_total", "Reads that were overtaken by a write, and made again.", cache.overtaken)
  }

  private mutating func add(_ log: LogStatistics) {
    gauge("synod_raft_term", "The term that this node is in.", log.term)
    gauge("synod_raft_is_leader", "1 while this node leads.", log.isLeader ? 1 : 0)
    gauge("synod_raft_leader", "The node that leads; 0 while none is known.", UInt64(log.leader?.value ?? 0))
    gauge("synod_raft_log_first_index", "The oldest entry that is held.", log.firstIndex)
    gauge("synod_raft_log_last_index", "The newest entry.", log.lastIndex)
    gauge("synod_raft_commit_index", "The newest entry that is known to be committed.", log.commitIndex)
    gauge("synod_raft_applied_index", "The newest entry that is applied.", log.appliedIndex)
    gauge("synod_raft_snapshot_index", "The newest entry that a durable snapshot covers.", log.snapshotIndex)
    gauge("synod_raft_snapshot_bytes", "Size of that snapshot.", log.snapshotBytes)
    gauge("synod_raft_log_bytes", "Of the entries in memory.", log.logBytes)
    gauge(
      "synod_raft_recovering", "1 while this node has no vote, for its log was damaged and is fetched again.",
      log.isRecovering ? 1 : 0)
  }

  private mutating func add(_ storage: NodeStatus.Storage) {
    gauge("synod_journal_bytes", "Size of the journal.", storage.journalBytes)
    gauge("synod_table_bytes", "Size of the table.", storage.tableBytes)
    gauge("synod_journal_position", "Where the journal's next record goes.", storage.journalPosition)
    counter("synod_storage_written_bytes_total", "Bytes written to the data folder.", storage.bytesWritten)
    counter("synod_storage_syncs_total", "Syncs of the data folder.", storage.syncs)
  }

  private mutating func add(_ peers: [NodeStatus.Peer]) {
    guard !peers.isEmpty else { return }
    begin("synod_peer_reachable", "gauge", "1 while the peer answers, both ways.")
    for peer in peers { sample("synod_peer_reachable", peer, peer.isReachable ? 1 : 0) }
    begin("synod_peer_round_trip_microseconds", "gauge", "The last heartbeat's round trip.")
    for peer in peers {
      if let time = peer.roundTripMicroseconds { sample("synod_peer_round_trip_microseconds", peer, time) }
    }
    begin("synod_peer_behind", "gauge", "Registers that the peer holds and this node lacks; none: not compared yet.")
    for peer in peers { if let behind = peer.behind { sample("synod_peer_behind", peer, behind) } }
    begin("synod_peer_queued_bytes", "gauge", "Bytes that wait to be sent to the peer.")
    for peer in peers { sample("synod_peer_queued_bytes", peer, peer.queuedBytes) }
    begin("synod_peer_messages_sent_total", "counter", "Replica messages to the peer, by the thread that answers.")
    for peer in peers { sample("synod_peer_messages_sent_total", peer, peer.sentMessages) }
    begin("synod_peer_sent_bytes_total", "counter", "Their bytes.")
    for peer in peers { sample("synod_peer_sent_bytes_total", peer, peer.sentBytes) }
  }

  private mutating func begin(_ name: StaticString, _ type: StaticString, _ help: StaticString) {
    text.append("# HELP ")
    text.append(name)
    text.append(" ")
    text.append(help)
    text.append("\n# TYPE ")
    text.append(name)
    text.append(" ")
    text.append(type)
    text.append("\n")
  }

  private mutating func gauge(_ name: StaticString, _ help: StaticString, _ number: UInt64) {
    begin(name, "gauge", help)
    sample(name, number)
  }

  private mutating func counter(_ name: StaticString, _ help: StaticString, _ number: UInt64) {
    begin(name, "counter", help)
    sample(name, number)
  }

  private mutating func sample(_ name: StaticString, _ number: UInt64) {
    text.append(name)
    text.append(" ")
    Decimal.append(number, to: &text)
    text.append("\n")
  }

  private mutating func sample(_ name: StaticString, _ peer: NodeStatus.Peer, _ number: UInt64) {
    text.append(name)
    text.append("{peer=\"")
    Decimal.append(UInt64(peer.id.value), to: &text)
    text.append("\"} ")
    Decimal.append(number, to: &text)
    text.append("\n")
  }

  /// A label's value escapes the backslash, the quote and the line feed.
  private mutating func label(_ name: StaticString, _ value: [UInt8]) {
    text.append(name)
    text.append("=\"")
    for byte in value {
      switch byte {
      case 0x22, 0x5C:
        text.append(0x5C)
        text.append(byte)
      case 0x0A: text.append("\\n")
      default: text.append(byte)
      }
    }
    text.append("\"")
  }
}
