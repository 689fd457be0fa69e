import Base
import Register
import Replica

/// Watches a cluster from outside, independent of the proposers: what was sent, what the disks held then, which cells
/// were chosen.
final class Monitor {
  struct Accept {
    let bytes: [UInt8]
    let cell: Cell
    /// The ballot of the accepted cell from which the proposer started.
    let parent: Ballot
    var voters: Set<Int> = []
  }

  struct Change {
    let id: OperationID
    let effect: Effect
  }

  private struct Attempt: Hashable {
    let proposer: Int
    let attempt: UInt64
  }

  private struct Base: Hashable {
    let key: [UInt8]
    let ballot: Ballot
  }

  private let members: Int
  private(set) var failures: [String] = []
  private(set) var accepts: [[UInt8]: [Ballot: Accept]] = [:]
  private var keyOfAttempt: [Attempt: [UInt8]] = [:]
  private var bases: [Base: Ballot] = [:]

  init(members: Int) { self.members = members }

  func fail(_ text: String) { failures.append(text) }

  // MARK: - What happens

  /// A node has made a step; its outbox still names the records it changed.
  func stepped(_ index: Int, _ node: Cluster.Node) {
    for number in node.outbox.writes.map(\.index) {
      let record = node.replica.acceptor.table[Int(number)]
      if record.accepted > record.promised { fail("node \(index) accepted above its promise") }
      if record.accepted != .zero { saw(record.key.bytes, record.accepted, record.cell) }
    }
  }

  /// One cell per ballot and key (R1).
  private func saw(_ key: [UInt8], _ ballot: Ballot, _ bytes: [UInt8]) {
    if let known = accepts[key]?[ballot] {
      if known.bytes != bytes { fail("two cells at ballot \(ballot)") }
      return
    }
    // A base that no promise told of is the proposer's own last accept, whose `next` this ballot is (R5).
    let previous =
      ballot.counter == 0
      ? Ballot.zero
      : Ballot(epoch: ballot.epoch, counter: ballot.counter - 1, node: ballot.node, boot: ballot.boot)
    let parent = bases[Base(key: key, ballot: ballot)] ?? previous
    if parent != .zero && accepts[key]?[parent] == nil {
      fail("ballot \(ballot) starts from \(parent), which is unknown")
    }
    guard let cell = try? Cell.decode(bytes) else { return fail("a cell that does not decode at \(ballot)") }
    accepts[key, default: [:]][ballot] = Accept(bytes: bytes, cell: cell, parent: parent)
  }

  func emitted(_ envelope: Cluster.Envelope, by node: Cluster.Node) {
    let asked = Attempt(proposer: envelope.to, attempt: envelope.message.attempt)
    let asking = Attempt(proposer: envelope.from, attempt: envelope.message.attempt)
    switch envelope.message {
    case .prepare(_, _, let key), .read(_, _, let key): keyOfAttempt[asking] = key
    case .accept(_, let ballot, _, _, let key, let cell):
      keyOfAttempt[asking] = key
      saw(key, ballot, cell)
    case .promise(_, let ballot, _, _, _):
      guard let key = keyOfAttempt[asked] else { return fail("a promise that no one asked for") }
      if disk(node, key).promised < ballot { fail("a promise left before it was durable (R3)") }
    case .accepted(_, let ballot):
      guard let key = keyOfAttempt[asked] else { return fail("an accept that no one asked for") }
      if disk(node, key).accepted < ballot { fail("an accept was answered before it was durable (R3)") }
      accepts[key]?[ballot]?.voters.insert(envelope.from)
    case .readReply(_, let accepted):
      guard let key = keyOfAttempt[asked] else { return }
      if disk(node, key).accepted < accepted { fail("a read was answered from what was not durable (R3)") }
    case .relay(_, _, let ballot, _, let key, let cell): saw(key, ballot, cell)
    case .conflict, .stale, .forward, .forwardReply, .list, .listReply, .erase, .compare, .differing, .holdings, .want:
      break
    }
  }

