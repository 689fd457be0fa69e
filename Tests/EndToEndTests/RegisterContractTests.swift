import Foundation
import Testing

/// CONTRACT §1, the table of requests, each through other nodes than the one before.
@Suite("Contract: registers", .sharedCluster)
struct RegisterContractTests {
  @Test func putGetReplaceAndDelete() throws {
    let cluster = try TestCluster.shared
    let target = "/v1/kv/registers/life"
    let absent = try cluster.ask(1, "GET", target)
    #expect(absent.status == 404 && absent.outcome == "not-applied" && absent["ETag"] == nil)
    #expect(absent["Content-Type"]?.hasPrefix("application/problem+json") == true)
    #expect(!absent.body.dropLast().contains(UInt8(ascii: "\n")), "one line")

    let created = try cluster.ask(1, "PUT", target, body: "hello")
    let first = try #require(created.revision)
    #expect(created.status == 201 && created.text == "{\"revision\":\(first)}")
    let read = try cluster.ask(2, "GET", target)
    #expect(read.status == 200 && read.text == "hello" && read.revision == first)

    let replaced = try cluster.ask(3, "PUT", target, ["Content-Type: application/x-www-form-urlencoded"], body: "a=b&c")
    let second = try #require(replaced.revision)
    #expect(replaced.status == 200 && second > first && replaced.text == "{\"revision\":\(second)}")
    let json = try cluster.ask(1, "GET", target, ["Accept: application/json"])
    #expect(json.text == "{\"key\":\"registers/life\",\"revision\":\(second),\"value\":\"a=b&c\"}")
    #expect(json["Content-Type"] == "application/json" && json.revision == second)

    let minimal = try cluster.ask(2, "PUT", target, ["Prefer: return=minimal"], body: "")
    #expect(minimal.status == 204 && minimal.body.isEmpty && (minimal.revision ?? 0) > second)
    let empty = try cluster.ask(3, "GET", target)
    #expect(empty.status == 200 && empty.body.isEmpty && empty.revision == minimal.revision)

    #expect(try cluster.ask(1, "DELETE", target).status == 204)
    #expect(try cluster.ask(2, "DELETE", target).status == 404)
    #expect(try cluster.ask(3, "GET", target).status == 404)
    let again = try cluster.ask(2, "PUT", target, body: "reborn")
    #expect(again.status == 201 && (again.revision ?? 0) > (minimal.revision ?? 0), "no revision comes twice")
  }

  @Test func headTellsWhatGetTells() throws {
    let cluster = try TestCluster.shared
    let target = "/v1/kv/registers/head"
    let put = try cluster.ask(1, "PUT", target, body: "twelve bytes")
    let connection = try cluster.connect(2)
    let head = try connection.ask("HEAD", target)
    #expect(head.status == 200 && head.revision == put.revision && head["Content-Length"] == "12")
    // The next answer on the same connection shows that no body followed.
    #expect(try connection.ask("GET", target).text == "twelve bytes")
    #expect(try connection.ask("HEAD", "/v1/kv/registers/head-of-none").status == 404)
    #expect(try connection.ask("GET", target).status == 200)
  }

  @Test(arguments: [
    ("plain", "plain"), ("a/b//c/", "a/b//c/"), ("%66oo", "foo"), ("%00%ff%2F", "\0\u{FFFD}/"), ("a+b", "a+b"),
    ("%C3%A9", "é"), ("...", "..."), (".hidden", ".hidden"),
  ])
  func keysAreAnyBytes(_ encoded: String, _ decoded: String) throws {
    let cluster = try TestCluster.shared
    let target = "/v1/kv/registers/key/" + encoded
    #expect(try cluster.ask(1, "PUT", target, body: encoded).status == 201)
    let read = try cluster.ask(2, "GET", target, ["Accept: application/json"])
    if let key = read.json["key"] as? String {
      #expect(key == "registers/key/" + decoded)
    } else {
      let bytes = Data(base64Encoded: read.json["key_base64"] as? String ?? "") ?? Data()
      #expect(String(decoding: bytes, as: UTF8.self) == "registers/key/" + decoded)
    }
    #expect(read.json["value"] as? String == encoded)
  }

