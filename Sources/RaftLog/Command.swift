package import Base
package import Replica

/// What an entry of the log says.
///
///     u8 kind
///     0  nothing: a leader's first entry of its term
///     1  an operation: u16 node, u64 attempt (who waits for it), varint longest value in bytes, varint lo (0: none),
///        operation
///     2  a configuration: u16 node, u64 attempt (who waits for it; 0: nobody), configuration (``Configuration``)
///     3  a marker: u16 node, u64 attempt; it changes nothing, and tells that node that it holds all up to here
package enum Command {
  case nothing
  /// The limit stands in the entry, because all nodes must come to the same outcome whatever their own flags say.
  /// `lo`, R7: the lowest revision at which an entry between the moment when the request came and this one may have
  /// placed the same operation; nil where there is no such entry.
  case operation(Operation, origin: NodeID, attempt: UInt64, maximumValueBytes: Int, lo: UInt64?)
  case configuration(Configuration, origin: NodeID, attempt: UInt64)
  case marker(origin: NodeID, attempt: UInt64)

  func encoded() -> [UInt8] {
    var writer = ByteWriter(reserving: 96)
    switch self {
    case .nothing: return [0]
    case .operation(let operation, let origin, let attempt, let maximumValueBytes, let lo):
      writer.u8(1)
      writer.u16(origin.value)
      writer.u64(attempt)
      writer.varint(UInt64(maximumValueBytes))
      writer.varint(lo ?? 0)
      operation.encode(into: &writer)
    case .configuration(let configuration, let origin, let attempt):
      writer.u8(2)
      writer.u16(origin.value)
      writer.u64(attempt)
      configuration.encode(into: &writer)
    case .marker(let origin, let attempt):
      writer.u8(3)
      writer.u16(origin.value)
      writer.u64(attempt)
    }
    return writer.bytes
  }

  package init(decoding bytes: [UInt8]) throws(DecodeError) {
    var reader = ByteReader(bytes)
    switch try reader.u8() {
    case 0: self = .nothing
    case 1:
      let origin = NodeID(try reader.u16())
      let attempt = try reader.u64()
      let limit = try reader.varint()
      guard limit <= 1 << 30 else { throw .malformed }
      let lo = try reader.varint()
      self = .operation(
        try Operation(from: &reader), origin: origin, attempt: attempt, maximumValueBytes: Int(limit),
        lo: lo == 0 ? nil : lo)
    case 2:
      let origin = NodeID(try reader.u16())
      let attempt = try reader.u64()
      self = .configuration(try Configuration(from: &reader), origin: origin, attempt: attempt)
    case 3:
      let origin = NodeID(try reader.u16())
      self = .marker(origin: origin, attempt: try reader.u64())
    default: throw .malformed
    }
    guard reader.isAtEnd else { throw .malformed }
  }

  /// The configuration in an encoded entry; nil where it holds something else.
  package static func configuration(in payload: ArraySlice<UInt8>) -> Configuration? {
    guard payload.first == 2, case .configuration(let configuration, _, _)? = try? Command(decoding: Array(payload))
    else { return nil }
    return configuration
  }
}
