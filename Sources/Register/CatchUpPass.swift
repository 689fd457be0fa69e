import Base
import Replica

// A pass of ``CatchingUp`` with one member: what it holds and this node lacks is found, and asked for.
extension Registers {
  mutating func ask(_ question: CatchingUp.Question, _ now: Instant, _ outbox: inout Outbox) {
    guard let member = catchingUp.pass?.member else { return }
    let attempt = newAttempt()
    if catchingUp.pass?.question != question { catchingUp.pass?.times = 0 }
    catchingUp.pass?.question = question
    catchingUp.pass?.attempt = attempt
    catchingUp.pass?.askedAt = now
    let range: DigestRange
    var leaves: UInt64 = 0
    let digests: [UInt64]
    switch question {
    case .none: return
    case .whole:
      range = .whole
      digests = [acceptor.table.digests.whole]
    case .branches:
      range = .branches
      digests = acceptor.table.digests.branches
    case .leaves(let branch, let asked):
      range = .leaves(branch: branch)
      leaves = asked
      digests = acceptor.table.digests.leaves(of: branch)
    }
    let message = Message.compare(
      attempt: attempt, epoch: configuration.epoch, range: range, leaves: leaves, digests: digests)
    sendComparing(message, to: configuration.members[member].id, &outbox)
  }

  mutating func sendComparing(_ message: Message, to peer: NodeID, _ outbox: inout Outbox) {
    let before = outbox.arena.count
    outbox.send(to: peer, after: .none) { message.encode(into: &$0) }
    catchingUp.statistics.comparedBytes += UInt64(outbox.arena.count - before)
  }

  private func isAnswer(_ attempt: UInt64, from: NodeID) -> Bool {
    guard let member = catchingUp.pass?.member, catchingUp.pass?.attempt == attempt,
      catchingUp.pass?.question != CatchingUp.Question.none
    else { return false }
    return configuration.members[member].id == from
  }

  mutating func heardDiffering(
    _ attempt: UInt64, from: NodeID, _ places: UInt64, _ now: Instant, _ outbox: inout Outbox
  ) {
    guard isAnswer(attempt, from: from), let question = catchingUp.pass?.question,
      let member = catchingUp.pass?.member, let beganAt = catchingUp.pass?.beganAt
    else { return }
    switch question {
    case .whole where places == 0:
      catchingUp.pass = nil
      return holdTheSame(member, beganAt, now)
    case .whole where places == Message.differsAndFetches && mayPutOff(member, now):
      catchingUp.pass = nil
      return putOff(member, until: now + options.digestPause)
    case .whole: return ask(.branches, now, &outbox)
    case .branches:
      catchingUp.pass?.branches = places
      catchingUp.pass?.question = .none
    case .none, .leaves: return
    }
    continuePass(now, &outbox)
  }

  mutating func heardHoldings(
    _ attempt: UInt64, from: NodeID, rest: UInt64, _ holdings: [Holding], _ now: Instant, _ outbox: inout Outbox
  ) {
    guard isAnswer(attempt, from: from), case .leaves(let branch, _) = catchingUp.pass?.question else { return }
    catchingUp.pass?.question = .none
    for holding in holdings where isLacking(holding) {
      catchingUp.pass?.found += 1
      catchingUp.pass?.lacks.append(CatchingUp.Lack(hash: holding.hash, ballot: holding.ballot, since: now))
    }
    if rest == 0 {
      catchingUp.pass?.branchesTold += 1
    } else {
      catchingUp.pass?.rest = (branch, rest)
    }
    continuePass(now, &outbox)
  }

  private func isLacking(_ holding: Holding) -> Bool {
    guard let number = acceptor.table.find(hash: holding.hash), acceptor.table[number].accepted != .zero else {
      return holding.isPresent
    }
    guard acceptor.table[number].accepted < holding.ballot else { return false }
    return holding.isPresent || !acceptor.table[number].isTombstone
  }

  private func stillLacks(_ hash: UInt64, _ ballot: Ballot) -> Bool {
    acceptor.table.find(hash: hash).map { acceptor.table[$0].accepted < ballot } ?? true
  }

  /// As far as it gets now.
  mutating func continuePass(_ now: Instant, _ outbox: inout Outbox) {
    guard let question = catchingUp.pass?.question, let member = catchingUp.pass?.member else { return }
    if question != .none, (catchingUp.pass?.askedAt ?? now) + options.roundTimeout <= now {
      guard let times = catchingUp.pass?.times, times < CatchingUp.attempts else {
        catchingUp.pass = nil
        return setDue(member, now + options.digestPause)
      }
      catchingUp.pass?.times = times + 1
      ask(question, now, &outbox)
    }
    askForLacks(now, &outbox)
    askOn(now, &outbox)
    if catchingUp.pass?.isDone == true { endPass(now) }
  }

