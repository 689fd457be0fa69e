package import Base
import Replica

// What the storage asks of the log and of the state machine.
extension RaftReplica: LogHolder {
  // MARK: - Recovery

  package var hasOthers: Bool { given.members.contains { $0.id != node } }

  package func beginRestore() {
    term = 0
    vote = nil
    isRecovering = false
    log = Log()
    machine = StateMachine()
    snapshot = .zero
    snapshotBytes = 0
    commit = 0
    applied = 0
    appliedTerm = 0
    termSeenAtSnapshot = nil
    configurations = Configurations(given.beforeChange)
    setConfiguration(given.beforeChange)
    isConfigurationNews = given.isJoint
  }

  package func restore(snapshot position: LogPosition, configuration: [UInt8], bytes: UInt64) throws(DecodeError) {
    // A snapshot that forgot its entry's term could not be the "previous" of any append (§7).
    guard position.index > 0, position.term > 0 else { throw .malformed }
    guard let configuration = Configuration(encoded: configuration) else { throw .malformed }
    configurations.begin(at: position.index, with: configuration)
    snapshot = position
    snapshotBytes = bytes
    log.reset(to: position)
    commit = position.index
    applied = position.index
    appliedTerm = position.term
  }

  package func restore(piece bytes: [UInt8]) throws(DecodeError) { try machine.load(bytes) }

  package func restore(_ state: LogHardState) {
    term = state.term
    vote = state.vote == 0 ? nil : NodeID(state.vote)
    commit = max(commit, state.commit)
    isRecovering = state.isRecovering
  }

  package func restore(base: LogPosition) {
    if base.index == snapshot.index { termSeenAtSnapshot = base.term }
    restart(at: base.index > log.base.index ? base : log.base)
  }

  package func restore(_ position: LogPosition, payload: ArraySlice<UInt8>) -> Bool {
    if position.index == snapshot.index { termSeenAtSnapshot = position.term }
    // The snapshot covers it. But an entry replaces all that were written before it at its index and above.
    guard position.index > log.base.index else {
      restart(at: log.base)
      return true
    }
    guard position.index <= log.lastIndex + 1 else { return false }
    if position.index <= log.lastIndex { log.truncate(from: position.index) }
    configurations.truncate(from: position.index)
    log.append(Entry(term: position.term, payload: Array(payload)))
    if let configuration = Command.configuration(in: payload) {
      configurations.append(configuration, at: position.index)
    }
    return true
  }

  /// The log holds nothing behind `base`.
  private func restart(at base: LogPosition) {
    log.reset(to: base)
    configurations.truncate(from: base.index + 1)
  }

  package func endRestore() -> Bool {
    // §7: a log that holds another entry where the snapshot ends is not the snapshot's: the crash came before it was
    // begun anew.
    if let seen = termSeenAtSnapshot, seen != snapshot.term { restart(at: snapshot) }
    // The same, where that entry is gone from the disk: all entries of the snapshot's term and later stand behind it.
    if let first = log.term(at: log.firstIndex), first < log.base.term { restart(at: log.base) }
    unsavedFrom = log.lastIndex + 1
    // The hint may tell of entries that were lost with a torn tail; they are committed elsewhere.
    commit = max(applied, min(commit, log.lastIndex))
    let given = configuration
    setConfiguration(Guard.configurationIsInForceAtOnce.isIn ? configurations.latest : configurations.at(commit))
    isConfigurationNews = isConfigurationNews || configuration != given
    if configurations.isBare && log.lastIndex == 0 { heardEpoch = configuration.epoch }
    if isRecovering {
      // What is left of the log is older than what the host has heard.
      heardEpoch = self.given.epoch
      isConfigurationNews = false
    }
    needsFlush = commit > applied || isConfigurationNews
    return log.base.index == snapshot.index && log.last.term <= term
  }

  // MARK: - Running

  package var hardState: LogHardState {
    LogHardState(term: term, vote: vote?.value ?? 0, commit: commit, isRecovering: isRecovering)
  }

  package var unsaved: ClosedRange<UInt64>? {
    // A snapshot may cover entries that were committed by others before they were written here.
    let first = max(unsavedFrom, log.firstIndex)
    return first <= log.lastIndex ? first...log.lastIndex : nil
  }

  package func encodeEntry(at index: UInt64, into writer: inout ByteWriter) -> UInt64 {
    writer.raw(log[index].payload)
    return log[index].term
  }

  package func saved(through index: UInt64) {
    unsavedBase = nil
    unsavedFrom = max(unsavedFrom, index + 1)
  }

  package func nextSnapshotPiece(maximumBytes: Int) -> SnapshotPiece? {
    guard let kept = keeping, !kept.isGiven else { return nil }
    let bytes = (kept.staged ?? machine).nextPiece(of: kept.image, maximumBytes: maximumBytes)
    let isLast = kept.image.isAtEnd
    keeping?.isGiven = isLast
    return SnapshotPiece(
      image: kept.image.number, position: kept.image.position, configuration: kept.configuration.encoded, bytes: bytes,
      isLast: isLast)
  }

  package func snapshotIsDurable(image: UInt64, _ position: LogPosition, bytes: UInt64) {
    snapshot = position
    snapshotBytes = bytes
    guard let kept = keeping, kept.image.number == image else { return }
    if kept.staged != nil {
      isInstallDue = true
    } else {
      machine.endImage(kept.image)
      keeping = nil
      trimLog()
    }
    needsFlush = true
  }
}
