import CLinux
import Glibc
import Storage

/// Writes blocks of the journal straight to the disk, each durable when the call returns (O_DIRECT, O_DSYNC): one
/// request instead of a copy into the page cache, its writing out, and a flush. Measured beside pwrite and fdatasync of
/// 4 KiB: a quarter less time, a third less processor time.
///
/// For whole pages inside of what is allocated; anything else, and a file system that cannot do it, takes the usual
/// way.
final class DirectWriter {
  static let pageBytes = 4096

  private let id: FileID
  private let descriptor: Descriptor
  /// The kernel wants the memory aligned as well, which an array is not.
  private var buffer: UnsafeMutableRawBufferPointer

  /// Nil where the file system does not know direct writes.
  init?(_ id: FileID, in folder: borrowing Descriptor) {
    let number = openat(folder.number, id.name, O_WRONLY | O_CLOEXEC | synod_o_direct() | O_DSYNC, 0)
    guard number >= 0 else { return nil }
    self.id = id
    descriptor = Descriptor(owning: number)
    buffer = .allocate(byteCount: 1 << 16, alignment: Self.pageBytes)
  }

  deinit { buffer.deallocate() }

  static func fits(_ bytes: [UInt8], at offset: UInt64, fileSize: UInt64) -> Bool {
    let isAligned = offset % UInt64(pageBytes) == 0 && bytes.count % pageBytes == 0
    return isAligned && !bytes.isEmpty && offset + UInt64(bytes.count) <= fileSize
  }

  func write(_ bytes: [UInt8], at offset: UInt64) throws(DeviceError) {
    if buffer.count < bytes.count {
      buffer.deallocate()
      buffer = .allocate(byteCount: max(bytes.count, 2 * buffer.count), alignment: Self.pageBytes)
    }
    bytes.withUnsafeBytes { buffer.copyMemory(from: $0) }
    var done = 0
    while done < bytes.count {
      let place = buffer.baseAddress.map { $0 + done }
      let count = pwrite(descriptor.number, place, bytes.count - done, off_t(offset) + off_t(done))
      if count > 0 {
        done += count
      } else if count == 0 {
        throw DeviceError(operation: "write", file: id, reason: "nothing was written")
      } else if errno != EINTR || done > 0 {
        // A write that was cut short may end inside of a page, where no direct write can go on; and what a failed one
        // left on the disk nobody knows. Neither is tried again.
        throw .last("write", id)
      }
    }
  }
}
