import CLinux
import Glibc
import Storage
import Synchronization

/// A data folder: its lock, held as long as this lives, and its open files.
final class DataFolder: Sendable {
  private let descriptor: Descriptor
  private let lock: Descriptor
  private let files = Mutex<[FileID: OpenFile]>([:])
  /// The first failure of any change. From then on nothing more is written (see ``DeviceCompletion/failure``).
  private let firstFailure = Mutex<DeviceError?>(nil)

  /// Makes the folder, with those above it, where it does not exist, and locks it.
  init(path: String) throws(SystemError) {
    try DataFolder.create(path)
    let number = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard number >= 0 else { throw DataFolder.failure("open", path) }
    descriptor = Descriptor(owning: number)
    let lockNumber = openat(number, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard lockNumber >= 0 else { throw DataFolder.failure("open", "\(path)/lock") }
    lock = Descriptor(owning: lockNumber)
    try DataFolder.hold(lock, path)
    do throws(DeviceError) {
      for id in try list() where id.isJournal { try waitForWrites(to: id) }
    } catch {
      throw SystemError(call: "flock", code: 0, clause: "\(path): \(error.operation) failed: \(error.reason)")
    }
  }

  /// R3: a write that the kernel makes beside the program (``JournalRing``) goes on when its process has been killed.
  /// It could reach the disk after this process has read the place, and over what it has written there and
  /// acknowledged. (Seen: a write of 16 MiB came to its end 20 ms after its process was gone.) Until then the kernel
  /// keeps the file open, and so locked (``DirectFile``).
  private func waitForWrites(to id: FileID) throws(DeviceError) {
    let number = openat(descriptor.number, id.name, O_RDONLY | O_CLOEXEC, 0)
    guard number >= 0 else { throw .last("open", id) }
    let file = Descriptor(owning: number)
    while flock(file.number, LOCK_EX) != 0 {
      // Where there are no locks, nothing was written that way.
      if errno != EINTR { return }
    }
  }

  /// flock, because the kernel lets go of it with the process, however that ends.
  private static func hold(_ lock: borrowing Descriptor, _ path: String) throws(SystemError) {
    while flock(lock.number, LOCK_EX | LOCK_NB) != 0 {
      if errno == EINTR { continue }
      guard errno == EWOULDBLOCK else { throw failure("flock", "\(path)/lock") }
      let owner = owner(lock).map { " (pid \($0))" } ?? ""
      throw SystemError(
        call: "flock", code: EWOULDBLOCK, clause: "\(path) is in use by another synod process\(owner)")
    }
    // The number is for people; that the file is locked is what counts, so a full disk does not matter here.
    let text = Array("\(getpid())\n".utf8)
    _ = ftruncate(lock.number, 0)
    _ = text.withUnsafeBytes { pwrite(lock.number, $0.baseAddress, $0.count, 0) }
  }

  private static func owner(_ lock: borrowing Descriptor) -> Int? {
    var buffer = [UInt8](repeating: 0, count: 16)
    let count = pread(lock.number, &buffer, buffer.count, 0)
    guard count > 0 else { return nil }
    return Int(String(decoding: buffer[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
  }

  /// Makes each missing folder of `path` durable in the one above it: the files in a folder whose own entry is lost
  /// are lost with it.
  private static func create(_ path: String) throws(SystemError) {
    if access(path, F_OK) == 0 { return }
    let parts = path.split(separator: "/", omittingEmptySubsequences: true)
    let parent = (path.hasPrefix("/") ? "/" : "./") + parts.dropLast().joined(separator: "/")
    if parts.count > 1 { try create(parent) }
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failure("mkdir", path) }
    let number = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard number >= 0 else { throw failure("open", parent) }
    let above = Descriptor(owning: number)
    if fsync(above.number) != 0 { throw failure("fsync", parent) }
  }

  private static func failure(_ call: String, _ path: String) -> SystemError {
    let code = errno
    return SystemError(call: call, code: code, clause: "\(path): \(SystemError(call: call, code: code).reason)")
  }

  var failure: DeviceError? { firstFailure.withLock { $0 } }

  /// Keeps the first failure and returns it.
  func fail(_ failure: DeviceError) -> DeviceError {
    firstFailure.withLock { first in
      let kept = first ?? failure
      first = kept
      return kept
    }
  }

  /// nil if the file does not exist.
  func existing(_ id: FileID) throws(DeviceError) -> OpenFile? {
    if let file = files.withLock({ $0[id] }) { return file }
    guard let opened = try OpenFile.open(id, in: descriptor, create: false) else { return nil }
    return keep(opened.file)
  }

  /// The file, made where it does not exist; then the folder must be synced.
  func file(_ id: FileID) throws(DeviceError) -> (file: OpenFile, created: Bool) {
    if let file = files.withLock({ $0[id] }) { return (file, false) }
    guard let opened = try OpenFile.open(id, in: descriptor, create: true) else {
      throw DeviceError(operation: "create", file: id, reason: "it vanished")
    }
    return (keep(opened.file), opened.created)
  }

  /// Two threads may open the same file at once; the first one's stays.
  private func keep(_ file: OpenFile) -> OpenFile {
    files.withLock { files in
      let kept = files[file.id] ?? file
      files[file.id] = kept
      return kept
    }
  }

  /// Nil where the file system has no direct writes.
  func directFile(_ id: FileID) -> DirectFile? { DirectFile(id, in: descriptor) }

  /// A file that is not there is fine. Then the folder must be synced.
  func remove(_ id: FileID) throws(DeviceError) {
    files.withLock { _ = $0.removeValue(forKey: id) }
    if unlinkat(descriptor.number, id.name, 0) != 0 && errno != ENOENT { throw .last("remove", id) }
  }

  /// Brings entries that were made or removed to stable storage; `id` is one of them, for the error.
  func sync(for id: FileID) throws(DeviceError) {
    if fsync(descriptor.number) != 0 { throw .last("fsync of the folder", id) }
  }

  /// The files that exist, in no particular order.
  func list() throws(DeviceError) -> [FileID] {
    // A descriptor of its own, for closedir closes it.
    let number = openat(descriptor.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
    guard number >= 0 else { throw .last("list the folder of", .superblock(0)) }
    guard let stream = fdopendir(number) else {
      close(number)
      throw .last("list the folder of", .superblock(0))
    }
    defer { closedir(stream) }
    var found: [FileID] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        if errno != 0 { throw .last("list the folder of", .superblock(0)) }
        return found
      }
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: entry.pointee.d_name)) {
          String(cString: $0)
        }
      }
      if let id = FileID(name: name) { found.append(id) }
    }
  }
}
