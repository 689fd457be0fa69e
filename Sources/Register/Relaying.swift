import Base
import Replica

// The other side of ``CatchingUp``: what a member is told, and given, that was away.
extension Registers {
  /// Of one answer to what is wanted; the rest is asked for again.
  private static let relayedBytes = 1 << 20
  private static let maximumRoundsForOthers = 64

  /// A member asks where this node holds something else.
  mutating func compared(
    _ attempt: UInt64, from: NodeID, epoch: UInt32, _ range: DigestRange, _ asked: UInt64, _ digests: [UInt64],
    _ now: Instant, _ outbox: inout Outbox
  ) {
    guard mayCatchUp, epoch == configuration.epoch, let member = configuration.index(of: from) else { return }
    switch range {
    case .whole:
      let isSame = digests == [acceptor.table.digests.whole]
      if isSame && catchingUp.pass?.member != member { holdTheSame(member, now, now) }
      let places = isSame ? 0 : catchingUp.isFetching ? Message.differsAndFetches : 1
      sendComparing(.differing(attempt: attempt, places: places), to: from, &outbox)
    case .branches:
      let places = Self.differing(digests, acceptor.table.digests.branches)
      sendComparing(.differing(attempt: attempt, places: places), to: from, &outbox)
    case .leaves(let branch):
      var rest = asked & Self.differing(digests, acceptor.table.digests.leaves(of: branch))
      var told: UInt64 = 0
      var holdings: [Holding] = []
      while rest != 0, holdings.count < Holding.maximum {
        let leaf = rest.trailingZeroBitCount
        let before = holdings.count
        acceptor.table.forEachHeld(inLeaf: branch * RangeDigests.fanOut + leaf) { record in
          holdings.append(
            Holding(hash: record.key.hash, ballot: record.accepted, isPresent: !record.isTombstone))
        }
        // A leaf is told whole, or in the next answer.
        if holdings.count > Holding.maximum && told != 0 {
          holdings.removeLast(holdings.count - before)
          break
        }
        rest &= rest - 1
        told |= 1 << UInt64(leaf)
      }
      sendComparing(.holdings(attempt: attempt, leaves: told, rest: rest, holdings), to: from, &outbox)
    }
  }

  private static func differing(_ digests: [UInt64], _ own: [UInt64]) -> UInt64 {
    var places: UInt64 = 0
    for (place, digest) in digests.enumerated() where digest != own[place] { places |= 1 << UInt64(place) }
    return places
  }

  /// A member lacks these.
  mutating func wanted(
    _ attempt: UInt64, from: NodeID, epoch: UInt32, _ wanted: [Wanted], _ now: Instant, _ outbox: inout Outbox
  ) {
    guard mayCatchUp, epoch == configuration.epoch, let member = configuration.index(of: from) else { return }
    catchingUp.peers[member].servedAt = now
    let before = outbox.arena.count
    for one in wanted {
      guard let number = acceptor.table.find(hash: one.hash), acceptor.table[number].accepted != .zero else { continue }
      if let above = one.roundAbove {
        bringAlong(acceptor.table[number].key, above: above, now, &outbox)
      } else {
        relay(number, attempt, one, to: from, &outbox)
      }
      if outbox.arena.count - before > Self.relayedBytes { break }
    }
  }

  private mutating func relay(
    _ number: Int, _ attempt: UInt64, _ one: Wanted, to peer: NodeID, _ outbox: inout Outbox
  ) {
    let record = acceptor.table[number]
    guard record.accepted.epoch == configuration.epoch || !Guard.relayIsOfThisEpoch.isIn else { return }
    if record.isCold {
      let again = Message.want(attempt: attempt, epoch: configuration.epoch, [one])
      return receiveWhenLoaded(number, again, from: peer, &outbox)
    }
    let before = outbox.arena.count
    // Like the accept message itself it waits for no write: it is no vote of this node.
    outbox.send(to: peer, after: .none) {
      Message.relay(
        attempt: attempt, place: one.place, record.accepted, chosen: record.chosenRevision, key: record.key.bytes,
        cell: record.cell
      ).encode(into: &$0)
    }
    catchingUp.statistics.relayed += 1
    catchingUp.statistics.relayedBytes += UInt64(outbox.arena.count - before)
  }

  /// An identity round, after which everyone holds the register at one ballot; none where a round is under way, which
  /// does the same. `above`: the counter that a member has promised.
  mutating func bringAlong(_ key: Key, above: UInt64, _ now: Instant, _ outbox: inout Outbox) {
    guard slots.find(key, in: rounds) == nil, catchingUp.roundsForOthers < Self.maximumRoundsForOthers else { return }
    catchingUp.roundsForOthers += 1
    catchingUp.statistics.rounds += 1
    let slot = slot(for: key)
    // R2: raised, never assigned. Below what the member has promised the others would complete it without that one.
    rounds[slot].seenCounter = max(rounds[slot].seenCounter, above)
    let identity = Operation(
      id: OperationID(high: 0, low: 0), key: key, action: .settle(target: nil, known: 0, nowSeconds: 0))
    enqueue(
      Pending(
        operation: identity, origin: .catchingUp, deadline: .never, lo: nil, needsFullRound: true, mayForward: false),
      now, &outbox)
  }
}
