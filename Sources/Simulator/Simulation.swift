/// One run: a scenario, a seed, and what of it is left out.
package struct Simulation: Sendable {
  package var scenario: Scenario
  package var seed: UInt64
  /// The numbers of the faults that happen, of those that the seed draws; nil: all.
  package var faults: [Int]?
  /// Fewer clients than the scenario has.
  package var clients: Int?

  package init(_ scenario: Scenario, seed: UInt64, faults: [Int]? = nil, clients: Int? = nil) {
    self.scenario = scenario
    self.seed = seed
    self.faults = faults
    self.clients = clients
  }

  package struct Result: Sendable {
    /// Empty: the run was clean.
    package var failures: [String]
    package var occurrences: Occurrences
    package var events: UInt64
    package var operations: UInt64
    package var simulatedNanoseconds: UInt64
    /// All that the seed draws.
    package var faults: [Fault]
    package var trace: Trace?
    /// For the checker of `Proofs/`.
    package var record: [UInt8]
  }

  /// - Parameters:
  ///   - traces, records: whether the run is told, to people and to the checker of `Proofs/`.
  ///   - isWatched: false: what the monitor finds does not end the run.
  package func run(
    _ backend: any SimulatedBackend, traces: Bool = false, records: Bool = false, isWatched: Bool = true
  ) -> Result {
    var scenario = scenario
    if let clients { scenario.workload.clients = clients }
    let world = World(
      scenario, seed: seed, backend: backend, only: faults, traces: traces, records: records,
      isWatched: isWatched)
    world.run()
    return Result(
      failures: world.failures, occurrences: world.occurrences, events: world.events, operations: world.operations,
      simulatedNanoseconds: world.time, faults: world.faults, trace: world.trace,
      record: world.record)
  }

  /// A smaller run that fails too: with fewer faults and fewer clients. At most `runs` are tried.
  package func shrunk(_ backend: any SimulatedBackend, runs: Int) -> Simulation {
    var best = self
    var left = runs
    func fails(_ candidate: Simulation) -> Bool {
      left -= 1
      return left >= 0 && !candidate.run(backend).failures.isEmpty
    }
    var faults = best.faults ?? Array(best.run(backend).faults.indices)
    var piece = max(1, faults.count / 2)
    while !faults.isEmpty && left > 0 {
      var start = 0
      var hasShrunk = false
      while start < faults.count && left > 0 {
        var candidate = best
        var fewer = faults
        fewer.removeSubrange(start..<min(start + piece, faults.count))
        candidate.faults = fewer
        if fails(candidate) {
          faults = fewer
          best = candidate
          hasShrunk = true
        } else {
          start += piece
        }
      }
      if piece == 1 && !hasShrunk { break }
      piece = max(1, piece / 2)
    }
    var clients = best.clients ?? scenario.workload.clients
    while clients > 1 && left > 0 {
      var candidate = best
      candidate.clients = clients / 2
      guard fails(candidate) else { break }
      best = candidate
      clients /= 2
    }
    return best
  }
}
