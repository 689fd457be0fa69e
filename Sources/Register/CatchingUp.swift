import Base
import Replica

/// What this node does to hold again what it missed (PROTOCOL, "Catching up"): it compares digests with one member
/// after the other, and where they differ it asks that one for what it lacks itself. Each member does so for itself.
///
/// A *pass* with a member: the digest of the whole; of its 64 branches; of the leaves of each branch that differs, the
/// answer to which are the ballots that the member holds there. Where members hold the same a pass is one question of
/// 30 bytes, and stands for both. What this node lacks it asks for when it has lacked it for as long as a phase waits
/// for its quorum: before that the cell may be on its way, and does not count. The member answers with a *relay*: the
/// accept message of what it has accepted, at its own ballot, with the promise that rides on each accept (R5). To the
/// acceptor it is a late copy of that accept, so it is safe also where the cell was never chosen, and refused wherever
/// that copy would be:
///
/// - the epoch of the ballot is over: the fence refuses it (R11);
/// - something higher was promised: by the record, or, for a key that was erased, by the floor (R14).
///
/// Then an identity round carries the cell over, as it does in a change of members. It is run by the node whose ballot
/// it is, where that answers, so that it attracts no traffic (R10).
///
/// Nothing that was deleted comes back. Of one register, this node (N) and the member (M) hold:
///
/// - M a value, N none or one of a lower ballot, or a tombstone of a lower one: N lacks it. If N had erased the
///   register since, the floor would refuse the relay; M's value would be of a higher ballot than the tombstone,
///   because M has accepted that too before anyone erased it (R13): then it was made again, and the round brings it.
/// - M a tombstone, N a value of a lower ballot: N lacks the tombstone, and it is relayed like a value.
/// - M a tombstone, N nothing: the same (PROTOCOL, State). Nothing is relayed, or what a node has erased would come
///   back as a tombstone from those that hear of the erasure later. The collector brings tombstones to all.
/// - M nothing, N anything: M lacks it, and will find out itself, or N will erase it soon.
/// - A relay that is on its way while the register is deleted and erased is refused by the floor (R14).
///
/// A member that returns after it had left has dropped what it held (`since`), and lacks it like one that was away.
/// In a joint epoch no one catches up: every register is carried over then (step 3).
struct CatchingUp {
  /// While something is lacking, this goes on so often.
  static let tick: Milliseconds = 10
  /// Registers that are asked for at once; while clients keep the node busy; and those of them that need a round.
  static let width = 128
  static let busyWidth = 3
  static let roundWidth = 16
  /// No further branch is asked about while so many registers are known to be lacking.
  static let lackLimit = 2048
  /// A question, or a register, is asked for again so often before this pass gives it up.
  static let attempts = 5
  /// While a member fetches what it lacks, from this node or another, this node does not ask it: most of what differs
  /// is that. But not for longer than so many times the pause between comparisons.
  static let servingPause: Milliseconds = 1000
  static let pausesPutOff: UInt64 = 10

  /// A member, as far as this node knows what it holds.
  struct Peer {
    /// Registers that this node lacks and the member holds; nil: they were not compared since it answers.
    var behind: UInt64?
    /// When the last comparison that ended began.
    var comparedAt: Instant?
    var dueAt = Instant.never
    /// Before it was put off.
    var wasDueAt = Instant.never
    /// When it last wanted something of this node.
    var servedAt: Instant?
  }

  struct Lack {
    let hash: UInt64
    let ballot: Ballot
    let since: Instant
  }

  /// A register that was asked for.
  struct Asked {
    enum State {
      case free
      case asked(Instant, attempt: UInt64)
      /// Accepted; done when that is on the disk.
      case accepted(Ticket)
    }

    var state = State.free
    let hash: UInt64
    let ballot: Ballot
    var needsRound: Bool
    var times = 0
  }

  enum Question: Equatable {
    case none
    case whole
    case branches
    case leaves(branch: Int, UInt64)
  }

