import Base
package import Replica

/// A change of membership between the request and its first entry: who enters catches up first, without a vote (4.2.1).
struct Change {
  let joint: Configuration
  /// Who waits for the outcome.
  let origin: NodeID
  let attempt: UInt64
  let deadline: Instant
  var newcomers: [Newcomer]
  /// What they held when it was last looked at, and since when it was so.
  var held: UInt64 = 0
  var heldSince: Instant
}

/// Catches up in rounds: each one ends with what the leader's log held when it began. Who ends one in less than an
/// election timeout will not keep the others waiting (4.2.1).
struct Newcomer {
  let id: NodeID
  var target: UInt64
  var roundBeganAt: Instant
  /// The last round was ended in time, and the present one may yet be.
  var isReady = false
}

// Membership by joint consensus (4.3). The first entry of a change is the joint configuration, the second the stable
// one that follows, appended by whoever leads when the first is committed. Each is in force at a node from the moment
// when it appends it.
extension RaftReplica {
  // MARK: - What is in force

  /// Whether these members, by their places in the configuration, can decide.
  func isQuorum(_ votes: BitSet) -> Bool {
    if !Guard.onlyMembersCount.isIn, selfIndex == nil, leadership != nil {
      return 2 * (votes.count + 1) > configuration.members.count
    }
    return configuration.isQuorum(votes)
  }

  /// The latest configuration of the log may have become another.
  func takeUpConfiguration(_ outbox: inout Outbox) {
    let latest = Guard.configurationIsInForceAtOnce.isIn ? configurations.latest : configurations.at(commit)
    guard latest != configuration else { return }
    adopt(latest)
    if latest.epoch >= heardEpoch {
      heardEpoch = 0
      outbox.configuration = latest
    }
    refuseWithoutQuorum(&outbox)
  }

  /// The host knows more of the members than at the start: the cluster was formed, or this node, which is to be added,
  /// was told of it. What the log says counts for more.
  func configure(_ chosen: Configuration) {
    let isOfTheFirst = chosen.epoch == 0 && configuration.epoch == 0
    guard configurations.isBare, isOfTheFirst || log.lastIndex == 0 else { return }
    heardEpoch = chosen.epoch
    configurations.replaceFirst(by: chosen.beforeChange)
    adopt(chosen.beforeChange)
  }

  private func adopt(_ latest: Configuration) {
    let before = configuration
    setConfiguration(latest)
    // Where the places are the same, what was counted by them goes on.
    if before.members.elementsEqual(latest.members, by: { $0.id == $1.id }) { return }
    switch role {
    case .follower: break
    case .preCandidate, .candidate:
      // The votes were counted by places in the other configuration.
      role = .follower
    case .leader(let leadership): realign(leadership)
    }
  }

  func setConfiguration(_ latest: Configuration) {
    configuration = latest
    selfIndex = latest.index(of: node)
    noteReachable()
  }

  /// Puts what a leader knows of each node where the configuration in force has it.
  func realign(_ leadership: Leadership) {
    var aligned: ContiguousArray<Progress> = []
    for member in configuration.members {
      let known = leadership.place(of: member.id).map { leadership.progress[$0] }
      aligned.append(known ?? Progress(member.id, next: log.lastIndex + 1, heardAt: leadership.heartbeatAt))
    }
    for progress in leadership.progress where !configuration.names(progress.id) {
      if leadership.isLearner(progress.id) {
        aligned.append(progress)
      } else if case .snapshotting(let stream) = progress.state {
        machine.endImage(stream.image)
      }
    }
    leadership.progress = aligned
  }

  /// Appends a configuration, which is in force at once.
  private func appendConfiguration(
    _ next: Configuration, origin: NodeID, attempt: UInt64, _ leadership: Leadership, _ now: Instant,
    _ outbox: inout Outbox
  ) {
    if !next.isJoint { noteLeaving(leadership, from: configuration, to: next, now) }
    appendOwn(.configuration(next, origin: origin, attempt: attempt), leadership, &outbox)
    configurations.append(next, at: log.lastIndex)
    takeUpConfiguration(&outbox)
  }

  /// The configuration with which a cluster was formed, or one that an entry made or a snapshot holds.
  package var chosenConfiguration: Configuration? {
    let (index, configuration) = configurations.entry(at: commit)
    return index > 0 || configuration.epoch == 0 ? configuration : nil
  }

  // MARK: - A request

  /// The condition is held against the latest configuration, here and now: with one leader, who has it in its log, no
  /// round is needed. Refused while another change is under way.
  func takeUpChange(
    _ operation: Operation, by origin: NodeID, attempt: UInt64, until deadline: Instant, _ leadership: Leadership,
    _ now: Instant, _ outbox: inout Outbox
  ) {
    guard deadline > now else { return answerChange(.refused(.expired), origin, attempt, &outbox) }
    guard leadership.change == nil, case .put(let bytes) = operation.action,
      operation.condition.holds(revision: UInt64(configuration.epoch), value: configuration.encoded[...]),
      let asked = Configuration(encoded: bytes)
    else {
      return answerChange(conditionFailed, origin, attempt, &outbox)
    }
    if mayAbandon(to: asked) {
      return appendConfiguration(asked, origin: origin, attempt: attempt, leadership, now, &outbox)
    }
    guard asked.isChange(of: configuration) else { return answerChange(conditionFailed, origin, attempt, &outbox) }
    let newcomers = asked.members.filter { !configuration.names($0.id) }.map {
      Newcomer(id: $0.id, target: log.lastIndex, roundBeganAt: now)
    }
    // So much earlier that whoever waits hears of it.
    let margin = min(options.electionTimeout.count, (deadline.nanoseconds - now.nanoseconds) / 4_000_000)
    leadership.change = Change(
      joint: asked, origin: origin, attempt: attempt,
      deadline: Instant(nanoseconds: deadline.nanoseconds - margin * 1_000_000), newcomers: newcomers, heldSince: now)
    for newcomer in newcomers where leadership.place(of: newcomer.id) == nil {
      leadership.progress.append(Progress(newcomer.id, next: log.lastIndex + 1, heardAt: now))
    }
    leadership.leaving.removeAll { leaving in newcomers.contains { $0.id == leaving.id } }
    needsFlush = true
  }

