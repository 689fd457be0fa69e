import Base
package import Host

/// The register replicas of this package, as they are shipped.
package final class RegisterBackend: SimulatedBackend {
  package init() {}

  package var kind: NodeState.Backend { .register }
  package func makeMonitor(_ shape: WorldShape) -> any Monitor { RegisterMonitor(shape) }
}
