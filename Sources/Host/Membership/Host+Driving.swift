import Base
import Replica

// Steps 2 to 4 of a change of members (PROTOCOL, Membership), by whichever member is there: the reachable one with the
// lowest id. Several at once do no harm; each works for itself, and the register of the configuration decides. A log
// does all of it by itself.
extension Host {
  private static let askAgainAfter: Milliseconds = 500

  /// With each heartbeat.
  func driveChange() {
    if state.configuration.isJoint && shards > 1 { shareStatistics() }
    guard shard == 0 else { return }
    answerChangesDue()
    guard state.backend == .register, state.formation == .complete, let replica = replicas[0] else { return }
    lookForChosen(replica)
    guard state.configuration.isJoint, isDriver, areMembersReady else { return }
    carryOver()
    guard isCarriedOver, !change.isAsking, change.nextAskAt <= now else { return }
    startAsking()
    submit(end: Configuration(after: state.configuration, abandoning: false))
  }

  /// Whoever put a new configuration into the register may have died before it told anyone. Most members have it in
  /// their records then.
  private func lookForChosen(_ replica: any Replica) {
    guard !change.isAsking, change.nextAskAt <= now, let proposed = replica.proposedConfiguration,
      proposed.epoch > state.configuration.epoch
    else { return }
    startAsking()
    submit(change: .look, .read, .always, deadline: now + 5000)
  }

  private func startAsking() {
    change.isAsking = true
    // With some jitter, so that members do not ask in step.
    change.nextAskAt = now + Milliseconds(Self.askAgainAfter.count + random.below(Self.askAgainAfter.count))
  }

  private var isDriver: Bool {
    for member in state.configuration.members {
      if member.id == state.node { return true }
      if let peer = peer(member.id), peer.isReachable, peer.epoch >= state.configuration.epoch { return false }
    }
    return false
  }

  /// Step 2: a majority of the old members and one of the new have installed the epoch, with the floors of the old.
  private var areMembersReady: Bool {
    let configuration = state.configuration
    guard Guard.listedBehindFence.isIn else { return true }
    var ready = BitSet()
    for (index, member) in configuration.members.enumerated() {
      let epoch = member.id == state.node ? floorEpoch : peer(member.id)?.floorEpoch ?? 0
      if epoch >= configuration.epoch { ready.insert(index) }
    }
    return configuration.isQuorum(ready)
  }

  /// Step 3, in all threads; a hint that may be repeated.
  private func carryOver() {
    let epoch = state.configuration.epoch
    for other in 1..<max(1, shards) { effects.posts.append((other, .carryOver(epoch: epoch))) }
    carryOwn(epoch: epoch)
  }

  func carryOwn(epoch: UInt32) {
    guard epoch == state.configuration.epoch else { return }
    for partition in owned where replicas[partition]!.statistics.carrying?.isDone != true {
      step(partition, .carryOver)
    }
  }

  private var isCarriedOver: Bool {
    let epoch = state.configuration.epoch
    for partition in owned where !Self.isDone(replicas[partition]!.statistics, epoch) { return false }
    for other in 1..<max(1, shards) {
      guard let statistics = otherShards[other], Self.isDone(statistics.replica, epoch) else { return false }
    }
    return true
  }

  private static func isDone(_ statistics: ReplicaStatistics, _ epoch: UInt32) -> Bool {
    guard let carrying = statistics.carrying else { return false }
    return carrying.epoch == epoch && carrying.isDone
  }

  /// How far the change has come that this node drives; nothing where it drives none.
  var ownProgress: ChangeProgress {
    if let log = logStatistics { return ChangeProgress(done: log.caughtUp, total: log.toCatchUp) }
    guard state.configuration.isJoint else { return ChangeProgress() }
    var sum = ReplicaStatistics()
    for partition in owned { sum += replicas[partition]!.statistics }
    for (_, other) in otherShards { sum += other.replica }
    guard let carrying = sum.carrying, carrying.carried > 0 || carrying.isDone else { return ChangeProgress() }
    // Registers that were made meanwhile are met too.
    return ChangeProgress(done: carrying.carried, total: max(carrying.total, carrying.carried))
  }

  /// As far as this node knows from anyone.
  var progress: ChangeProgress {
    var best = ownProgress
    for peer in peers where peer.epoch == state.configuration.epoch && peer.progress.total > 0 {
      if peer.progress.done > best.done || best.total == 0 { best = peer.progress }
    }
    return best
  }
}
