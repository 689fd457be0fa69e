package import Base

/// What stands in the blocks of a log, one frame after the other; the block's checksum covers all of them.
///
///     u8 1   hard state: u64 term, u16 vote, u64 commit; the first frame of each block
///     u8 2   entry: u64 index, u64 term, u32 length of the payload, payload; it takes the place of those at its index
///            and above
///     u8 3   base: u64 index, u64 term; the log begins anew behind it
///     u8 4   reach: u64 index of the last entry in the blocks before this one, or the last that a snapshot covered
///            then; where so much is not there, blocks are missing (those that hold no entries would not show it)
package enum LogFrame {
  case hardState(LogHardState)
  case entry(LogPosition, payload: Range<Int>)
  case base(LogPosition)
  case reach(UInt64)

  static func append(_ state: LogHardState, to writer: inout ByteWriter) {
    writer.u8(1)
    writer.u64(state.term)
    writer.u16(state.vote)
    writer.u64(state.commit)
  }

  static func append(base: LogPosition, to writer: inout ByteWriter) {
    writer.u8(3)
    writer.u64(base.index)
    writer.u64(base.term)
  }

  static func append(reach index: UInt64, to writer: inout ByteWriter) {
    writer.u8(4)
    writer.u64(index)
  }

  static func append(entry index: UInt64, of holder: any LogHolder, to writer: inout ByteWriter) {
    writer.u8(2)
    writer.u64(index)
    let term = writer.count
    writer.u64(0)
    writer.u32(0)
    let start = writer.count
    writer.patch(u64: holder.encodeEntry(at: index, into: &writer), at: term)
    writer.patch(u32: UInt32(writer.count - start), at: term + 8)
  }

  init(from reader: inout ByteReader) throws(DecodeError) {
    switch try reader.u8() {
    case 1:
      let term = try reader.u64()
      let vote = try reader.u16()
      self = .hardState(LogHardState(term: term, vote: vote, commit: try reader.u64()))
    case 2:
      let index = try reader.u64()
      let term = try reader.u64()
      let length = Int(try reader.u32())
      self = .entry(LogPosition(index: index, term: term), payload: try reader.skip(length))
    case 3:
      let index = try reader.u64()
      self = .base(LogPosition(index: index, term: try reader.u64()))
    case 4: self = .reach(try reader.u64())
    default: throw .malformed
    }
  }

  /// The frames of one write to a log, read back: for who watches from outside what is on the disk.
  package static func forEach(in bytes: [UInt8], _ body: (LogFrame) -> Void) {
    let length = bytes.withUnsafeBytes { Int($0.u32(4)) }
    invariant(length >= JournalBlock.headerBytes && length <= bytes.count, "a write to a log is no block")
    var reader = ByteReader(bytes, in: JournalBlock.headerBytes..<length)
    while !reader.isAtEnd {
      guard let frame = try? LogFrame(from: &reader) else {
        invariantFailed("a write to a log holds a frame that does not decode")
      }
      body(frame)
    }
  }
}
