package import Storage

/// How the files of a data folder are called: `superblock.0`, `superblock.1`, `journal.00`, `table.00`, `log.00`,
/// `snapshot.0`, `vote.0` and so on; numbers have two digits or more, copies one. `lock` belongs to the folder itself.
/// Other names are not ours and are left alone.
extension FileID {
  package var name: String {
    switch self {
    case .superblock(let copy): "superblock.\(copy)"
    case .journal(let number): "journal.\(FileID.digits(number))"
    case .table(let number): "table.\(FileID.digits(number))"
    case .log(let number): "log.\(FileID.digits(number))"
    case .snapshot(let copy): "snapshot.\(copy)"
    case .vote(let copy): "vote.\(copy)"
    }
  }

  /// nil unless `name` is exactly what ``name`` makes of some file.
  package init?(name: String) {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, let number = Int(parts[1]), number >= 0 else { return nil }
    switch parts[0] {
    case "superblock": self = .superblock(number)
    case "journal": self = .journal(number)
    case "table": self = .table(number)
    case "log": self = .log(number)
    case "snapshot": self = .snapshot(number)
    case "vote": self = .vote(number)
    default: return nil
    }
    // `journal.007` and `journal.+7` must not be taken for `journal.07`: two names, one file.
    guard self.name == name else { return nil }
  }

  private static func digits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
