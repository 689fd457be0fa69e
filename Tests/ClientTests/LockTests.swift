import Testing

/// `synod lock` against a node that answers as CONTRACT §1 has it. Keeper and release use connections of their own,
/// hence the closing answers: the scripted node serves one connection at a time.
@Suite struct LockTests {
  private static func taken(_ revision: UInt64) -> ScriptedNode.Step {
    .answerAndClose(ScriptedNode.answer("201 Created", ["ETag: \"\(revision)\""]))
  }

  private static let released = ScriptedNode.Step.answer("HTTP/1.1 204 No Content\r\n\r\n")

  private static func held(_ revision: UInt64, by holder: String, ttl: Int) -> ScriptedNode.Step {
    .answer(refusal(revision, by: holder, ttl: ttl))
  }

  private static func refusal(_ revision: UInt64, by holder: String, ttl: Int) -> String {
    let value = #"{\"lock\":\"synod\",\"holder\":\"\#(holder)\",\"id\":\"1\",\"ttl_ms\":\#(ttl)}"#
    return ScriptedNode.problem(
      412, "not-applied", more: ",\"current\":{\"revision\":\(revision),\"value\":\"\(value)\"}")
  }

  private static func lock(_ node: ScriptedNode, _ flags: [String] = [], _ script: String) throws -> SynodCommand.Result
  {
    try SynodCommand.run(["lock", "k"] + flags + ["--", "/bin/sh", "-c", script], node: node)
  }

  @Test func theCommandRunsWithTheFenceAndItsCodeIsPassedOn() throws {
    let node = try ScriptedNode([Self.taken(41), Self.released])
    let result = try Self.lock(node, [], "echo $SYNOD_FENCE; exit 7")
    #expect(result.code == 7)
    #expect(result.output == "41\n")
    #expect(result.complaint.isEmpty)
    #expect(node.requests[0].hasPrefix("PUT /v1/kv/k HTTP/1.1\r\n"))
    #expect(node.requests[0].contains("\r\nIf-None-Match: *\r\n"))
    #expect(node.requests[0].hasSuffix(",\"ttl_ms\":30000}"))
    // Only its own value, whatever its revision became by renewals.
    #expect(node.requests[1].hasPrefix("DELETE /v1/kv/k?expect=%7B%22lock%22"))
  }

  @Test func itWaitsForTheReleaseAndTriesAgain() throws {
    let node = try ScriptedNode([
      Self.held(5, by: "a:1", ttl: 30_000), .answer(ScriptedNode.problem(404, "not-applied")), Self.taken(7),
      Self.released,
    ])
    let result = try Self.lock(node, [], "echo $SYNOD_FENCE")
    #expect(result.code == 0)
    #expect(result.output == "7\n")
    #expect(result.complaint == "synod: waiting for k, held by a:1\n")
    #expect(node.requests[1].hasPrefix("GET /v1/kv/k?wait="))
    #expect(node.requests[1].contains("\r\nIf-None-Match: \"5\"\r\n"))
  }

  @Test func aHolderThatDoesNotRenewIsTakenOver() throws {
    let node = try ScriptedNode([
      .until(
        "\r\nIf-Match: \"5\"\r\n", next: Self.taken(6), reads: "HTTP/1.1 304 Not Modified\r\n\r\n",
        changes: Self.refusal(5, by: "a:1", ttl: 5)),
      Self.released,
    ])
    let result = try Self.lock(node, [], "echo $SYNOD_FENCE")
    #expect(result.output == "6\n")
    #expect(result.complaint.contains("took k over from a:1"))
    #expect(node.requests.count > 3)
  }

  @Test func oneThatRenewsIsNot() throws {
    let node = try ScriptedNode([
      Self.held(5, by: "a:1", ttl: 1000), .answer(ScriptedNode.answer("200 OK", ["ETag: \"6\""], body: "x")),
      Self.held(6, by: "a:1", ttl: 1000), .answer(ScriptedNode.problem(404, "not-applied")), Self.taken(8),
      Self.released,
    ])
    #expect(try Self.lock(node, [], "echo $SYNOD_FENCE").output == "8\n")
    let puts = node.requests.filter { $0.hasPrefix("PUT") }
    #expect(puts.count == 3)
    #expect(puts.allSatisfy { $0.contains("\r\nIf-None-Match: *\r\n") })
  }

  @Test(arguments: [0, 30_000])
  func withoutPatienceItGivesUp(ttl: Int) throws {
    let node = try ScriptedNode([Self.held(5, by: "a:1", ttl: ttl)])
    let result = try Self.lock(node, ["--wait", "0s"], "echo ran")
    #expect(result.code == 4)
    #expect(result.output.isEmpty)
    #expect(result.complaint == "synod: k is held by a:1\n")
  }

  @Test func whatIsNotOursIsWaitedForAndNeverBroken() throws {
    let foreign = ScriptedNode.Step.answer(
      ScriptedNode.problem(412, "not-applied", more: ",\"current\":{\"revision\":5,\"value\":\"x\"}"))
    let node = try ScriptedNode([foreign])
    let result = try Self.lock(node, ["--wait", "0s"], "echo ran")
    #expect(result.code == 4)
    #expect(result.complaint.contains("something else than synod lock"))
  }

  @Test func aLockThatIsGoneAtTheEndIsSaidToBeLost() throws {
    let node = try ScriptedNode([Self.taken(5), Self.held(9, by: "b:2", ttl: 1)])
    let result = try Self.lock(node, ["--ttl", "0s"], "exit 0")
    #expect(result.code == 4)
    #expect(result.complaint.contains("LOST THE LOCK k: it is held by b:2"))
  }

  @Test func aLossWhileItRunsStopsTheCommand() throws {
    let node = try ScriptedNode([
      Self.taken(5), .answerAndClose(ScriptedNode.problem(412, "not-applied", more: ",\"current\":null")),
      .answer(ScriptedNode.problem(412, "not-applied", more: ",\"current\":null")),
    ])
    let result = try Self.lock(node, ["--ttl", "1s"], "trap 'echo stopped; exit 0' TERM; while :; do sleep 0.05; done")
    #expect(result.code == 4)
    #expect(result.output == "stopped\n")
    #expect(result.complaint.contains("LOST THE LOCK k: it was removed"))
  }

  @Test(arguments: ["TERM", "INT", "HUP"])
  func signalsReachTheCommand(signal: String) throws {
    let node = try ScriptedNode([Self.taken(5), Self.released])
    let script = "trap 'exit 9' \(signal); kill -\(signal) $PPID; while :; do sleep 0.05; done"
    #expect(try Self.lock(node, [], script).code == 9)
    #expect(node.stepsLeft == 0)
  }

  @Test(arguments: [("no-such-command-here", 127), ("/", 126)] as [(String, Int32)])
  func aCommandThatCannotRunReleasesTheLock(command: String, code: Int32) throws {
    let node = try ScriptedNode([Self.taken(5), Self.released])
    #expect(try SynodCommand.run(["lock", "k", "--", command], node: node).code == code)
    #expect(node.stepsLeft == 0)
  }

  @Test func aLockIsBrokenOnPurpose() throws {
    let node = try ScriptedNode([.answer(ScriptedNode.answer("200 OK", ["ETag: \"5\""], body: "x")), Self.released])
    let result = try SynodCommand.run(["lock", "--break", "k"], node: node)
    #expect(result.code == 0)
    #expect(node.requests[1].contains("\r\nIf-Match: \"5\"\r\n"))
  }
}
