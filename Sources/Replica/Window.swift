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
    let tag = try reader.u8()
    if tag & Self.clientBit != 0 {
      let high = try reader.u64()
      id = OperationID(high: high, low: try reader.u64())
      // Else it would not come back as it was: a node's id is written without a hash.
      guard id.isFromClient else { throw .malformed }
      payloadHash = try reader.u64()
    } else {
      let node = try reader.varint()
      let boot = try reader.varint()
      guard node <= UInt64(UInt16.max), boot < 1 << 47 else { throw .malformed }
      id = OperationID(node: NodeID(UInt16(node)), boot: boot, sequence: try reader.varint())
      payloadHash = 0
    }
    switch tag & ~Self.clientBit {
    case 0: effect = .created
    case 1: effect = .replaced
    case 2: effect = .deleted
    case 3:
      let zigzag = try reader.varint()
      effect = .number(Int64(bitPattern: zigzag >> 1) ^ -Int64(bitPattern: zigzag & 1))
    case 4: effect = .length(try reader.varint())
    default: throw .malformed
    }
  }
}
