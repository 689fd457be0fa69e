import Glibc

/// The disk, or the part of one, that a folder is on.
struct BlockDevice {
  /// `MAJOR:MINOR`, by which the kernel's files name it.
  let name: String

  /// nil for a file system that is on no disk.
  init?(of folder: String) {
    var status = stat()
    guard stat(folder, &status) == 0 else { return nil }
    let number = UInt64(status.st_dev)
    let major = number >> 8 & 0xFFF | number >> 32 & ~0xFFF
    let minor = number & 0xFF | number >> 12 & ~0xFF
    name = "\(major):\(minor)"
    guard access(path, F_OK) == 0 else { return nil }
  }

  private var path: String { "/sys/dev/block/\(name)" }

  /// Of the whole disk, where this is a part of it.
  var wholeDisk: String {
    guard access("\(path)/partition", F_OK) == 0, let whole = ProcessFigures.read("\(path)/../dev") else { return name }
    return String(whole.prefix { $0 != "\n" })
  }

  /// Bytes that it has been given to write since the machine's start, by everybody.
  ///
  /// The kernel's count for a process (`write_bytes`) is of no use here: it counts the whole of a large page of the
  /// cache for each part of it that is written, and comes out two or three times too high.
  var writtenBytes: UInt64 {
    let fields = (ProcessFigures.read("\(path)/stat") ?? "").split { $0 == " " || $0 == "\n" }
    return fields.count > 6 ? (UInt64(fields[6]) ?? 0) * 512 : 0
  }
}
