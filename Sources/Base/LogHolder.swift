/// What must outlive a crash beside the log itself (Raft, figure 2).
package struct LogHardState: Equatable, Sendable {
  package var term: UInt64
  /// The node that has this node's vote in `term`; 0: nobody.
  package var vote: UInt16
  /// A lower bound of what is committed; a hint that makes a start quick, never a promise.
  package var commit: UInt64
  /// The log was damaged, and the node has not got back yet all that it had: it has no vote.
  package var isRecovering: Bool

  package init(term: UInt64 = 0, vote: UInt16 = 0, commit: UInt64 = 0, isRecovering: Bool = false) {
    self.term = term
    self.vote = vote
    self.commit = commit
    self.isRecovering = isRecovering
  }

  /// Takes over the term and the vote of `other` where they are later.
  package mutating func raise(to other: LogHardState) {
    guard other.term > term || other.term == term && vote == 0 else { return }
    term = other.term
    vote = other.vote
  }
}

/// A part of the image of a state machine, as it stood after the entry at `position`.
package struct SnapshotPiece: Sendable {
  /// Grows from image to image; a piece of another image than the last one begins a new snapshot.
  package var image: UInt64
  package var position: LogPosition
  /// Of the cluster, as of `position`; opaque to the store.
  package var configuration: [UInt8]
  package var bytes: [UInt8]
  package var isLast: Bool

  package init(image: UInt64, position: LogPosition, configuration: [UInt8], bytes: [UInt8], isLast: Bool) {
    self.image = image
    self.position = position
    self.configuration = configuration
    self.bytes = bytes
    self.isLast = isLast
  }
}

/// What a log store asks of the replica whose log it keeps. The replica holds the log in memory; the store asks for
/// what is new when it seals a batch, and for the next piece of a snapshot when it has time for one.
package protocol LogHolder: AnyObject {
  // Recovery, in this order: the begin; the snapshot, if there is one; then what the log holds, oldest first; then the
  // end. Where what was read proves to be damaged, it begins once more.

  /// Whether there are others that hold what this node's log held.
  var hasOthers: Bool { get }
  /// Forgets what was restored so far.
  func beginRestore()
  func restore(snapshot position: LogPosition, configuration: [UInt8], bytes: UInt64) throws(DecodeError)
  func restore(piece bytes: [UInt8]) throws(DecodeError)
  func restore(_ state: LogHardState)
  /// The log was begun anew behind `base`: a snapshot from another node was installed, or the log was damaged.
  func restore(base: LogPosition)
  /// An entry; those at its index and above are replaced. False if there is a gap before it.
  func restore(_ position: LogPosition, payload: ArraySlice<UInt8>) -> Bool
  /// Everything was read. False if what was read cannot be the whole of a log.
  func endRestore() -> Bool

  // Running.
  var hardState: LogHardState { get }
  /// Set until it is saved: the log was begun anew behind this entry.
  var unsavedBase: LogPosition? { get }
  /// The entries that the store has not been given since they changed.
  var unsaved: ClosedRange<UInt64>? { get }
  /// Appends the payload of the entry at `index` and returns its term.
  func encodeEntry(at index: UInt64, into writer: inout ByteWriter) -> UInt64
  /// The store has taken hard state, base, and the unsaved entries up to `index` into a batch.
  func saved(through index: UInt64)
  /// The next part of a snapshot that is to be kept, about `maximumBytes` long; nil if there is none to be written.
  func nextSnapshotPiece(maximumBytes: Int) -> SnapshotPiece?
  /// The snapshot whose last piece was given is on stable storage, `bytes` long.
  func snapshotIsDurable(image: UInt64, _ position: LogPosition, bytes: UInt64)
}
