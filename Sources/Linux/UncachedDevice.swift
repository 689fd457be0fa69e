package import Storage

/// Reads what is on the disk, and not what the kernel remembers of it: damage would not show there.
package final class UncachedDevice: Device, Sendable {
  private let device: FileDevice

  package init(_ device: FileDevice) { self.device = device }

  package func size(of file: FileID) throws(DeviceError) -> UInt64? { try device.size(of: file) }

  package func read(_ file: FileID, at offset: UInt64, count: Int) throws(DeviceError) -> [UInt8] {
    try device.forget(file, at: offset, count: count)
    return try device.read(file, at: offset, count: count)
  }

  package func files() throws(DeviceError) -> [FileID] { try device.files() }

  package func perform(_ changes: [DeviceChange]) throws(DeviceError) { try device.perform(changes) }

  package func submit(_ batch: DeviceBatch) { device.submit(batch) }
}
