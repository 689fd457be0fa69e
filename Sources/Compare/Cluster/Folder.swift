import Glibc

/// Folders of clusters.
package enum Folder {
  /// Bytes that the files below it take on the disk: allocated blocks, so that holes do not count.
  package static func bytesOnDisk(_ path: String) -> UInt64 {
    var sum: UInt64 = 0
    for name in names(path) {
      var status = stat()
      guard lstat("\(path)/\(name)", &status) == 0 else { continue }
      if status.st_mode & S_IFMT == S_IFDIR {
        sum += bytesOnDisk("\(path)/\(name)")
      } else {
        sum += UInt64(status.st_blocks) * 512
      }
    }
    return sum
  }

  /// Makes it, with those above it.
  package static func make(_ path: String) throws(CompareError) {
    var done = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
      done += done.isEmpty || done == "/" ? "\(part)" : "/\(part)"
      if mkdir(done, 0o755) != 0 && errno != EEXIST && access(done, F_OK) != 0 {
        throw .failed("\(done): \(String(cString: strerror(errno)))")
      }
    }
  }

  /// Makes or replaces a file; a reader finds the old or the new one, whole.
  package static func write(_ path: String, _ bytes: [UInt8]) throws(CompareError) {
    func failure() -> CompareError { .failed("\(path): \(String(cString: strerror(errno)))") }
    let number = open(path + ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard number >= 0 else { throw failure() }
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(number, $0.baseAddress.map { $0 + done }, $0.count - done) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        let error = failure()
        close(number)
        unlink(path + ".new")
        throw error
      }
      done += count
    }
    guard close(number) == 0, rename(path + ".new", path) == 0 else { throw failure() }
  }

  /// Removes it with all it holds.
  package static func remove(_ path: String) {
    for name in names(path) where unlink("\(path)/\(name)") != 0 { remove("\(path)/\(name)") }
    rmdir(path)
  }

  static func names(_ path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }
}
