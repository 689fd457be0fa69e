import CLinux
import Glibc
import Storage
import Synchronization

/// One open file of the data folder.
final class OpenFile: Sendable {
  let id: FileID
  private let descriptor: Descriptor
  /// Bytes. A file is made longer by one lane at a time, so that this is read and set without a race of meaning.
  private let length: Atomic<UInt64>

  /// Opens it in `folder`; `created` is false where it was there before. nil if it does not exist and `create` is
  /// false.
  static func open(_ id: FileID, in folder: borrowing Descriptor, create: Bool) throws(DeviceError) -> (
    file: OpenFile, created: Bool
  )? {
    let number = openat(folder.number, id.name, O_RDWR | O_CLOEXEC, 0)
    if number >= 0 { return (try OpenFile(id, Descriptor(owning: number)), false) }
    guard errno == ENOENT else { throw .last("open", id) }
    guard create else { return nil }
    let new = openat(folder.number, id.name, O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL, 0o600)
    guard new >= 0 else { throw .last("create", id) }
    return (try OpenFile(id, Descriptor(owning: new)), true)
  }

  private init(_ id: FileID, _ descriptor: consuming Descriptor) throws(DeviceError) {
    var status = stat()
    guard fstat(descriptor.number, &status) == 0 else { throw .last("fstat", id) }
    self.id = id
    self.descriptor = descriptor
    length = Atomic(UInt64(status.st_size))
  }

  var size: UInt64 { length.load(ordering: .relaxed) }

  /// Up to `count` bytes from `offset`; fewer only where the file ends.
  func read(at offset: UInt64, count: Int) throws(DeviceError) -> [UInt8] {
    var failure: DeviceError?
    let available = offset >= size ? 0 : min(count, Int(size - offset))
    let bytes = [UInt8](unsafeUninitializedCapacity: available) { buffer, filled in
      while filled < available {
        let place = buffer.baseAddress.map { $0 + filled }
        let got = pread(descriptor.number, place, available - filled, off_t(offset) + off_t(filled))
        if got > 0 {
          filled += got
        } else if got == 0 {
          return
        } else if errno != EINTR {
          failure = .last("read", id)
          return
        }
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// A hint: the kernel drops what it keeps of this place in memory.
  func forget(at offset: UInt64, count: Int) {
    _ = posix_fadvise(descriptor.number, off_t(offset), off_t(count), POSIX_FADV_DONTNEED)
  }

  /// Writes all of `bytes`. True if that made the file longer.
  func write(_ bytes: RawSpan, at offset: UInt64) throws(DeviceError) -> Bool {
    var done = 0
    while done < bytes.byteCount {
      let count = bytes.withUnsafeBytes { bytes in
        let place = bytes.baseAddress.map { $0 + done }
        return pwrite(descriptor.number, place, bytes.count - done, off_t(offset) + off_t(done))
      }
      if count > 0 {
        done += count
      } else if count == 0 {
        // No file system does it; going round for ever would look like a slow disk.
        throw DeviceError(operation: "write", file: id, reason: "nothing was written")
      } else if errno != EINTR {
        throw .last("write", id)
      }
    }
    let end = offset + UInt64(bytes.byteCount)
    guard end > size else { return false }
    length.store(end, ordering: .relaxed)
    return true
  }

  /// Makes the file at least `bytes` long. True if it was shorter.
  ///
  /// Space is reserved first, so that a full disk is met before anything is written. Then zeros are really written, for
  /// blocks that are merely reserved are marked so in the file's metadata, and each first write into one would make
  /// fdatasync write metadata too. The length grows with the zeros: a crash in between is seen by the length.
  func preallocate(_ bytes: UInt64) throws(DeviceError) -> Bool {
    let start = size
    guard bytes > start else { return false }
    let keepSize: Int32 = 1  // FALLOC_FL_KEEP_SIZE
    while fallocate(descriptor.number, keepSize, off_t(start), off_t(bytes - start)) != 0 {
      if errno == EINTR { continue }
      // A file system that cannot reserve: the zeros will have to do, they take the space as well.
      if errno == EOPNOTSUPP || errno == ENOSYS { break }
      throw .last("preallocate \(bytes) bytes", id)
    }
    let zeros = [UInt8](repeating: 0, count: Int(min(bytes - start, 1 << 20)))
    var offset = start
    while offset < bytes {
      let count = min(UInt64(zeros.count), bytes - offset)
      _ = try write(zeros.span.bytes.extracting(first: Int(count)), at: offset)
      writeOut(at: offset, count: Int(count))
      offset += count
    }
    return true
  }

  /// Has the system write this part to the disk now, and waits for it. That makes nothing durable: it keeps a sync from
  /// sending many megabytes at once, behind which what clients wait for would have to queue.
  private func writeOut(at offset: UInt64, count: Int) {
    let before: UInt32 = 1  // SYNC_FILE_RANGE_WAIT_BEFORE
    let write: UInt32 = 2  // SYNC_FILE_RANGE_WRITE
    let after: UInt32 = 4  // SYNC_FILE_RANGE_WAIT_AFTER
    _ = sync_file_range(descriptor.number, off_t(offset), off_t(count), before | write | after)
  }

  func truncate(_ bytes: UInt64) throws(DeviceError) {
    while ftruncate(descriptor.number, off_t(bytes)) != 0 {
      if errno != EINTR { throw .last("truncate", id) }
    }
    length.store(bytes, ordering: .relaxed)
  }

  /// Brings what was written to stable storage; with `metadata` also what only the file's metadata tell.
  func sync(metadata: Bool) throws(DeviceError) {
    // Not even EINTR is retried: a second sync may succeed without having written what the first one failed to.
    let code = metadata ? fsync(descriptor.number) : fdatasync(descriptor.number)
    if code != 0 { throw .last(metadata ? "fsync" : "fdatasync", id) }
  }
}

extension DeviceError {
  /// The failure that `errno` tells of.
  static func last(_ operation: String, _ file: FileID) -> DeviceError {
    DeviceError(operation: operation, file: file, reason: SystemError.last(operation).reason)
  }
}
