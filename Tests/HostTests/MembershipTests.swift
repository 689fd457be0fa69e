import Base
import Host
import Replica
import Storage
import Testing

/// Changes of members, by whole hosts: who begins one, who ends it, who leaves (PROTOCOL, Membership).
@Suite struct HostMembershipTests {
  private static func cluster(_ count: Int, first: Int) -> HostCluster {
    let cluster = HostCluster(count, first: first)
    cluster.pass(milliseconds: 1000)
    return cluster
  }

  private static func ids(_ configuration: Configuration?) -> [Int] {
    configuration?.members.map { Int($0.id.value) } ?? []
  }

  @Test(arguments: [[1, 2, 3, 4], [2, 3, 4], [4, 5, 6], [1], [1, 2, 3, 4, 5, 6], [3, 6]])
  func anySetBecomesAnyOther(_ wanted: [Int]) {
    let cluster = Self.cluster(6, first: 3)
    for number in 0..<40 { #expect(cluster.say(1 + number % 6, "PUT k\(number) v") == "201 1") }
    cluster.want(wanted, of: 1)
    cluster.pass(milliseconds: 3000)
    for id in wanted {
      #expect(Self.ids(cluster.configuration(id)) == wanted)
      #expect(cluster.configuration(id)?.epoch == 2)
      #expect(cluster.status(id)?.isReady == true)
    }
    for id in 1...3 where !wanted.contains(id) { #expect(cluster.nodes[id - 1].hasLeft) }
    for number in 0..<40 { #expect(cluster.say(wanted[number % wanted.count], "CAS k\(number) 1 w") == "200 2") }
    // Nothing is left of what only those who left had.
    for id in wanted { cluster.stop(id) }
    for id in wanted { cluster.start(id) }
    cluster.pass(milliseconds: 3000)
    for number in 0..<40 { #expect(cluster.say(wanted[0], "GET k\(number)") == "200 2 w") }
  }

  @Test func aNewcomerServesBeforeItVotes() {
    let cluster = Self.cluster(4, first: 3)
    #expect(cluster.configuration(4)?.index(of: NodeID(4)) == nil)
    #expect(cluster.status(4)?.isReady == true)
    #expect(cluster.say(4, "PUT k a") == "201 1")
    #expect(cluster.say(4, "GET k") == "200 1 a")
    #expect(cluster.say(2, "GET k") == "200 1 a")
  }

  @Test func whoWasRemovedDoesNotStartAgain() {
    let cluster = Self.cluster(4, first: 3)
    cluster.want([2, 3, 4], of: 2)
    cluster.pass(milliseconds: 3000)
    #expect(cluster.nodes[0].hasLeft)
    #expect(cluster.nodes[0].notices.contains { $0.contains("no member any more") })
    cluster.start(1)
    cluster.pass(milliseconds: 2000)
    #expect(cluster.nodes[0].failure?.contains("was removed from its cluster, in epoch 2") == true)
  }

  /// It was away when it was removed: its peers tell it when it comes back.
  @Test func whoWasRemovedWhileAwayIsRefused() {
    let cluster = Self.cluster(4, first: 3)
    cluster.stop(1)
    cluster.want([2, 3, 4], of: 2)
    cluster.pass(milliseconds: 3000)
    #expect(Self.ids(cluster.configuration(4)) == [2, 3, 4])
    cluster.start(1)
    cluster.pass(milliseconds: 2000)
    #expect(cluster.nodes[0].failure?.contains("no member of the cluster") == true)
  }

  // Seed 40014 of `cold-members`: it was paused when it was removed, and went on with links of its own that still
  // stood. Nobody answered on them, and it asked for ever.
  @Test func whoWasRemovedWhileItCouldOnlySpeakIsRefused() {
    let cluster = Self.cluster(4, first: 3)
    cluster.unreachable = [1]
    cluster.breakLinks(dialledTo: 1)
    cluster.want([2, 3, 4], of: 2)
    cluster.pass(milliseconds: 6000)
    #expect(Self.ids(cluster.configuration(4)) == [2, 3, 4])
    #expect(Self.ids(cluster.configuration(1)) == [1, 2, 3])
    cluster.unreachable = []
    cluster.pass(milliseconds: 6000)
    #expect(cluster.nodes[0].failure?.contains("no member of the cluster") == true)
  }

  /// Step by step: the driver dies at each turn in which it does anything, and another member ends the change, or it
  /// had never begun.
  @Test(arguments: 0..<90)
  func theDriverDiesAtEveryStep(_ turn: Int) {
    let cluster = Self.cluster(5, first: 3)
    for number in 0..<12 { #expect(cluster.say(1 + number % 3, "PUT k\(number) v") == "201 1") }
    cluster.doomed = (1, turn)
    cluster.want([2, 3, 4, 5], of: 1)
    cluster.pass(milliseconds: 6000)
    let members = Self.ids(cluster.configuration(2))
    #expect(members == [2, 3, 4, 5] || members == [1, 2, 3])
    #expect(cluster.configuration(2)?.isJoint == false)
    for number in 0..<12 { #expect(cluster.say(2 + number % 2, "CAS k\(number) 1 w") == "200 2") }
    // With the dead one back, a change that had not begun can be made.
    if cluster.nodes[0].host == nil && !cluster.nodes[0].hasLeft { cluster.start(1) }
    cluster.pass(milliseconds: 2000)
    cluster.want([2, 3, 4, 5], of: 3)
    cluster.pass(milliseconds: 4000)
    for id in 2...5 { #expect(Self.ids(cluster.configuration(id)) == [2, 3, 4, 5]) }
    for number in 0..<12 { #expect(cluster.say(4 + number % 2, "GET k\(number)") == "200 2 w") }
  }

  @Test func wantingTheOldSetGivesAChangeUp() {
    let cluster = Self.cluster(5, first: 3)
    #expect(cluster.say(1, "PUT k a") == "201 1")
    cluster.want([3, 4, 5], of: 1)
    for _ in 0..<100 where cluster.configuration(2)?.isJoint != true { cluster.pass(milliseconds: 5) }
    cluster.want([1, 2, 3], of: 2)
    cluster.pass(milliseconds: 4000)
    for id in 1...3 {
      #expect(Self.ids(cluster.configuration(id)) == [1, 2, 3])
      #expect(cluster.configuration(id)?.epoch == 2)
    }
    #expect(cluster.nodes[3].hasLeft && cluster.nodes[4].hasLeft)
    #expect(cluster.say(1, "CAS k 1 b") == "200 2")
  }

  /// Forced against all advice: of the wanted members no majority is there. It ends when one of them comes.
  @Test func aChangeWaitsForAMajorityOfTheNew() {
    let cluster = Self.cluster(5, first: 3)
    #expect(cluster.say(1, "PUT k a") == "201 1")
    cluster.stop(4)
    cluster.stop(5)
    cluster.want([3, 4, 5], of: 1)
    cluster.pass(milliseconds: 3000)
    #expect(cluster.configuration(1)?.isJoint == true)
    #expect(cluster.say(1, "CAS k 1 b").hasPrefix("50"))
    cluster.start(4)
    cluster.pass(milliseconds: 4000)
    #expect(Self.ids(cluster.configuration(4)) == [3, 4, 5])
    #expect(cluster.say(4, "GET k").hasPrefix("200"))
  }

  @Test func twoChangesDoNotMix() {
    let cluster = Self.cluster(5, first: 3)
    for number in 0..<20 { #expect(cluster.say(1, "PUT k\(number) v") == "201 1") }
    cluster.want([1, 2, 3, 4], of: 1)
    cluster.want([1, 2, 3, 5], of: 2)
    cluster.pass(milliseconds: 4000)
    let members = Self.ids(cluster.configuration(3))
    #expect(members == [1, 2, 3, 4] || members == [1, 2, 3, 5])
    for id in members { #expect(Self.ids(cluster.configuration(id)) == members) }
  }

  /// All of the old members are told of the end first, and die: they come back, and stay until the new ones know.
  @Test func whoWasRemovedStaysUntilTheNewKnow() {
    let cluster = Self.cluster(6, first: 3)
    #expect(cluster.say(1, "PUT k a") == "201 1")
    cluster.want([4, 5, 6], of: 1)
    for _ in 0..<100 where cluster.configuration(1)?.isJoint != true { cluster.pass(milliseconds: 5) }
    var removed: [Int] = []
    for _ in 0..<4000 where removed.isEmpty {
      cluster.pass(milliseconds: 5)
      removed = (1...3).filter { cluster.configuration($0)?.epoch == 2 }
    }
    for id in 1...3 { cluster.stop(id) }
    for id in 1...3 where !cluster.nodes[id - 1].hasLeft { cluster.start(id) }
    cluster.pass(milliseconds: 4000)
    for id in 4...6 {
      #expect(Self.ids(cluster.configuration(id)) == [4, 5, 6])
      #expect(cluster.configuration(id)?.epoch == 2)
    }
    #expect(cluster.say(5, "GET k") == "200 1 a")
    for id in 1...3 { #expect(cluster.nodes[id - 1].host == nil) }
  }

  /// R12: an empty folder under a member's id is another node.
  @Test func aWipedMemberIsRefused() {
    let cluster = Self.cluster(4, first: 3)
    cluster.want([1, 2, 3, 4], of: 1)
    cluster.pass(milliseconds: 3000)
    cluster.stop(4)
    cluster.nodes[3].device = .init()
    cluster.start(4)
    cluster.pass(milliseconds: 2000)
    #expect(cluster.nodes[3].failure?.contains("with another data folder") == true)
    #expect(cluster.say(1, "PUT k a") == "201 1")
  }
}
