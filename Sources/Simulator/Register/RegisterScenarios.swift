import Base

/// The scenarios of the register side. The first is the default: a little of everything.
package enum RegisterScenarios {
  package static let all: [Scenario] = [
    chaos, calm, crashes, network, weather, duel, hotKey, gathering, disks, damage, storageReplaced, epochs, repeats,
    comeback, members, walk, late, floors, acrossEpochs, erasure, erasureMembers, returning,
    catchingUp, catchingUpMembers, cold, coldMembers, coldDamage,
  ]

  package static let chaos: Scenario = {
    var scenario = Scenario(
      "chaos", "every fault that a cluster must survive, mixed",
      FaultMix(
        [
          (.powerLoss, 10), (.processKill, 10), (.powerLossOfAll, 1), (.pause, 8), (.cut, 10), (.split, 6),
          (.isolate, 6), (.clog, 6), (.weather, 10), (.slowDisk, 6), (.failedSync, 3), (.fullDisk, 2),
          (.wallClock, 3), (.crashInRecovery, 3), (.nextEpoch, 1),
        ], from: 4, to: 22))
    scenario.mustOccur = [
      .powerLoss, .processKill, .pause, .cut, .weatherChanged, .conflict, .forwarded, .unknown, .replayed, .folded,
      .quorumReadMixed, .minorityAcceptFound, .unsyncedWriteLost, .settledDead, .settledApplied,
    ]
    return scenario
  }()

  package static let calm: Scenario = {
    var scenario = Scenario("calm", "no fault at all: nothing may be refused or unknown", FaultMix([], from: 0, to: 0))
    scenario.workload.hasty = 0
    scenario.milliseconds = 2000
    scenario.mustOccur = [.applied, .observed, .conditionFailed, .oneRoundWrite, .quorumRead, .listed, .waited]
    return scenario
  }()

  package static let crashes: Scenario = {
    var scenario = Scenario(
      "crashes", "nodes lose power or die at any point between a write and its sync",
      FaultMix(
        [(.powerLoss, 10), (.processKill, 6), (.powerLossOfAll, 2), (.crashInRecovery, 4), (.slowDisk, 4)],
        from: 10, to: 40, longest: 500))
    scenario.workload.longestPause = 8
    scenario.mustOccur = [.powerLoss, .processKill, .crashInRecovery, .unsyncedWriteLost, .unknown, .neverAnswered]
    return scenario
  }()

  static let network: Scenario = {
    var scenario = Scenario(
      "network", "links are cut one way or both, clogged one by one, and nodes are paused",
      FaultMix([(.cut, 10), (.split, 8), (.isolate, 8), (.clog, 10), (.pause, 6)], from: 8, to: 30, longest: 900))
    scenario.mustOccur = [.cut, .clog, .pause, .linkBroken, .notApplied, .unknown, .forwarded, .minorityAcceptFound]
    return scenario
  }()

  static let weather: Scenario = {
    var scenario = Scenario(
      "weather", "messages are lost, doubled, and late one by one",
      FaultMix([(.weather, 10), (.clog, 2), (.processKill, 1)], from: 6, to: 14, longest: 3000))
    scenario.workload.clients = 8
    scenario.mustOccur = [.messageLost, .messageDoubled, .messageDelayed, .conflict, .minorityAcceptFound]
    return scenario
  }()

  static let duel: Scenario = {
    var scenario = Scenario(
      "duel", "many clients of every node on one register, over a bad network",
      FaultMix([(.weather, 8), (.cut, 6), (.isolate, 4), (.pause, 4), (.powerLoss, 2)], from: 6, to: 24, longest: 700))
    scenario.workload.clients = 10
    scenario.workload.keys = 1
    scenario.workload.wandering = 60
    scenario.workload.longestPause = 10
    scenario.mustOccur = [.conflict, .folded, .forwarded, .quorumReadMixed, .minorityAcceptFound, .oneRoundWrite]
    return scenario
  }()

  static let hotKey: Scenario = {
    var scenario = Scenario(
      "hot-key", "many clients on one register: folds, and more changes than a window names",
      FaultMix([(.powerLoss, 3), (.isolate, 4), (.weather, 4), (.slowDisk, 4)], from: 3, to: 10, longest: 600))
    scenario.workload.clients = 24
    scenario.workload.keys = 1
    scenario.workload.longestPause = 15
    scenario.workload.deletions = 4
    scenario.milliseconds = 2500
    scenario.mustOccur = [.folded, .settledForgotten, .unknown, .retried, .replayed]
    return scenario
  }()

  static let gathering: Scenario = {
    var scenario = Scenario(
      "gathering", "busy nodes gather much before it leaves for their disks and their peers, and crash meanwhile",
      FaultMix(
        [(.powerLoss, 10), (.processKill, 8), (.pause, 4), (.cut, 6), (.split, 3), (.weather, 4), (.slowDisk, 4)],
        from: 8, to: 30, longest: 600))
    scenario.gathers = true
    scenario.milliseconds = 3000
    scenario.workload.clients = 10
    scenario.workload.longestPause = 6
    scenario.mustOccur = [
      .turnGathered, .powerLoss, .processKill, .cut, .unsyncedWriteLost, .oneRoundWrite, .folded, .forwarded, .unknown,
    ]
    return scenario
  }()

  static let disks: Scenario = {
    var scenario = Scenario(
      "disks", "syncs fail, disks are full or slow, journals turn while nodes crash",
      FaultMix(
        [(.failedSync, 6), (.fullDisk, 4), (.slowDisk, 6), (.powerLoss, 8), (.processKill, 3), (.crashInRecovery, 5)],
        from: 8, to: 26, longest: 800))
    scenario.workload.keys = 12
    scenario.workload.valueBytes = 900
    scenario.workload.clients = 10
    scenario.workload.longestPause = 6
    scenario.mustOccur = [.failedSync, .fullDisk, .nodeStoppedItself, .journalTurned, .unsyncedWriteLost]
    return scenario
  }()

  static let damage: Scenario = {
    var scenario = Scenario(
      "damage",
      "bits of a node's files are inverted and sectors lost while it is down: it restores or heals, or does not speak",
      FaultMix([(.bitFlip, 10), (.badSector, 3), (.clog, 3)], from: 3, to: 3, shortest: 700, longest: 2000))
    scenario.nodes = [5]
    // More than the journal holds, so that there are records of which the table has the only copy.
    scenario.workload.keys = 60
    scenario.workload.valueBytes = 3000
    scenario.workload.clients = 10
    scenario.workload.longestPause = 8
    scenario.milliseconds = 4000
    scenario.reserveStep = 8
    scenario.mustOccur = [.bitFlip, .badSector, .nodeRefusedToStart, .recordDamaged, .recordHealed]
    return scenario
  }()

  static let storageReplaced: Scenario = {
    var scenario = Scenario(
      "storage-replaced", "a node comes back on an old copy of its folder, or on none: its peers refuse it (R12)",
      FaultMix([(.oldCopy, 10), (.lostFolder, 5)], from: 1, to: 1, shortest: 500, longest: 3000))
    // Peers hear of a node's position with each heartbeat: a copy that is younger than that cannot be told from it.
    scenario.workload.longestPause = 10
    scenario.mustOccur = [.oldCopy, .lostFolder, .nodeWasRefused]
    return scenario
  }()

  static let epochs: Scenario = {
    var scenario = Scenario(
      "epochs", "new epochs, with the same members, go from node to node under load (R11)",
      FaultMix([(.nextEpoch, 10), (.weather, 5), (.clog, 5), (.isolate, 3)], from: 3, to: 8, longest: 700))
    scenario.mustOccur = [.epochRaised, .staleRefused]
    return scenario
  }()

  static let comeback: Scenario = {
    var scenario = Scenario(
      "comeback",
      "a coordinator is cut off in the middle of a round, and comes back when its changes have left the window",
      FaultMix([(.isolate, 10), (.powerLoss, 1)], from: 5, to: 9, longest: 1500))
    scenario.nodes = [3]
    scenario.workload.keys = 1
    scenario.workload.clients = 8
    scenario.workload.longestPause = 6
    scenario.workload.reads = 12
    scenario.workload.named = 0
    scenario.workload.conditional = 5
    scenario.workload.hasty = 0
    scenario.mustOccur = [.cut, .unknown, .minorityAcceptFound]
    return scenario
  }()

  static let repeats: Scenario = {
    var scenario = Scenario(
      "repeats", "clients lose answers, ask again under the same name, and settle what they do not know (R7, R8)",
      FaultMix([(.processKill, 6), (.isolate, 8), (.weather, 8), (.pause, 6)], from: 8, to: 24, longest: 500))
    scenario.workload.named = 100
    scenario.workload.settles = 6
    scenario.workload.hasty = 40
    scenario.workload.keys = 2
    scenario.workload.clients = 8
    scenario.mustOccur = [.retried, .replayed, .settledApplied, .settledDead, .unknown]
    return scenario
  }()

  static let members: Scenario = {
    var scenario = Scenario(
      "members",
      "members enter and leave, one or all at once, by changes that race, are given up, and lose their driver",
      FaultMix(
        [
          (.processKill, 10), (.powerLoss, 6), (.powerLossOfAll, 1), (.isolate, 6), (.cut, 6), (.split, 3), (.pause, 6),
          (.clog, 5), (.weather, 5), (.slowDisk, 3), (.failedSync, 2), (.fullDisk, 1), (.wallClock, 2),
          (.crashInRecovery, 2),
        ], from: 2, to: 16, longest: 900))
    scenario.nodes = [1, 2, 3, 3, 3]
    scenario.newcomers = 6
    scenario.workload.keys = 8
    scenario.milliseconds = 8000
    scenario.mustOccur = [.membersWanted, .membersChanged, .changeGivenUp, .memberLeft, .processKill, .staleRefused]
    return scenario
  }()

  static let walk: Scenario = {
    var scenario = Scenario(
      "walk", "one member becomes three, five, four, three, another three, and one again",
      FaultMix([(.processKill, 6), (.clog, 4), (.isolate, 2)], from: 0, to: 5, longest: 500))
    scenario.nodes = [1]
    scenario.newcomers = 5
    scenario.walk = [3, 5, 4, 3, 3, 1]
    scenario.milliseconds = 9000
    scenario.mustOccur = [.membersChanged, .memberLeft]
    return scenario
  }()

  static let late: Scenario = {
    var scenario = Scenario(
      "late", "registers are created while members change, by nodes that have not heard of it (R11)",
      FaultMix([(.clog, 10), (.pause, 6), (.processKill, 2)], from: 3, to: 9, longest: 700))
    scenario.nodes = [3]
    scenario.newcomers = 6
    scenario.workload.keys = 400
    scenario.workload.clients = 8
    scenario.workload.longestPause = 12
    scenario.workload.reads = 20
    scenario.workload.conditional = 10
    // Nobody fetches what the change has left behind: that it leaves nothing is what is to be seen.
    scenario.digestPause = 1_000_000
    scenario.milliseconds = 4000
    scenario.mustOccur = [.membersChanged, .memberLeft, .staleRefused]
    return scenario
  }()

  static let erasure: Scenario = {
    var scenario = Scenario(
      "erasure", "registers are deleted, erased, and made again, while members are down and messages come late",
      FaultMix(
        [
          (.processKill, 8), (.powerLoss, 8), (.powerLossOfAll, 3), (.isolate, 6), (.cut, 6), (.pause, 4), (.clog, 6),
          (.weather, 12), (.slowDisk, 4), (.crashInRecovery, 3),
        ], from: 3, to: 14, longest: 900))
    makeErasing(&scenario)
    scenario.mustOccur = [
      .recordErased, .erasedRegisterMadeAgain, .messageDelayed, .processKill, .powerLoss, .journalTurned,
    ]
    return scenario
  }()

  static let erasureMembers: Scenario = {
    var scenario = Scenario(
      "erasure-members", "registers are erased and made again while members enter and leave (R13, R14)",
      FaultMix(
        [(.processKill, 6), (.isolate, 4), (.clog, 6), (.weather, 6), (.pause, 3)], from: 1, to: 8, longest: 700))
    makeErasing(&scenario)
    scenario.nodes = [1, 2, 3, 3]
    scenario.newcomers = 6
    scenario.milliseconds = 8000
    scenario.mustOccur = [.recordErased, .erasedRegisterMadeAgain, .membersChanged, .memberLeft]
    return scenario
  }()

  static let returning: Scenario = {
    var scenario = Scenario(
      "returning", "nodes leave and enter again, on their old folders, while registers are erased and made again",
      FaultMix([(.clog, 6), (.isolate, 2), (.weather, 3)], from: 0, to: 4, longest: 400))
    makeErasing(&scenario)
    scenario.nodes = [3]
    scenario.newcomers = 1
    scenario.letsBackIn = true
    scenario.milliseconds = 9000
    scenario.mustOccur = [.recordErased, .erasedRegisterMadeAgain, .membersChanged, .memberLeft, .memberReturned]
    return scenario
  }()

  static let catchingUp: Scenario = {
    var scenario = Scenario(
      "catching-up",
      "members are down and come back while registers change, are deleted and made again; in the end all "
        + "hold the same, without a client's help",
      FaultMix(
        [
          (.processKill, 10), (.powerLoss, 10), (.powerLossOfAll, 1), (.isolate, 8), (.cut, 4), (.pause, 3), (.clog, 6),
          (.weather, 10), (.slowDisk, 4), (.crashInRecovery, 3), (.nextEpoch, 3),
        ], from: 3, to: 14, longest: 1200))
    makeCatchingUp(&scenario)
    scenario.mustOccur = [
      .relayed, .broughtByRound, .processKill, .powerLoss, .messageLost, .messageDoubled, .messageDelayed,
      .recordErased, .erasedRegisterMadeAgain, .epochRaised,
    ]
    return scenario
  }()

  static let catchingUpMembers: Scenario = {
    var scenario = Scenario(
      "catching-up-members", "members catch up while others enter and leave",
      FaultMix(
        [(.processKill, 8), (.isolate, 6), (.clog, 6), (.weather, 6), (.pause, 3)], from: 1, to: 8, longest: 900))
    makeCatchingUp(&scenario)
    scenario.nodes = [2, 3, 3]
    scenario.newcomers = 5
    scenario.milliseconds = 8000
    scenario.mustOccur = [.relayed, .broughtByRound, .membersChanged, .memberLeft, .recordErased]
    return scenario
  }()

  private static func makeCatchingUp(_ scenario: inout Scenario) {
    makeErasing(&scenario)
    // Older than a round takes on a slow disk: else it begins anew again and again, above a floor that rises with it.
    scenario.tombstoneMilliseconds = 150
    scenario.digestPause = 60
    scenario.workload.keys = 40
    scenario.workload.deletions = 25
    scenario.mustHoldTheSame = true
  }

  /// Tombstones become so old at once that what was sent before the deletion may come after the erasure. No repeats by
  /// name then: an erased register remembers no change.
  private static func makeErasing(_ scenario: inout Scenario) {
    scenario.tombstoneMilliseconds = 40
    scenario.workload.keys = 16
    scenario.workload.clients = 7
    scenario.workload.deletions = 45
    scenario.workload.reads = 20
    scenario.workload.settles = 0
    scenario.workload.named = 0
    scenario.workload.longestPause = 25
  }

  static let floors: Scenario = {
    var scenario = Scenario(
      "floors", "all members are replaced after registers were erased: what is created again goes on above (R14)",
      FaultMix([(.processKill, 4), (.clog, 4)], from: 0, to: 3, longest: 500))
    scenario.nodes = [3]
    scenario.newcomers = 4
    scenario.floorRevision = 1000
    scenario.workload.keys = 60
    scenario.workload.clients = 3
    scenario.workload.longestPause = 60
    scenario.milliseconds = 5000
    scenario.mustOccur = [.membersChanged, .memberLeft]
    return scenario
  }()

  /// What node 5 asks others to accept reaches node 6 alone, because node 5 dies on the way. Node 1, which drives the
  /// change, hears late of both.
  static let acrossEpochs: Scenario = {
    var scenario = Scenario(
      "across-epochs", "seven members become three, two of which alone hold values that were never chosen (R6)",
      FaultMix([], from: 0, to: 0))
    scenario.nodes = [7]
    scenario.newcomers = 1
    scenario.walk = [3]
    var script = [Fault(at: 110_000_000, duration: 100_000_000, kind: .processKill(node: 4))]
    for other in [0, 1, 2, 3, 6] {
      script.append(
        Fault(at: 0, duration: 150_000_000, kind: .clog(from: 4, to: other, microseconds: 60_000)))
    }
    for holder in [4, 5] {
      script.append(
        Fault(at: 150_000_000, duration: 2_000_000_000, kind: .clog(from: holder, to: 0, microseconds: 40_000)))
    }
    scenario.script = script
    scenario.workload.clients = 40
    scenario.workload.keys = 300
    scenario.workload.longestPause = 200
    scenario.workload.reads = 50
    scenario.workload.settles = 0
    scenario.workload.listings = 0
    scenario.workload.waits = 0
    scenario.workload.named = 0
    scenario.workload.hasty = 0
    scenario.milliseconds = 3000
    scenario.mustOccur = [.processKill, .membersChanged, .memberLeft]
    return scenario
  }()
}
