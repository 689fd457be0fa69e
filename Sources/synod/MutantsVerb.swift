#if Mutants
  import Base
  import Simulator

  /// Of builds with the trait `Mutants` alone: takes out one guard after the other and counts the seeds until the
  /// simulator notices.
  enum MutantsVerb: Verb {
    static let name = "mutants"
    static let summary = "take out one guard after the other, and see after how many seeds the simulator notices"
    static let operands = "[GUARD]"
    static let operandCount = 0...1
    static let flags = [
      Flag(
        "record", "DIR", help: "write a run of each, whole, for the checker of Proofs/"),
      Flag("backend", "NAME", help: "of one kind of replica alone (register; or raft)"),
      Flag("first", "N", help: "the first seed to try (1)"),
      Flag("seeds", "N", help: "give up after so many seeds of the guard's scenario (what the table allows)"),
    ]
    static let details =
      "Prints a line for each guard: its rule, the seeds it took, what gave it away. Exits with 1 where one survives."

    static func run(_ arguments: Arguments) throws(Failure) -> ExitCode {
      let limit = try arguments.unsigned("seeds")
      let first = try arguments.unsigned("first") ?? 1
      var survivors = 0
      for backend in SimulatedBackends.all where (arguments["backend"] ?? backend.name) == backend.name {
        for mutant in backend.mutants {
          if let name = arguments.operands.first, name != "\(mutant.removed)" { continue }
          let isCaught = try isCaught(mutant, backend, first, limit ?? mutant.seeds, record: arguments["record"])
          if !isCaught { survivors += 1 }
        }
      }
      return survivors == 0 ? .done : .failure
    }

    private static func isCaught(
      _ mutant: Mutant, _ backend: any SimulatedBackend, _ first: UInt64, _ allowed: UInt64, record: String?
    ) throws(Failure) -> Bool {
      Guard.removed = mutant.removed
      defer { Guard.removed = nil }
      let label = "\(backend.name)  \(mutant.rule)  \(mutant.removed)"
      for seed in first..<first + allowed {
        let result = Simulation(mutant.scenario, seed: seed).run(backend)
        guard let failure = result.failures.first else { continue }
        if let record, backend.isRecorded { try write(mutant, backend, seed, into: record) }
        Terminal.print(
          "caught    \(label)  scenario \(mutant.scenario.name), seed \(seed) of \(allowed): " + failure)
        return true
      }
      Terminal.print("survives  \(label)  scenario \(mutant.scenario.name), \(allowed) seeds")
      return false
    }

    private static func write(
      _ mutant: Mutant, _ backend: any SimulatedBackend, _ seed: UInt64, into folder: String
    ) throws(Failure) {
      let result = Simulation(mutant.scenario, seed: seed).run(backend, records: true, isWatched: false)
      try Terminal.writeFile("\(folder)/\(backend.name)-\(mutant.removed).trace", result.record)
    }
  }
#endif
