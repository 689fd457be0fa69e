import Foundation
import Testing

/// CONTRACT §1, administration.
@Suite("Contract: administration", .sharedCluster)
struct AdministrationContractTests {
  @Test func health() throws {
    let cluster = try TestCluster.shared
    for node in 1...3 {
      #expect(try cluster.ask(node, "GET", "/livez").status == 200)
      #expect(try cluster.ask(node, "GET", "/readyz").status == 200)
      #expect(try cluster.ask(node, "GET", "/readyz?verbose").text.contains("quorum"))
      #expect(try cluster.ask(node, "HEAD", "/readyz").status == 200)
      #expect(try cluster.ask(node, "GET", "/readyz?x").status == 400)
    }
  }

  @Test func status() throws {
    let cluster = try TestCluster.shared
    let status = try cluster.ask(2, "GET", "/v1/status").json
    #expect(status["node"] as? Int == 2 && status["backend"] as? String == TestCluster.backendName)
    #expect(status["epoch"] as? Int == 0)
    #expect((status["members"] as? [Any])?.count == 3 && (status["peers"] as? [Any])?.count == 2)
    #expect(status["registers"] is Int && status["storage"] != nil)
  }

  @Test func members() throws {
    let cluster = try TestCluster.shared
    let answer = try cluster.ask(3, "GET", "/v1/members")
    #expect(answer["ETag"] == "\"0\"" && answer.json["phase"] as? String == "stable")
    let members = answer.json["members"] as? [[String: Any]] ?? []
    #expect(members.map { $0["id"] as? Int } == [1, 2, 3])
    #expect(members.map { $0["address"] as? String ?? "" } == (1...3).map { "127.0.0.1:\(cluster.peerPort($0))" })
    #expect(answer.json["epoch"] as? Int == 0 && answer.json["progress"] is [String: Any])
  }

  @Test func metrics() throws {
    let cluster = try TestCluster.shared
    let answer = try cluster.ask(1, "GET", "/metrics")
    #expect(answer.status == 200 && answer["Content-Type"]?.hasPrefix("text/plain") == true)
    for line in answer.text.split(separator: "\n") where !line.hasPrefix("#") {
      #expect(line.wholeMatch(of: /[a-zA-Z_:][\w:]*(\{.*\})? [-+]?[0-9.eE+-]+/) != nil, "\(line)")
    }
  }
}
