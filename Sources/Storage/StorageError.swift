/// Why the files of a data folder cannot be used.
package enum StorageError: Error, Equatable, Sendable {
  case device(DeviceError)
  /// Bytes that were once on stable storage are not what they were. `reason` is a whole clause for a person.
  case damaged(file: FileID, offset: UInt64, reason: String)
  /// Written by a later release than this one.
  case newerVersion(file: FileID, found: UInt32, supported: UInt32)
  /// The file is sound, but belongs to another number of partitions, or to another place in the folder.
  case mismatch(file: FileID, reason: String)

  var isDamage: Bool { if case .damaged = self { true } else { false } }

  /// One line for the operator, with what to do.
  package var description: String {
    switch self {
    case .device(let error):
      return "\(error.operation) of \(error.file.description) failed: \(error.reason)"
    case .damaged(let file, let offset, let reason):
      return "\(file.description) is damaged at byte \(offset): \(reason). Nothing was changed. This node's data "
        + "cannot be trusted: replace the node (a new data folder, a new node id; synod members replace)"
    case .newerVersion(let file, let found, let supported):
      return "\(file.description) has format version \(found), this program knows versions up to \(supported): "
        + "start it with the later release that wrote it"
    case .mismatch(let file, let reason):
      return "\(file.description) does not fit: \(reason)"
    }
  }
}

extension FileID {
  /// How messages name the file.
  package var description: String {
    switch self {
    case .superblock(let copy): return "superblock \(copy)"
    case .journal(let number): return "journal \(number)"
    case .table(let partition): return "table \(partition)"
    case .log(let segment): return "log segment \(segment)"
    case .snapshot(let copy): return "snapshot \(copy)"
    case .vote(let copy): return "vote \(copy)"
    }
  }
}
