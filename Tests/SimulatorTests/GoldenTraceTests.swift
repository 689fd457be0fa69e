import Base
import Foundation
import RaftLog
import Simulator
import Testing

/// Short runs whose whole traces stand under Tests/Traces, to be read by people and reviewed as differences. Where a
/// change is meant, `SYNOD_REWRITE_TRACES=1 swift test -c release --filter GoldenTraceTests` writes them anew.
@Suite struct GoldenTraceTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Traces")

  struct Run: Sendable {
    let name: String
    let backend: any SimulatedBackend
    let simulation: Simulation
    /// What the trace is to show.
    let shows: [Occurrences.Kind]
  }

  static let runs: [Run] = registers + logs

  private static let registers: [Run] = [
    register("one-client", short(clients: 1, keys: 1, milliseconds: 40), shows: [.applied]),
    register("two-clients-one-register", short(clients: 2, keys: 1, milliseconds: 60), shows: [.applied, .observed]),
    register(
      "a-node-is-killed",
      short(
        clients: 2, keys: 1, milliseconds: 300, mix: FaultMix([(.processKill, 1)], from: 1, to: 1, longest: 100)),
      shows: [.processKill]),
    register(
      "messages-are-lost", seed: 3,
      short(clients: 2, keys: 1, milliseconds: 120, mix: FaultMix([(.weather, 1)], from: 2, to: 2, longest: 120)),
      shows: [.messageLost]),
  ]

  private static let logs: [Run] = [
    log("election", seed: 1, short(clients: 1, keys: 1, milliseconds: 40), shows: [.elected, .applied]),
    log(
      "split-vote", seed: 11, electionTimeout: 24,
      short(nodes: 5, clients: 1, keys: 1, milliseconds: 10),
      shows: [.splitVote, .elected]),
    log(
      "old-leader", seed: 122,
      short(clients: 2, keys: 1, milliseconds: 260, script: isolation(of: 0, at: 20, for: 180)),
      shows: [.deposed, .logConflict, .unknown]),
    log(
      "divergent-logs-repaired", seed: 45,
      short(clients: 3, keys: 1, milliseconds: 260, script: isolation(of: 0, at: 20, for: 180)),
      shows: [.deposed, .logConflict, .entryReplaced]),
    log(
      "snapshot-to-a-follower", seed: 1,
      short(clients: 2, keys: 2, milliseconds: 300, script: isolation(of: 1, at: 10, for: 200)),
      shows: [.snapshotTaken, .snapshotInstalled]),
  ]

  private static func register(_ name: String, seed: UInt64 = 1, _ scenario: Scenario, shows: [Occurrences.Kind]) -> Run
  {
    Run(name: name, backend: RegisterBackend(), simulation: Simulation(scenario, seed: seed), shows: shows)
  }

  private static func log(
    _ name: String, seed: UInt64, electionTimeout: Milliseconds = 60, _ scenario: Scenario, shows: [Occurrences.Kind]
  ) -> Run {
    var scenario = scenario
    scenario.raft.electionTimeout = electionTimeout
    scenario.raft.heartbeat = Milliseconds(electionTimeout.count / 3)
    scenario.raft.snapshotLogEntries = 12
    scenario.raft.retainedLogEntries = 4
    // Each client stays where it is, so that one of them stays with the leader that is cut off.
    scenario.workload.wandering = 0
    return Run(name: "log-" + name, backend: RaftBackend(), simulation: Simulation(scenario, seed: seed), shows: shows)
  }

  private static func isolation(of node: Int, at begin: UInt64, for duration: UInt64) -> [Fault] {
    [
      Fault(
        at: begin * 1_000_000, duration: duration * 1_000_000,
        kind: .split(sides: 1 << UInt64(node), breaking: false))
    ]
  }

  private static func short(
    nodes: Int = 3, clients: Int, keys: Int, milliseconds: UInt64, mix: FaultMix = FaultMix([], from: 0, to: 0),
    script: [Fault]? = nil
  ) -> Scenario {
    var scenario = Scenario("short", "", mix)
    scenario.script = script
    scenario.nodes = [nodes]
    scenario.partitions = 1
    scenario.milliseconds = milliseconds
    scenario.workload.clients = clients
    scenario.workload.keys = keys
    return scenario
  }

  @Test(arguments: runs.map(\.name)) func isAsItStands(_ name: String) throws {
    let run = try #require(Self.runs.first { $0.name == name })
    let result = run.simulation.run(run.backend, traces: true)
    #expect(result.failures == [])
    for kind in run.shows { #expect(result.occurrences[kind] > 0, "\(kind) is what the trace is to show") }
    // What comes after is the same in all: everything is mended, and asked once more.
    let whole = String(decoding: try #require(result.trace?.text), as: UTF8.self)
    let healed = try #require(whole.range(of: "world heals"))
    let text = [UInt8](whole[..<healed.upperBound].utf8) + [UInt8(ascii: "\n")]
    let file = Self.folder.appending(path: name + ".txt")
    if ProcessInfo.processInfo.environment["SYNOD_REWRITE_TRACES"] == "1" { try Data(text).write(to: file) }
    let golden = [UInt8](try Data(contentsOf: file))
    guard golden != text else { return }
    let old = String(decoding: golden, as: UTF8.self).split(separator: "\n")
    let new = String(decoding: text, as: UTF8.self).split(separator: "\n")
    let line = zip(old, new).enumerated().first { $0.element.0 != $0.element.1 }
    Issue.record(
      "\(name).txt differs from line \((line?.offset ?? min(old.count, new.count)) + 1): \(line?.element.1 ?? "")")
  }
}
