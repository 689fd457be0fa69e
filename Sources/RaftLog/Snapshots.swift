import Base
import Replica

/// An image on its way to this node's disk.
struct KeptImage {
  let image: Image
  /// As of the image's position.
  let configuration: Configuration
  /// Nil: of this node's own state; else the state that a leader sent, and that is installed once it is durable.
  let staged: StateMachine?
  /// The last piece was given to the store.
  var isGiven = false
}

/// A snapshot that arrives in parts.
struct IncomingSnapshot {
  let position: LogPosition
  /// The term of the leader that sends it: another leader may cut its parts otherwise.
  let term: UInt64
  let configuration: Configuration
  var next: UInt32 = 0
  var machine = StateMachine()
}

// Snapshots (§7): of this node's own state, so that the log can be trimmed, and of the leader's for a follower whose
// next entry the leader does not hold any more. Proposals go on meanwhile, and each step does a bounded part.
extension RaftReplica {
  // MARK: - Its own

  func beginSnapshotIfDue() {
    guard keeping == nil, applied > snapshot.index else { return }
    let entries = applied - snapshot.index
    let limit = max(options.snapshotLogBytes, machine.bytes / 2)
    // The part of the log below the snapshot is held for others, and does not count.
    let bytes = log.bytes - retainedBytes
    guard bytes >= limit || entries >= UInt64(options.snapshotLogEntries) else { return }
    imageSerial += 1
    let position = LogPosition(index: applied, term: Guard.snapshotNamesItsTerm.isIn ? appliedTerm : term)
    keeping = KeptImage(
      image: machine.beginImage(number: imageSerial, at: position), configuration: configurations.at(applied),
      staged: nil)
  }

  /// Forgets entries that the snapshot covers, but for what followers that are behind may still need, within limits.
  func trimLog() {
    let covered = min(snapshot.index, applied)
    guard log.base.index < covered else {
      retainedBytes = 0
      return
    }
    var lowest = log.base.index
    if case .leader(let leadership) = role {
      lowest = covered
      for member in leadership.progress.indices where leadership.progress[member].id != node {
        switch leadership.progress[member].state {
        case .probing, .replicating: lowest = min(lowest, leadership.progress[member].match)
        case .snapshotting(let stream): lowest = min(lowest, stream.image.position.index)
        }
      }
    }
    var end = max(lowest, log.base.index)
    var bytes = 0
    var index = covered
    // From the snapshot backwards, as much as may stay.
    while index > end {
      bytes += log[index].bytes
      if bytes > options.retainedLogBytes || covered - index >= UInt64(options.retainedLogEntries) {
        end = index
        break
      }
      index -= 1
    }
    log.trim(through: end)
    configurations.forget(through: end)
    retainedBytes = end == covered ? 0 : bytes
  }

  // MARK: - To a follower

  func beginStream(to member: Int, _ leadership: Leadership, _ now: Instant) {
    imageSerial += 1
    let position = LogPosition(index: applied, term: appliedTerm)
    let image = machine.beginImage(number: imageSerial, at: position)
    leadership.progress[member].state = .snapshotting(
      SnapshotStream(image, configurations.at(applied).encoded, now: now))
  }

  func sendPieces(to follower: NodeID, _ stream: SnapshotStream, _ outbox: inout Outbox) {
    while stream.sent < options.windowPieces {
      if stream.sent == stream.pieces.count {
        let isFirst = stream.first == 0 && stream.pieces.isEmpty
        guard !stream.image.isAtEnd || isFirst else { return }
        stream.pieces.append(machine.nextPiece(of: stream.image, maximumBytes: options.pieceBytes))
      }
      let isLast = stream.image.isAtEnd && stream.sent + 1 == stream.pieces.count
      send(
        .snapshot(
          position: stream.image.position, configuration: stream.configuration,
          number: stream.first + UInt32(stream.sent), isLast: isLast, piece: stream.pieces[stream.sent]),
        to: follower, after: .none, &outbox)
      stream.sent += 1
    }
  }

  /// An image costs memory: it is not kept for a follower that takes nothing of it.
  func dropIdleStreams(_ leadership: Leadership, _ now: Instant) {
    for member in leadership.progress.indices {
      guard case .snapshotting(let stream) = leadership.progress[member].state,
        stream.progressAt + options.streamTimeout <= now
      else { continue }
      machine.endImage(stream.image)
      leadership.progress[member].probe(from: leadership.progress[member].match + 1)
    }
  }

  func resend(_ stream: SnapshotStream, _ now: Instant) {
    stream.sent = 0
    stream.sentAt = now
    needsFlush = true
  }

