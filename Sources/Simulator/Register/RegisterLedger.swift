import Base
import Register

/// What is known, from outside, of one register: which cells were proposed at which ballots, who holds what, and which
/// cell is chosen.
struct RegisterLedger {
  struct Proposal {
    let cell: [UInt8]
    let revision: UInt64
    /// The ballot of the accepted cell from which the proposer started; zero where it found nothing.
    let parent: Ballot
    /// The revision at which its chain of cells began: 0, or that of the floor where the register had been erased.
    let origin: UInt64
    /// The nodes whose acceptance left them, or is on their disk.
    var voters = BitSet()
  }

  /// What one node has promised and accepted.
  struct Holding {
    /// In memory, in its present life.
    var promised = Ballot.zero
    var accepted = Ballot.zero
    var durablyPromised = Ballot.zero
    var durablyAccepted = Ballot.zero
    /// The highest accepted ballot that it has erased since it came back: up to there, what it has accepted may fall.
    var erased = Ballot.zero
    /// The highest promise that went with it, which the floor keeps.
    var erasedPromise = Ballot.zero
    /// Its disk has lost the record: then the rest is what it held, and knows no more.
    var isDamaged = false

    var hasAcceptedDurably: Ballot { max(durablyAccepted, erased) }
  }

  let key: Key
  var proposals: [Ballot: Proposal] = [:]
  /// Invariant: the highest ballot with votes of a quorum; every chosen one is its ancestor.
  var chosen = Ballot.zero
  var chosenRevision: UInt64 = 0
  /// Ballots of proposals above the chosen one.
  var pending: [Ballot] = []
  var holdings: [Holding]
  /// By node: the highest ballot that it has prepared.
  var prepared: [Ballot]
  /// The accepted ballots that promises for a ballot told its proposer of: the highest counts.
  var bases: [Ballot: Ballot] = [:]
  /// The highest revision of a floor that promises for a ballot told its proposer of, where they held no cell.
  var erasedRevisions: [Ballot: UInt64] = [:]
  /// The last tombstone that a node has erased: what starts from nothing then, starts from it.
  var erased = Ballot.zero

  init(_ key: Key, nodes: Int) {
    self.key = key
    holdings = Array(repeating: Holding(), count: nodes)
    prepared = Array(repeating: .zero, count: nodes)
  }

  /// Whether `ancestor` is on the way from `ballot` to the beginning.
  func isAncestor(_ ancestor: Ballot, of ballot: Ballot) -> Bool {
    var place = ballot
    while place > ancestor, let proposal = proposals[place] { place = proposal.parent }
    return place == ancestor
  }
}
