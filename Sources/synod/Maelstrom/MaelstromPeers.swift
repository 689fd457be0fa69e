import Base
import Replica

/// Who the nodes of a Maelstrom test are, which of them answer, and whether all have met.
///
/// Each process draws a number when it begins, its *life*, and a node is named by its id and that (R12): memory is all
/// that these nodes have, so one that was killed and started again has forgotten its promises and is another node.
/// Every heartbeat carries the lives that its sender has written down, each once and for ever. A node serves when each
/// of the others has told it of the same whole list: from then on nobody will take a newcomer for one of the old.
struct MaelstromPeers {
  static let heartbeat: Milliseconds = 100
  /// Who was not heard for so long counts as away. For failing fast and for forwarding, never for safety.
  private static let patience: Milliseconds = 500

  struct Peer {
    let name: [UInt8]
    let id: NodeID
    /// 0 until it was heard for the first time.
    var life: UInt64 = 0
    /// Whether it has told of the very lives that this node knows.
    var agrees = false
    var isReachable = false
    var heardAt = Instant.zero
    /// Its clock as of its last heartbeat.
    var clock = Instant.zero
  }

  /// Every node, this one among them, sorted by name.
  private(set) var all: [Peer]
  let own: Int

  /// `names` must hold `name`, and no name twice.
  init(name: [UInt8], names: [[UInt8]], life: UInt64) {
    let sorted = names.sorted { $0.lexicographicallyPrecedes($1) }
    all = sorted.enumerated().map { Peer(name: $0.element, id: NodeID(UInt16($0.offset + 1))) }
    guard let own = sorted.firstIndex(of: name) else { invariantFailed("a node that is none of the nodes") }
    self.own = own
    all[own].life = life
    all[own].agrees = true
    all[own].isReachable = true
  }

  var others: [Int] { all.indices.filter { $0 != own } }
  var hasFormed: Bool { all.allSatisfy { $0.agrees } }
  /// What a heartbeat tells.
  var lives: [UInt64] { all.map(\.life) }

  func index(of name: [UInt8]) -> Int? { all.firstIndex { $0.name == name } }

  /// Whether a message from one life to another is between two nodes that may talk. A node that has not heard of all
  /// the others answers nobody: it could not tell the old from the new.
  func admits(_ from: Int, life: UInt64, toLife: UInt64) -> Bool {
    !lives.contains(0) && from != own && all[from].life == life && all[own].life == toLife
  }

  /// A heartbeat. False if it is from a stranger, or from one that takes this node for a stranger.
  mutating func heard(_ from: Int, lives theirs: [UInt64], clock: Instant, at now: Instant) -> Bool {
    guard from != own, theirs.count == all.count, theirs[from] != 0 else { return false }
    if all[from].life == 0 { all[from].life = theirs[from] }
    guard all[from].life == theirs[from], theirs[own] == 0 || theirs[own] == all[own].life else { return false }
    all[from].heardAt = now
    // Heartbeats may overtake each other.
    all[from].clock = max(all[from].clock, clock)
    if theirs == lives && !theirs.contains(0) { all[from].agrees = true }
    return true
  }

  mutating func setReachable(_ index: Int, _ isReachable: Bool) { all[index].isReachable = isReachable }

  /// Those who count as answering, and were not heard for too long.
  func silent(at now: Instant) -> [Int] {
    others.filter { all[$0].isReachable && now > all[$0].heardAt + Self.patience }
  }
}
