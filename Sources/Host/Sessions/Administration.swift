import Base
import Replica
import Wire

/// The pages about the node itself (CONTRACT §1, Administration). Each function writes one whole answer and returns its
/// status.
enum Administration {
  static let help: StaticString = """
    synod: every key is a linearizable register.

      curl -X PUT --data-binary world  http://HOST:PORT/v1/kv/hello       201 {"revision":1}, ETag: "1"
      curl -i http://HOST:PORT/v1/kv/hello                                world
      curl -X PUT -H 'If-Match: "1"' --data-binary moon  http://HOST:PORT/v1/kv/hello
      curl -X PUT -H 'If-None-Match: *' --data-binary 1  http://HOST:PORT/v1/kv/new
      curl -X POST 'http://HOST:PORT/v1/kv/hits?add=1'                    also max=N, min=N, append
      curl -H 'If-None-Match: "2"' 'http://HOST:PORT/v1/kv/hello?wait=30s'
      curl 'http://HOST:PORT/v1/kv?prefix=h&limit=10&values'
      curl -X DELETE http://HOST:PORT/v1/kv/hello
      curl http://HOST:PORT/readyz?verbose                                also /livez /metrics /v1/status /v1/members
      printf 'PUT foo bar\\nGET foo\\n' | nc -N HOST PORT                   the line protocol

    """

  /// What may be asked of a page besides its path.
  static func checkQuery(_ request: HTTPRequest, _ resource: Resource) throws(HTTPFault) -> Bool {
    guard request.query != nil else { return false }
    let query = try Query(request.query)
    guard resource == .ready else {
      try query.check(onlyOnce: [])
      return false
    }
    try query.check(onlyOnce: ["verbose"])
    return query["verbose"] != nil
  }

  static func live(_ exchange: HTTPExchange, _ date: HTTPDate, _ writer: inout ResponseWriter) -> Int {
    writer.begin(200, exchange, date)
    writer.end(.text, "ok\n")
    return 200
  }

  static func help(_ exchange: HTTPExchange, _ date: HTTPDate, _ writer: inout ResponseWriter) -> Int {
    writer.begin(200, exchange, date)
    writer.end(.text, help)
    return 200
  }

  static func ready(
    _ status: NodeStatus, verbose: Bool, _ exchange: HTTPExchange, _ date: HTTPDate, _ writer: inout ResponseWriter
  ) -> Int {
    let code = status.isReady ? 200 : 503
    writer.begin(code, exchange, date)
    if !status.isReady { writer.field("Retry-After", 1) }
    if verbose {
      writer.end(.text, checks(status))
    } else if status.isReady {
      writer.end(.text, "ok\n")
    } else {
      var detail: [UInt8] = []
      for problem in status.problems {
        if !detail.isEmpty { detail.append("; ") }
        detail.append(contentsOf: problem.utf8)
      }
      if detail.isEmpty { detail.append("no quorum answers") }
      writer.end(Problem(503, .notApplied, detail: detail))
    }
    return code
  }

  /// A line for each check, `[+]` passed, `[-]` failed, and what came of them all.
  private static func checks(_ status: NodeStatus) -> [UInt8] {
    var text: [UInt8] = []
    text.append("[+] serving\n")
    text.append(status.isReady ? "[+] quorum\n" : "[-] quorum\n")
    for problem in status.problems {
      text.append("[-] ")
      text.append(contentsOf: problem.utf8)
      text.append("\n")
    }
    for peer in status.peers {
      text.append(peer.isReachable ? "[+] peer " : "[-] peer ")
      Decimal.append(UInt64(peer.id.value), to: &text)
      text.append(" ")
      text.append(contentsOf: peer.address)
      if !peer.isReachable, !peer.problem.isEmpty {
        text.append(": ")
        text.append(contentsOf: peer.problem.utf8)
      }
      text.append("\n")
    }
    text.append(status.isReady ? "ready\n" : "not ready\n")
    return text
  }

