package import Base
import RaftLog
import Replica

extension RaftMonitor {
  package func picture(_ node: Int, isUp: Bool, _ stage: Stage) -> NodePicture {
    let disk = disks[node]
    guard isUp, let replica = replica(node) else {
      var picture = NodePicture(role: "down")
      picture.term = disk.term
      picture.vote = disk.vote
      picture.snapshot = disk.snapshot
      picture.commit = 0
      for (position, payload) in stage.entries[node] where position.index > disk.snapshot {
        picture.entries.append(entry(position, payload, isDurable: true))
        picture.keptBytes += UInt64(payload.count + 20)
      }
      return picture
    }
    var picture = NodePicture(role: replica.standing.name)
    picture.term = replica.term
    picture.vote = replica.vote?.value ?? 0
    picture.isTermUnsynced = replica.term != disk.term || picture.vote != disk.vote
    picture.leader = replica.leader?.value ?? 0
    picture.commit = replica.commit
    picture.applied = replica.applied
    picture.snapshot = replica.snapshot.index
    picture.snapshotBytes = replica.statistics.log?.snapshotBytes ?? 0
    picture.keptBytes = picture.snapshotBytes
    var index = replica.log.firstIndex
    while index <= replica.log.lastIndex {
      let position = LogPosition(index: index, term: replica.log.term(at: index) ?? 0)
      let payload = replica.log.payload(at: index)
      let isDurable = stage.entries[node].contains { $0.position == position } || index <= disk.snapshot
      picture.entries.append(entry(position, payload, isDurable: isDurable))
      picture.keptBytes += UInt64(payload.count + 20)
      index += 1
    }
    for entry in replica.machine.page(prefix: [], after: [], limit: 100).entries {
      picture.state.append((StageText.text(entry.key), StageText.shortened(StageText.text(entry.content.value))))
    }
    return picture
  }

  private func entry(_ position: LogPosition, _ payload: [UInt8], isDurable: Bool) -> NodePicture.Entry {
    let place = Int(position.index) - 1
    let isCommitted = place < committed.count && committed[place].term == position.term
    return NodePicture.Entry(
      index: position.index, term: position.term, text: Command.short(payload), isDurable: isDurable,
      isCommitted: isCommitted)
  }

  package func standing(_ node: Int) -> (term: UInt64, part: UInt8, text: String)? {
    guard let replica = replica(node) else { return nil }
    let text =
      switch replica.standing {
      case .follower: "n\(node + 1) follows in term \(replica.term)"
      case .preCandidate: "n\(node + 1) hears no leader, and asks who would vote for it"
      case .candidate: "n\(node + 1) stands in term \(replica.term)"
      case .leader: "n\(node + 1) leads term \(replica.term)"
      }
    return (replica.term, replica.standing.rawValue, text)
  }

  package func nextTick(_ node: Int) -> Instant { replica(node)?.nextTick ?? .never }

  package func erasures(_ node: Int) -> (count: Int, key: [UInt8]) { (0, []) }

  package func logEntries(_ node: Int) -> [(position: LogPosition, payload: [UInt8])] {
    guard let replica = replica(node) else { return [] }
    var found: [(position: LogPosition, payload: [UInt8])] = []
    var index = replica.log.firstIndex
    while index <= replica.log.lastIndex {
      let position = LogPosition(index: index, term: replica.log.term(at: index) ?? 0)
      found.append((position, replica.log.payload(at: index)))
      index += 1
    }
    return found
  }
}
