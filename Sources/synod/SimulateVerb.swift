import Base
import Glibc
import Linux
import Simulator

enum SimulateVerb: Verb {
  static let name = "simulate"
  static let summary = "run whole clusters in a deterministic simulator, with faults, and check what they do"
  static let operands = ""
  static let operandCount = 0...0
  static let flags = [
    Flag("backend", "register", help: "which kind of replica (register; or raft)"),
    Flag("seed", "N", help: "one run with this seed"),
    Flag("seeds", "A..B", help: "a run for each of these seeds (1..100)"),
    Flag("scenario", "NAME", help: "one scenario instead of all in turn; the list is above"),
    Flag("trace", "FILE", help: "write what happened, a line an event (with --seed)"),
    Flag("record", "FILE", help: "write the protocol's steps for the checker of Proofs/ (registers; with --seed)"),
    Flag("faults", "N,N,…", help: "only these of the faults that the seed draws (with --seed)"),
    Flag("clients", "N", help: "fewer clients than the scenario has (with --seed)"),
    Flag.json,
  ]
  static var details: String {
    var text = """
      Runs the shipped nodes over a network, disks and clocks that are made up. Everything follows from the seed. During
      a run, after each step, the protocol's invariants are checked from outside; at the end everything is mended, the
      cluster must be live again within a bound, and what the clients saw must be linearizable. Exits with 1 and the one
      command that replays it where a run fails. Seeds take the scenarios in turn.

      A trace has a line for each event: microseconds of simulated time, who (n1… nodes, c1… clients, world), what, and
      details.

      Scenarios, by --backend:
      """
    for backend in SimulatedBackends.all {
      text += "\n\n\(backend.name):"
      for scenario in backend.scenarios {
        text += "\n  " + scenario.name + String(repeating: " ", count: max(1, 18 - scenario.name.count))
        text += scenario.about
      }
    }
    return text
  }

  static func run(_ arguments: Arguments) throws(Failure) -> ExitCode {
    let backendName = arguments["backend"] ?? "register"
    guard let backend = SimulatedBackends.named(backendName) else {
      throw .usage("--backend \(backendName): register or raft is wanted")
    }
    if arguments.has("record") && !backend.isRecorded {
      throw .usage("--record: the proofs are about registers; --backend \(backendName) has no such record")
    }
    var only: Scenario?
    if let name = arguments["scenario"] {
      guard let found = backend.scenario(named: name) else {
        throw .usage("--scenario \(name): synod simulate --help lists them")
      }
      only = found
    }
    let seeds = try seeds(arguments)
    if seeds.count > 1 {
      for flag in ["trace", "record", "faults", "clients"] where arguments.has(flag) {
        throw .usage("--\(flag) needs --seed, one run")
      }
    }
    var campaign = SimulationCampaign(backend, wantsJSON: arguments.has("json"), runs: seeds.count)
    for seed in seeds {
      let all = backend.scenarios
      var simulation = Simulation(only ?? all[Int(seed % UInt64(all.count))], seed: seed)
      simulation.faults = try numbers(arguments)
      simulation.clients = try arguments.unsigned("clients").map { Int($0) }
      let result = simulation.run(
        backend, traces: arguments.has("trace"), records: arguments.has("record"))
      if let path = arguments["record"] { try Terminal.writeFile(path, result.record) }
      if let path = arguments["trace"], let trace = result.trace {
        try Terminal.writeFile(path, trace.text)
      }
      guard campaign.add(simulation, result) else { return .failure }
    }
    return campaign.finish()
  }

  private static func seeds(_ arguments: Arguments) throws(Failure) -> ClosedRange<UInt64> {
    if let seed = try arguments.unsigned("seed") {
      if arguments.has("seeds") { throw .usage("--seed and --seeds exclude each other") }
      return seed...seed
    }
    guard let text = arguments["seeds"] else { return 1...100 }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[1].isEmpty, let first = UInt64(parts[0]), let last = UInt64(parts[2]), first <= last
    else { throw .usage("--seeds \(text): two whole numbers are wanted, such as 1..1000") }
    return first...last
  }

  private static func numbers(_ arguments: Arguments) throws(Failure) -> [Int]? {
    guard let text = arguments["faults"] else { return nil }
    if text == "none" { return [] }
    var numbers: [Int] = []
    for part in text.split(separator: ",") {
      guard let number = Int(part) else { throw .usage("--faults \(text): numbers, or none") }
      numbers.append(number)
    }
    return numbers
  }
}
