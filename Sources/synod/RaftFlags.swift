import Base
import RaftLog

/// What `serve` takes for a node that keeps a log.
enum RaftFlags {
  static func options(_ arguments: Arguments) throws(Failure) -> RaftOptions {
    var options = RaftOptions()
    if let time = try ServeVerb.duration(arguments, "heartbeat") { options.heartbeat = time }
    if let time = try ServeVerb.duration(arguments, "election-timeout") { options.electionTimeout = time }
    if let time = try ServeVerb.duration(arguments, "resend-after") { options.retry = time }
    guard options.heartbeat.count * 2 <= options.electionTimeout.count else {
      throw .usage("--election-timeout must be at least twice --heartbeat")
    }
    let most: UInt64 = 1 << 40
    if let bytes = try ServeVerb.number(arguments, "snapshot-log-bytes", 4096...most) {
      options.snapshotLogBytes = Int(bytes)
      options.maximumLogBytes = max(options.maximumLogBytes, 4 * Int(bytes))
    }
    if let count = try ServeVerb.number(arguments, "snapshot-log-entries", 1...most) {
      options.snapshotLogEntries = Int(count)
    }
    if let bytes = try ServeVerb.number(arguments, "retained-log-bytes", 0...most) {
      options.retainedLogBytes = Int(bytes)
    }
    if let count = try ServeVerb.number(arguments, "retained-log-entries", 0...most) {
      options.retainedLogEntries = Int(count)
    }
    switch arguments["lease-reads"] {
    case nil, "off": break
    case "on": options.leaseReads = true
    default: throw .usage("--lease-reads: on or off is wanted")
    }
    return options
  }
}
