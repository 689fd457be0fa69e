import Base
import Linux

/// What a node counts over its life. Sums over nodes and processes.
package struct NodeCounters: Sendable, Equatable {
  /// Syncs of the data folder.
  package var syncs: UInt64 = 0
  /// Bytes handed to the data folder's files.
  package var writtenBytes: UInt64 = 0
  /// Messages to peers.
  package var messages: UInt64 = 0
  package var messageBytes: UInt64 = 0
  /// Rounds of registers, prepare and accept alike.
  package var rounds: UInt64 = 0

  static func += (a: inout NodeCounters, b: NodeCounters) {
    a.syncs += b.syncs
    a.writtenBytes += b.writtenBytes
    a.messages += b.messages
    a.messageBytes += b.messageBytes
    a.rounds += b.rounds
  }

  static func - (a: NodeCounters, b: NodeCounters) -> NodeCounters {
    var difference = a
    difference.syncs -= min(b.syncs, a.syncs)
    difference.writtenBytes -= min(b.writtenBytes, a.writtenBytes)
    difference.messages -= min(b.messages, a.messages)
    difference.messageBytes -= min(b.messageBytes, a.messageBytes)
    difference.rounds -= min(b.rounds, a.rounds)
    return difference
  }
}

/// All that is read of a cluster before and after a load, to tell what an operation costs.
package struct ClusterFigures: Sendable {
  package var counters = NodeCounters()
  package var processorSeconds = 0.0
  package var residentBytes: UInt64 = 0
  /// What the disk was given to write, by everybody on the machine; nil where the folder is on none.
  package var diskWrittenBytes: UInt64?

  static func - (a: ClusterFigures, b: ClusterFigures) -> ClusterFigures {
    var difference = a
    difference.counters = a.counters - b.counters
    difference.processorSeconds -= b.processorSeconds
    difference.diskWrittenBytes = nil
    if let before = b.diskWrittenBytes, let after = a.diskWrittenBytes {
      difference.diskWrittenBytes = after - min(before, after)
    }
    return difference
  }
}

extension Cluster {
  /// The sums over all nodes that run.
  package func figures() -> ClusterFigures {
    var sum = ClusterFigures()
    sum.diskWrittenBytes = BlockDevice(of: folder)?.writtenBytes
    for node in nodes {
      sum.counters += node.earlier
      guard let process = node.process else { continue }
      sum.counters += counters(node)
      guard let figures = ProcessFigures(pid: process.pid) else { continue }
      sum.processorSeconds += figures.processorSeconds
      sum.residentBytes += figures.residentBytes
    }
    return sum
  }

  /// Of the process that runs now; nothing where it does not answer.
  func counters(_ node: Node) -> NodeCounters {
    var counters = NodeCounters()
    guard node.process != nil, node.state == .running || node.state == .leaving,
      let page = HTTPProbe.get(node.http, "/metrics")
    else { return counters }
    let lines = String(decoding: page.body, as: UTF8.self).split(separator: "\n")
    /// The sum over all labels.
    func number(_ name: String) -> UInt64 {
      lines.reduce(0) { sum, line in
        guard line.hasPrefix(name), line.dropFirst(name.count).first.map({ $0 == " " || $0 == "{" }) == true else {
          return sum
        }
        return sum + (line.split(separator: " ").last.flatMap { Double($0) }.map { UInt64($0) } ?? 0)
      }
    }
    switch store {
    case .register, .raft:
      counters.syncs = number("synod_storage_syncs_total")
      counters.writtenBytes = number("synod_storage_written_bytes_total")
      counters.messages = number("synod_peer_messages_sent_total")
      counters.messageBytes = number("synod_peer_sent_bytes_total")
      counters.rounds = number("synod_prepares_total") + number("synod_accepts_total")
    case .etcd:
      counters.syncs = number("etcd_disk_wal_fsync_duration_seconds_count")
    }
    return counters
  }
}