  func delivered(_ envelope: Cluster.Envelope) {
    guard case .promise(let attempt, let ballot, let accepted, _, _) = envelope.message,
      let key = keyOfAttempt[Attempt(proposer: envelope.to, attempt: attempt)], accepts[key]?[ballot] == nil
    else { return }
    let base = Base(key: key, ballot: ballot)
    bases[base] = max(bases[base] ?? .zero, accepted)
  }

  func written(_ key: [UInt8], over old: [UInt8]?, _ new: [UInt8]) {
    let before = Self.ballots(old)
    let after = Self.ballots(new)
    if after.promised < before.promised { fail("a durable promise fell") }
    if after.accepted < before.accepted { fail("a durable accept fell") }
    if after.accepted > after.promised { fail("accepted above promised on a disk") }
  }

  private func disk(_ node: Cluster.Node, _ key: [UInt8]) -> (promised: Ballot, accepted: Ballot) {
    Self.ballots(node.disk[key])
  }

  private static func ballots(_ payload: [UInt8]?) -> (promised: Ballot, accepted: Ballot) {
    guard let payload else { return (.zero, .zero) }
    var reader = ByteReader(payload)
    guard let promised = try? Ballot(from: &reader), let accepted = try? Ballot(from: &reader) else {
      return (.zero, .zero)
    }
    return (promised, accepted)
  }

  // MARK: - What came of it

  func isChosen(_ accept: Accept) -> Bool { 2 * accept.voters.count > members }

  /// The changes that made the highest chosen cell, by revision from 1 on, and the cells on the way; every chosen
  /// cell must be one of these.
  func chain(_ key: [UInt8]) -> (changes: [Change], cells: [Accept]) {
    let all = accepts[key] ?? [:]
    let chosen = all.filter { isChosen($0.value) }.keys.sorted()
    var path: [Ballot] = []
    var ballot = chosen.last ?? .zero
    while ballot != .zero, let accept = all[ballot] {
      path.append(ballot)
      if accept.parent >= ballot {
        fail("ballot \(ballot) starts from a higher one")
        break
      }
      ballot = accept.parent
    }
    path.reverse()
    for ballot in chosen where !path.contains(ballot) { fail("ballot \(ballot) was chosen and is not in the chain") }
    var changes: [Change] = []
    for ballot in path {
      guard let cell = all[ballot]?.cell else { continue }
      let revision = Int(cell.revision)
      let first = revision - cell.window.count
      guard revision >= changes.count, first <= changes.count else {
        fail(
          "the cell at \(ballot) has revision \(revision) and a window of \(cell.window.count) after \(changes.count)")
        continue
      }
      for (place, entry) in cell.window.enumerated() {
        if first + place < changes.count {
          if changes[first + place].id != entry.id { fail("the window at \(ballot) contradicts the chain") }
        } else {
          changes.append(Change(id: entry.id, effect: entry.effect))
        }
      }
    }
    return (changes, path.compactMap { all[$0] })
  }
}

extension Message {
  var attempt: UInt64 {
    switch self {
    case .prepare(let attempt, _, _), .accept(let attempt, _, _, _, _, _), .read(let attempt, _, _),
      .promise(let attempt, _, _, _, _), .accepted(let attempt, _), .conflict(let attempt, _, _),
      .readReply(let attempt, _), .stale(let attempt, _), .forward(let attempt, _, _, _, _, _),
      .forwardReply(let attempt, _, _), .list(let attempt, _, _, _, _), .listReply(let attempt, _, _),
      .erase(let attempt, _, _, _), .compare(let attempt, _, _, _, _), .differing(let attempt, _),
      .holdings(let attempt, _, _, _), .want(let attempt, _, _), .relay(let attempt, _, _, _, _, _):
      attempt
    }
  }
}
