package import Base

/// An entry as it is kept and sent: the payload is an encoded ``Command``.
struct Entry {
  var term: UInt64
  var payload: [UInt8]

  /// What it costs in memory, with the array's own header.
  var bytes: Int { payload.count + 48 }
}

/// The entries that this node holds: everything behind `base`, which the snapshot covers.
package struct Log {
  /// The entry before the first one that is held.
  package private(set) var base = LogPosition.zero
  private var entries: ContiguousArray<Entry> = []
  /// Entries at the front of `entries` that are trimmed; they leave the array in bulk.
  private var head = 0
  package private(set) var bytes = 0

  package init() {}

  package var firstIndex: UInt64 { base.index + 1 }
  package var lastIndex: UInt64 { base.index + UInt64(entries.count - head) }
  package var count: Int { entries.count - head }
  package var last: LogPosition {
    count == 0 ? base : LogPosition(index: lastIndex, term: entries[entries.count - 1].term)
  }

  /// Nil where the entry is not held any more, or not yet. That of `base` is known too.
  @inline(__always)
  package func term(at index: UInt64) -> UInt64? {
    guard index >= base.index, index <= lastIndex else { return nil }
    return index == base.index ? base.term : entries[place(index)].term
  }

  @inline(__always)
  private func place(_ index: UInt64) -> Int { head + Int(index - base.index) - 1 }

  subscript(index: UInt64) -> Entry {
    _read { yield entries[place(index)] }
  }

  package func payload(at index: UInt64) -> [UInt8] { entries[place(index)].payload }

  mutating func append(_ entry: Entry) {
    bytes += entry.bytes
    entries.append(entry)
  }

  /// Takes out the entry at `index` and all behind it.
  mutating func truncate(from index: UInt64) {
    invariant(index > base.index, "the log is cut inside of its snapshot")
    while lastIndex >= index { bytes -= entries.removeLast().bytes }
  }

  /// Forgets the entries up to `index`, which a snapshot covers.
  mutating func trim(through index: UInt64) {
    guard index > base.index, let term = term(at: index) else { return }
    let end = place(index) + 1
    for place in head..<end {
      bytes -= entries[place].bytes
      entries[place].payload = []
    }
    head = end
    base = LogPosition(index: index, term: term)
    if 2 * head > entries.count {
      entries.removeFirst(head)
      head = 0
    }
  }

  /// Begins anew behind `position`.
  mutating func reset(to position: LogPosition) {
    entries = []
    head = 0
    bytes = 0
    base = position
  }

  /// The first entry of `term` at or below `index`, by halving: terms never fall along a log.
  func firstIndex(ofTerm term: UInt64, notAbove index: UInt64) -> UInt64 {
    var low = firstIndex
    var high = index
    while low < high {
      let middle = low + (high - low) / 2
      if entries[place(middle)].term < term { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The last entry whose term is at most `term`, `base` included.
  func lastIndex(ofTermNotAbove term: UInt64, notAbove index: UInt64) -> UInt64 {
    var low = base.index
    var high = min(index, lastIndex)
    while low < high {
      let middle = low + (high - low + 1) / 2
      if entries[place(middle)].term <= term { low = middle } else { high = middle - 1 }
    }
    return low
  }
}
