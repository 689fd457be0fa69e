import Foundation
import Testing

/// The verbs against a node that answers as CONTRACT §1 has it: exit codes, and what is printed where.
@Suite struct CommandTests {
  private static func answer(_ status: String, revision: UInt64 = 1, _ body: String = "") -> ScriptedNode.Step {
    .answer(ScriptedNode.answer(status, ["ETag: \"\(revision)\""], body: body))
  }

  private static let refusal = ScriptedNode.problem(
    412, "not-applied", more: ",\"current\":{\"revision\":7,\"value\":\"x\"}")

  struct Case: Sendable, CustomTestStringConvertible {
    let arguments: [String]
    let steps: [ScriptedNode.Step]
    let code: Int32
    let output: String

    init(_ arguments: String, _ steps: [ScriptedNode.Step], _ code: Int32, _ output: String = "") {
      self.arguments = arguments.split(separator: " ").map { String($0) }
      self.steps = steps
      self.code = code
      self.output = output
    }

    var testDescription: String { arguments.joined(separator: " ") + " → \(code)" }
  }

  private static let absent = ScriptedNode.Step.answer(ScriptedNode.problem(404, "not-applied"))
  private static let listing = ScriptedNode.Step.answer(
    ScriptedNode.answer("200 OK", body: #"{"keys":[{"key":"a","revision":1},{"key":"b","revision":22}],"more":false}"#))

  private static let cases = [
    Case("get k", [answer("200 OK", revision: 3, "a\nb")], 0, "a\nb"),
    Case("get k --revision", [answer("200 OK", revision: 3, "a")], 0, "3\n"),
    Case("get --json k", [answer("200 OK", revision: 3, "a\n")], 0, #"{"key":"k","revision":3,"value":"a\n"}"# + "\n"),
    Case("get k", [absent], 3),
    Case("get k --json", [absent], 3, #"{"error":"absent","key":"k"}"# + "\n"),
    Case("put k v", [answer("201 Created", revision: 4)], 0, "4\n"),
    Case("put k v --json", [answer("200 OK", revision: 4)], 0, #"{"key":"k","revision":4,"created":false}"# + "\n"),
    Case("put k v", [.answer(ScriptedNode.problem(403, "not-applied"))], 5),
    Case("put k v --timeout=100ms", [.answer(ScriptedNode.problem(503, "not-applied", ["Retry-After: 1"]))], 5),
    Case("put k v --timeout 1s", [.close, .answer(ScriptedNode.answer("200 OK", ["Synod-Outcome: forgotten"]))], 6),
    Case("cas k v --if-revision 6", [.answer(refusal)], 4),
    Case(
      "cas k v --if-absent --json", [.answer(refusal)], 4,
      #"{"error":"condition-failed","current":{"revision":7,"value":"x"}}"# + "\n"),
    Case("cas k v --if-value=x", [answer("200 OK", revision: 8)], 0, "8\n"),
    Case("delete k", [.answer("HTTP/1.1 204 No Content\r\n\r\n")], 0),
    Case("delete k", [absent], 3),
    Case("delete k --if-revision 6", [.answer(refusal)], 4),
    Case("add k -3", [answer("200 OK", "-3")], 0, "-3\n"),
    Case("add k", [.answer(ScriptedNode.problem(409, "not-applied"))], 5),
    Case("append k v", [answer("200 OK", revision: 5, #"{"revision":5,"length":9}"#)], 0, "5\n"),
    Case("ls", [listing], 0, "a\nb\n"),
    Case("ls --long p", [listing], 0, "1\ta\n22\tb\n"),
    Case("ls --json", [listing], 0, #"{"key":"a","revision":1}"# + "\n" + #"{"key":"b","revision":22}"# + "\n"),
    Case(
      "watch k --changes 3", [answer("200 OK", revision: 1, "a"), absent, answer("200 OK", revision: 3, "b")], 0,
      "1 a\nabsent\n3 b\n"),
    Case("", [], 2), Case("frob", [], 2), Case("get", [], 2), Case("get a b", [], 2), Case("get k --frob", [], 2),
    Case("get k --timeout", [], 2), Case("get k --timeout 5", [], 2), Case("get k --json=1", [], 2),
    Case("get k --json --json", [], 2), Case("get k --endpoints nowhere", [], 2), Case("cas k v", [], 2),
    Case("cas k v --if-absent --if-revision 1", [], 2), Case("add k x", [], 2), Case("lock k", [], 2),
    Case("lock k --ttl 10ms -- true", [], 2), Case("help frob", [], 2),
  ]

  @Test(arguments: cases)
  func verb(_ sample: Case) throws {
    let node = try ScriptedNode(sample.steps)
    let result = try SynodCommand.run(sample.arguments, node: node)
    #expect(result.code == sample.code, "\(result.complaint)")
    #expect(result.output == sample.output)
    #expect(result.complaint.isEmpty == (sample.code == 0))
    #expect(node.stepsLeft == 0)
  }

  @Test func aDashReadsStandardInput() throws {
    let node = try ScriptedNode([Self.answer("201 Created"), Self.answer("200 OK", revision: 2)])
    #expect(try SynodCommand.run(["put", "k", "-"], node: node, input: "from\ninput").code == 0)
    #expect(node.requests[0].hasSuffix("\r\n\r\nfrom\ninput"))
    let cas = ["cas", "k", "new", "--if-value", "-"]
    #expect(try SynodCommand.run(cas, node: node, input: "a b").code == 0)
    #expect(node.requests[1].hasPrefix("PUT /v1/kv/k?expect=a%20b HTTP/1.1\r\n"))
  }

  @Test func theTokenComesFromTheEnvironmentOrAFile() throws {
    let node = try ScriptedNode([Self.answer("200 OK"), Self.answer("200 OK")])
    #expect(try SynodCommand.run(["get", "k"], node: node, environment: ["SYNOD_TOKEN": "one"]).code == 0)
    let file = NSTemporaryDirectory() + "synod-test-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: file) }
    try "two\n".write(toFile: file, atomically: true, encoding: .utf8)
    let arguments = ["get", "k", "--token-file", file]
    #expect(try SynodCommand.run(arguments, node: node, environment: ["SYNOD_TOKEN": "one"]).code == 0)
    #expect(node.requests[0].contains("\r\nAuthorization: Bearer one\r\n"))
    #expect(node.requests[1].contains("\r\nAuthorization: Bearer two\r\n"))
    #expect(try SynodCommand.run(["get", "k", "--token", "x"], node: node).code == 2)
    #expect(try SynodCommand.run(["get", "k", "--token-file", file + "-none"], node: node).code == 1)
  }

  @Test(arguments: [
    (["gte", "k"], "get"), (["get", "k", "--jsno"], "--json"), (["cas", "k", "v", "--if-absnet"], "--if-absent"),
    (["help", "lokc"], "lock"),
  ])
  func aSlipIsAnsweredWithWhatWasMeant(arguments: [String], meant: String) throws {
    let result = try SynodCommand.run(arguments)
    #expect(result.code == 2)
    #expect(result.complaint.contains("did you mean \(meant)?"))
  }

  @Test(arguments: ["get", "put", "cas", "delete", "add", "append", "watch", "ls", "lock", "status", "serve", "demo"])
  func everyVerbExplainsItself(verb: String) throws {
    let overview = try SynodCommand.run(["help"])
    #expect(overview.code == 0)
    #expect(overview.output.contains("\n  \(verb) "))
    for arguments in [["help", verb], [verb, "--help"], [verb, "-h"]] {
      let help = try SynodCommand.run(arguments)
      #expect(help.code == 0)
      #expect(help.output.hasPrefix("usage: synod \(verb)"))
    }
  }

  @Test func statusAsksEachEndpointByItself() throws {
    let status =
      #"{"node":1,"backend":"register","ready":true,"epoch":2,"phase":"joint","members":[{}],"registers":5,"#
      + #""catching_up":{"behind":3},"storage":{"journal_bytes":1024,"table_bytes":512},"#
      + #""peers":[{"reachable":true},{"reachable":false}]}"#
    let node = try ScriptedNode([
      .answer(ScriptedNode.answer("200 OK", body: status)), .answer(ScriptedNode.answer("200 OK", body: status)),
    ])
    let dead: UInt16
    do { dead = try ScriptedNode([]).port }
    let endpoints = ["--endpoints", "127.0.0.1:\(node.port),\(dead)"]
    let table = try SynodCommand.run(["status", "--timeout", "1s"] + endpoints)
    #expect(table.code == 0)
    let lines = table.output.split(separator: "\n").map { $0.split(separator: " ") }
    let row = "127.0.0.1:\(node.port) 1 register ready 2 (joint) 1 5 3 1.5 KiB 1/2 reachable"
    #expect(lines[1].joined(separator: " ") == row)
    #expect(lines[2].joined(separator: " ").hasSuffix("Connection refused"))
    let json = try SynodCommand.run(["status", "--json", "--endpoints", "127.0.0.1:\(node.port)"])
    #expect(json.output == #"{"endpoint":"127.0.0.1:\#(node.port)","status":\#(status)}"# + "\n")
    #expect(try SynodCommand.run(["status", "--endpoints", "127.0.0.1:\(dead)"]).code == 1)
  }

  @Test func nothingIsColouredInAPipe() throws {
    let node = try ScriptedNode([Self.answer("200 OK", "a")])
    let result = try SynodCommand.run(["watch", "k", "--changes", "1"], node: node)
    #expect(!result.output.contains("\u{1B}"))
  }
}
