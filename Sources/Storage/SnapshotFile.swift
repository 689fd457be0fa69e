import Base

/// The state that a log has made, in one of two files; which hold snapshots in turn.
///
///     0      u64  magic "SYNODSNP"
///     8      u32  format version, 1
///     12     u32  length of the configuration
///     16     u64  index of the last entry that it covers
///     24     u64  that entry's term
///     32     u64  bytes of the file
///     40     u64  number of pieces
///     48     u64  checksum: XXH64 of the configuration, seeded with the XXH64 of bytes 0..<48
///     56          configuration
///     8192        pieces, each: u64 length, u64 checksum (XXH64 of the bytes, seeded with index + number), bytes
///
/// Valid if and only if magic, version, length and both checksums hold. The header is written last, when all pieces are
/// on stable storage, and zeroed before the first. Of two valid ones the one with the higher index counts. The log is
/// trimmed only when the header is durable, so a snapshot that was cut short is as if it had not been begun.
enum SnapshotFile {
  static let headerBytes = 2 * Page.bytes
  static let pieceHeaderBytes = 16
  static let magic: UInt64 = 0x504E_5344_4F4E_5953
  static let version: UInt32 = 1

  struct Header {
    let copy: Int
    let position: LogPosition
    let configuration: [UInt8]
    let fileBytes: Int
    let pieces: Int
  }

  static func checksum(ofPiece bytes: ArraySlice<UInt8>, number: Int, index: UInt64) -> UInt64 {
    Checksum.xxh64(bytes, seed: index &+ UInt64(number))
  }

  /// Nil where there is no valid header.
  static func readHeader(_ window: inout FileWindow, copy: Int) throws(StorageError) -> Header? {
    guard let start = try window.load(at: 0, count: headerBytes) else { return nil }
    let words = window.bytes.withUnsafeBytes { bytes in (0..<7).map { bytes.u64(start + $0 * 8) } }
    let length = Int(words[1] >> 32)
    guard words[0] == magic, length <= headerBytes - 56 else { return nil }
    let configuration = Array(window.bytes[start + 56..<start + 56 + length])
    let seed = Checksum.xxh64(window.bytes[start..<start + 48])
    guard Checksum.xxh64(configuration, seed: seed) == words[6] else { return nil }
    let found = UInt32(truncatingIfNeeded: words[1])
    guard found <= version else { throw .newerVersion(file: .snapshot(copy), found: found, supported: version) }
    return Header(
      copy: copy, position: LogPosition(index: words[2], term: words[3]), configuration: configuration,
      fileBytes: Int(words[4]), pieces: Int(words[5]))
  }

  /// Makes the copy none.
  static func erasure(of copy: Int) -> DeviceChange {
    .write(.snapshot(copy), at: 0, [UInt8](repeating: 0, count: headerBytes))
  }

  /// Gives all of it to the holder.
  static func restore(_ header: Header, _ window: inout FileWindow, to holder: any LogHolder) throws(StorageError) {
    let file = FileID.snapshot(header.copy)
    func damaged(_ offset: Int, _ reason: String) -> StorageError {
      .damaged(file: file, offset: UInt64(offset), reason: reason)
    }
    do throws(DecodeError) {
      try holder.restore(
        snapshot: header.position, configuration: header.configuration, bytes: UInt64(header.fileBytes))
    } catch {
      throw damaged(0, "its header does not say what it should")
    }
    var offset = headerBytes
    for number in 0..<header.pieces {
      guard let head = try window.load(at: offset, count: pieceHeaderBytes) else {
        throw damaged(offset, "the file ends before its last piece")
      }
      let (length, checksum) = window.bytes.withUnsafeBytes {
        (Int(truncatingIfNeeded: $0.u64(head)), $0.u64(head + 8))
      }
      guard length >= 0, let body = try window.load(at: offset + pieceHeaderBytes, count: length) else {
        throw damaged(offset, "a piece reaches beyond the end of the file")
      }
      let bytes = window.bytes[body..<body + length]
      guard self.checksum(ofPiece: bytes, number: number, index: header.position.index) == checksum else {
        throw damaged(offset, "the checksum of piece \(number) does not match")
      }
      do throws(DecodeError) { try holder.restore(piece: Array(bytes)) } catch {
        throw damaged(offset, "piece \(number) does not decode")
      }
      offset += pieceHeaderBytes + length
    }
  }
}

/// A snapshot on its way to the disk, piece by piece.
struct SnapshotWriter {
  let image: UInt64
  let position: LogPosition
  let copy: Int
  private let configuration: [UInt8]
  private(set) var fileBytes = SnapshotFile.headerBytes
  private var pieces = 0
  /// All pieces were added.
  private(set) var isWhole = false

  init(_ first: SnapshotPiece, copy: Int) {
    image = first.image
    position = first.position
    configuration = first.configuration
    self.copy = copy
  }

  mutating func changes(adding piece: SnapshotPiece) -> [DeviceChange] {
    var changes: [DeviceChange] = []
    if pieces == 0 {
      changes.append(SnapshotFile.erasure(of: copy))
    }
    var writer = ByteWriter(reserving: SnapshotFile.pieceHeaderBytes + piece.bytes.count)
    writer.u64(UInt64(piece.bytes.count))
    writer.u64(SnapshotFile.checksum(ofPiece: piece.bytes[...], number: pieces, index: position.index))
    writer.raw(piece.bytes)
    changes.append(.write(.snapshot(copy), at: UInt64(fileBytes), writer.bytes))
    fileBytes += writer.count
    pieces += 1
    isWhole = piece.isLast
    return changes
  }

  func headerChanges() -> [DeviceChange] {
    var writer = ByteWriter(reserving: SnapshotFile.headerBytes)
    writer.u64(SnapshotFile.magic)
    writer.u32(SnapshotFile.version)
    writer.u32(UInt32(configuration.count))
    writer.u64(position.index)
    writer.u64(position.term)
    writer.u64(UInt64(fileBytes))
    writer.u64(UInt64(pieces))
    writer.u64(Checksum.xxh64(configuration, seed: Checksum.xxh64(writer.bytes)))
    writer.raw(configuration)
    invariant(writer.count <= SnapshotFile.headerBytes, "a configuration is larger than a snapshot's header")
    writer.bytes.append(contentsOf: repeatElement(0, count: SnapshotFile.headerBytes - writer.count))
    return [.write(.snapshot(copy), at: 0, writer.bytes), .truncate(.snapshot(copy), bytes: UInt64(fileBytes))]
  }
}
