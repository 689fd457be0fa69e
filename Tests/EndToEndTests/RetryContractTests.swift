import Foundation
import Testing

/// CONTRACT §1: retries with an Idempotency-Key, and settle.
@Suite("Contract: retries and settle", .sharedCluster)
struct RetryContractTests {
  private func key(_ text: String) -> [String] { ["Idempotency-Key: \(text)"] }

  @Test func aRepeatThroughAnotherNode() throws {
    let cluster = try TestCluster.shared
    let target = "/v1/kv/retries/put"
    let first = try cluster.ask(1, "PUT", target, key("a"), body: "one")
    #expect(first.status == 201 && first["Idempotent-Replay"] == nil)
    let second = try cluster.ask(2, "PUT", target, body: "two")
    let replay = try cluster.ask(3, "PUT", target, key("a"), body: "one")
    #expect(replay.status == 201 && replay.revision == first.revision && replay["Idempotent-Replay"] == "true")
    #expect(replay.text == first.text)
    let current = try cluster.ask(1, "GET", target)
    #expect(current.text == "two" && current.revision == second.revision)
    let other = try cluster.ask(2, "PUT", target, key("a"), body: "another payload")
    #expect(other.status == 422 && other.outcome == "not-applied")
    #expect(try cluster.ask(3, "GET", target).revision == second.revision)
  }

  @Test func aRepeatedNumberAndDeletion() throws {
    let cluster = try TestCluster.shared
    let target = "/v1/kv/retries/number"
    #expect(try cluster.ask(1, "POST", target + "?add=5", key("n")).text == "5")
    #expect(try cluster.ask(2, "POST", target + "?add=5").text == "10")
    let replay = try cluster.ask(3, "POST", target + "?add=5", key("n"))
    #expect(replay.text == "5" && replay["Idempotent-Replay"] == "true")
    #expect(try cluster.ask(1, "GET", target).text == "10")
    #expect(try cluster.ask(1, "DELETE", target, key("d")).status == 204)
    let deleted = try cluster.ask(2, "DELETE", target, key("d"))
    #expect(deleted.status == 204 && deleted["Idempotent-Replay"] == "true")
    #expect(try cluster.ask(3, "DELETE", target).status == 404)
  }

  @Test func atLeastTheLastEightChangesAreRemembered() throws {
    let cluster = try TestCluster.shared
    let target = "/v1/kv/retries/window"
    for number in 1...8 {
      #expect(try cluster.ask(number % 3 + 1, "POST", target + "?add=1", key("w\(number)")).text == "\(number)")
    }
    for number in 1...8 {
      let replay = try cluster.ask((number + 1) % 3 + 1, "POST", target + "?add=1", key("w\(number)"))
      #expect(replay.text == "\(number)" && replay["Idempotent-Replay"] == "true")
    }
    #expect(try cluster.ask(1, "GET", target).text == "8")
  }

  @Test func aRefusalIsTriedAnew() throws {
    let cluster = try TestCluster.shared
    let target = "/v1/kv/retries/refusal"
    let fields = key("r") + ["If-Match: *"]
    #expect(try cluster.ask(1, "PUT", target, fields, body: "x").status == 412)
    #expect(try cluster.ask(2, "PUT", target, body: "there").status == 201)
    let retried = try cluster.ask(3, "PUT", target, fields, body: "x")
    #expect(retried.status == 200 && retried["Idempotent-Replay"] == nil)
  }

  @Test func theKeysLength() throws {
    let cluster = try TestCluster.shared
    let target = "/v1/kv/retries/length"
    #expect(try cluster.ask(1, "PUT", target, key(String(repeating: "k", count: 64)), body: "x").status == 201)
    #expect(try cluster.ask(1, "PUT", target, key(String(repeating: "k", count: 65)), body: "y").status == 400)
    #expect(try cluster.ask(1, "GET", target).text == "x")
  }

  @Test func settleTellsWhatBecameOfAnOperation() throws {
    let cluster = try TestCluster.shared
    let target = "/v1/kv/retries/settle"
    let before = try #require(try cluster.ask(1, "PUT", target, body: "before").revision)
    let applied = try #require(try cluster.ask(2, "PUT", target, key("yes"), body: "applied").revision)
    let settled = try cluster.ask(3, "GET", target + "?settle=\(before)", key("yes"))
    #expect(settled.status == 200 && settled.text == "applied")
    #expect(settled["Synod-Outcome"] == "applied" && settled["Synod-Revision"] == "\(applied)")

    let dead = try cluster.ask(1, "GET", target + "?settle=\(before)", key("no"))
    #expect(dead.status == 200 && dead["Synod-Outcome"] == "dead" && dead.revision == applied)
    let late = try cluster.ask(2, "PUT", target, key("no"), body: "late")
    #expect(late.status == 409 && late.outcome == "not-applied")
    #expect(try cluster.ask(3, "GET", target).text == "applied")

    for number in 0..<100 { _ = try cluster.ask(number % 3 + 1, "PUT", target, body: "\(number)") }
    let forgotten = try cluster.ask(3, "GET", target + "?settle=\(before)", key("never sent"))
    #expect(forgotten["Synod-Outcome"] == "forgotten")
  }

  @Test func settleOfAnAbsentRegister() throws {
    let cluster = try TestCluster.shared
    let target = "/v1/kv/retries/settle-absent"
    let plain = try cluster.ask(1, "GET", target + "?settle")
    #expect(plain.status == 404 && plain["Synod-Outcome"] == nil)
    let dead = try cluster.ask(2, "GET", target + "?settle=0", key("z"))
    #expect(dead.status == 404 && dead["Synod-Outcome"] == "dead")
    #expect(try cluster.ask(3, "PUT", target, key("z"), body: "late").status == 409)
    #expect(try cluster.ask(1, "PUT", target, key("y"), body: "now").status == 201)
    #expect(try cluster.ask(2, "GET", target + "?settle=0", key("y"))["Synod-Outcome"] == "applied")
    #expect(try cluster.ask(3, "GET", target + "?settle").text == "now")
    #expect(try cluster.ask(1, "GET", target + "?settle=0").status == 400, "of which operation?")
  }
}
