import Base

// The files of a log, of a node that is stopped.
extension FolderScrub {
  /// Reads it as a start does, and tells what that would find.
  static func readLog(
    _ device: any Device, _ files: [FileID], _ report: inout Report
  ) throws(StorageError) {
    var numbers: [Int] = []
    for file in files {
      if case .log(let number) = file { numbers.append(number) }
      if file.isOfLog { report.bytes += UInt64(try FileWindow(device, file).size) }
    }
    let votes = try VoteFile(from: device)
    if votes.isWorn && !votes.isInDoubt { report.damage.append("a copy of the vote is damaged: it is written again") }
    let reader = LogReader()
    let snapshots = try LogStore.snapshotHeaders(device)
    let (entries, _, damage) = try LogStore.readNewestWhole(device, numbers.sorted(), snapshots) {
      snapshot, tail throws(StorageError) in
      var state = LogRecovery.State(votes: votes)
      return try LogStore.restoreWhole(device, reader, snapshot, tail, &state).entries
    }
    if let entries {
      report.records = UInt64(entries)
      if let damage { report.damage.append("\(spot(damage)): the log holds all that it held") }
      if votes.isInDoubt { report.damage.append("both copies of the vote are damaged: the log tells it") }
      return
    }
    guard let damage else { return }
    if votes.last.generation == 0 || votes.isInDoubt {
      report.lose("\(spot(damage)), and the vote, which stands apart from it, is lost too")
    } else {
      report.damage.append(
        "\(spot(damage)): the log is fetched again from the other members, if there are any, when the node is started")
    }
  }

  private static func spot(_ error: StorageError) -> String {
    guard case .damaged(let file, let offset, let reason) = error else { return error.description }
    return "\(file.description) at byte \(offset): \(reason)"
  }
}

extension FileID {
  var isOfLog: Bool {
    switch self {
    case .log, .snapshot, .vote: true
    case .superblock, .journal, .table: false
    }
  }
}

/// Takes in a log, and keeps nothing of it but how far it goes.
private final class LogReader: LogHolder {
  private var snapshot = LogPosition.zero
  private var base = LogPosition.zero
  private var last = LogPosition.zero
  private(set) var hardState = LogHardState()

  let hasOthers = true
  let unsavedBase: LogPosition? = nil
  let unsaved: ClosedRange<UInt64>? = nil

  func beginRestore() {
    snapshot = .zero
    base = .zero
    last = .zero
  }

  func restore(snapshot position: LogPosition, configuration: [UInt8], bytes: UInt64) throws(DecodeError) {
    snapshot = position
    base = position
    last = position
  }

  func restore(piece bytes: [UInt8]) throws(DecodeError) {}
  func restore(_ state: LogHardState) { hardState = state }

  func restore(base position: LogPosition) {
    if position.index > base.index { base = position }
    last = base
  }

  func restore(_ position: LogPosition, payload: ArraySlice<UInt8>) -> Bool {
    guard position.index > base.index else {
      last = base
      return true
    }
    guard position.index <= last.index + 1 else { return false }
    last = position
    return true
  }

  func endRestore() -> Bool { base.index == snapshot.index }

  func encodeEntry(at index: UInt64, into writer: inout ByteWriter) -> UInt64 {
    invariantFailed("a log that is only read has nothing to be written")
  }
  func saved(through index: UInt64) {}
  func nextSnapshotPiece(maximumBytes: Int) -> SnapshotPiece? { nil }
  func snapshotIsDurable(image: UInt64, _ position: LogPosition, bytes: UInt64) {}
}
