import Simulator
import Testing

@Suite struct DeterminismTests {
  @Test(
    arguments: [
      ("register", "chaos"), ("register", "weather"), ("register", "disks"), ("register", "epochs"), ("raft", "chaos"),
      ("raft", "snapshots"), ("raft", "old-leaders"),
    ]) func theSameSeedGivesTheSameBytes(_ backendName: String, _ name: String) throws
  {
    let backend = try #require(SimulatedBackends.named(backendName))
    let scenario = try #require(backend.scenario(named: name))
    let first = Simulation(scenario, seed: 11).run(backend, traces: true)
    let second = Simulation(scenario, seed: 11).run(backend, traces: true)
    let trace = try #require(first.trace)
    #expect(trace.lines > 1000)
    #expect(trace.text == second.trace?.text)
    #expect(first.occurrences == second.occurrences)
    let other = Simulation(scenario, seed: 12).run(backend, traces: true)
    #expect(trace.text != other.trace?.text)
  }

  /// A run that is watched is the run that was not.
  @Test func tracingChangesNothing() {
    let traced = Simulation(RegisterScenarios.chaos, seed: 5).run(RegisterBackend(), traces: true)
    let plain = Simulation(RegisterScenarios.chaos, seed: 5).run(RegisterBackend())
    #expect(traced.events == plain.events)
    #expect(traced.simulatedNanoseconds == plain.simulatedNanoseconds)
    #expect(traced.occurrences == plain.occurrences)
  }
}
