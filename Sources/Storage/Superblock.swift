import Base

/// The node's own small state, opaque here, in two copies of which each write replaces the older.
///
///     0   u64  magic "SYNODSUP"
///     8   u32  format version, 1
///     12  u32  length of the payload
///     16  u64  generation, from 1
///     24  u64  checksum: XXH64 of the payload, seeded with the XXH64 of bytes 0..<24
///     32       payload
///
/// Valid if and only if magic, version, length and checksum hold; the first 32 bytes mean the same in all versions. The
/// valid copy with the highest generation counts; generation g stands in copy g modulo 2.
///
/// A payload that must outlive a damaged sector is written twice, in two batches: then both copies say the same.
package struct Superblock {
  private static let magic: UInt64 = 0x5055_5344_4F4E_5953
  private static let version: UInt32 = 1
  private static let headerBytes = 32

  package private(set) var payload: [UInt8]
  package private(set) var generation: UInt64

  /// For a new folder: nothing was ever written.
  package init() {
    payload = []
    generation = 0
  }

  private init(payload: [UInt8], generation: UInt64) {
    self.payload = payload
    self.generation = generation
  }

  /// Replaces the payload; the changes are to be submitted as one batch, and no other ones before that is durable.
  package mutating func nextChanges(_ payload: [UInt8]) -> [DeviceChange] {
    self.payload = payload
    generation += 1
    return [.write(.superblock(Int(generation & 1)), at: 0, encoded())]
  }

  /// Reads the superblock; nil for a new folder. A damaged or missing copy is written anew from the other.
  package static func read(from device: any Device) throws(StorageError) -> Superblock? {
    var found: [Superblock] = []
    var existing = 0
    for copy in 0..<2 {
      var window = try FileWindow(device, .superblock(copy))
      if window.size > 0 { existing += 1 }
      if let block = try decode(&window, copy: copy) { found.append(block) }
    }
    guard var newest = found.max(by: { $0.generation < $1.generation }) else {
      if existing == 0 { return nil }
      if existing == 1, try holdsNothingElse(device) { return nil }
      throw .damaged(file: .superblock(0), offset: 0, reason: "neither copy of the superblock is readable")
    }
    if found.count == 1 && newest.generation > 1 || existing == 2 && found.count == 1 {
      try perform(newest.nextChanges(newest.payload), on: device)
    }
    return newest
  }

  /// A first write that was cut short leaves one unreadable copy in a folder without anything else: it is still new.
  private static func holdsNothingElse(_ device: any Device) throws(StorageError) -> Bool {
    let files: [FileID]
    do throws(DeviceError) { files = try device.files() } catch { throw .device(error) }
    for file in files {
      if case .superblock = file { continue }
      return false
    }
    return true
  }

  /// Whether this copy reads as it should, or is not there.
  package static func isSound(_ copy: Int, on device: any Device) throws(StorageError) -> Bool {
    var window = try FileWindow(device, .superblock(copy))
    if window.size == 0 { return true }
    return try decode(&window, copy: copy) != nil
  }

  private func encoded() -> [UInt8] {
    var writer = ByteWriter(reserving: Superblock.headerBytes + payload.count)
    writer.u64(Superblock.magic)
    writer.u32(Superblock.version)
    writer.u32(UInt32(payload.count))
    writer.u64(generation)
    writer.u64(Checksum.xxh64(payload, seed: Checksum.xxh64(writer.bytes)))
    writer.raw(payload)
    return writer.bytes
  }

  private static func decode(_ window: inout FileWindow, copy: Int) throws(StorageError) -> Superblock? {
    guard let start = try window.load(at: 0, count: headerBytes) else { return nil }
    let words = window.bytes.withUnsafeBytes { bytes in (0..<4).map { bytes.u64(start + $0 * 8) } }
    let seed = Checksum.xxh64(window.bytes[start..<start + 24])
    let length = Int(words[1] >> 32)
    guard words[0] == magic, let body = try window.load(at: headerBytes, count: length) else { return nil }
    let payload = window.bytes[body..<body + length]
    guard Checksum.xxh64(payload, seed: seed) == words[3] else { return nil }
    let found = UInt32(truncatingIfNeeded: words[1])
    guard found <= version else { throw .newerVersion(file: .superblock(copy), found: found, supported: version) }
    guard words[2] > 0, words[2] & 1 == UInt64(copy) else { return nil }
    return Superblock(payload: Array(payload), generation: words[2])
  }
}