  static func status(
    _ status: NodeStatus, _ exchange: HTTPExchange, _ date: HTTPDate, _ writer: inout ResponseWriter
  ) -> Int {
    var json = JSONObject()
    json.add("version", text: status.version)
    json.add("node", UInt64(status.node.value))
    json.add("backend", text: status.backend)
    if let cluster = status.cluster { json.add("cluster", text: cluster) } else { json.addNull("cluster") }
    json.add("ready", status.isReady)
    json.name("problems")
    json.bytes.append(UInt8(ascii: "["))
    for (index, problem) in status.problems.enumerated() {
      if index > 0 { json.bytes.append(UInt8(ascii: ",")) }
      JSONText.appendString(Array(problem.utf8), to: &json.bytes)
    }
    json.bytes.append(UInt8(ascii: "]"))
    json.add("epoch", UInt64(status.configuration.epoch))
    json.name("phase")
    json.bytes.append(status.configuration.isJoint ? "\"joint\"" : "\"stable\"")
    json.name("members")
    MembersAnswer.append(status.configuration.members, to: &json.bytes)
    json.name("peers")
    append(status.peers, to: &json.bytes)
    json.add("registers", status.replica.registers)
    json.add("records", status.replica.records)
    json.name("storage")
    var storage = JSONObject()
    storage.add("journal_bytes", status.storage.journalBytes)
    storage.add("table_bytes", status.storage.tableBytes)
    storage.add("written_bytes", status.storage.bytesWritten)
    storage.add("syncs", status.storage.syncs)
    storage.add("journal_position", status.storage.journalPosition)
    json.bytes.append(contentsOf: storage.finish())
    json.name("replica")
    var replica = JSONObject()
    replica.add("operations", status.replica.operations)
    replica.add("prepares", status.replica.prepares)
    replica.add("accepts", status.replica.accepts)
    replica.add("quorum_reads", status.replica.quorumReads)
    replica.add("conflicts", status.replica.conflicts)
    replica.add("forwards", status.replica.forwards)
    replica.add("pending", status.replica.pending)
    json.bytes.append(contentsOf: replica.finish())
    if let collecting = status.replica.collecting {
      json.name("collecting")
      var collector = JSONObject()
      collector.add("waiting", collecting.waiting)
      collector.add("erased", collecting.erased)
      collector.add("paused", collecting.isPaused)
      json.bytes.append(contentsOf: collector.finish())
    }
    if let catchingUp = status.replica.catchingUp {
      json.name("catching_up")
      var caughtUp = JSONObject()
      caughtUp.add("behind", optional: status.behind)
      caughtUp.add("caught_up", catchingUp.caughtUp)
      caughtUp.add("relayed", catchingUp.relayed)
      caughtUp.add("relayed_bytes", catchingUp.relayedBytes)
      caughtUp.add("compared_bytes", catchingUp.comparedBytes)
      caughtUp.add("rounds", catchingUp.rounds)
      json.bytes.append(contentsOf: caughtUp.finish())
    }
    if status.backend == "register" {
      json.name("damage")
      var damage = JSONObject()
      damage.add("records", status.replica.damaged)
      damage.add("healed", status.replica.healed)
      json.bytes.append(contentsOf: damage.finish())
    }
    if let cache = status.replica.cache {
      json.name("cache")
      var values = JSONObject()
      values.add("bytes", cache.bytes)
      values.add("hits", cache.hits)
      values.add("misses", cache.misses)
      json.bytes.append(contentsOf: values.finish())
    }
    if let log = status.replica.log {
      json.name("raft")
      json.bytes.append(contentsOf: raft(log))
    }
    json.add("threads", UInt64(status.threads))
    json.add("sessions", UInt64(status.sessions))
    json.add("operations_under_way", UInt64(status.operationsUnderWay))
    json.add("uptime_ms", status.uptimeMilliseconds)
    json.add("boot", status.bootNumber)
    writer.begin(200, exchange, date)
    writer.end(.json, json.finish())
    return 200
  }

  /// `leader`: 0 while none is known.
  private static func raft(_ log: LogStatistics) -> [UInt8] {
    var json = JSONObject()
    json.add("term", log.term)
    json.add("leader", UInt64(log.leader?.value ?? 0))
    json.add("is_leader", log.isLeader)
    json.add("first_index", log.firstIndex)
    json.add("last_index", log.lastIndex)
    json.add("commit_index", log.commitIndex)
    json.add("applied_index", log.appliedIndex)
    json.add("snapshot_index", log.snapshotIndex)
    json.add("snapshot_bytes", log.snapshotBytes)
    json.add("log_bytes", log.logBytes)
    json.add("recovering", log.isRecovering)
    return json.finish()
  }

  private static func append(_ peers: [NodeStatus.Peer], to body: inout [UInt8]) {
    body.append(UInt8(ascii: "["))
    for (index, peer) in peers.enumerated() {
      if index > 0 { body.append(UInt8(ascii: ",")) }
      var json = JSONObject()
      json.add("id", UInt64(peer.id.value))
      json.add("address", bytes: peer.address)
      json.add("reachable", peer.isReachable)
      json.add("last_heard_ms", optional: peer.lastHeardMilliseconds)
      json.add("round_trip_us", optional: peer.roundTripMicroseconds)
      json.add("problem", text: peer.problem)
      json.add("queued_bytes", peer.queuedBytes)
      json.add("behind", optional: peer.behind)
      json.add("compared_ms", optional: peer.comparedMilliseconds)
      body.append(contentsOf: json.finish())
    }
    body.append(UInt8(ascii: "]"))
  }
}
