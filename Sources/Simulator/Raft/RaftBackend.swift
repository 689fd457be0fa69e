package import Host

/// The replicas of a Raft log, as they are shipped.
package final class RaftBackend: SimulatedBackend {
  package init() {}

  package var kind: NodeState.Backend { .raft }
  package var isRecorded: Bool { false }
  package var scenarios: [Scenario] { RaftScenarios.all }
  package var mutants: [Mutant] { RaftMutants.all }
  package func makeMonitor(_ shape: WorldShape, _ scenario: Scenario) -> any Monitor {
    RaftMonitor(nodes: shape.nodes, scenario)
  }
}
