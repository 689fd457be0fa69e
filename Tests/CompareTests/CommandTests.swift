import Compare
import Foundation
import Linux
import Testing

/// `synod bench` and `synod compare` as people run them.
@Suite("Commands", .serialized)
struct CommandTests {
  private final class Running {
    let process = Process()
    private let output = Pipe()
    private let complaint = Pipe()

    init(_ arguments: [String]) throws {
      let own = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
      process.executableURL = own.appendingPathComponent("synod")
      process.arguments = arguments
      process.standardOutput = output
      process.standardError = complaint
      process.standardInput = FileHandle.nullDevice
      try process.run()
    }

    /// All of it is far smaller than a pipe holds.
    func end() -> (code: Int32, output: String, complaint: String) {
      let text = output.fileHandleForReading.readDataToEndOfFile()
      let said = complaint.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      return (process.terminationStatus, String(decoding: text, as: UTF8.self), String(decoding: said, as: UTF8.self))
    }
  }

  private static func run(_ arguments: [String]) throws -> (code: Int32, output: String, complaint: String) {
    try Running(arguments).end()
  }

  private static func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "synod-compare-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  @Test(arguments: [
    (["bench", "--workload", "pit"], "no workload pit; did you mean put?"),
    (["bench", "--rate", "0"], "--rate 0"), (["bench", "--arrivals", "poisson"], "give --rate"),
    (["bench", "--pipeline", "257"], "1 to 256"), (["bench", "--distribution", "normal"], "uniform or zipf"),
    (["compare", "--scenario", "kil"], "no scenario kil; did you mean kill?"),
    (["compare", "--scenario", "kill,kill"], "stands twice"), (["compare", "--against", "consul"], "etcd is all"),
  ])
  func badInputIsAUsageError(_ arguments: [String], _ reason: String) throws {
    let result = try Self.run(arguments)
    #expect(result.code == 2 && result.complaint.contains(reason), "\(result)")
  }

  @Test func nobodyThereIsSaid() throws {
    let result = try Self.run(["bench", "--endpoints", "127.0.0.1:1", "--json"])
    #expect(result.code == 1 && result.complaint.contains("no endpoint can be reached"), "\(result)")
    #expect(result.complaint.contains("127.0.0.1:1 is left out"))
  }

  @Test func benchTellsWhatItMeasured() throws {
    let store = try ScriptedStore { _, _ in ScriptedStore.answer(200, revision: 1) }
    let result = try Self.run([
      "bench", "--endpoints", "\(store.endpoint)", "--workload", "ycsb-a", "--keys", "50", "--rate", "200",
      "--duration", "500ms", "--warm-up", "0ms", "--clients", "2", "--json",
    ])
    #expect(result.code == 0, "\(result)")
    let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
    #expect(object?["ok"] as? Int == 100 && object?["rate"] as? Int == 200 && object?["failed"] as? Int == 0)
    let latency = object?["latency_ns"] as? [String: Any]
    #expect(latency?["count"] as? Int == 100 && latency?["p99_99"] is Int)
    // Each key once before, and the measured ones.
    #expect(store.requests.count == 150)
  }

  @Test func aPageIsMadeFromAReportThatIsThere() throws {
    try Self.withFolder { folder in
      let nothing = try Self.run(["compare", "--render", "--out", folder])
      #expect(nothing.code == 1 && nothing.complaint.contains("report.json"), "\(nothing)")
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try Data(Examples.report.json).write(to: URL(filePath: folder + "/report.json"))
      #expect(try Self.run(["compare", "--render", "--out", folder]).code == 0)
      let page = try String(contentsOfFile: folder + "/report.html", encoding: .utf8)
      #expect(page == ReportPage.html(Examples.report))
      let table = try String(contentsOfFile: folder + "/headlines.md", encoding: .utf8)
      #expect(table.contains("| clients | throughput, 100 clients | 2 000/s | 1 000/s | register × 2.00 |\n"))
      let plots = try FileManager.default.contentsOfDirectory(atPath: folder + "/plots").sorted()
      #expect(plots == ReportPage.files(Examples.report).map(\.name))
    }
  }

  @Test func aFolderThatCannotBeMadeIsSaid() throws {
    let result = try Self.run(["compare", "--scenario", "restart", "--out", "/proc/nowhere"])
    #expect(result.code == 1 && result.complaint.contains("/proc/nowhere"), "\(result)")
  }

  /// The processes that a process has started.
  private static func children(of pid: Int32) -> [Int32] {
    let text = (try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)) ?? ""
    return text.split(separator: " ").compactMap { Int32($0) }
  }

  @Test func anInterruptedComparisonLeavesNothingRunningAndGoesOn() throws {
    try Self.withFolder { folder in
      let arguments = ["compare", "--quick", "--scenario", "restart", "--out", folder]
      let running = try Running(arguments)
      var nodes: [Int32] = []
      while nodes.count < 3, running.process.isRunning { nodes = Self.children(of: running.process.processIdentifier) }
      running.process.interrupt()
      let result = running.end()
      #expect(result.code == 1 && result.complaint.contains("interrupted: 0 of 1 scenarios are there"), "\(result)")
      #expect(nodes.count == 3 && nodes.allSatisfy { kill($0, 0) != 0 })
      #expect(!FileManager.default.fileExists(atPath: folder + "/data"))
      let again = try Self.run(arguments)
      #expect(again.code == 0 && again.output.contains("time until a restarted node serves"), "\(again)")
      let report = ReportDocument(json: Array(try Data(contentsOf: URL(filePath: folder + "/report.json"))))
      #expect(report?.isComplete == true && report?.results.first?.measures.isEmpty == false)
      let page = try String(contentsOfFile: folder + "/report.html", encoding: .utf8)
      #expect(page.contains("Restart after a long history"))
    }
  }

  @Test func aClusterThatDiesFailsItsScenarioAlone() throws {
    try Self.withFolder { folder in
      let running = try Running(["compare", "--quick", "--scenario", "overwrite,restart", "--out", folder])
      var nodes: [Int32] = []
      while nodes.count < 3, running.process.isRunning { nodes = Self.children(of: running.process.processIdentifier) }
      if let node = nodes.last { kill(node, SIGKILL) }
      let result = running.end()
      #expect(result.code == 1, "\(result)")
      #expect(result.complaint.contains("overwrite: node 3 of the register cluster has ended by itself"), "\(result)")
      let report = try #require(
        ReportDocument(json: Array(try Data(contentsOf: URL(filePath: folder + "/report.json")))))
      #expect(report.results.map(\.name) == ["overwrite", "restart"] && report.results[1].ending == .complete)
      guard case .failed = report.results[0].ending else {
        Issue.record("\(report.results[0].ending)")
        return
      }
    }
  }
}
