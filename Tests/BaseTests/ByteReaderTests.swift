import Base
import Testing

@Suite("Byte reader and writer")
struct ByteReaderTests {
  static let varints: [UInt64] = [0, 1, 127, 128, 129, 16_383, 16_384, 1 << 32, (1 << 63) - 1, 1 << 63, .max - 1, .max]

  @Test(arguments: varints)
  func varintsGoThrough(_ value: UInt64) throws {
    var writer = ByteWriter()
    writer.varint(value)
    #expect(writer.count == max(1, (64 - value.leadingZeroBitCount + 6) / 7))
    var reader = ByteReader(writer.bytes)
    #expect(try reader.varint() == value)
    #expect(reader.isAtEnd)
    for end in 0..<writer.count {
      var short = ByteReader(Array(writer.bytes[..<end]))
      #expect(throws: DecodeError.truncated) { try short.varint() }
    }
  }

  @Test func varintsBeyond64BitsAreMalformed() {
    let full = [UInt8](repeating: 0xFF, count: 9)
    for last: UInt8 in [0x02, 0x7F, 0x80, 0x81, 0xFF] {
      var reader = ByteReader(full + [last, 0])
      #expect(throws: DecodeError.malformed) { try reader.varint() }
    }
  }

  private static func record() -> [UInt8] {
    var writer = ByteWriter(reserving: 64)
    writer.u8(1)
    writer.u16(0x0203)
    writer.u32(0x0405_0607)
    writer.u64(0x0809_0A0B_0C0D_0E0F)
    writer.blob([0xAA, 0xBB, 0xCC])
    writer.blob([])
    writer.raw([0xDD])
    return writer.bytes
  }

  private static func read(_ reader: inout ByteReader) throws(DecodeError) {
    let (a, b, c, d) = (try reader.u8(), try reader.u16(), try reader.u32(), try reader.u64())
    #expect(a == 1 && b == 0x0203 && c == 0x0405_0607 && d == 0x0809_0A0B_0C0D_0E0F)
    let (first, second) = (try reader.blob(), try reader.blob())
    #expect(first == [0xAA, 0xBB, 0xCC] && second.isEmpty)
    let last = try reader.raw(1)
    #expect(last == [0xDD])
  }

  @Test func fieldsAreLittleEndian() {
    let bytes = Self.record()
    #expect(Array(bytes.prefix(9)) == [1, 3, 2, 7, 6, 5, 4, 0x0F, 0x0E])
  }

  @Test func everyTruncationIsNoticed() throws {
    let bytes = Self.record()
    var whole = ByteReader(bytes)
    try Self.read(&whole)
    #expect(whole.isAtEnd && whole.remaining == 0)
    for end in 0..<bytes.count {
      var short = ByteReader(bytes[..<end])
      #expect(throws: DecodeError.truncated) { try Self.read(&short) }
      // Bytes behind the range of a reader are not its bytes.
      var bounded = ByteReader(bytes, in: 0..<end)
      #expect(throws: DecodeError.truncated) { try Self.read(&bounded) }
    }
    var inside = ByteReader([9, 9] + bytes + [9], in: 2..<bytes.count + 2)
    try Self.read(&inside)
    #expect(inside.isAtEnd)
  }

  @Test func blobsAreBounded() {
    var writer = ByteWriter()
    writer.blob([1, 2, 3])
    var reader = ByteReader(writer.bytes)
    #expect(throws: DecodeError.malformed) { try reader.blob(maximum: 2) }
    var exact = ByteReader(writer.bytes)
    #expect(throws: Never.self) { try exact.blob(maximum: 3) }
    var huge = ByteWriter()
    huge.varint(.max)
    var hostile = ByteReader(huge.bytes)
    #expect(throws: DecodeError.malformed) { try hostile.blob(maximum: 10) }
    var negative = ByteReader([1, 2])
    #expect(throws: DecodeError.truncated) { try negative.skip(-1) }
  }

  @Test func patchesOverwrite() {
    var writer = ByteWriter()
    writer.u8(0xEE)
    writer.u32(0)
    writer.u64(0)
    writer.patch(u32: 0x0102_0304, at: 1)
    writer.patch(u64: 0x05, at: 5)
    #expect(writer.bytes == [0xEE, 4, 3, 2, 1, 5, 0, 0, 0, 0, 0, 0, 0])
  }

  @Test func patchesOutsideStopTheProcess() async {
    await #expect(processExitsWith: .failure) {
      var writer = ByteWriter()
      writer.u32(0)
      writer.patch(u32: 0, at: 1)
    }
  }
}
