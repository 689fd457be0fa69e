import Base
import Host
import Replica
import Testing

/// What one connection asks of one register happens in the order in which it was asked (RFC 9112 §9.3.2).
@Suite struct SessionOrderTests {
  @Test func aPipelinedReadIsStartedOnlyWhenTheWriteBeforeItIsAnswered() {
    let harness = SessionHarness()
    harness.feed(SessionHarness.request("PUT /v1/kv/k", [], "a") + SessionHarness.request("GET /v1/kv/k"))
    #expect(harness.host.submitted.count == 1)
    harness.deliver()
    #expect(harness.host.submitted.count == 2)
    #expect(harness.host.submitted[1].operation.action == .read)
  }

  @Test func otherRegistersAndReadsGoSideBySide() {
    let harness = SessionHarness()
    harness.feed(
      SessionHarness.request("PUT /v1/kv/a", [], "1") + SessionHarness.request("PUT /v1/kv/b", [], "1")
        + SessionHarness.request("GET /v1/kv/c") + SessionHarness.request("GET /v1/kv/c"))
    #expect(harness.host.submitted.count == 4)
  }

  @Test func aChangeWaitsForTheReadBeforeItAndTheReadBehindItForTheChange() {
    let harness = SessionHarness()
    harness.feed(
      SessionHarness.request("GET /v1/kv/k") + SessionHarness.request("PUT /v1/kv/k", [], "1")
        + SessionHarness.request("GET /v1/kv/k") + SessionHarness.request("GET /v1/kv/k"))
    #expect(harness.host.submitted.map { $0.operation.action.isRead } == [true])
    harness.deliver()
    #expect(harness.host.submitted.map { $0.operation.action.isRead }.prefix(2) == [true, false])
    harness.deliver()
    #expect(harness.host.submitted.map { $0.operation.action.isRead } == [true, false, true, true])
  }

  @Test func nothingWaitsBehindALongPoll() {
    let harness = SessionHarness()
    harness.feed(
      SessionHarness.request("GET /v1/kv/k?wait=30s") + SessionHarness.request("PUT /v1/kv/k", [], "1"))
    #expect(harness.host.submitted.count == 2)
  }

  @Test func linesOfABatchOnOneRegisterKeepTheirOrder() throws {
    let harness = SessionHarness()
    let lines = [
      #"{"op":"put","key":"k","value":"1"}"#, #"{"op":"get","key":"k"}"#, #"{"op":"delete","key":"k"}"#,
      #"{"op":"get","key":"k"}"#,
    ]
    let answer = try harness.ask("POST /v1/batch", [], lines.joined(separator: "\n")).text
    let statuses = answer.split(separator: "\n").map { $0.prefix(13) }
    #expect(statuses == [#"{"status":201"#, #"{"status":200"#, #"{"status":204"#, #"{"status":404"#])
  }
}
