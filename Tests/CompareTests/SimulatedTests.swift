import Compare
import Foundation
import Testing

/// Where links cannot be cut the simulator stands in, and everybody is told.
@Suite("Simulated")
struct SimulatedTests {
  private static func perform(_ name: String, _ stores: [Store] = [.register, .raft]) throws -> ScenarioResult {
    let folder = FileManager.default.temporaryDirectory.appending(path: "synod-simulated-\(UUID().uuidString)").path
    var options = Stage.Options(folder: folder)
    options.isQuick = true
    options.simulatesLinks = true
    options.stores = stores
    let stage = Stage(options, isInterrupted: { false }, tell: { _ in })
    return try #require(Scenario.named(name)).perform(on: stage)
  }

  @Test func anIsolatedNodeIsSimulatedAndSaysSo() throws {
    let result = try Self.perform("isolate", [.register, .raft, .etcd])
    #expect(result.ending == .complete && result.simulated == "it was asked for")
    #expect(result.stores == [.register, .raft])
    #expect(result.notes.contains { $0.hasPrefix("etcd takes no part in what is simulated") })
    let registers = try #require(result.measure(.register, .longestGap, series: "the other nodes"))
    let log = try #require(result.measure(.raft, .longestGap, series: "the other nodes"))
    #expect(registers.samples.count == 3 && log.samples.count == 3)
    #expect(registers.maximum < log.minimum)
    #expect(result.traces.count == 2 && result.traces.allSatisfy { $0.lines.count == 3 })
  }

  @Test(arguments: ["one-way", "wide", "jitter"]) func theOthersToo(_ name: String) throws {
    let result = try Self.perform(name)
    #expect(result.ending == .complete && result.simulated != nil)
    for point in result.points {
      for store in [Store.register, .raft] {
        let measure = result.measure(store, point.metric, series: point.series, x: point.x)
        #expect(measure?.samples.count == 3 && measure?.median.isFinite == true, "\(store) \(point)")
      }
    }
  }

  @Test func aSimulatedResultIsMarkedEverywhere() throws {
    var report = Examples.report
    report.results[0].simulated = "network namespaces need root"
    report.results[0].note("etcd takes no part")
    report.results[0].note("etcd takes no part")
    let words = "Simulated, not measured: this program's nodes over a network, disks and clocks that are made up "
    #expect(Reading.simulation(report.results[0])?.hasPrefix(words + "(network namespaces need root)") == true)
    let page = ReportPage.html(report)
    #expect(page.contains("<p class=\"notice\">Simulated, not measured:"))
    #expect(page.contains("Note: etcd takes no part."))
    let text = ReportTable.text(report) { $0 }
    #expect(text.contains("  Simulated, not measured:") && text.contains("  Etcd takes no part."))
    #expect(ReportTable.headlines(report)[1][0] == "clients (simulated)")
    let again = try #require(ReportDocument(json: report.json))
    #expect(again == report && again.results[0].notes.count == 1)
    #expect(String(decoding: report.json, as: UTF8.self).contains("\"reading\":[\"Simulated, not measured:"))
    #expect(!ReportPage.html(Examples.report).contains("Simulated, not measured"))
  }

  @Test func settingsAreKept() {
    var report = Examples.report
    report.settings.isHuge = true
    report.settings.simulatesLinks = true
    #expect(ReportDocument(json: report.json)?.settings == report.settings)
  }
}
