import Base
import Register
import Replica
import Testing

@Suite struct ListingTests {
  private func page(
    _ cluster: Cluster, _ node: Int, prefix: String = "", after: String = "", limit: Int = 100
  ) -> (keys: [String], more: Bool)? {
    let token = cluster.list(node, prefix: prefix, after: after, limit: limit)
    cluster.run()
    while cluster.answeredAt[token] == nil { cluster.pass(milliseconds: 1) }
    guard let page = cluster.pages[token] ?? nil else { return nil }
    return (page.entries.map { String(decoding: $0.key, as: UTF8.self) }, page.more)
  }

  @Test func pagesOfEverySizeHoldEveryKeyOnce() throws {
    let cluster = PaperTests.watched()
    let names = (0..<40).map { "k\($0)" } + ["a", "z", "k"]
    // Each key is missed by one node; some are deleted.
    for (place, name) in names.enumerated() {
      _ = cluster.send(place % 3, name, .put([1]))
      cluster.run { $0.to == (place + 1) % 3 && $0.from != $0.to }
    }
    let deleted = Set(names.filter { $0.hasSuffix("7") || $0.hasSuffix("2") })
    for name in deleted.sorted() {
      cluster.send(0, name, .delete)
      cluster.run()
      cluster.pass(milliseconds: 50)
    }
    let expected = names.filter { !deleted.contains($0) && $0.hasPrefix("k") }
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    for limit in [1, 2, 3, 7, 50] {
      for node in 0..<3 {
        var found: [String] = []
        var more = true
        while more {
          let page = try #require(self.page(cluster, node, prefix: "k", after: found.last ?? "", limit: limit))
          #expect(page.keys.count <= limit)
          #expect(!page.more || page.keys.count == limit)
          found += page.keys
          more = page.more
        }
        #expect(found == expected, "limit \(limit), node \(node)")
      }
    }
    #expect(cluster.nodes.allSatisfy { $0.replica.isQuiescent })
  }

  @Test func prefixAndAfterBoundThePage() {
    let cluster = PaperTests.watched()
    for name in ["a", "b", "b/", "b/1", "b/2", "c"] { _ = cluster.ask(0, name, .put([1])) }
    #expect(page(cluster, 1)?.keys == ["a", "b", "b/", "b/1", "b/2", "c"])
    #expect(page(cluster, 1, prefix: "b")?.keys == ["b", "b/", "b/1", "b/2"])
    #expect(page(cluster, 1, prefix: "b/", after: "b/")?.keys == ["b/1", "b/2"])
    #expect(page(cluster, 1, prefix: "b/", after: "a")?.keys == ["b/", "b/1", "b/2"])
    #expect(page(cluster, 1, prefix: "b", after: "c")?.keys == [])
    #expect(page(cluster, 1, prefix: "x")?.keys == [])
    #expect(page(cluster, 1, after: "b/1")?.keys == ["b/2", "c"])
  }

  @Test func aKeyOnAMinorityIsChosenBeforeItIsListed() {
    let cluster = PaperTests.watched()
    cluster.send(0, "k", .put([1]))
    cluster.run { $0.message.kind == "accept" }
    cluster.crash(0)
    #expect(page(cluster, 1)?.keys == [])
    cluster.restart(0)
    let listed = page(cluster, 0)?.keys
    #expect(listed == ["k"])
    cluster.crash(0)
    #expect(cluster.get(1, "k") == .read(Versioned(revision: 1, value: [1])))
  }

  @Test func aListingWithoutAnAnswerEndsAtItsDeadline() {
    let cluster = PaperTests.watched()
    _ = cluster.ask(0, "k", .put([1]))
    let token = cluster.list(0)
    cluster.run { $0.from != $0.to }
    cluster.pass(milliseconds: 4999)
    #expect(cluster.answeredAt[token] == nil)
    cluster.pass(milliseconds: 1)
    #expect(cluster.isUnanswered(listing: token))
    #expect(cluster.nodes[0].replica.isQuiescent)
  }
}
