import Base
import Storage

/// A log whose entries say who they are, and a state whose image follows from its position.
final class TestLogHolder: LogHolder {
  /// What a disk should hold, as of a batch.
  struct State: Equatable {
    var hard = LogHardState()
    var snapshot = LogPosition.zero
    /// From `snapshot.index + 1` on.
    var entries: [LogPosition] = []
  }

  private(set) var hardState = LogHardState()
  /// The entries behind `base`, which is the last durable snapshot's end, or that of one that was installed.
  private(set) var base = LogPosition.zero
  private(set) var entries: [(position: LogPosition, payload: [UInt8])] = []
  private(set) var unsavedBase: LogPosition?
  private var unsavedFrom: UInt64 = 1
  /// What the batches so far have put on the disk.
  private(set) var disk = State()
  private(set) var snapshotsTaken = 0

  private var image: (number: UInt64, position: LogPosition, pieces: Int, given: Int)?
  private var nextImage: UInt64 = 1
  private var restoredPieces = 0
  private(set) var isDamaged = false

  var last: LogPosition { entries.last?.position ?? base }

  static func payload(_ position: LogPosition) -> [UInt8] {
    var random = SeededRandom(seed: position.index &* 1000 &+ position.term)
    return (0..<Int(random.below(random.below(10) == 0 ? 3000 : 200))).map { _ in
      UInt8(truncatingIfNeeded: random.next())
    }
  }

  static func piece(_ position: LogPosition, _ number: Int) -> [UInt8] {
    payload(LogPosition(index: position.index &+ 77 &* UInt64(number), term: position.term)) + [UInt8(number)]
  }

  // MARK: - What the test does

  func setHard(term: UInt64, vote: UInt16) { hardState = LogHardState(term: term, vote: vote, commit: 0) }

  func append(term: UInt64) {
    let position = LogPosition(index: last.index + 1, term: term)
    entries.append((position, Self.payload(position)))
  }

  func truncate(from index: UInt64) {
    entries.removeAll { $0.position.index >= index }
    unsavedFrom = min(unsavedFrom, index)
  }

  func beginSnapshot(at position: LogPosition, pieces: Int) {
    image = (nextImage, position, pieces, 0)
    nextImage += 1
  }

  /// As when a leader's snapshot takes the place of the log.
  func install(_ position: LogPosition) {
    entries = []
    base = position
    unsavedBase = position
    unsavedFrom = position.index + 1
  }

  // MARK: - LogHolder

  var hasOthers = true

  func beginRestore() {
    hardState = LogHardState()
    base = .zero
    entries = []
    disk = State()
    restoredPieces = 0
    isDamaged = false
  }

  func restore(snapshot position: LogPosition, configuration: [UInt8], bytes: UInt64) throws(DecodeError) {
    guard configuration == Array("members".utf8) else { throw .malformed }
    base = position
    disk.snapshot = position
  }

  func restore(piece bytes: [UInt8]) throws(DecodeError) {
    if bytes != Self.piece(base, restoredPieces) { isDamaged = true }
    restoredPieces += 1
  }

  func restore(_ state: LogHardState) { hardState = state }

  func restore(base position: LogPosition) { entries = [] }

  func restore(_ position: LogPosition, payload: ArraySlice<UInt8>) -> Bool {
    if Array(payload) != Self.payload(position) { isDamaged = true }
    guard position.index > base.index else {
      entries = []
      return true
    }
    guard position.index <= last.index + 1 else { return false }
    entries.removeAll { $0.position.index >= position.index }
    entries.append((position, Array(payload)))
    return true
  }

  func endRestore() -> Bool {
    if let first = entries.first, first.position.term < base.term { entries = [] }
    unsavedFrom = last.index + 1
    disk = State(hard: hardState, snapshot: base, entries: entries.map(\.position))
    return !isDamaged
  }

  var unsaved: ClosedRange<UInt64>? {
    let first = max(unsavedFrom, base.index + 1)
    return first <= last.index ? first...last.index : nil
  }

  func encodeEntry(at index: UInt64, into writer: inout ByteWriter) -> UInt64 {
    let entry = entries[Int(index - base.index) - 1]
    writer.raw(entry.payload)
    return entry.position.term
  }

  func saved(through index: UInt64) {
    disk.hard = hardState
    if unsavedBase != nil { disk.entries = [] }
    unsavedBase = nil
    if index > 0 { disk.entries = entries.map(\.position).filter { $0.index <= index } }
    unsavedFrom = max(unsavedFrom, index + 1)
  }

  func nextSnapshotPiece(maximumBytes: Int) -> SnapshotPiece? {
    guard var image, image.given < image.pieces else { return nil }
    let bytes = Self.piece(image.position, image.given)
    image.given += 1
    self.image = image
    return SnapshotPiece(
      image: image.number, position: image.position, configuration: Array("members".utf8), bytes: bytes,
      isLast: image.given == image.pieces)
  }

  func snapshotIsDurable(image number: UInt64, _ position: LogPosition, bytes: UInt64) {
    snapshotsTaken += 1
    guard image?.number == number else { return }
    image = nil
    disk.snapshot = position
    if position.index > last.index || !entries.contains(where: { $0.position == position }) {
      if position.index > base.index { install(position) }
    } else {
      entries.removeAll { $0.position.index <= position.index }
      base = position
    }
    disk.entries.removeAll { $0.index <= position.index }
  }

  var hasImage: Bool { image != nil }
}