  func snapshotReplied(
    _ member: Int, index: UInt64, next: UInt32, isInstalled: Bool, _ leadership: Leadership, _ now: Instant,
    _ outbox: inout Outbox
  ) {
    guard case .snapshotting(let stream) = leadership.progress[member].state, index == stream.image.position.index
    else { return }
    if isInstalled {
      machine.endImage(stream.image)
      leadership.progress[member].probe(from: index + 1)
      return appended(member, index, leadership, now, &outbox)
    }
    if next > stream.first {
      // The last part is kept until the follower says that it has installed the whole: asked again, it tells.
      let mayGo = stream.pieces.count - (stream.image.isAtEnd ? 1 : 0)
      let confirmed = Int(min(next - stream.first, UInt32(mayGo)))
      stream.pieces.removeFirst(confirmed)
      stream.sent = max(0, stream.sent - confirmed)
      stream.first += UInt32(confirmed)
      stream.progressAt = now
      stream.sentAt = now
      needsFlush = true
    } else if next == 0 && stream.first > 0 {
      // It knows nothing of the earlier parts (a restart): the stream begins anew, with a later image.
      machine.endImage(stream.image)
      beginStream(to: member, leadership, now)
      needsFlush = true
    }
  }

  // MARK: - From the leader

  func snapshotPiece(
    _ position: LogPosition, _ configuration: [UInt8], number: UInt32, isLast: Bool, _ piece: [UInt8], _ from: NodeID,
    _ now: Instant, _ outbox: inout Outbox
  ) {
    let ticket = outbox.ticket(ofEarlierWrite: logTicket)
    // What is committed here is in the log or in a durable snapshot already.
    if position.index <= commit {
      return send(
        .snapshotReply(index: position.index, next: 0, isInstalled: true), to: from, after: ticket, &outbox)
    }
    // A state that is about to be installed is of a committed entry, whoever sent it.
    if let keeping, keeping.staged != nil {
      if keeping.image.position != position { return }
      let isStored = Message.snapshotReply(index: position.index, next: .max, isInstalled: false)
      return send(isStored, to: from, after: ticket, &outbox)
    }
    if incoming?.position != position || incoming?.term != term { incoming = nil }
    if number == 0 && incoming == nil {
      guard let configuration = Configuration(encoded: configuration) else { return }
      incoming = IncomingSnapshot(position: position, term: term, configuration: configuration)
    }
    if let next = incoming?.next, next == number {
      do throws(DecodeError) {
        try incoming?.machine.load(piece)
        incoming?.next = number + 1
      } catch {
        incoming = nil
      }
    }
    let next = incoming?.next ?? 0
    send(.snapshotReply(index: position.index, next: next, isInstalled: false), to: from, after: ticket, &outbox)
    if isLast && next == number + 1 { keepIncoming() }
  }

  /// All of it is here: it is made durable before anything else is.
  private func keepIncoming() {
    guard var whole = incoming else { return }
    incoming = nil
    if let keeping { machine.endImage(keeping.image) }
    imageSerial += 1
    let image = whole.machine.beginImage(number: imageSerial, at: whole.position)
    keeping = KeptImage(image: image, configuration: whole.configuration, staged: whole.machine)
    needsFlush = true
  }

  /// The leader's snapshot is durable: it takes the place of this node's state, and of its log where that does not hold
  /// the same entry (§7).
  func install(_ now: Instant, _ outbox: inout Outbox) {
    isInstallDue = false
    guard let kept = keeping, var staged = kept.staged else { return }
    keeping = nil
    let position = kept.image.position
    guard position.index > commit else { return }
    staged.endImage(kept.image)
    machine = staged
    if log.term(at: position.index) == position.term {
      log.trim(through: position.index)
    } else {
      log.reset(to: position)
      configurations.truncate(from: position.index + 1)
      // The store is told that the gap in its log is meant.
      unsavedBase = position
      unsavedFrom = position.index + 1
      matched = 0
    }
    unsavedFrom = max(unsavedFrom, position.index + 1)
    logTicket = outbox.write(record: 0).number
    commit = position.index
    applied = position.index
    appliedTerm = position.term
    matched = max(matched, position.index)
    configurations.begin(at: position.index, with: kept.configuration)
    takeUpConfiguration(&outbox)
    decideBySnapshot(now, &outbox)
    decideEarlierTerms(before: position.term, now, &outbox)
    wakeAll(&outbox)
    answerReads(now, &outbox)
    if let leader, leader != node {
      send(
        .snapshotReply(index: position.index, next: 0, isInstalled: true), to: leader,
        after: outbox.ticket(ofEarlierWrite: logTicket), &outbox)
    }
    if case .leader = role { invariantFailed("a leader installed a snapshot above its own commit index") }
  }
}
