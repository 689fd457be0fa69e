import Base
import Replica

/// The configurations that the entries of a log make. The last one is in force from the moment when its entry is
/// appended, committed or not, and goes with its entry (4.1, 4.3).
struct Configurations {
  /// By the entry that made it, ascending. The first one holds from before the first entry of the log on, and stays.
  private(set) var changes: [(index: UInt64, configuration: Configuration)]

  /// - Parameter first: holds where neither log nor snapshot say anything.
  init(_ first: Configuration) { changes = [(0, first)] }

  var latest: Configuration { changes[changes.count - 1].configuration }
  /// The entry that made the latest one.
  var latestIndex: UInt64 { changes[changes.count - 1].index }
  /// The one before the latest.
  var previous: Configuration? { changes.count < 2 ? nil : changes[changes.count - 2].configuration }

  /// The one that was in force when the entry at `index` was the last.
  func at(_ index: UInt64) -> Configuration { entry(at: index).configuration }

  /// The same, with the entry that made it.
  func entry(at index: UInt64) -> (index: UInt64, configuration: Configuration) {
    var place = changes.count - 1
    while place > 0, changes[place].index > index { place -= 1 }
    return changes[place]
  }

  /// Whether neither an entry nor a snapshot has said anything.
  var isBare: Bool { changes.count == 1 && changes[0].index == 0 }

  /// What holds from before the first entry on has become known, or more of it.
  mutating func replaceFirst(by configuration: Configuration) { changes[0].configuration = configuration }

  mutating func append(_ configuration: Configuration, at index: UInt64) {
    truncate(from: index)
    changes.append((index, configuration))
  }

  /// The entries at `index` and above are gone.
  mutating func truncate(from index: UInt64) {
    while changes.count > 1, changes[changes.count - 1].index >= index { changes.removeLast() }
  }

  /// A snapshot holds what was in force at its last entry. Of the first members it may not know all that this node
  /// does: incarnations are known only when a cluster is formed.
  mutating func begin(at index: UInt64, with configuration: Configuration) {
    let first = changes[0].configuration
    changes.removeAll { $0.index <= index }
    changes.insert((index, configuration.epoch == 0 && first.epoch == 0 ? first : configuration), at: 0)
  }

  /// The entries up to `index` are trimmed.
  mutating func forget(through index: UInt64) {
    while changes.count > 1, changes[1].index <= index { changes.removeFirst() }
  }
}

extension Configuration {
  func names(_ node: NodeID) -> Bool { index(of: node) != nil }

  /// What stood before the change that is under way.
  var beforeChange: Configuration {
    guard isJoint else { return self }
    return Configuration(
      epoch: epoch - 1, stable: members.enumerated().filter { old.contains($0.offset) }.map { $0.element })
  }

  /// Whether this is a way from `stable` to another set, which begins in the next epoch.
  func isChange(of stable: Configuration) -> Bool {
    guard let new, !stable.isJoint, epoch == stable.epoch + 1, !new.isEmpty, new.count <= Self.maximumMembers else {
      return false
    }
    var wanted: [Member] = []
    for place in members.indices where new.contains(place) { wanted.append(members[place]) }
    for member in wanted {
      if let same = stable.index(of: member.id), !stable.members[same].isSameNode(as: member) { return false }
    }
    return self == Configuration(joining: wanted, after: stable)
  }
}
