import Foundation
import Testing

/// CONTRACT §1: listing and batch.
@Suite("Contract: listing and batch", .sharedCluster)
struct ListingContractTests {
  private func names(_ answer: HTTPAnswer) -> [String] {
    (answer.json["keys"] as? [[String: Any]] ?? []).map { $0["key"] as? String ?? "?" }
  }

  @Test func aListingIsCompleteAndSorted() throws {
    let cluster = try TestCluster.shared
    let wanted = (0..<40).map { "list/" + String(format: "%02d", $0 * 7 % 40) }
    for (index, name) in wanted.enumerated() {
      #expect(try cluster.ask(index % 3 + 1, "PUT", "/v1/kv/" + name, body: "value of \(name)").status == 201)
    }
    _ = try cluster.ask(1, "PUT", "/v1/kv/lisa", body: "beside")
    _ = try cluster.ask(1, "PUT", "/v1/kv/list0", body: "beside")
    for node in 1...3 {
      let all = try cluster.ask(node, "GET", "/v1/kv?prefix=list/")
      #expect(all.status == 200 && names(all) == wanted.sorted() && all.json["more"] as? Bool == false)
    }
    #expect(try cluster.ask(2, "DELETE", "/v1/kv/list/07").status == 204)
    let left = wanted.sorted().filter { $0 != "list/07" }
    var found: [String] = []
    var hasMore = true
    while hasMore {
      let after = found.last ?? ""
      let page = try cluster.ask(found.count % 3 + 1, "GET", "/v1/kv?prefix=list/&after=\(after)&limit=7")
      #expect(names(page).count <= 7 && !names(page).isEmpty)
      found += names(page)
      hasMore = try #require(page.json["more"] as? Bool)
    }
    #expect(found == left)
    let entry = try cluster.ask(3, "GET", "/v1/kv?prefix=list/39&values").json["keys"] as? [[String: Any]]
    #expect(entry?.first?["value"] as? String == "value of list/39")
    let read = try cluster.ask(1, "GET", "/v1/kv/list/39")
    #expect(entry?.first?["revision"] as? UInt64 == read.revision)
    for wrong in ["?limit=0", "?limit=x", "?limit=-1", "?unknown", "?limit=1&limit=2"] {
      #expect(try cluster.ask(1, "GET", "/v1/kv" + wrong).status == 400, "\(wrong)")
    }
  }

  @Test func keysThatAreNotUTF8() throws {
    let cluster = try TestCluster.shared
    _ = try cluster.ask(1, "PUT", "/v1/kv/list-bytes/%FF%FE", body: "x")
    let keys = try cluster.ask(2, "GET", "/v1/kv?prefix=list-bytes/").json["keys"] as? [[String: Any]]
    let expected = Data(Array("list-bytes/".utf8) + [0xFF, 0xFE]).base64EncodedString()
    #expect(keys?.count == 1 && keys?.first?["key_base64"] as? String == expected && keys?.first?["key"] == nil)
  }

  @Test func batch() throws {
    let cluster = try TestCluster.shared
    let lines = [
      #"{"op":"put","key":"batch/a","value":"1"}"#, #"{"op":"get","key":"batch/none"}"#,
      #"{"op":"add","key":"batch/n","delta":4}"#, #"{"op":"cas","key":"batch/b","value":"x","if_absent":true}"#,
      #"{"op":"delete","key":"batch/none"}"#, #"{"op":"nonsense","key":"batch/z"}"#, "no json",
      #"{"op":"put","key":"batch/c","value_base64":"/wA="}"#,
    ]
    let answer = try cluster.ask(1, "POST", "/v1/batch", body: lines.joined(separator: "\n") + "\n")
    let parts = answer.jsonLines
    #expect(answer.status == 200)
    #expect(parts.map { $0["status"] as? Int ?? 0 } == [201, 404, 200, 201, 404, 400, 400, 201])
    #expect(parts[2]["value"] as? String == "4")
    #expect(parts[5]["outcome"] as? String == "not-applied")
    let revision = try #require(parts[0]["revision"] as? UInt64)
    let more = [
      #"{"op":"get","key":"batch/a"}"#, #"{"op":"cas","key":"batch/b","value":"y","if_value":"x"}"#,
      #"{"op":"cas","key":"batch/b","value":"z","if_absent":true}"#, #"{"op":"get","key":"batch/c"}"#,
    ]
    let next = try cluster.ask(2, "POST", "/v1/batch", body: more.joined(separator: "\n"))
    #expect(next.jsonLines.map { $0["status"] as? Int ?? 0 } == [200, 200, 412, 200])
    #expect(next.jsonLines[0]["revision"] as? UInt64 == revision)
    #expect(next.jsonLines[0]["value"] as? String == "1" && next.jsonLines[3]["value_base64"] as? String == "/wA=")
    let current = next.jsonLines[2]["current"] as? [String: Any]
    #expect(current != nil)
    let deletion = #"{"op":"delete","key":"batch/a","if_revision":\#(revision)}"#
    let deleted = try cluster.ask(3, "POST", "/v1/batch", body: deletion)
    #expect(deleted.jsonLines.map { $0["status"] as? Int ?? 0 } == [204])
    #expect(try cluster.ask(3, "GET", "/v1/kv/batch/a").status == 404)
    #expect(try cluster.ask(3, "GET", "/v1/kv/batch/b").text == "y")
  }

  @Test func aBatchHasALimit() throws {
    let cluster = try TestCluster.shared
    let lines = (0..<257).map { #"{"op":"put","key":"batch-limit/\#($0)","value":"x"}"# }
    let full = try cluster.ask(1, "POST", "/v1/batch", body: lines.dropLast().joined(separator: "\n"))
    #expect(full.status == 200 && full.jsonLines.count == 256)
    #expect(full.jsonLines.allSatisfy { $0["status"] as? Int == 201 })
    let over = try cluster.ask(2, "POST", "/v1/batch", body: lines.reversed().joined(separator: "\n"))
    #expect((400..<500).contains(over.status) && over.outcome == "not-applied")
    #expect(try cluster.ask(3, "GET", "/v1/kv/batch-limit/256").status == 404)
  }
}
