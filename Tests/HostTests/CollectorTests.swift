import Base
import Host
import Replica
import Storage
import Testing

/// Deleted registers leave whole hosts, and their disks; the floor is in the superblock before (R14).
@Suite struct HostCollectorTests {
  private func records(_ cluster: HostCluster, _ id: Int) -> UInt64? { cluster.status(id)?.replica.records }

  @Test func deletedRegistersLeaveEveryNode() throws {
    let cluster = HostCluster(3, tombstoneAge: 1000)
    cluster.pass(milliseconds: 1000)
    for number in 0..<30 { #expect(cluster.say(1 + number % 3, "PUT k\(number) v") == "201 1") }
    for number in 0..<20 { #expect(cluster.say(1 + number % 3, "DEL k\(number)") == "204") }
    #expect(cluster.status(1)?.replica.collecting?.waiting == 20)
    cluster.pass(milliseconds: 8000)
    var erased: UInt64 = 0
    for id in 1...3 {
      #expect(records(cluster, id) == 10)
      #expect(cluster.status(id)?.replica.collecting?.waiting == 0)
      erased += cluster.status(id)?.replica.collecting?.erased ?? 0
      let superblock = try #require(try Superblock.read(from: cluster.nodes[id - 1].device))
      #expect(try NodeState(decoding: superblock.payload).floor.revision >= 2)
    }
    #expect(erased >= 60)
    // All of them lose power: what is made again goes on above all that was, for every key.
    for id in 1...3 { cluster.stop(id) }
    for id in 1...3 { cluster.start(id) }
    cluster.pass(milliseconds: 2000)
    for id in 1...3 { #expect(records(cluster, id) == 10) }
    let answer = cluster.say(2, "PUT k3 again")
    let words = answer.split(separator: " ")
    #expect(words.first == "201")
    #expect(try #require(UInt64(words[1])) > 2)
    #expect(cluster.say(3, "GET k25") == "200 1 v")
    #expect(cluster.say(3, "GET k4") == "404")
  }

  @Test func aMemberThatIsAwayIsSaidToPauseIt() {
    let cluster = HostCluster(3, tombstoneAge: 200)
    cluster.pass(milliseconds: 1000)
    _ = cluster.say(1, "PUT k v")
    cluster.stop(3)
    cluster.pass(milliseconds: 1000)
    #expect(cluster.say(1, "DEL k") == "204")
    cluster.pass(milliseconds: 3000)
    #expect(records(cluster, 1) == 1)
    #expect(cluster.status(1)?.replica.collecting?.isPaused == true)
    cluster.start(3)
    cluster.pass(milliseconds: 4000)
    for id in 1...3 { #expect(records(cluster, id) == 0) }
    #expect(cluster.status(1)?.replica.collecting?.isPaused == false)
  }
}
