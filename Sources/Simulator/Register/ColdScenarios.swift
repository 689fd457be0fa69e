// More registers than memory: nearly every value is on the disk only, and reads of it come late and out of order.
extension RegisterScenarios {
  static let cold: Scenario = {
    var scenario = Scenario(
      "cold", "values are on the disk only, and read while they are written, erased, and their slots change hands",
      FaultMix(
        [
          (.powerLoss, 8), (.processKill, 8), (.powerLossOfAll, 2), (.isolate, 5), (.cut, 5), (.pause, 4), (.clog, 5),
          (.weather, 8), (.slowDisk, 5), (.failedSync, 2), (.fullDisk, 1), (.crashInRecovery, 4),
        ], from: 3, to: 14, longest: 700))
    makeCold(&scenario)
    scenario.mustOccur = [
      .valueRead, .readOvertaken, .recordErased, .erasedRegisterMadeAgain, .journalTurned, .powerLoss, .processKill,
      .unsyncedWriteLost, .listed, .waited,
    ]
    return scenario
  }()

  static let coldMembers: Scenario = {
    var scenario = Scenario(
      "cold-members", "members enter and leave while values are on the disk only",
      FaultMix(
        [(.processKill, 6), (.powerLoss, 4), (.isolate, 4), (.clog, 5), (.pause, 3)], from: 1, to: 8, longest: 700))
    makeCold(&scenario)
    scenario.nodes = [1, 2, 3, 3]
    scenario.newcomers = 6
    scenario.milliseconds = 8000
    scenario.mustOccur = [.valueRead, .journalTurned, .membersChanged, .memberLeft, .recordErased]
    return scenario
  }()

  static let coldDamage: Scenario = {
    var scenario = damage
    scenario.name = "cold-damage"
    scenario.about = "bits of one node's files are inverted while it is down, and values are on the disk only"
    scenario.cacheBytes = 4000
    scenario.mustOccur += [.valueRead]
    return scenario
  }()

  /// A journal's half holds a dozen values, and memory a few more.
  private static func makeCold(_ scenario: inout Scenario) {
    scenario.cacheBytes = 1500
    scenario.tombstoneMilliseconds = 300
    scenario.workload.keys = 24
    scenario.workload.clients = 8
    scenario.workload.valueBytes = 900
    scenario.workload.longestPause = 8
    scenario.workload.deletions = 20
    scenario.workload.settles = 0
    scenario.workload.named = 0
    scenario.workload.listings = 3
  }
}