  /// About the next branch that differs, if there is room for what it brings.
  private mutating func askOn(_ now: Instant, _ outbox: inout Outbox) {
    guard catchingUp.pass?.question == CatchingUp.Question.none,
      catchingUp.pass.map({ $0.waiting < CatchingUp.lackLimit }) ?? false
    else { return }
    if let rest = catchingUp.pass?.rest {
      catchingUp.pass?.rest = nil
      ask(.leaves(branch: rest.branch, rest.leaves), now, &outbox)
    } else if let branches = catchingUp.pass?.branches, branches != 0 {
      catchingUp.pass?.branches = branches & (branches - 1)
      ask(.leaves(branch: branches.trailingZeroBitCount, .max), now, &outbox)
    }
  }

  /// Sees what became of what was asked for, and asks for more.
  private mutating func askForLacks(_ now: Instant, _ outbox: inout Outbox) {
    guard var pass = catchingUp.pass, pass.underWay > 0 || pass.waiting > 0 else { return }
    // The one copy, so that its arrays are changed in place.
    catchingUp.pass = nil
    defer { catchingUp.pass = pass }
    let attempt = newAttempt()
    var wanted: [Wanted] = []
    for place in pass.asked.indices {
      switch pass.asked[place].state {
      case .free: break
      case .accepted(let ticket): if ticket <= outbox.durable { pass.free(place) }
      case .asked(let at, _):
        let isLate = at + options.roundTimeout <= now
        guard isLate || pass.asked[place].needsRound else { continue }
        if !stillLacks(pass.asked[place].hash, pass.asked[place].ballot) {
          pass.free(place)
        } else if isLate, pass.asked[place].times >= CatchingUp.attempts {
          pass.unresolved += 1
          pass.free(place)
        } else if isLate {
          want(place, attempt, &pass, &wanted, now, &outbox)
        }
      }
    }
    // It yields to clients, and is fast where there are none.
    let isBusy = lastBusyAt + Carrying.busyFor > now
    let width = isBusy ? CatchingUp.busyWidth : CatchingUp.width
    while pass.waiting > 0, pass.underWay < width, pass.lacks[pass.place].since + options.roundTimeout <= now {
      let lack = pass.lacks[pass.place]
      let needsRound = lack.ballot.epoch < configuration.epoch && Guard.relayIsOfThisEpoch.isIn
      guard !needsRound || pass.roundsUnderWay < CatchingUp.roundWidth else { break }
      pass.place += 1
      guard stillLacks(lack.hash, lack.ballot) else { continue }
      want(pass.take(lack, needsRound: needsRound), attempt, &pass, &wanted, now, &outbox)
    }
    pass.shorten()
    if !wanted.isEmpty {
      let message = Message.want(attempt: attempt, epoch: configuration.epoch, wanted)
      sendComparing(message, to: configuration.members[pass.member].id, &outbox)
    }
    if pass.underWay > 0 { catchingUp.peers[pass.member].behind = pass.estimate }
  }

  private mutating func want(
    _ place: Int, _ attempt: UInt64, _ pass: inout CatchingUp.Pass, _ wanted: inout [Wanted], _ now: Instant,
    _ outbox: inout Outbox
  ) {
    pass.asked[place].state = .asked(now, attempt: attempt)
    pass.asked[place].times += 1
    let one = pass.asked[place]
    guard one.needsRound else {
      return wanted.append(Wanted(hash: one.hash, place: UInt16(place), roundAbove: nil))
    }
    let found = acceptor.table.find(hash: one.hash)
    let promised = acceptor.promised(found)
    let above = promised.epoch == configuration.epoch ? promised.counter : 0
    let runner = runner(of: one.ballot)
    if runner == node, let found {
      bringAlong(acceptor.table[found].key, above: above, now, &outbox)
    } else if runner == nil || runner == node || runner == configuration.members[pass.member].id {
      wanted.append(Wanted(hash: one.hash, place: UInt16(place), roundAbove: above))
    } else {
      // A pass with that one follows.
      pass.unresolved += 1
      pass.free(place)
    }
  }

  /// R10: who should carry a cell of this ballot over; nil: whoever is asked.
  private func runner(of ballot: Ballot) -> NodeID? {
    ballot.node == node || isReachable(ballot.node) ? ballot.node : nil
  }

  // MARK: - What comes of it

  /// A member relays what this node wants. The acceptor cannot tell it from a late copy of the accept.
  mutating func relayed(
    _ attempt: UInt64, place: Int, _ ballot: Ballot, chosen: UInt64, key: Key, cell: [UInt8], _ now: Instant,
    _ outbox: inout Outbox
  ) {
    // R5: as it rides on each accept. The acceptor answers a copy that comes later as if it had promised it.
    let next = Guard.ballotIsSpent.isIn ? ballot.next : ballot
    let (answer, ticket) = acceptor.accept(
      attempt: attempt, ballot, next: next, chosen: chosen, key: key, cell: cell, isRelayed: true, into: &outbox)
    if options.isTraced { traceAnswer(answer, key, next: next, to: node, after: ticket, &outbox) }
    wake(key, now, &outbox)
    guard catchingUp.pass?.isAsked(attempt, place, key.hash) == true else { return }
    switch answer {
    case .accepted:
      catchingUp.statistics.caughtUp += 1
      catchingUp.pass?.asked[place].state = .accepted(ticket)
    case .conflict: catchingUp.pass?.refused(place)
    default: break
    }
  }
}
