import Base
import RaftLog
import Replica

// Joint consensus (dissertation, 4.3), by the logs alone: what a node takes for its configuration is held against them.
extension RaftMonitor {
  /// The configuration that is in force at a node: the last one of its log, committed or not (4.1).
  func inForce(_ node: Int) -> Configuration {
    seen[node].log.configuration?.configuration ?? seen[node].given
  }

  /// Whether these nodes, by their places in the world, are a majority of the members, in a joint configuration of the
  /// old ones and of the new ones. Counted here: what the nodes count by is what is being watched.
  func isQuorum(_ holders: BitSet, of configuration: Configuration) -> Bool {
    func isMajority(of set: BitSet) -> Bool {
      var count = 0
      for (place, member) in configuration.members.enumerated()
      where set.contains(place) && holders.contains(Int(member.id.value) - 1) { count += 1 }
      return 2 * count > set.count
    }
    return isMajority(of: configuration.old) && configuration.new.map(isMajority) ?? true
  }

  func configuration(_ node: Int, _ replica: RaftReplica) {
    // What holds before the first such entry is what the node was given.
    seen[node].given = replica.firstConfiguration
    let latest = inForce(node)
    if replica.configuration != latest {
      fail(
        "node \(node + 1) goes by the configuration of epoch \(replica.configuration.epoch), and the last one of its "
          + "log is of epoch \(latest.epoch) (4.1)")
    }
    let index = seen[node].log.configuration?.index ?? 0
    guard index != seen[node].configuredAt else { return }
    notes.append("n\(node + 1) is in epoch \(latest.epoch)")
    if index < seen[node].configuredAt { occurrences.note(.configurationTakenBack) }
    seen[node].configuredAt = index
  }

  /// The last entry that was appended to a node's log may make a configuration: it follows the one before it.
  func follows(_ node: Int) {
    let log = seen[node].log
    guard let (index, next) = log.configuration, index == log.lastIndex,
      let before = log.previousConfiguration ?? formation
    else { return }
    let isNext =
      before.isJoint
      ? next == Configuration(after: before, abandoning: false)
        || next == Configuration(after: before, abandoning: true)
      : next.isJoint && next.epoch == before.epoch + 1
        && Self.old(of: next) == before.members.map { $0.id }
    if !isNext {
      fail("entry \(index) of node \(node + 1) makes a configuration that does not follow the one before it (4.3)")
    }
  }

  private static func old(of joint: Configuration) -> [NodeID] {
    joint.members.enumerated().filter { joint.old.contains($0.offset) }.map { $0.element.id }
  }

  /// A vote for `candidate` has left the node, or, its own, is on its disk.
  func granted(_ node: Int, to candidate: Int, in term: UInt64) {
    grants[term, default: [:]][candidate, default: BitSet()].insert(node)
  }

  /// §5.2, 4.3: by the configuration that the winner has in its log.
  func votes(_ node: Int, in term: UInt64) {
    let votes = grants[term]?[node] ?? BitSet()
    if !isQuorum(votes, of: inForce(node)) {
      fail("node \(node + 1) leads in term \(term) with the votes of \(votes.count) nodes, which are no quorum (4.3)")
    }
    if inForce(node).isJoint { occurrences.note(.jointInherited) }
  }

  /// What lies behind `before` is newly committed.
  func configurationCommitted(_ node: Int, behind before: UInt64) {
    guard let (index, configuration) = committedChain.configuration, index > before, !configuration.isJoint else {
      return
    }
    occurrences.note(.membershipChanged)
    if seen[node].leads != nil, configuration.index(of: NodeID(UInt16(node + 1))) == nil {
      occurrences.note(.leaderRemoved)
    }
  }

  /// The members by what is committed, by their places in the world.
  var membersAtLast: [Int] {
    guard let last = committedChain.configuration?.configuration ?? formation else { return [] }
    return last.members.map { Int($0.id.value) - 1 }
  }
}
