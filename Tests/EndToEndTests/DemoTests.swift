import Foundation
import Testing

/// `synod demo`, driven through its standard input like by a person.
@Suite("The demo", .serialized)
struct DemoTests {
  private struct Demo {
    let process: ServerProcess
    let ports: [ReservedPort]
    let folder: TestFolder

    func ask(_ node: Int, _ method: String, _ target: String, body: String? = nil) throws -> HTTPAnswer {
      let connection = try RawConnection(port: ports[node - 1].number)
      return try connection.ask(method, target, body: body.map { Array($0.utf8) })
    }

    func isReady(_ node: Int) -> Bool { (try? ask(node, "GET", "/readyz").status) == 200 }

    func waitForLine(_ line: String) throws {
      try waitUntil("the demo says \(line); it says: \(process.output) \(process.errors)") {
        process.output.split(separator: "\n").contains { $0 == line }
      }
    }

    /// Processes whose command line names the demo's folder: its nodes.
    func nodes() -> [pid_t] {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
      return names.compactMap { pid_t($0) }.filter { pid in
        let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
        return String(decoding: line, as: UTF8.self).contains(folder.path)
      }
    }

    func leftovers() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: folder.path + "/temporary")
    }
  }

  private func with(_ count: Int = 3, _ body: (Demo) throws -> Void) throws {
    let folder = try TestFolder()
    defer { folder.remove() }
    try FileManager.default.createDirectory(atPath: folder.path + "/temporary", withIntermediateDirectories: false)
    let ports = try ReservedPort.row(count)
    let process = try ServerProcess(
      ["demo", "--nodes", "\(count)", "--port", "\(ports[0].number)"], name: "demo", folder: folder,
      environment: ["TMPDIR": folder.path + "/temporary"], takesInput: true)
    let demo = Demo(process: process, ports: ports, folder: folder)
    defer {
      process.stop()
      // They end with the demo; only where that fails, something is left to do.
      for pid in demo.nodes() { kill(pid, SIGKILL) }
    }
    try demo.waitForLine("ready")
    try body(demo)
  }

  private func expectNothingLeft(_ demo: Demo) throws {
    #expect(demo.nodes().isEmpty)
    #expect(try demo.leftovers().isEmpty)
  }

  @Test func commands() throws {
    try with { demo in
      #expect(demo.process.output.contains("curl") && demo.nodes().count == 3)
      #expect(try demo.ask(1, "PUT", "/v1/kv/demo", body: "one").status == 201)
      demo.process.write("kill 2")
      try demo.waitForLine("killed 2")
      try waitUntil("node 2 is gone") { demo.nodes().count == 2 }
      #expect(throws: (any Error).self) { try demo.ask(2, "GET", "/livez") }
      #expect(try demo.ask(3, "PUT", "/v1/kv/demo", body: "two").status == 200)
      demo.process.write("status")
      try waitUntil("the status tells of node 2") { demo.process.output.contains("node 2: down") }
      demo.process.write("start 2")
      try demo.waitForLine("started 2")
      try waitUntil("node 2 is back") { demo.isReady(2) }
      #expect(try demo.ask(2, "GET", "/v1/kv/demo").text == "two")
      demo.process.write("pause 2")
      try demo.waitForLine("paused 2")
      #expect(try demo.ask(1, "PUT", "/v1/kv/demo", body: "three").status == 200)
      demo.process.write("resume 2")
      try demo.waitForLine("resumed 2")
      try waitUntil("node 2 goes on") { demo.isReady(2) }
      #expect(try demo.ask(2, "GET", "/v1/kv/demo").text == "three")
      demo.process.write("nonsense")
      demo.process.write("kill 9")
      try waitUntil("it says what it does not know") { demo.process.errors.contains("no node 9") }
      demo.process.write("quit")
      #expect(try demo.process.waitForEnd() == 0)
      try expectNothingLeft(demo)
    }
  }

  @Test(arguments: [SIGTERM, SIGINT])
  func aSignalStopsAllNodes(_ signal: Int32) throws {
    try with { demo in
      demo.process.write("pause 3")
      try demo.waitForLine("paused 3")
      demo.process.send(signal)
      #expect(try demo.process.waitForEnd() == 0)
      try expectNothingLeft(demo)
    }
  }

  @Test func theEndOfInputLeavesItRunning() throws {
    try with(1) { demo in
      demo.process.closeInput()
      for number in 0..<50 { #expect(try demo.ask(1, "PUT", "/v1/kv/on", body: "\(number)").status <= 201) }
      #expect(demo.process.ending() == nil && demo.nodes().count == 1)
      demo.process.send(SIGTERM)
      #expect(try demo.process.waitForEnd() == 0)
      try expectNothingLeft(demo)
    }
  }

  /// Even a demo that is killed leaves no process.
  @Test func nodesEndWithTheDemo() throws {
    try with { demo in
      demo.process.stop()
      try waitUntil("the nodes are gone") { demo.nodes().isEmpty }
    }
  }
}
