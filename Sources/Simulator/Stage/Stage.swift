package import Base
import Replica
package import Storage

/// Somebody who sends or receives in a directed world, numbered from 0.
package enum Party: Equatable, Sendable {
  case node(Int)
  case client(Int)
}

/// One message on its way.
package struct Flight: Sendable {
  enum Route: Sendable {
    case peer(frame: [UInt8])
    case client(connection: UInt64, toDialler: Bool, bytes: [UInt8])
  }

  /// Unique in its world, and growing.
  package let number: UInt64
  package let from: Party
  package let to: Party
  package let sentAt: UInt64
  package internal(set) var arrivesAt: UInt64
  package let content: MessageContent
  /// The link was cut when it was sent: it gets half-way and is lost.
  package let meetsCut: Bool
  let route: Route
}

/// A message that nobody directs: heartbeats and greetings of the hosts.
package struct Beat: Sendable {
  package let from: Int
  package let to: Int
  package let sentAt: UInt64
  package let arrivesAt: UInt64
}

/// What happened in a directed world, for people.
package struct StageEvent: Sendable {
  package enum Fate: Sendable {
    case arrived
    /// Somebody took it out, or a snare of the script did.
    case dropped
    /// The link was cut.
    case cut
    /// Whom it was for does not run, or does not know the connection.
    case refused
  }

  package enum What: Sendable {
    case message(from: Party, to: Party, sentAt: UInt64, MessageContent, Fate)
    /// Something that became of a node, or of the whole (nil).
    case note(node: Int?, String)
  }

  package let at: UInt64
  package let what: What
}

/// Takes out the next messages of a kind between two parties; `accept:x`: of those, the ones about register x.
package struct Snare: Sendable {
  package var kind: String
  package var from: Party
  package var to: Party
  package var left: Int

  package init(kind: String, from: Party, to: Party, count: Int) {
    self.kind = kind
    self.from = from
    self.to = to
    left = count
  }

  func takes(_ flight: Flight) -> Bool {
    guard left > 0, from == flight.from, to == flight.to else { return false }
    let content = flight.content
    if kind == content.kind { return true }
    for (name, value) in content.fields where name == "register" { return kind == "\(content.kind):\(value)" }
    return false
  }
}

/// An operation that a client was told to do.
package struct StageOperation: Sendable {
  package let client: Int
  package let node: Int
  /// The position of its call in the history.
  package let call: Int
  package let invokedAt: UInt64
  package let id: [UInt8]?
  /// When the client stopped waiting, and had heard nothing.
  package internal(set) var abandonedAt: UInt64?
}

/// A sync that a disk is busy with.
package struct DiskWork: Sendable {
  package let lane: DeviceBatch.Lane
  package let beginsAt: UInt64
  package let endsAt: UInt64
  package let bytes: Int
}

/// What a directed world holds beside any other: each message by itself, so that it can be seen, dropped, delayed and
/// doubled, what was done to nodes, and what came of it all.
package final class Stage {
  package let rules: StageRules
  package internal(set) var flights: [Flight] = []
  package internal(set) var beats: [Beat] = []
  package internal(set) var log: [StageEvent] = []
  package internal(set) var operations: [StageOperation] = []
  package internal(set) var disks: [[DiskWork]]
  /// Of a node's log on its disk, by the batches that were written: position and payload, ascending.
  var entries: [[(position: LogPosition, payload: [UInt8])]]
  package var snares: [Snare] = []
  /// Requests that wait until their client is free.
  var waiting: [[StageRequest]]
  /// Nodes that are cut off from all others, and single directions that are cut.
  package internal(set) var isolated = BitSet()
  package internal(set) var cuts: [(from: Int, to: Int)] = []
  var nextFlight: UInt64 = 1
  var parts: [Part?]
  /// By node, as it was last noted.
  var memberships: [Membership]

  // Counted from the moment at which the counters were last set to zero.
  package internal(set) var messages: UInt64 = 0
  package internal(set) var heartbeats: UInt64 = 0
  package internal(set) var syncs: UInt64 = 0
  package internal(set) var bytesWritten: UInt64 = 0

  /// What a watcher notices about a node's part in a log.
  struct Part: Equatable {
    var term: UInt64
    var part: UInt8
  }

  /// And about the rest that goes for all of its registers at once.
  struct Membership: Equatable {
    var epoch: UInt32 = 0
    var floor = NodeFloor()
    /// Records that it has erased.
    var erased = 0
  }

  init(_ rules: StageRules) {
    self.rules = rules
    disks = Array(repeating: [], count: rules.allNodes)
    entries = Array(repeating: [], count: rules.allNodes)
    waiting = Array(repeating: [], count: rules.clients)
    parts = Array(repeating: nil, count: rules.allNodes)
    memberships = Array(repeating: Membership(), count: rules.allNodes)
  }

  func note(_ time: UInt64, node: Int? = nil, _ text: String) {
    log.append(StageEvent(at: time, what: .note(node: node, text)))
  }

  func note(_ time: UInt64, _ flight: Flight, _ fate: StageEvent.Fate) {
    log.append(
      StageEvent(
        at: time,
        what: .message(from: flight.from, to: flight.to, sentAt: flight.sentAt, flight.content, fate)))
  }

  // MARK: - Disks

  func submitted(_ node: Int, _ batch: DeviceBatch, from begins: UInt64, to ends: UInt64) {
    var bytes = 0
    for change in batch.changes {
      if case .write(_, _, let written) = change { bytes += written.count }
    }
    syncs += 1
    bytesWritten += UInt64(bytes)
    disks[node].append(DiskWork(lane: batch.lane, beginsAt: begins, endsAt: ends, bytes: bytes))
  }

  func completed(_ node: Int, _ batch: DeviceBatch) {
    if let place = disks[node].firstIndex(where: { $0.lane == batch.lane }) { disks[node].remove(at: place) }
    for change in batch.changes {
      guard case .write(.log, _, let bytes) = change else { continue }
      LogFrame.forEach(in: bytes) { frame in
        switch frame {
        case .hardState, .reach: break
        case .entry(let position, let payload):
          entries[node].removeAll { $0.position.index >= position.index }
          entries[node].append((position, Array(bytes[payload])))
        case .base: entries[node] = []
        }
      }
    }
  }

  /// The node runs anew: its log is what recovery has found.
  func recovered(_ node: Int, _ found: [(position: LogPosition, payload: [UInt8])]) {
    disks[node] = []
    entries[node] = found
    parts[node] = nil
  }
}
