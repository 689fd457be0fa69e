import Base

/// What a register remembers of one of its last changes, so that a repeat is answered and never applied again (R7, R9).
package struct WindowEntry: Sendable, Equatable {
  package var id: OperationID
  /// Of a client's own id only; 0 otherwise.
  package var payloadHash: UInt64
  package var effect: Effect

  package init(id: OperationID, payloadHash: UInt64, effect: Effect) {
    self.id = id
    self.payloadHash = payloadHash
    self.effect = effect
  }
}

/// An operation that settle declared dead: it must never start (R8). Marks change no revision and evict no change.
package struct DeadMark: Sendable, Equatable {
  package var id: OperationID
  /// Wall clock of the node that put it, in seconds. A mark is retired only when there is no room for another, and it
  /// is ``Window/markLifetimeSeconds`` old, which is many times the age at which any node still starts a request.
  package var placedAtSeconds: UInt64
}

package enum Window {
  /// W of PROTOCOL.md: at least so many changes are remembered, and never fewer than those of the last fold.
  package static let length = 8
  /// R9: at most so many changes are folded into one round.
  package static let foldLimit = 64
  package static let maximumMarks = 16
  package static let markLifetimeSeconds: UInt64 = 600
}

extension WindowEntry {
  // u8 tag: bits 0-2 the effect, bit 3 set for a client's id.
  // A client's id: 16 bytes, and 8 of payload hash. A node's: varint node and boot, varint sequence.
  // Then for a number its zigzag varint, for a length its varint.
  private static let clientBit: UInt8 = 8

  /// How many bytes ``encode(into:)`` appends.
  var encodedBytes: Int {
    let name =
      id.isFromClient
      ? 24
      : ByteWriter.varintBytes(id.high >> 47) + ByteWriter.varintBytes(id.high & ((1 << 47) - 1))
        + ByteWriter.varintBytes(id.low)
    switch effect {
    case .created, .replaced, .deleted: return 1 + name
    case .number(let number):
      return 1 + name + ByteWriter.varintBytes(UInt64(bitPattern: (number << 1) ^ (number >> 63)))
    case .length(let length): return 1 + name + ByteWriter.varintBytes(length)
    }
  }

  func encode(into span: inout OutputSpan<UInt8>) {
    let kind: UInt8 =
      switch effect {
      case .created: 0
      case .replaced: 1
      case .deleted: 2
      case .number: 3
      case .length: 4
      }
    if id.isFromClient {
      span.append(kind | Self.clientBit)
      span.u64(id.high)
      span.u64(id.low)
      span.u64(payloadHash)
    } else {
      span.append(kind)
      span.varint(id.high >> 47)
      span.varint(id.high & ((1 << 47) - 1))
      span.varint(id.low)
    }
    switch effect {
    case .created, .replaced, .deleted: break
    case .number(let number): span.varint(UInt64(bitPattern: (number << 1) ^ (number >> 63)))
    case .length(let length): span.varint(length)
    }
  }

  init(from reader: inout ByteReader) throws(DecodeError) {
    var place = reader.offset
    self = try WindowEntry(reader.bytes.span.extracting(0..<reader.end), at: &place)
    _ = try reader.skip(place - reader.offset)
  }

  /// The entry at `place` of the bytes; moves on behind it. Each write steps over all of its window, so this goes
  /// without a reader, whose state would be written at each byte.
  @inline(__always)
  init(_ bytes: Span<UInt8>, at place: inout Int) throws(DecodeError) {
    guard place < bytes.count else { throw .truncated }
    let tag = bytes[place]
    var next = place + 1
    if tag & Self.clientBit != 0 {
      guard bytes.count - next >= 24 else { throw .truncated }
      let id = OperationID(high: Self.u64(bytes, next), low: Self.u64(bytes, next + 8))
      // Else it would not come back as it was: a node's id is written without a hash.
      guard id.isFromClient else { throw .malformed }
      self.id = id
      payloadHash = Self.u64(bytes, next + 16)
      next += 24
    } else {
      let node = try Self.varint(bytes, &next)
      let boot = try Self.varint(bytes, &next)
      guard node <= UInt64(UInt16.max), boot < 1 << 47 else { throw .malformed }
      id = OperationID(node: NodeID(UInt16(node)), boot: boot, sequence: try Self.varint(bytes, &next))
      payloadHash = 0
    }
    switch tag & ~Self.clientBit {
    case 0: effect = .created
    case 1: effect = .replaced
    case 2: effect = .deleted
    case 3:
      let zigzag = try Self.varint(bytes, &next)
      effect = .number(Int64(bitPattern: zigzag >> 1) ^ -Int64(bitPattern: zigzag & 1))
    case 4: effect = .length(try Self.varint(bytes, &next))
    default: throw .malformed
    }
    place = next
  }

  /// Checks the entry at `place` and moves on behind it; returns a byte that ends in the lowest six bits of its id, by
  /// which ``History`` looks for ids.
  ///
  /// Each write steps over all of its window. Most entries are a node's own, of nothing but a put, and short: then
  /// their three varints end at the first three bytes below 0x80 of one word.
  @inline(__always)
  static func step(over bytes: Span<UInt8>, at place: inout Int) throws(DecodeError) -> UInt8 {
    if bytes.count - place >= 9, bytes[place] <= 2 {
      let word = u64(bytes, place + 1)
      let ends = ~word & 0x8080_8080_8080_8080
      let bootAndOn = ends & (ends &- 1)
      let sequence = bootAndOn & (bootAndOn &- 1)
      // Two bytes of a node are never too many, and those of a boot number that are left are not either.
      if ends & 0x8080 != 0, sequence != 0 {
        place += 2 + sequence.trailingZeroBitCount / 8
        return UInt8(truncatingIfNeeded: word >> UInt64(bootAndOn.trailingZeroBitCount + 1))
      }
    }
    return UInt8(truncatingIfNeeded: try WindowEntry(bytes, at: &place).id.low)
  }

  @inline(__always)
  private static func u64(_ bytes: Span<UInt8>, _ place: Int) -> UInt64 {
    UInt64(littleEndian: bytes.bytes.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self))
  }

  /// As ``ByteReader/varint()``.
  @inline(__always)
  private static func varint(_ bytes: Span<UInt8>, _ place: inout Int) throws(DecodeError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while place < bytes.count {
      let byte = bytes[place]
      place += 1
      if shift == 63 && byte > 1 { throw .malformed }
      value |= UInt64(byte & 0x7F) &<< shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw .truncated
  }
}