  @Test(arguments: [
    ("", 400), (".", 400), ("..", 400), ("a/./b", 400), ("a/../b", 400), ("a/..", 400), ("%zz", 400), ("%2", 400),
    (String(repeating: "k", count: 513), 414), (String(repeating: "%6B", count: 513), 414),
  ])
  func keysThatAreNone(_ key: String, _ status: Int) throws {
    let cluster = try TestCluster.shared
    for (node, method) in [(1, "GET"), (2, "DELETE")] {
      let answer = try cluster.ask(node, method, "/v1/kv/" + key)
      #expect(answer.status == status && answer.outcome == "not-applied", "\(method) \(key)")
    }
    #expect(try cluster.ask(3, "PUT", "/v1/kv/" + key, body: "x").status == status)
  }

  @Test func longestKeyAndValue() throws {
    let cluster = try TestCluster.shared
    let target = "/v1/kv/" + String(repeating: "%4C", count: 512)
    let value = String(repeating: "v", count: 64 << 10)
    #expect(try cluster.ask(1, "PUT", target, body: value).status == 201)
    #expect(try cluster.ask(2, "GET", target).text == value)
    let tooLong = try cluster.ask(3, "PUT", target, body: value + "v")
    #expect(tooLong.status == 413 && tooLong.outcome == "not-applied")
    #expect(try cluster.ask(1, "POST", target + "?append", body: "v").status == 413)
    #expect(try cluster.ask(1, "GET", target).text == value)
  }

  @Test func valuesAreAnyBytes() throws {
    let cluster = try TestCluster.shared
    let target = "/v1/kv/registers/bytes"
    let bytes = (0...255).map { UInt8($0) }
    let put = try cluster.connect(1).ask("PUT", target, body: bytes)
    #expect(put.status == 201)
    #expect(try cluster.ask(2, "GET", target).body == bytes)
    let json = try cluster.ask(3, "GET", target, ["Accept: application/json"]).json
    #expect(json["value_base64"] as? String == Data(bytes).base64EncodedString() && json["value"] == nil)
  }

  @Test func ifNoneMatchOnARead() throws {
    let cluster = try TestCluster.shared
    let target = "/v1/kv/registers/unmodified"
    let revision = try #require(try cluster.ask(1, "PUT", target, body: "v").revision)
    let same = try cluster.ask(2, "GET", target, ["If-None-Match: \"\(revision)\""])
    #expect(same.status == 304 && same.revision == revision && same.body.isEmpty)
    #expect(try cluster.ask(2, "GET", target, ["If-None-Match: \"999\", W/\"\(revision)\""]).status == 304)
    #expect(try cluster.ask(3, "GET", target, ["If-None-Match: \"\(revision + 1)\""]).status == 200)
  }

  @Test func aWaitIsWokenByAnotherNodesWrite() throws {
    let cluster = try TestCluster.shared
    let target = "/v1/kv/registers/wait"
    let creation = try cluster.connect(2)
    try creation.send(RawConnection.request("GET", target + "?wait=60s"))
    let first = try #require(try cluster.ask(1, "PUT", target, body: "one").revision)
    let created = try creation.answer()
    #expect(created.status == 200 && created.text == "one" && created.revision == first)

    let change = try cluster.connect(3)
    try change.send(RawConnection.request("GET", target + "?wait=60s", ["If-None-Match: \"\(first)\""]))
    let second = try cluster.ask(2, "PUT", target, body: "two").revision
    let changed = try change.answer()
    #expect(changed.status == 200 && changed.text == "two" && changed.revision == second)
    // A revision that has passed already is not waited for.
    #expect(try cluster.ask(1, "GET", target + "?wait=60s", ["If-None-Match: \"\(first)\""]).text == "two")

    #expect(try cluster.ask(3, "DELETE", target).status == 204)
    let deleted = try cluster.ask(1, "GET", target + "?wait=50ms", ["If-None-Match: \"\(second ?? 0)\""])
    #expect(deleted.status == 404)
  }

  @Test func aWaitEnds() throws {
    let cluster = try TestCluster.shared
    let target = "/v1/kv/registers/wait-in-vain"
    #expect(try cluster.ask(1, "GET", target + "?wait=50ms").status == 404)
    let revision = try #require(try cluster.ask(2, "PUT", target, body: "v").revision)
    let answer = try cluster.ask(3, "GET", target + "?wait=50ms", ["If-None-Match: \"\(revision)\""])
    #expect(answer.status == 304 && answer.revision == revision)
    for wrong in ["61s", "2m", "5", "1h", "-1s", "", "s"] {
      #expect(try cluster.ask(1, "GET", target + "?wait=" + wrong).status == 400, "wait=\(wrong)")
    }
  }