  struct Pass {
    let member: Int
    let beganAt: Instant
    var question = Question.none
    var attempt: UInt64 = 0
    var askedAt = Instant.zero
    var times = 0
    /// Differ, and are yet to be asked about.
    var branches: UInt64 = 0
    /// Those of the branch that was asked about last, for which the answer had no room.
    var rest: (branch: Int, leaves: UInt64)?
    var lacks: [Lack] = []
    /// The first of `lacks` that is not dealt with.
    var place = 0
    var asked: [Asked] = []
    var freePlaces: [Int] = []
    var underWay = 0
    var roundsUnderWay = 0
    /// Lacking still, and given up in this pass.
    var unresolved: UInt64 = 0
    /// Registers that were found lacking, in so many branches.
    var found: UInt64 = 0
    var branchesTold: UInt64 = 0

    var waiting: Int { lacks.count - place }
    var isNarrowed: Bool { question == .none && branches == 0 && rest == nil }
    var isDone: Bool { isNarrowed && waiting == 0 && underWay == 0 }

    /// About so many registers are lacking: what is not told yet is taken to be like what is.
    var estimate: UInt64 {
      UInt64(waiting + underWay) + unresolved + UInt64(branches.nonzeroBitCount) * found / max(1, branchesTold)
    }

    mutating func take(_ lack: Lack, needsRound: Bool) -> Int {
      underWay += 1
      if needsRound { roundsUnderWay += 1 }
      let one = Asked(hash: lack.hash, ballot: lack.ballot, needsRound: needsRound)
      if let place = freePlaces.popLast() {
        asked[place] = one
        return place
      }
      asked.append(one)
      return asked.count - 1
    }

    mutating func free(_ place: Int) {
      underWay -= 1
      if asked[place].needsRound { roundsUnderWay -= 1 }
      asked[place].state = .free
      freePlaces.append(place)
    }

    func isAsked(_ attempt: UInt64, _ place: Int, _ hash: UInt64) -> Bool {
      guard place < asked.count, case .asked(_, attempt) = asked[place].state else { return false }
      return asked[place].hash == hash
    }

    /// The relay does not help. Asked for again with the next step, if it is lacking still.
    mutating func refused(_ place: Int) {
      guard !asked[place].needsRound else { return }
      asked[place].needsRound = true
      asked[place].times = 0
      asked[place].state = .asked(.zero, attempt: 0)
      roundsUnderWay += 1
    }

    /// Those before `place` are dealt with.
    mutating func shorten() {
      guard place == lacks.count || place >= CatchingUp.lackLimit else { return }
      lacks.removeFirst(place)
      place = 0
    }
  }

  var peers: [Peer] = []
  var pass: Pass?
  var timerAt = Instant.never
  /// Rounds under way that other members have asked for.
  var roundsForOthers = 0
  /// What was sent for comparing, and what was relayed, in this life of the node.
  var statistics = CatchUpStatistics()

  var isFetching: Bool { pass.map { $0.underWay > 0 } ?? false }
  var isQuiet: Bool { pass.map { $0.waiting == 0 && $0.underWay == 0 } ?? true }

  /// Whether this node waits for a round on such a key: the accept message is no client's.
  func awaitsRound(of hash: UInt64) -> Bool {
    guard let pass, pass.roundsUnderWay > 0 else { return false }
    return pass.asked.contains { one in
      if case .asked = one.state { one.needsRound && one.hash == hash } else { false }
    }
  }
}

extension Registers {
  var mayCatchUp: Bool { selfIndex != nil && !configuration.isJoint }

  /// How this node and its peers stand, at the end of a step.
  var catchUpStatistics: CatchUpStatistics {
    var all = catchingUp.statistics
    for (index, peer) in catchingUp.peers.enumerated() where index != selfIndex {
      all.peers.append(
        CatchUpStatistics.Peer(
          node: configuration.members[index].id, behind: mayCatchUp ? peer.behind : nil, comparedAt: peer.comparedAt))
    }
    return all
  }

  // MARK: - When

  /// The members are others, or this is the beginning.
  mutating func startCatchingUp(_ now: Instant) {
    catchingUp.pass = nil
    catchingUp.peers = Array(repeating: CatchingUp.Peer(), count: configuration.members.count)
    guard mayCatchUp else { return }
    for member in configuration.members.indices where reachable.contains(member) { compareSoon(with: member, now) }
  }

