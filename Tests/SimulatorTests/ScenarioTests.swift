import Simulator
import Testing

/// Every scenario, a few seeds each: a budget for each change. `.ci/run` makes more of them, others each time.
@Suite struct ScenarioTests {
  static let seeds: ClosedRange<UInt64> = 1...4

  static let all = SimulatedBackends.all.flatMap { backend in backend.scenarios.map { (backend.name, $0.name) } }

  @Test(arguments: all) func isClean(_ backendName: String, _ name: String) throws {
    let backend = try #require(SimulatedBackends.named(backendName))
    let scenario = try #require(backend.scenario(named: name))
    for seed in Self.seeds {
      let result = Simulation(scenario, seed: seed).run(backend)
      let failures = result.failures.joined(separator: "\n")
      let replay = "synod simulate --backend \(backendName) --scenario \(name) --seed \(seed)"
      #expect(result.failures.isEmpty, "\(replay)\n\(failures)")
      #expect(result.operations > 0 && result.events > result.operations)
    }
  }

  /// Seeds that found something.
  @Test(arguments: [
    // The refusal of a change was lost, and the leader let all copies of the request pass without a word.
    ("raft", "replaced-leaders", UInt64(610415)),
    // The monitor missed entries on a disk that had given way to a later leader's in the same write.
    ("raft", "network", 910011),
    // A floor raised as far as the reserve's step refused each round the next promise.
    ("register", "erasure-members", 1013),
    // The monitor took promises from before an erasure for some from after it.
    ("register", "erasure-members", 1625), ("register", "returning", 1136),
    // A node that was removed while it was paused went on over links of its own, and nobody answered.
    ("register", "cold-members", 40014),
    // All nodes' own rounds for one tombstone preempted each other, and a client's, to the end.
    ("register", "erasure", 60015), ("register", "catching-up", 60074),
  ])
  func isCleanSince(_ backendName: String, _ name: String, _ seed: UInt64) throws {
    let backend = try #require(SimulatedBackends.named(backendName))
    let scenario = try #require(backend.scenario(named: name))
    #expect(Simulation(scenario, seed: seed).run(backend).failures == [])
  }

  @Test func noFaultMeansThatNothingIsRefusedOrUnknown() {
    for seed in Self.seeds {
      let result = Simulation(RegisterScenarios.calm, seed: seed).run(RegisterBackend())
      #expect(result.occurrences[.unknown] == 0)
      #expect(result.occurrences[.neverAnswered] == 0)
      #expect(result.occurrences[.nodeStoppedItself] == 0)
    }
  }

  @Test func faultsThatAreLeftOutDoNotHappen() {
    let all = Simulation(RegisterScenarios.crashes, seed: 3).run(RegisterBackend())
    #expect(all.occurrences[.powerLoss] + all.occurrences[.processKill] > 0)
    let none = Simulation(RegisterScenarios.crashes, seed: 3, faults: []).run(RegisterBackend())
    #expect(none.occurrences[.powerLoss] + none.occurrences[.processKill] == 0)
    #expect(none.faults.count == all.faults.count)
  }
}
