import Linux
import Testing

@testable import Client

/// What the client does when a node does not answer as it should: the three outcomes must stay true.
@Suite struct RetryTests {
  private static func client(_ nodes: [ScriptedNode], _ milliseconds: UInt64 = 30_000, attempt: UInt64 = 10_000)
    -> SynodClient
  {
    SynodClient(
      nodes.map { Endpoint(host: "127.0.0.1", port: $0.port) },
      options: ClientOptions(timeoutMilliseconds: milliseconds, attemptTimeoutMilliseconds: attempt))
  }

  private static func field(_ name: String, _ request: String) -> String? {
    request.split(separator: "\r\n").first { $0.hasPrefix(name + ": ") }.map { String($0.dropFirst(name.count + 2)) }
  }

  private static let done = ScriptedNode.answer("200 OK", ["ETag: \"5\""], body: "12")
  private static let noQuorum = ScriptedNode.problem(503, "not-applied", ["Retry-After: 1"])

  @Test func oneConnectionCarriesManyRequests() throws {
    let node = try ScriptedNode([
      .answer(Self.done), .answer(Self.done), .answerAndClose(Self.done), .answer(Self.done),
    ])
    let client = Self.client([node])
    for _ in 0..<4 { #expect(try client.get("k")?.revision == 5) }
    #expect(node.requests.count == 4)
  }

  @Test func anEndpointThatNobodyServesIsPassedOver() throws {
    let node = try ScriptedNode([.answer(Self.done), .answer(Self.done)])
    let dead: UInt16
    do { dead = try ScriptedNode([]).port }
    let client = SynodClient([Endpoint(host: "127.0.0.1", port: dead), Endpoint(host: "127.0.0.1", port: node.port)])
    #expect(try client.put("k", "v").revision == 5)
    #expect(try client.put("k", "v").revision == 5)
  }

  @Test(arguments: [429, 503])
  func aRefusalThatVouchesForNothingIsTriedElsewhere(status: Int) throws {
    let first = try ScriptedNode([.answer(ScriptedNode.problem(status, "not-applied", ["Retry-After: 1"]))])
    let second = try ScriptedNode([.answer(Self.done)])
    #expect(try Self.client([first, second]).put("k", "v").revision == 5)
    // The same operation, so it bears the same key.
    #expect(
      Self.field("Idempotency-Key", first.requests[0]) == Self.field("Idempotency-Key", second.requests[0]))
  }

