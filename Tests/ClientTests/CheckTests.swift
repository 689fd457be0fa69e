import Foundation
import Testing

/// `synod check`: the verdicts on the data beside the package, our own format, and files that are no histories.
@Suite struct CheckTests {
  private static let data = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "shared/histories")
  private static var hasData: Bool { FileManager.default.fileExists(atPath: data.path) }

  @Test(
    "The Jepsen runs on etcd get their verdicts", .enabled(if: hasData, "no ../shared/histories beside the package"))
  func jepsen() throws {
    let folder = Self.data.appending(path: "jepsen-etcd")
    let verdicts = try String(contentsOf: folder.appending(path: "VERDICTS"), encoding: .utf8)
    let lines = verdicts.split(separator: "\n").map { $0.split(separator: " ") }
    #expect(lines.count > 50)
    for line in lines {
      let result = try SynodCommand.run(["check", folder.appending(path: String(line[0])).path])
      #expect(result.code == (line[1] == "linearizable" ? 0 : 1), "\(line[0]): \(result.complaint)")
      let first = result.output.split(separator: "\n").first
      #expect(first == (line[1] == "linearizable" ? "linearizable" : "not linearizable"), "\(line[0])")
    }
  }

  @Test(
    "The key-value histories get their verdicts", .enabled(if: hasData, "no ../shared/histories beside the package"),
    arguments: ["c01-ok", "c01-bad", "c10-ok", "c10-bad"])
  func keyValue(name: String) throws {
    let path = Self.data.appending(path: "kv/\(name).txt").path
    let result = try SynodCommand.run(["check", "--format", "kv", path])
    #expect(result.code == (name.hasSuffix("ok") ? 0 : 1), "\(result.complaint)")
    #expect(result.output.hasPrefix(name.hasSuffix("ok") ? "linearizable" : "not linearizable"))
  }

  private static let header = #"{"history":"synod","version":1}"# + "\n"
  private static let write =
    #"{"process":1,"key":"k","op":"put","value":"a","invoked":0,"returned":1,"outcome":"changed","revision":1}"# + "\n"

  private static func read(_ seen: String) -> String {
    #"{"process":1,"key":"k","op":"read","invoked":2,"returned":3,"outcome":"read","seen":\#(seen)}"# + "\n"
  }

  @Test("Our own format is read, from standard input too") func jsonLines() throws {
    let good = Self.header + Self.write + Self.read(#"{"revision":1,"value":"a"}"#)
    let said = try SynodCommand.run(["check", "-"], input: good)
    #expect(said.code == 0 && said.output == "linearizable\n" && said.complaint.contains("--format jsonl"))
    let json = try SynodCommand.run(["check", "-", "--json"], input: good)
    #expect(json.output == #"{"linearizable":true,"format":"jsonl","calls":2,"registers":1}"# + "\n")
    let bad = try SynodCommand.run(["check", "-"], input: Self.header + Self.write + Self.read("null"))
    #expect(bad.code == 1 && bad.output.hasPrefix("not linearizable\n") && bad.output.contains("read -> absent"))
  }

  private static let faults: [(String, String)] = [
    ("", "line 1"),
    ("hello\n", "line 1"),
    (header + write.dropLast(), "line 2: its end is missing"),
    (header + "{}\n", "line 2"),
    (header + write + write, "line 3: process 1 has the call of line 2 open"),
    (header + write.replacing("\"returned\":1", with: "\"returned\":-1"), "line 2"),
    (header + write.replacing("\"invoked\":0", with: "\"invoked\":9"), "line 2: it returned before it was invoked"),
    (header + write.replacing("changed", with: "read"), "line 2: its outcome is none of its op"),
    (header.replacing("1}", with: "1,\"calls\":2}") + write, "line 2: 2 calls were announced"),
    ("INFO  jepsen.util - 0\t:ok\t:read\tnil\n", "line 1: process 0 returns without a call"),
    (
      "INFO  jepsen.util - 0\t:invoke\t:read\tnil\nINFO  jepsen.util - 0\t:invoke\t:read\tnil\n",
      "line 2: process 0 has a call open"
    ),
    (
      "INFO  jepsen.util - 0\t:invoke\t:write\t1\nINFO  jepsen.util - 0\t:ok\t:write\t2\n",
      "line 2: process 0 returns from another call"
    ),
    ("INFO  jepsen.util - 0\t:invoke\t:read\tnil\nINFO  jepsen.ut", "line 2"),
    (#"{:process 0, :type :invoke, :f :put, :key "k", :value "a"#, "line 1"),
    (#"{:process 0, :type :ok, :f :get, :key "k", :value ""}"# + "\n", "line 1: process 0 returns without a call"),
  ]

  @Test("A file that is no history gets a line and a reason, no verdict", arguments: faults.indices)
  func refused(index: Int) throws {
    let (input, reason) = Self.faults[index]
    let result = try SynodCommand.run(["check", "-"], input: input)
    #expect(result.code == 1 && result.output.isEmpty)
    #expect(result.complaint.contains(reason), "\(result.complaint)")
  }
}
