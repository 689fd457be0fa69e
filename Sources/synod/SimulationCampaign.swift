import Base
import Linux
import Simulator

/// Many runs, one after the other: their sums, a progress bar, and what is said of the one that fails.
struct SimulationCampaign {
  private let backend: any SimulatedBackend
  private let wantsJSON: Bool
  private let runs: Int
  private var done = 0
  private var events: UInt64 = 0
  private var operations: UInt64 = 0
  private var nanoseconds: UInt64 = 0
  private var occurrences = Occurrences()
  /// By scenario: how many runs, and what happened in them.
  private var byScenario: [String: (runs: Int, occurrences: Occurrences)] = [:]
  private let began = MonotonicClock.now()
  private var shownAt = MonotonicClock.now()

  init(_ backend: any SimulatedBackend, wantsJSON: Bool, runs: Int) {
    self.backend = backend
    self.wantsJSON = wantsJSON
    self.runs = runs
  }

  /// False: the run failed, and has been told of.
  mutating func add(_ simulation: Simulation, _ result: Simulation.Result) -> Bool {
    done += 1
    events += result.events
    operations += result.operations
    nanoseconds += result.simulatedNanoseconds
    occurrences += result.occurrences
    let before = byScenario[simulation.scenario.name] ?? (runs: 0, occurrences: Occurrences())
    byScenario[simulation.scenario.name] = (before.runs + 1, Self.sum(before.occurrences, result.occurrences))
    showProgress(simulation)
    guard !result.failures.isEmpty else { return true }
    clearProgress()
    explain(simulation, result)
    return false
  }

  private static func sum(_ a: Occurrences, _ b: Occurrences) -> Occurrences {
    var sum = a
    sum += b
    return sum
  }

  private func explain(_ simulation: Simulation, _ result: Simulation.Result) {
    let small = simulation.shrunk(backend, runs: 120)
    let smallResult = small.run(backend)
    let told = smallResult.failures.isEmpty ? result : smallResult
    let replay = smallResult.failures.isEmpty ? simulation : small
    if wantsJSON {
      var line = JSONLine()
      line.add("failed", simulation.scenario.name)
      line.add("seed", simulation.seed)
      line.add("reason", told.failures[0])
      line.add("replay", command(replay))
      line.print()
    } else {
      Terminal.print(
        Terminal.coloured("FAILED", .red) + "  scenario \(simulation.scenario.name), seed \(simulation.seed)")
      for failure in told.failures { Terminal.print("  \(failure)") }
      for (number, fault) in told.faults.enumerated() where replay.faults?.contains(number) ?? true {
        Terminal.print("  fault \(number): \(fault.text)")
      }
      Terminal.print("replay: \(command(replay)) --trace trace.txt")
      if smallResult.failures.isEmpty { return }
      Terminal.print("as it was: \(command(simulation))")
    }
  }

  private func command(_ simulation: Simulation) -> String {
    var text = "synod simulate --backend \(backend.name) --scenario \(simulation.scenario.name)"
    text += " --seed \(simulation.seed)"
    if let faults = simulation.faults {
      text += " --faults " + (faults.isEmpty ? "none" : faults.map { String($0) }.joined(separator: ","))
    }
    if let clients = simulation.clients { text += " --clients \(clients)" }
    return text
  }

  // MARK: - All runs together

  /// Prints the sums; a failure where a scenario's subject never came up.
  func finish() -> ExitCode {
    clearProgress()
    let seconds = max(1, MonotonicClock.now().milliseconds(since: began))
    var missing: [String] = []
    for scenario in backend.scenarios {
      guard let (runs, occurrences) = byScenario[scenario.name], runs >= 20 else { continue }
      for kind in scenario.mustOccur where occurrences[kind] == 0 {
        missing.append("in \(runs) runs of \(scenario.name), \(kind) never happened: they prove nothing about it")
      }
    }
    if wantsJSON {
      printJSON(milliseconds: seconds, missing)
    } else {
      Terminal.print(
        "\(done) runs clean: \(operations) operations, \(events) events, "
          + "\(tenths(nanoseconds / 360_000_000_000)) hours of simulated time in \(tenths(seconds / 100)) s "
          + "(\(events * 1000 / seconds) events/s, "
          + "\(nanoseconds / 1_000_000 / seconds) simulated seconds a second)")
      for kind in Occurrences.Kind.allCases where occurrences[kind] > 0 {
        Terminal.print("  \(occurrences[kind])  \(kind)")
      }
      for line in missing { Terminal.print(Terminal.coloured("FAILED", .red) + "  \(line)") }
    }
    return missing.isEmpty ? .done : .failure
  }

  private func printJSON(milliseconds: UInt64, _ missing: [String]) {
    var line = JSONLine()
    line.add("runs", UInt64(done))
    line.add("operations", operations)
    line.add("events", events)
    line.add("simulated_seconds", nanoseconds / 1_000_000_000)
    line.add("milliseconds", milliseconds)
    var counts: [UInt8] = [UInt8(ascii: "{")]
    for kind in Occurrences.Kind.allCases {
      if counts.count > 1 { counts.append(UInt8(ascii: ",")) }
      counts += "\"\(kind)\":\(occurrences[kind])".utf8
    }
    line.add("occurrences", raw: counts + [UInt8(ascii: "}")])
    line.add("missing", UInt64(missing.count))
    line.print()
  }

  private func tenths(_ number: UInt64) -> String { "\(number / 10).\(number % 10)" }

  // MARK: - Progress

  private mutating func showProgress(_ simulation: Simulation) {
    guard Terminal.errorIsTerminal, MonotonicClock.now() >= shownAt + 100 || done == runs else { return }
    shownAt = MonotonicClock.now()
    let width = 30
    let full = done * width / max(1, runs)
    let bar = String(repeating: "█", count: full) + String(repeating: "·", count: width - full)
    Terminal.sayInPlace("\(bar) \(done)/\(runs)  \(simulation.scenario.name) \(simulation.seed)")
  }

  private func clearProgress() { if Terminal.errorIsTerminal { Terminal.sayInPlace("") } }
}