  @Test func noQuorumAnywhereIsNotApplied() throws {
    let node = try ScriptedNode([.answer(Self.noQuorum)])
    #expect(throws: ClientError.notApplied(status: 503, reason: "127.0.0.1:\(node.port): because")) {
      try Self.client([node], 500).put("k", "v")
    }
  }

  @Test(arguments: [400, 401, 403, 409, 413, 422])
  func aRefusalForGoodIsNotRepeated(status: Int) throws {
    let node = try ScriptedNode([.answer(ScriptedNode.problem(status, "not-applied")), .answer(Self.done)])
    #expect(throws: ClientError.notApplied(status: status, reason: "because")) {
      try Self.client([node]).put("k", "v")
    }
    #expect(node.requests.count == 1)
  }

  @Test(
    arguments: [.close, .answer(ScriptedNode.problem(504, "unknown")), .answer("nonsense\r\n\r\n")]
      as [ScriptedNode.Step])
  func aReadIsRepeatedWhateverHappened(step: ScriptedNode.Step) throws {
    let node = try ScriptedNode([step, .answer(Self.done)])
    #expect(try Self.client([node]).get("k")?.revision == 5)
  }

  private static func settled(_ outcome: [String], revision: UInt64 = 9, body: String = "v") -> ScriptedNode.Step {
    .answer(ScriptedNode.answer("200 OK", ["ETag: \"\(revision)\""] + outcome, body: body))
  }

  private static let losses: [ScriptedNode.Step] = [
    .close, .answer(ScriptedNode.problem(504, "unknown")), .answer(ScriptedNode.problem(500, "unknown")),
    .answer(ScriptedNode.answer("502 Bad Gateway")), .answer(ScriptedNode.answer("503 Service Unavailable")),
  ]

  @Test(arguments: losses)
  func aLostChangeThatTookEffectSucceeds(loss: ScriptedNode.Step) throws {
    let node = try ScriptedNode([loss, Self.settled(["Synod-Outcome: applied", "Synod-Revision: 7"])])
    #expect(try Self.client([node]).put("k", "v") == PutResult(revision: 7, created: nil))
    #expect(node.requests[1].hasPrefix("GET /v1/kv/k?settle=0 HTTP/1.1\r\n"))
    #expect(
      Self.field("Idempotency-Key", node.requests[0]) == Self.field("Idempotency-Key", node.requests[1]))
  }

  @Test(arguments: losses)
  func aLostChangeThatNeverWillTakeEffectIsMadeAnew(loss: ScriptedNode.Step) throws {
    let node = try ScriptedNode([loss, Self.settled(["Synod-Outcome: dead"]), .answer(Self.done)])
    #expect(try Self.client([node]).put("k", "v").revision == 5)
    // The key that settle has marked dead would be refused.
    #expect(
      Self.field("Idempotency-Key", node.requests[0]) != Self.field("Idempotency-Key", node.requests[2]))
  }

  @Test(arguments: [["Synod-Outcome: forgotten"], []])
  func aLostChangeOfWhichNothingIsKnownIsUnknown(outcome: [String]) throws {
    let node = try ScriptedNode([.close, Self.settled(outcome), .answer(Self.done)])
    #expect(
      throws: ClientError.unknown(
        reason: "127.0.0.1:\(node.port): the node closed the connection before it answered")
    ) { try Self.client([node]).put("k", "v") }
    #expect(node.requests.count == 2)
  }

  @Test func aLostChangeIsUnknownWhereNobodyCanBeAsked() throws {
    let node = try ScriptedNode([.close])
    #expect(throws: ClientError.self) { try Self.client([node], 500).put("k", "v") }
    let puts = node.requests.filter { $0.hasPrefix("PUT") }
    #expect(puts.count == 1)
    #expect(node.requests.count > 1)
  }

  @Test func anotherNodeIsAskedWhenOneIsSilent() throws {
    let first = try ScriptedNode([.silence])
    let second = try ScriptedNode([Self.settled(["Synod-Outcome: dead"]), .answer(Self.done)])
    #expect(try Self.client([first, second], attempt: 50).put("k", "v").revision == 5)
    #expect(second.requests.map { String($0.prefix(3)) } == ["GET", "PUT"])
  }

  @Test func silenceOfTheOnlyNodeIsUnknown() throws {
    let node = try ScriptedNode([.silence])
    let error = #expect(throws: ClientError.self) { try Self.client([node], 50).put("k", "v") }
    guard case .unknown = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func settleIsAskedWithTheNewestRevisionKnownBefore() throws {
    let node = try ScriptedNode([
      .answer(Self.done), .close, Self.settled(["Synod-Outcome: applied", "Synod-Revision: 6"]),
      .close, Self.settled(["Synod-Outcome: applied", "Synod-Revision: 21"]),
    ])
    let client = Self.client([node])
    #expect(try client.get("k")?.revision == 5)
    #expect(try client.put("k", "v").revision == 6)
    #expect(try client.cas("k", [1], if: .revision(20)).revision == 21)
    #expect(node.requests[2].hasPrefix("GET /v1/kv/k?settle=5 "))
    #expect(node.requests[4].hasPrefix("GET /v1/kv/k?settle=20 "))
  }

  @Test(arguments: [(9, 12), (10, nil)] as [(UInt64, Int64?)])
  func aLostNumberIsReadOnlyIfNobodyOverwroteIt(revision: UInt64, value: Int64?) throws {
    let node = try ScriptedNode([
      .close, Self.settled(["Synod-Outcome: applied", "Synod-Revision: 9"], revision: revision, body: "12"),
    ])
    #expect(try Self.client([node]).add("k", 1) == NumberResult(revision: 9, value: value))
  }

  @Test func theCallersOwnKeyIsRepeatedAsItIs() throws {
    let node = try ScriptedNode([.close, .answer(Self.done)])
    #expect(try Self.client([node]).put("k", "v", idempotencyKey: "mine").revision == 5)
    #expect(node.requests.map { Self.field("Idempotency-Key", $0) } == ["mine", "mine"])
  }

  @Test(arguments: [(13, true), (14, false)] as [(UInt64, Bool)])
  func aRefusedRepeatSpeaksForTheLostAttemptOnlyWhileThatIsRemembered(revision: UInt64, certain: Bool) throws {
    let current = Entry(revision: revision, value: [0x78])
    let node = try ScriptedNode([
      .close,
      .answer(
        ScriptedNode.problem(412, "not-applied", more: ",\"current\":{\"revision\":\(revision),\"value\":\"x\"}")),
    ])
    let error = #expect(throws: ClientError.self) {
      try Self.client([node]).cas("k", [1], if: .revision(5), idempotencyKey: "mine")
    }
    if certain {
      #expect(error == .conditionFailed(current: current))
    } else if case .unknown = error {
    } else {
      Issue.record("\(String(describing: error))")
    }
  }

  @Test func aBatchOfChangesIsNotRepeatedButOneOfReadsIs() throws {
    let line = "{\"status\":200,\"revision\":1,\"value\":\"x\"}\n"
    let answer = ScriptedNode.Step.answer(ScriptedNode.answer("200 OK", body: line))
    let reads = try ScriptedNode([.close, answer])
    #expect(try Self.client([reads]).batch([.get("a")]).count == 1)
    let changes = try ScriptedNode([.close, answer])
    #expect(throws: ClientError.self) { try Self.client([changes]).batch([.put("a", [1])]) }
    #expect(changes.requests.count == 1)
  }

  /// A change of members on a log takes its time to begin: longer than one node has for an ordinary request.
  @Test func aChangeOfMembersHasMoreThanAnAttemptsTime() throws {
    let nodes = [try ScriptedNode([.answer(ScriptedNode.answer("202 Accepted"))]), try ScriptedNode([])]
    try Self.client(nodes, attempt: 0).setMembers([ClusterMembers.Member(id: 1, address: "h:1")], atEpoch: 3)
    #expect(nodes[0].requests.count == 1)
  }
}
