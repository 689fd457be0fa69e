package import Base

/// The state of a register that a round carries: revision, content or tombstone, window, dead marks (PROTOCOL, State).
///
/// A cell is kept and sent as bytes; acceptors never look inside, only a proposer takes one apart to apply a change.
///
///     u8      flags: bit 0 present (else tombstone), bit 1 dead marks follow the window
///     u64     revision
///     u8      number of window entries, at most 72
///     …       the entries, oldest first (``WindowEntry``); their revisions are consecutive and end at the cell's
///     u8      number of dead marks    } only with flag bit 1:
///     …       u64 high, u64 low, u64 seconds each }
///     …       the value, to the end
package struct Cell: Sendable, Equatable {
  package var revision: UInt64
  /// Nil in a tombstone. Absent and tombstone are one and the same value.
  package var value: ArraySlice<UInt8>?
  /// The last one made `revision`.
  private var history: History
  package var marks: [DeadMark]

  /// Oldest first; the last one made `revision`. Takes each entry apart: a round does without.
  package var window: [WindowEntry] {
    get { history.entries }
    set { history = History(newValue) }
  }

  /// (No initializer of its own, which would copy what it has made.)
  package static func decode(_ bytes: [UInt8]) throws(DecodeError) -> Cell {
    var reader = ByteReader(bytes)
    let flags = try reader.u8()
    guard flags <= 3 else { throw .malformed }
    let revision = try reader.u64()
    let entries = try reader.u8()
    guard UInt64(entries) <= revision else { throw .malformed }
    let history = try History(Int(entries), of: &reader)
    var marks: [DeadMark] = []
    if flags & 2 != 0 {
      for _ in 0..<(try reader.u8()) {
        let high = try reader.u64()
        let id = OperationID(high: high, low: try reader.u64())
        marks.append(DeadMark(id: id, placedAtSeconds: try reader.u64()))
      }
    }
    guard flags & 1 != 0 || reader.isAtEnd else { throw .malformed }
    return Cell(
      revision: revision, value: flags & 1 != 0 ? bytes[reader.offset...] : nil, history: history, marks: marks)
  }

  /// The bytes. A fold of `changes` cuts the window to its last `max(W, changes)` entries (R9: never fewer than those
  /// of the last fold); where nothing was changed it stays whole.
  package func encoded(changesInFold changes: Int) -> [UInt8] {
    let limit = Guard.foldIsKept.isIn ? Swift.max(Window.length, changes) : Window.length
    let kept = history.suffix(changes == 0 ? history.count : limit)
    // The closure below would take a copy of the whole cell.
    let (revision, value, marks, isPresent) = (revision, value, marks, isPresent)
    // To the byte: the array is kept as long as the register, and its slack with it.
    let length = 10 + (value?.count ?? 0) + (marks.isEmpty ? 0 : 1 + 24 * marks.count) + kept.encodedBytes
    var bytes: [UInt8] = []
    bytes.reserveCapacity(length)
    bytes.append(addingCapacity: length) { span in
      span.append((isPresent ? 1 : 0) | (marks.isEmpty ? 0 : 2))
      span.u64(revision)
      span.append(UInt8(kept.count))
      kept.encode(into: &span)
      if !marks.isEmpty {
        span.append(UInt8(marks.count))
        for mark in marks {
          span.u64(mark.id.high)
          span.u64(mark.id.low)
          span.u64(mark.placedAtSeconds)
        }
      }
      value?.withUnsafeBytes { span.raw($0) }
    }
    return bytes
  }

  /// The revision in an encoded cell, without taking the rest apart.
  package static func revision(of bytes: [UInt8]) -> UInt64 {
    invariant(bytes.count >= 10, "a cell is shorter than its head")
    return bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 1, as: UInt64.self)) }
  }

  package static func isPresent(_ bytes: [UInt8]) -> Bool { bytes[0] & 1 != 0 }

  /// (Compared with nil, both sides would be copied.)
  var isPresent: Bool { if case .some = value { true } else { false } }

  package var content: Versioned? {
    guard let value else { return nil }
    return Versioned(revision: revision, value: Array(value))
  }

  /// The entry of `id` and the revision it made, if it is remembered.
  package func remembered(_ id: OperationID) -> (entry: WindowEntry, revision: UInt64)? {
    history.last(of: id).map { ($0.entry, revision - UInt64($0.back)) }
  }

  /// Notes what made `revision`.
  mutating func remember(_ entry: WindowEntry) { history.append(entry) }

  /// R7: whether a change that could only have been placed at `lo` or later would be seen here if it had been.
  package func showsEverything(since lo: UInt64) -> Bool {
    revision < lo || revision - UInt64(history.count) + 1 <= lo
  }
}

extension Cell {
  /// An absent register that was never there, or was erased at `revision` (the floor's, R14).
  package init(absentAt revision: UInt64) { self.init(revision: revision, value: nil, history: History(), marks: []) }
}
