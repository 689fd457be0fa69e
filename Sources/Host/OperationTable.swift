import Base
import Replica

/// The operations of this thread's clients that are under way, by token.
///
/// A token is `shard:8 generation:32 place:24`: the shard leads an answer home from another thread, the generation
/// keeps a late answer from hitting a place that was given away again.
struct OperationTable {
  enum Subject {
    case operation(ExchangeID, part: Int, bytes: Int)
    /// One partition's share of a listing.
    case listing(UInt64)
    /// A step of a change of membership.
    indirect case change(ChangeStep)
  }

  private struct Place {
    var generation: UInt32 = 0
    var subject: Subject?
    var partition = 0
    var isWait = false
  }

  private let shard: Int
  private var places: ContiguousArray<Place> = []
  private var free: [Int] = []
  private(set) var count = 0
  /// Bytes of the values in operations under way.
  private(set) var bytes = 0

  init(shard: Int = 0) { self.shard = shard }

  /// `isWait`: it may stay under way for long without anything happening.
  mutating func insert(_ subject: Subject, partition: Int, isWait: Bool = false) -> UInt64 {
    let place = free.popLast() ?? places.count
    if place == places.count { places.append(Place()) }
    invariant(place < 1 << 24, "too many operations under way")
    places[place].subject = subject
    places[place].partition = partition
    places[place].isWait = isWait
    places[place].generation &+= 1
    count += 1
    if case .operation(_, _, let size) = subject { bytes += size }
    return UInt64(shard) << 56 | UInt64(places[place].generation) << 24 | UInt64(place)
  }

  /// The connection whose operation this is, if it is one of a client that is under way: a hint, which may be old.
  func session(of token: UInt64) -> UInt64? {
    let place = Int(token & 0xFF_FFFF)
    guard place < places.count, case .operation(let exchange, _, _)? = places[place].subject else { return nil }
    return exchange.session
  }

  /// Takes the operation out; nil if it is answered already.
  mutating func remove(_ token: UInt64) -> Subject? {
    let place = Int(token & 0xFF_FFFF)
    guard place < places.count,
      let subject = Self.take(from: &places[place], generation: UInt32(truncatingIfNeeded: token >> 24))
    else { return nil }
    free.append(place)
    count -= 1
    if case .operation(_, _, let size) = subject { bytes -= size }
    return subject
  }

  /// In its place: looked at alone, it would be copied.
  private static func take(from place: inout Place, generation: UInt32) -> Subject? {
    place.generation == generation ? place.subject.take() : nil
  }

  /// The tokens of an exchange's operations, with their partitions. For cancelling, which is rare: it looks at all.
  func tokens(of exchange: ExchangeID) -> [(token: UInt64, partition: Int)] {
    tokens { place in
      if case .operation(let owner, _, _) = place.subject { owner == exchange } else { false }
    }
  }

  /// The tokens of all waits, with their partitions. For the end, which comes once: it looks at all.
  func waits() -> [(token: UInt64, partition: Int)] { tokens { $0.subject != nil && $0.isWait } }

  private func tokens(where isWanted: (Place) -> Bool) -> [(token: UInt64, partition: Int)] {
    var found: [(token: UInt64, partition: Int)] = []
    for (place, entry) in places.enumerated() where isWanted(entry) {
      let token = UInt64(shard) << 56 | UInt64(entry.generation) << 24 | UInt64(place)
      found.append((token: token, partition: entry.partition))
    }
    return found
  }

  static func shard(of token: UInt64) -> Int { Int(token >> 56) }
}

/// A listing over all partitions: each gives a sorted page, and they are merged.
struct ListingAcross {
  let exchange: ExchangeID
  let limit: Int
  var waitingFor: Int
  var entries: [ListPage.Entry] = []
  /// The lowest last key of a partition that has more: nothing above it is complete.
  var horizon: [UInt8]?
  var hasFailed = false

  mutating func add(_ page: ListPage?) {
    waitingFor -= 1
    guard let page else {
      hasFailed = true
      return
    }
    entries += page.entries
    if page.more, let last = page.entries.last?.key {
      if horizon.map({ last.lexicographicallyPrecedes($0) }) ?? true { horizon = last }
    }
  }

  func merged() -> ListPage? {
    if hasFailed { return nil }
    var sorted = entries.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    var more = horizon != nil
    if let horizon { sorted.removeAll { horizon.lexicographicallyPrecedes($0.key) } }
    if sorted.count > limit {
      sorted.removeSubrange(limit...)
      more = true
    }
    return ListPage(entries: sorted, more: more)
  }
}
