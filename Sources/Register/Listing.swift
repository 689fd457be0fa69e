import Base
import Replica

/// A listing of this partition: which keys there may be, asked of a quorum, then a linearizable read of each.
///
/// Every register whose write was acknowledged before the call was accepted by a quorum, so at least one member of
/// any quorum names it. A key below the horizon that no member names was absent when they were asked.
struct Listing {
  let request: ListRequest
  var votes = BitSet()
  /// What the members named so far; sorted only when a quorum is there.
  var named: [[UInt8]] = []
  /// The lowest key at which a member's answer was cut off; nothing is known above it.
  var horizon: [UInt8]?
  /// The keys being read, and what was found; nil where a read is still under way.
  var candidates: [[UInt8]] = []
  var found: [Versioned?] = []
  var readsLeft = 0
  /// Whether there may be more keys above the candidates.
  var hasMore = false
  /// What earlier gatherings of this page brought.
  var entries: [ListPage.Entry] = []
  var after: [UInt8]
}

extension Registers {
  mutating func list(_ request: ListRequest, _ now: Instant, _ outbox: inout Outbox) {
    guard request.deadline > now, configuration.isQuorum(reachable) else {
      outbox.reply(list: request.token, nil)
      return
    }
    gather(Listing(request: request, after: request.after), now, &outbox)
  }

  /// Asks everyone for the keys above `listing.after`.
  private mutating func gather(_ listing: Listing, _ now: Instant, _ outbox: inout Outbox) {
    let attempt = newAttempt()
    listings[attempt] = listing
    timers.set(.listing(attempt: attempt), at: listing.request.deadline)
    let limit = listing.request.limit - listing.entries.count
    let question = Message.list(
      attempt: attempt, epoch: configuration.epoch, prefix: listing.request.prefix, after: listing.after,
      limit: UInt32(limit))
    sendToOthers(&outbox) { question.encode(into: &$0) }
    guard selfIndex != nil else { return }
    let (keys, more) = acceptor.table.keys(prefix: listing.request.prefix, after: listing.after, limit: limit)
    listReplied(attempt, from: node, more: more, keys: keys, now, &outbox)
  }

  /// The members that were asked are those of an epoch that is over.
  mutating func gatherAnew(_ attempt: UInt64, _ now: Instant, _ outbox: inout Outbox) {
    guard let listing = listings[attempt], listing.candidates.isEmpty, listing.readsLeft == 0 else { return }
    listings[attempt] = nil
    var again = Listing(request: listing.request, after: listing.after)
    again.entries = listing.entries
    gather(again, now, &outbox)
  }

  mutating func listReplied(
    _ attempt: UInt64, from: NodeID, more: Bool, keys: [[UInt8]], _ now: Instant, _ outbox: inout Outbox
  ) {
    if carrying?.attempt == attempt { return named(from: from, more: more, keys: keys, now, &outbox) }
    guard var listing = listings[attempt], listing.candidates.isEmpty, listing.readsLeft == 0,
      let member = configuration.index(of: from), !listing.votes.contains(member),
      !configuration.isQuorum(listing.votes)
    else { return }
    listing.votes.insert(member)
    listing.named += keys
    if more, let last = keys.last {
      let isLower = listing.horizon.map { last.lexicographicallyPrecedes($0) } ?? true
      if isLower { listing.horizon = last }
    }
    guard configuration.isQuorum(listing.votes) else {
      listings[attempt] = listing
      return
    }
    readCandidates(attempt, &listing, now, &outbox)
  }

  private mutating func readCandidates(
    _ attempt: UInt64, _ listing: inout Listing, _ now: Instant, _ outbox: inout Outbox
  ) {
    var names = listing.named.sorted { $0.lexicographicallyPrecedes($1) }
    listing.named = []
    if let horizon = listing.horizon { names.removeAll { horizon.lexicographicallyPrecedes($0) } }
    listing.hasMore = listing.horizon != nil
    var candidates: [[UInt8]] = []
    for name in names where candidates.last != name { candidates.append(name) }
    let room = listing.request.limit - listing.entries.count
    if candidates.count > room {
      candidates.removeSubrange(room...)
      listing.hasMore = true
    }
    listing.candidates = candidates
    listing.found = Array(repeating: nil, count: candidates.count)
    listing.readsLeft = candidates.count
    listings[attempt] = listing
    guard !candidates.isEmpty else {
      readyListings.append(attempt)
      return
    }
    for (place, name) in candidates.enumerated() {
      let key = Key(name)
      let read = Operation(id: OperationID(high: 0, low: 0), key: key, action: .read)
      enqueue(
        Pending(
          operation: read, origin: .listing(attempt: attempt, place: place), deadline: listing.request.deadline,
          lo: nil, needsFullRound: false, mayForward: true),
        now, &outbox)
    }
  }

  /// A read of the listing is answered.
  mutating func listingRead(
    _ attempt: UInt64, place: Int, _ outcome: Outcome, _ now: Instant, _ outbox: inout Outbox
  ) {
    guard listings[attempt] != nil else { return }
    guard case .read(let content) = outcome else { return finishListing(attempt, nil, &outbox) }
    listings[attempt]?.found[place] = content
    listings[attempt]?.readsLeft -= 1
    if listings[attempt]?.readsLeft == 0 { readyListings.append(attempt) }
  }

  mutating func continueListings(_ now: Instant, _ outbox: inout Outbox) {
    while let attempt = readyListings.popLast() {
      guard var listing = listings.removeValue(forKey: attempt) else { continue }
      for (name, content) in zip(listing.candidates, listing.found) {
        if let content { listing.entries.append(ListPage.Entry(key: name, content: content)) }
      }
      guard listing.hasMore && listing.entries.count < listing.request.limit, let last = listing.candidates.last else {
        listings[attempt] = listing
        finishListing(attempt, ListPage(entries: listing.entries, more: listing.hasMore), &outbox)
        continue
      }
      // Some of the keys were deleted meanwhile: the page goes on where these ended.
      var next = Listing(request: listing.request, after: last)
      next.entries = listing.entries
      gather(next, now, &outbox)
    }
  }

  /// Answers with the page, or, where it is nil, that no quorum answered in time.
  mutating func finishListing(_ attempt: UInt64, _ page: ListPage?, _ outbox: inout Outbox) {
    guard let listing = listings.removeValue(forKey: attempt) else { return }
    outbox.reply(list: listing.request.token, page)
  }
}