  @Test func numbers() throws {
    let cluster = try TestCluster.shared
    let target = "/v1/kv/registers/number"
    let first = try cluster.ask(1, "POST", target + "?add=5")
    #expect(first.status == 200 && first.text == "5" && first.revision != nil)
    let second = try cluster.ask(2, "POST", target + "?add=-7")
    #expect(second.text == "-2" && (second.revision ?? 0) > (first.revision ?? 0))
    #expect(try cluster.ask(3, "POST", target + "?max=40").text == "40")
    let same = try cluster.ask(1, "POST", target + "?max=7")
    let current = try cluster.ask(2, "GET", target)
    #expect(same.status == 200 && same.text == "40" && same.revision == current.revision, "changes nothing")
    #expect(try cluster.ask(3, "POST", target + "?min=3").text == "3")
    #expect(try cluster.ask(1, "POST", target + "?min=4").text == "3")
    #expect(try cluster.ask(2, "POST", "/v1/kv/registers/only-max?max=-9").text == "-9")
    #expect(try cluster.ask(2, "POST", "/v1/kv/registers/only-min?min=9").text == "9")

    #expect(try cluster.ask(1, "PUT", target, body: "9223372036854775807").status == 200)
    let overflow = try cluster.ask(2, "POST", target + "?add=1")
    #expect(overflow.status == 409 && overflow.outcome == "not-applied")
    #expect(try cluster.ask(3, "GET", target).text == "9223372036854775807")
    #expect(try cluster.ask(1, "PUT", target, body: "no number").status == 200)
    for change in ["add=1", "max=1", "min=1"] {
      #expect(try cluster.ask(2, "POST", target + "?" + change).status == 409)
    }
    for wrong in ["?add=", "?add=x", "?add=9223372036854775808", "?add=1&max=2", "?add=1&add=2", ""] {
      #expect(try cluster.ask(3, "POST", target + wrong).status == 400, "POST \(wrong)")
    }
  }

  @Test func append() throws {
    let cluster = try TestCluster.shared
    let target = "/v1/kv/registers/append"
    let first = try cluster.ask(1, "POST", target + "?append", body: "abc")
    #expect(first.status == 200 && first.text == "{\"revision\":\(first.revision ?? 0),\"length\":3}")
    let second = try cluster.ask(2, "POST", target + "?append", body: "de")
    #expect(second.text == "{\"revision\":\(second.revision ?? 0),\"length\":5}")
    #expect(try cluster.ask(3, "GET", target).text == "abcde")
    #expect(try cluster.ask(3, "POST", target + "?append").status == 411)
    #expect(try cluster.ask(3, "PUT", target).status == 411)
  }

  @Test(arguments: ["?unknown", "?expect=1&expect=2", "?add=1", "?wait=1s", "?Expect=x"])
  func unknownParametersOfAPut(_ query: String) throws {
    let cluster = try TestCluster.shared
    let answer = try cluster.ask(1, "PUT", "/v1/kv/registers/query" + query, body: "x")
    #expect(answer.status == 400 && answer.outcome == "not-applied")
    #expect(try cluster.ask(2, "GET", "/v1/kv/registers/query").status == 404)
  }

  @Test(arguments: ["?unknown=1", "?wait=1s&settle", "?wait=1s&wait=2s", "?expect=1", "?settle=x"])
  func unknownParametersOfAGet(_ query: String) throws {
    #expect(try TestCluster.shared.ask(1, "GET", "/v1/kv/registers/query" + query).status == 400)
  }

  @Test func methodsAndPathsThatAreNot() throws {
    let cluster = try TestCluster.shared
    let patch = try cluster.ask(1, "PATCH", "/v1/kv/registers/method", body: "x")
    #expect(patch.status == 405 && patch["Allow"]?.contains("PUT") == true)
    #expect(try cluster.ask(2, "POST", "/livez", body: "").status == 405)
    #expect(try cluster.ask(3, "GET", "/no/such/path").status == 404)
    #expect(try cluster.ask(1, "GET", "/v1/kvx").status == 404)
  }
}
