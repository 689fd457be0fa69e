import Foundation
import Simulator
import Testing

/// Short runs whose whole traces stand under Tests/Traces, to be read by people and reviewed as differences. Where a
/// change is meant, `SYNOD_REWRITE_TRACES=1 swift test -c release --filter GoldenTraceTests` writes them anew.
@Suite struct GoldenTraceTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Traces")

  static let runs: [(name: String, simulation: Simulation)] = [
    ("one-client", short("one-client", clients: 1, keys: 1, milliseconds: 40)),
    ("two-clients-one-register", short("two-clients-one-register", clients: 2, keys: 1, milliseconds: 60)),
    (
      "a-node-is-killed",
      short(
        "a-node-is-killed", clients: 2, keys: 1, milliseconds: 300,
        mix: FaultMix([(.processKill, 1)], from: 1, to: 1, longest: 100))
    ),
    (
      "messages-are-lost",
      short(
        "messages-are-lost", clients: 2, keys: 1, milliseconds: 120,
        mix: FaultMix([(.weather, 1)], from: 2, to: 2, longest: 120))
    ),
  ]

  static func short(
    _ name: String, clients: Int, keys: Int, milliseconds: UInt64, mix: FaultMix = FaultMix([], from: 0, to: 0)
  ) -> Simulation {
    var scenario = Scenario(name, "", mix)
    scenario.nodes = [3]
    scenario.partitions = 1
    scenario.milliseconds = milliseconds
    scenario.workload.clients = clients
    scenario.workload.keys = keys
    return Simulation(scenario, seed: 1)
  }

  @Test(arguments: runs.map(\.name)) func isAsItStands(_ name: String) throws {
    let simulation = try #require(Self.runs.first { $0.name == name }?.simulation)
    let result = simulation.run(RegisterBackend(), traces: true)
    #expect(result.failures == [])
    let text = try #require(result.trace?.text)
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
