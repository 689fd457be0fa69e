package import Host

/// The register replicas of this package, as they are shipped.
package final class RegisterBackend: SimulatedBackend {
  package init() {}

  package var kind: NodeState.Backend { .register }
  package var isRecorded: Bool { true }
  package var scenarios: [Scenario] { RegisterScenarios.all }
  package var mutants: [Mutant] { RegisterMutants.all }
  package func makeMonitor(_ shape: WorldShape, _ scenario: Scenario) -> any Monitor {
    RegisterMonitor(shape, scenario, isRecorded: shape.isRecorded)
  }
}
