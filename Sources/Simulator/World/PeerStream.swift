import Base
import Host
import Wire

/// What one node sends to another, taken apart into frames and messages: the hosts always hand out whole frames.
enum PeerStream {
  struct Message {
    let partition: Int
    /// Where its bytes are in the stream.
    let bytes: Range<Int>
  }

  enum Part {
    /// Anything but replica messages, as it stands in the stream.
    case frame(Range<Int>)
    case message(Message)
  }

  static func parts(of stream: [UInt8]) -> [Part] {
    var parts: [Part] = []
    var start = 0
    while start + Frame.headerBytes <= stream.count {
      let body = start + Frame.headerBytes
      let length = stream.withUnsafeBytes {
        Int(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: start + 4, as: UInt32.self)))
      }
      let end = body + length
      invariant(end <= stream.count, "a host handed out half a frame")
      if stream[start + 3] == FrameKind.batch.rawValue {
        appendMessages(of: stream, body..<end, to: &parts)
      } else {
        parts.append(.frame(start..<end))
      }
      start = end
    }
    return parts
  }

  private static func appendMessages(of stream: [UInt8], _ body: Range<Int>, to parts: inout [Part]) {
    var reader = ByteReader(stream, in: body)
    while !reader.isAtEnd {
      guard let partition = try? reader.u16(), let length = try? reader.varint(),
        let bytes = try? reader.skip(Int(length))
      else { invariantFailed("a host sent a batch that does not decode") }
      parts.append(.message(Message(partition: Int(partition), bytes: bytes)))
    }
  }

  /// A frame of its own with these messages of `stream`.
  static func frame(_ messages: [Message], of stream: [UInt8]) -> [UInt8] {
    var writer = ByteWriter(reserving: 256)
    let start = Frame.begin(FrameKind.batch.rawValue, in: &writer)
    for message in messages {
      writer.u16(UInt16(message.partition))
      writer.varint(UInt64(message.bytes.count))
      writer.raw(stream[message.bytes])
    }
    Frame.seal(&writer, from: start)
    return writer.bytes
  }
}
