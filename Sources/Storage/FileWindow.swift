/// Reads a file front to back through one buffer of bounded size, for recovery.
struct FileWindow {
  let device: any Device
  let file: FileID
  /// The length of the file, 0 if it does not exist.
  let size: Int
  /// What was read last. Valid until the next ``load(at:count:)``.
  private(set) var bytes: [UInt8] = []
  private var start = 0

  private static let step = 1 << 20

  init(_ device: any Device, _ file: FileID) throws(StorageError) {
    self.device = device
    self.file = file
    do throws(DeviceError) { size = Int(try device.size(of: file) ?? 0) } catch { throw .device(error) }
  }

  /// Makes `count` bytes from `offset` available and says where in ``bytes`` they begin; nil where the file ends
  /// before.
  mutating func load(at offset: Int, count: Int) throws(StorageError) -> Int? {
    guard offset >= 0, count >= 0, offset + count <= size else { return nil }
    if offset >= start && offset + count <= start + bytes.count { return offset - start }
    bytes = []
    let wanted = min(max(count, FileWindow.step), size - offset)
    do throws(DeviceError) {
      bytes = try device.read(file, at: UInt64(offset), count: wanted)
    } catch { throw .device(error) }
    start = offset
    guard bytes.count >= count else {
      throw .damaged(file: file, offset: UInt64(offset), reason: "the file is shorter than the device said")
    }
    return 0
  }
}

/// Carries out changes at start-up.
func perform(_ changes: [DeviceChange], on device: any Device) throws(StorageError) {
  if changes.isEmpty { return }
  do throws(DeviceError) { try device.perform(changes) } catch { throw .device(error) }
}