  private var conditionFailed: Outcome {
    .conditionFailed(current: Versioned(revision: UInt64(configuration.epoch), value: configuration.encoded))
  }

  /// A change whose joint entry is not committed can be given up by the leader that appended it. Another one cannot
  /// know that the new set has not been put in force somewhere, and could go on by itself.
  private func mayAbandon(to asked: Configuration) -> Bool {
    configuration.isJoint && configurations.latestIndex > commit
      && log.term(at: configurations.latestIndex) == term
      && asked == Configuration(after: configuration, abandoning: true)
  }

  private func answerChange(_ outcome: Outcome, _ origin: NodeID, _ attempt: UInt64, _ outbox: inout Outbox) {
    if origin == node {
      resolve(attempt, outcome, &outbox)
    } else {
      send(.forwardReply(attempt: attempt, outcome), to: origin, after: .none, &outbox)
    }
  }

  // MARK: - On the way

  /// What a leader does for a change at the end of a turn.
  func continueChange(_ leadership: Leadership, _ now: Instant, _ outbox: inout Outbox) {
    guard configurations.latestIndex <= commit, knowsCommit else { return }
    if configuration.isJoint {
      // Whoever leads when the joint configuration is committed brings the change to its end.
      let next = Configuration(after: configuration, abandoning: false)
      appendConfiguration(next, origin: NodeID(0), attempt: 0, leadership, now, &outbox)
    } else if selfIndex == nil {
      retire(leadership, now, &outbox)
    } else if leadership.change != nil {
      // Only behind a change that is over.
      beginJointIfReady(leadership, now, &outbox)
    }
  }

  private func beginJointIfReady(_ leadership: Leadership, _ now: Instant, _ outbox: inout Outbox) {
    guard var change = leadership.change else { return }
    var allAreReady = true
    for place in change.newcomers.indices {
      guard let progress = leadership.place(of: change.newcomers[place].id).map({ leadership.progress[$0] }) else {
        continue
      }
      let isQuick = change.newcomers[place].roundBeganAt + options.electionTimeout >= now
      if progress.match >= change.newcomers[place].target {
        change.newcomers[place].isReady = isQuick
        change.newcomers[place].target = log.lastIndex
        change.newcomers[place].roundBeganAt = now
      } else if !isQuick {
        change.newcomers[place].isReady = false
      }
      let isHeard = progress.heardAt + options.electionTimeout > now
      allAreReady = allAreReady && change.newcomers[place].isReady && isHeard && progress.counts
    }
    leadership.change = change
    guard allAreReady, leadership.transfer == nil else { return }
    leadership.change = nil
    var next = change.joint
    if !Guard.jointComesBetween.isIn { next = Configuration(after: change.joint, abandoning: false) }
    appendConfiguration(next, origin: change.origin, attempt: change.attempt, leadership, now, &outbox)
  }

  /// A newcomer that does not catch up ends the change before it began. Whoever gets ahead, however slowly, has time
  /// until the request's deadline.
  func refuseStalledChange(_ leadership: Leadership, _ now: Instant, _ outbox: inout Outbox) {
    guard var change = leadership.change else { return }
    let held = caughtUp(change, leadership)
    if held != change.held || isInstalling(change, leadership, now) {
      change.held = held
      change.heldSince = now
      leadership.change = change
    }
    guard change.heldSince + options.catchUpTimeout <= now || change.deadline <= now else { return }
    leadership.change = nil
    realign(leadership)
    answerChange(.refused(.expired), change.origin, change.attempt, &outbox)
  }

  /// Entries that the newcomers hold; one that is on its way in a snapshot counts in part.
  private func caughtUp(_ change: Change, _ leadership: Leadership) -> UInt64 {
    var held: UInt64 = 0
    for newcomer in change.newcomers {
      guard let place = leadership.place(of: newcomer.id) else { continue }
      if case .snapshotting(let stream) = leadership.progress[place].state {
        held += stream.image.entriesRead
      } else {
        held += leadership.progress[place].match
      }
    }
    return held
  }

  /// Whether one of them has all of a snapshot, and is busy with it.
  private func isInstalling(_ change: Change, _ leadership: Leadership, _ now: Instant) -> Bool {
    change.newcomers.contains { newcomer in
      guard let place = leadership.place(of: newcomer.id),
        case .snapshotting(let stream) = leadership.progress[place].state
      else { return false }
      return stream.image.isAtEnd && leadership.progress[place].heardAt + options.electionTimeout > now
    }
  }

  func noteChange(in status: inout LogStatistics) {
    guard case .leader(let leadership) = role, let change = leadership.change else { return }
    status.toCatchUp = log.lastIndex * UInt64(change.newcomers.count)
    status.caughtUp = min(caughtUp(change, leadership), status.toCatchUp)
  }
}
