import Base
import Host
import RaftLog

/// The scenarios of the log: those of the registers, as far as they mean something here, and its own. The first is the
/// default.
package enum RaftScenarios {
  package static let all: [Scenario] = [
    chaos, calm, crashes, network, weather, hotKey, gathering, disks, damage, storageReplaced, repeats, elections,
    lateAnswers, oldLeaders, snapshots, members, walk, replacedLeaders,
  ]

  /// The same faults and clients.
  private static func onLog(_ scenario: Scenario, mustOccur: [Occurrences.Kind]) -> Scenario {
    var scenario = scenario
    scenario.partitions = 1
    scenario.mix.backend = .raft
    // Members do not change.
    scenario.mix.weights.removeAll { $0.kind == .nextEpoch }
    scenario.mustOccur = mustOccur
    return scenario
  }

  package static let chaos = onLog(
    RegisterScenarios.chaos,
    mustOccur: [
      .powerLoss, .processKill, .pause, .cut, .weatherChanged, .elected, .deposed, .splitVote, .logConflict,
      .entryReplaced, .snapshotTaken, .snapshotInstalled, .forwarded, .quorumRead, .unknown, .replayed,
      .unsyncedWriteLost, .settledDead, .settledApplied,
    ])

  package static let calm = onLog(
    RegisterScenarios.calm,
    mustOccur: [.applied, .observed, .conditionFailed, .forwarded, .quorumRead, .listed, .waited, .snapshotTaken])

  package static let crashes = onLog(
    RegisterScenarios.crashes,
    mustOccur: [
      .powerLoss, .processKill, .crashInRecovery, .unsyncedWriteLost, .elected, .entryReplaced, .neverAnswered,
    ])

  package static let network = onLog(
    RegisterScenarios.network,
    mustOccur: [.cut, .clog, .pause, .linkBroken, .deposed, .logConflict, .notApplied, .unknown, .forwarded])

  package static let weather = onLog(
    RegisterScenarios.weather,
    mustOccur: [.messageLost, .messageDoubled, .messageDelayed, .logConflict, .forwarded])

  package static let hotKey: Scenario = {
    var scenario = RegisterScenarios.hotKey
    // Whatever a lost leader had in hand is unknown all at once, and the checker must try each order of it: of 16
    // clients, one run in some hundreds needed more memory than it has.
    scenario.workload.clients = 12
    return onLog(scenario, mustOccur: [.settledForgotten, .unknown, .retried, .replayed, .snapshotTaken])
  }()

  package static let gathering = onLog(
    RegisterScenarios.gathering,
    mustOccur: [
      .turnGathered, .powerLoss, .processKill, .unsyncedWriteLost, .elected, .deposed, .logConflict, .forwarded,
    ])

  package static let disks = onLog(
    RegisterScenarios.disks,
    mustOccur: [.failedSync, .fullDisk, .nodeStoppedItself, .snapshotTaken, .unsyncedWriteLost])

  package static let damage: Scenario = {
    var scenario = Scenario(
      "damage",
      "bits of a minority's files are inverted and sectors lost while it is down, among crashes and cuts: it gets its "
        + "log back from the others, and has no vote until then",
      FaultMix(
        [
          (.bitFlip, 14), (.badSector, 8), (.powerLoss, 4), (.processKill, 2), (.isolate, 3), (.split, 3), (.clog, 3),
          (.pause, 2), (.weather, 2), (.crashInRecovery, 2),
        ], from: 6, to: 16, shortest: 700, longest: 2000))
    scenario.nodes = [3, 5, 5]
    // So few that much of the log has lain for a while when it is damaged.
    scenario.workload.clients = 5
    scenario.workload.longestPause = 60
    scenario.raft.snapshotLogEntries = 200
    return onLog(
      scenario,
      mustOccur: [
        .bitFlip, .badSector, .logDamaged, .logHealed, .snapshotInstalled, .crashInRecovery, .elected, .deposed,
      ])
  }()

  package static let storageReplaced = onLog(
    RegisterScenarios.storageReplaced, mustOccur: [.oldCopy, .lostFolder, .nodeWasRefused])

  package static let repeats = onLog(
    RegisterScenarios.repeats, mustOccur: [.retried, .replayed, .settledApplied, .settledDead, .unknown])

  package static let elections: Scenario = {
    var scenario = Scenario(
      "elections",
      "nodes are cut off, stopped and killed again and again: one leader a term, and none that lacks a "
        + "committed entry (§5.2, §5.4.1)",
      FaultMix(
        [(.isolate, 10), (.split, 6), (.pause, 8), (.processKill, 6), (.powerLoss, 6), (.weather, 4), (.cut, 6)],
        from: 16, to: 40, longest: 700))
    scenario.raft.electionTimeout = 60
    scenario.raft.heartbeat = 15
    return onLog(scenario, mustOccur: [.elected, .deposed, .splitVote, .logConflict, .entryReplaced, .unknown])
  }()

  package static let lateAnswers: Scenario = {
    var scenario = Scenario(
      "late-answers",
      "what followers answer is under way for longer than an election takes: an old leader hears them "
        + "when there is a new one (6.4)",
      FaultMix([(.clog, 14), (.cut, 8), (.isolate, 5), (.split, 5), (.pause, 3)], from: 16, to: 40, longest: 900))
    scenario.nodes = [3]
    scenario.raft.electionTimeout = 60
    scenario.raft.heartbeat = 15
    scenario.workload.reads = 50
    scenario.workload.keys = 1
    scenario.workload.clients = 8
    scenario.workload.longestPause = 8
    return onLog(scenario, mustOccur: [.clog, .elected, .deposed, .quorumRead, .observed])
  }()

  package static let oldLeaders: Scenario = {
    var scenario = Scenario(
      "old-leaders", "leaders are cut off while they append, and lead again before what they left is gone (§5.4.2)",
      FaultMix([(.isolate, 10), (.split, 10), (.powerLoss, 8), (.clog, 6)], from: 20, to: 40, longest: 400))
    scenario.nodes = [5]
    scenario.workload.longestPause = 8
    scenario.workload.reads = 15
    scenario.raft.electionTimeout = 50
    scenario.raft.heartbeat = 12
    return onLog(scenario, mustOccur: [.elected, .deposed, .logConflict, .entryReplaced, .powerLoss])
  }()

  package static let snapshots: Scenario = {
    var scenario = Scenario(
      "snapshots",
      "followers are away until the log has forgotten what they need, and crash while they are sent the "
        + "state (§7)",
      FaultMix(
        [(.isolate, 8), (.processKill, 6), (.powerLoss, 8), (.weather, 4), (.slowDisk, 4), (.crashInRecovery, 3)],
        from: 8, to: 24, longest: 1200))
    scenario.workload.keys = 20
    scenario.workload.valueBytes = 400
    scenario.workload.longestPause = 6
    scenario.workload.clients = 8
    scenario.raft.snapshotLogEntries = 40
    scenario.raft.retainedLogEntries = 4
    return onLog(scenario, mustOccur: [.snapshotTaken, .snapshotInstalled, .unsyncedWriteLost, .deposed])
  }()

  /// What the log takes its time for is in proportion to the rest.
  private static func changing(_ scenario: Scenario, mustOccur: [Occurrences.Kind]) -> Scenario {
    var scenario = scenario
    scenario.raft.electionTimeout = 80
    scenario.raft.heartbeat = 20
    scenario.raft.catchUpTimeout = 600
    scenario.raft.leavingTimeout = 400
    return onLog(scenario, mustOccur: mustOccur)
  }

  package static let members = changing(
    RegisterScenarios.members,
    mustOccur: [
      .membersWanted, .membersChanged, .memberLeft, .membershipChanged, .leaderRemoved, .snapshotInstalled, .elected,
      .deposed,
    ])

  package static let walk = changing(
    RegisterScenarios.walk, mustOccur: [.membersChanged, .memberLeft, .membershipChanged, .leaderRemoved])

  package static let replacedLeaders: Scenario = {
    var scenario = Scenario(
      "replaced-leaders",
      "members are replaced while leaders are cut off with what they have appended: what decides is the configuration "
        + "of the log (4.1, 4.3)",
      FaultMix(
        [(.isolate, 24), (.split, 8), (.clog, 8), (.cut, 6), (.powerLoss, 5)], from: 30, to: 45, shortest: 200,
        longest: 700))
    scenario.nodes = [3]
    // Half of the steps add nobody: a leader that is alone begins them at once.
    scenario.walk = [4, 3, 5, 4, 3, 5, 4, 3, 4, 3, 5, 4, 3, 4, 3]
    scenario.newcomers = 9
    scenario.wishPause = (5, 40)
    scenario.wishRest = 150
    scenario.wishCopies = 4
    scenario.workload.keys = 4
    scenario.workload.longestPause = 8
    scenario.milliseconds = 9000
    scenario = changing(
      scenario,
      mustOccur: [
        .membersChanged, .membershipChanged, .jointInherited, .leaderRemoved, .entryReplaced, .deposed,
      ])
    // Long enough for one that is cut off to append what nobody else hears of.
    scenario.raft.electionTimeout = 150
    return scenario
  }()
}
