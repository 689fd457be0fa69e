import Base

/// The frames of one connection: bytes in, checked bodies out, in order. Linear in the bytes, however they are cut.
package struct FrameReader: Sendable {
  private let bodyLimitBytes: Int
  private var buffer: [UInt8] = []
  private var consumed = 0
  private var failure: FrameError?

  package init(bodyLimitBytes: Int) { self.bodyLimitBytes = bodyLimitBytes }

  package var bufferedBytes: Int { buffer.count - consumed }

  package mutating func feed(_ bytes: UnsafeRawBufferPointer) {
    if failure == nil { buffer.append(contentsOf: bytes) }
  }

  package mutating func feed(_ bytes: [UInt8]) {
    if failure == nil { buffer.append(contentsOf: bytes) }
  }

  /// The next whole frame, nil when more bytes are needed. It shares the reader's bytes: a caller that keeps it has the
  /// reader copy what it holds. Throws what is wrong with it, and again at each later call.
  package mutating func next() throws(FrameError) -> Frame? {
    if let failure { throw failure }
    do throws(FrameError) {
      return try readFrame()
    } catch {
      failure = error
      buffer = []
      consumed = 0
      throw error
    }
  }

  /// Takes out what was fed and not yielded, for another reader to go on with.
  package mutating func takeRest() -> [UInt8] {
    let rest = Array(buffer[consumed...])
    buffer = []
    consumed = 0
    return rest
  }

  private mutating func readFrame() throws(FrameError) -> Frame? {
    guard bufferedBytes >= Frame.headerBytes else {
      // A connection that begins wrong is refused at its first bytes: it may never send sixteen.
      if bufferedBytes >= 2 { try checkMagic() }
      compact()
      return nil
    }
    try checkMagic()
    guard buffer[consumed + 2] == Frame.version else { throw .unknownVersion(buffer[consumed + 2]) }
    let header = buffer.withUnsafeBytes { bytes in
      (
        length: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: consumed + 4, as: UInt32.self)),
        checksum: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: consumed + 8, as: UInt64.self))
      )
    }
    guard UInt64(header.length) <= UInt64(bodyLimitBytes) else { throw .tooLong(bytes: UInt64(header.length)) }
    let length = Int(header.length)
    guard bufferedBytes >= Frame.headerBytes + length else {
      compact()
      return nil
    }
    guard Frame.checksum(buffer, consumed, length) == header.checksum else { throw .badChecksum }
    let kind = buffer[consumed + 3]
    let start = consumed + Frame.headerBytes
    consumed = start + length
    return Frame(kind: kind, bytes: buffer, place: start..<consumed)
  }

  private func checkMagic() throws(FrameError) {
    let magic = UInt16(buffer[consumed]) | UInt16(buffer[consumed + 1]) << 8
    guard magic == Frame.magic else { throw .badMagic }
  }

  private mutating func compact() {
    if consumed == buffer.count {
      buffer.removeAll(keepingCapacity: buffer.capacity <= 1 << 20)
    } else if consumed > 0 {
      buffer.removeFirst(consumed)
    }
    consumed = 0
  }
}