  mutating func catchUpHeard(_ member: Int, isReachable: Bool, _ now: Instant) {
    guard mayCatchUp, member < catchingUp.peers.count, member != selfIndex else { return }
    catchingUp.peers[member] = CatchingUp.Peer()
    if isReachable {
      compareSoon(with: member, now)
    } else if catchingUp.pass?.member == member {
      catchingUp.pass = nil
    }
  }

  /// Who was away asks first: the others would find little but what they are asked for.
  private mutating func compareSoon(with member: Int, _ now: Instant) {
    guard member != selfIndex else { return }
    let pause = options.digestPause.count
    let isNew = now.milliseconds(since: startedAt) < 2 * pause
    setDue(member, now + Milliseconds(isNew ? pause / 20 : pause / 2))
  }

  mutating func setDue(_ member: Int, _ instant: Instant) {
    // The pauses of two nodes differ, so that they do not ask each other in step.
    let due = instant + Milliseconds(UInt64(node.value % 8) * options.digestPause.count / 100)
    catchingUp.peers[member].dueAt = due
    catchingUp.peers[member].wasDueAt = due
    setCatchUpTimer(due)
  }

  /// Not for ever, or two that each lack something of the other would wait for each other.
  func mayPutOff(_ member: Int, _ now: Instant) -> Bool {
    let patience = Milliseconds(options.digestPause.count * CatchingUp.pausesPutOff)
    return catchingUp.peers[member].wasDueAt + patience > now
  }

  mutating func putOff(_ member: Int, until instant: Instant) {
    catchingUp.peers[member].dueAt = instant
    setCatchUpTimer(instant)
  }

  private mutating func setCatchUpTimer(_ instant: Instant) {
    guard instant < catchingUp.timerAt else { return }
    catchingUp.timerAt = instant
    timers.set(.catchingUp, at: instant)
  }

  /// Its time has come: for the next step of a pass, or for a new one.
  mutating func catchUp(_ now: Instant, _ outbox: inout Outbox) {
    guard now >= catchingUp.timerAt else { return }
    catchingUp.timerAt = .never
    guard mayCatchUp else { return }
    if catchingUp.pass == nil { beginPass(now, &outbox) }
    continuePass(now, &outbox)
    if catchingUp.pass != nil {
      setCatchUpTimer(now + CatchingUp.tick)
    } else if let due = catchingUp.peers.map({ $0.dueAt }).min(), due < .never {
      setCatchUpTimer(max(due, now + CatchingUp.tick))
    }
  }

  private mutating func beginPass(_ now: Instant, _ outbox: inout Outbox) {
    var chosen: Int?
    for (member, peer) in catchingUp.peers.enumerated() where peer.dueAt <= now {
      guard reachable.contains(member) else {
        catchingUp.peers[member].dueAt = .never
        continue
      }
      if let servedAt = peer.servedAt, servedAt + CatchingUp.servingPause > now, mayPutOff(member, now) {
        putOff(member, until: servedAt + CatchingUp.servingPause)
        continue
      }
      if peer.dueAt < (chosen.map { catchingUp.peers[$0].dueAt } ?? .never) { chosen = member }
    }
    guard let chosen else { return }
    catchingUp.pass = CatchingUp.Pass(member: chosen, beganAt: now)
    ask(.whole, now, &outbox)
  }

  mutating func endPass(_ now: Instant) {
    guard let pass = catchingUp.pass else { return }
    catchingUp.pass = nil
    catchingUp.peers[pass.member].behind = pass.unresolved
    catchingUp.peers[pass.member].comparedAt = pass.beganAt
    // What is left may be done at once with another member.
    setDue(pass.member, now + Milliseconds(options.digestPause.count / (pass.unresolved == 0 ? 1 : 8)))
  }

  /// The member held the same when it asked, or when it was asked.
  mutating func holdTheSame(_ member: Int, _ instant: Instant, _ now: Instant) {
    catchingUp.peers[member].behind = 0
    catchingUp.peers[member].comparedAt = instant
    setDue(member, now + options.digestPause)
  }
}
