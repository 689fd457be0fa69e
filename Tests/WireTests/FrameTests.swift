import Base
import Testing
import Wire

@Suite("Frames")
struct FrameTests {
  static let limit = 1000

  static func read(_ input: [UInt8], cuts: [Int] = []) -> (frames: [Frame], error: FrameError?) {
    var reader = FrameReader(bodyLimitBytes: limit)
    var frames: [Frame] = []
    var start = 0
    for end in cuts + [input.count] {
      reader.feed(Array(input[start..<end]))
      start = end
      do throws(FrameError) {
        while let frame = try reader.next() { frames.append(frame) }
      } catch {
        return (frames, error)
      }
    }
    return (frames, nil)
  }

  static func frame(_ kind: UInt8, _ body: [UInt8]) -> [UInt8] {
    var writer = ByteWriter()
    let start = Frame.begin(kind, in: &writer)
    writer.raw(body)
    Frame.seal(&writer, from: start)
    return writer.bytes
  }

  @Test func theLayoutIsAsDocumented() {
    let body = bytes("abc")
    let written = Self.frame(9, body)
    #expect(Array(written[0..<8]) == [0x53, 0x59, 1, 9, 3, 0, 0, 0])
    let seed = written[0..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let sum = written[8..<16].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    #expect(sum == Checksum.xxh64(body, seed: seed))
    #expect(Array(written[16...]) == body)
  }

  @Test func framesComeOutHoweverTheyAreCut() {
    let expected = [Frame(kind: 1, body: []), Frame(kind: 2, body: bytes("x")), Frame(kind: 3, body: Array(0..<200))]
    let input = expected.flatMap { Self.frame($0.kind, $0.body) }
    #expect(Self.read(input) == (expected, nil))
    for cut in 0...input.count { #expect(Self.read(input, cuts: [cut]) == (expected, nil)) }
    #expect(Self.read(input, cuts: Array(0..<input.count)) == (expected, nil))
    // A frame that is not whole stays inside.
    for end in 1..<Frame.headerBytes + 200 { #expect(Self.read(Array(input.dropLast(end))).frames.count < 3) }
  }

  @Test func severalFramesShareOneBuffer() {
    var writer = ByteWriter()
    writer.raw(bytes("before"))
    let start = Frame.begin(5, in: &writer)
    writer.u64(7)
    Frame.seal(&writer, from: start)
    let second = Frame.begin(6, in: &writer)
    Frame.seal(&writer, from: second)
    #expect(Self.read(Array(writer.bytes.dropFirst(6))).frames.map(\.kind) == [5, 6])
  }

  @Test func whatWasNotYieldedCanBeTakenOut() throws {
    var reader = FrameReader(bodyLimitBytes: Self.limit)
    let rest = Self.frame(2, [1, 2]) + [9]
    (Self.frame(1, []) + rest).withUnsafeBytes { reader.feed($0) }
    #expect(try reader.next() == Frame(kind: 1, body: []))
    #expect(reader.takeRest() == rest)
    #expect(reader.bufferedBytes == 0)
    #expect(try reader.next() == nil)
  }

  @Test func everyFlippedBitIsSeen() {
    let whole = Self.frame(1, Array(0..<40))
    for bit in 0..<whole.count * 8 {
      var damaged = whole
      damaged[bit / 8] ^= UInt8(1 << (bit % 8))
      let result = Self.read(damaged)
      #expect(result.frames.isEmpty, "bit \(bit)")
      // A length that became larger only waits for more.
      let isLength = (32..<64).contains(bit)
      #expect(isLength || result.error != nil, "bit \(bit)")
    }
  }

  @Test func errorsAreNamedAndLast() throws {
    let good = Self.frame(1, [1])
    #expect(Self.read(good + bytes("GET / HTTP/1.1\r\n")) == ([Frame(kind: 1, body: [1])], .badMagic))
    // At the first two bytes, without waiting for a header.
    #expect(Self.read(bytes("GE")).error == .badMagic)
    var version = good
    version[2] = 2
    #expect(Self.read(version).error == .unknownVersion(2))
    #expect(Self.read(Self.frame(1, [UInt8](repeating: 0, count: 1000))).error == nil)
    #expect(Self.read(Self.frame(1, [UInt8](repeating: 0, count: 1001))).error == .tooLong(bytes: 1001))
    var huge = Array(good.prefix(16))
    huge.replaceSubrange(4..<8, with: [0xFF, 0xFF, 0xFF, 0xFF])
    #expect(Self.read(huge).error == .tooLong(bytes: 0xFFFF_FFFF))
    var broken = good
    broken[16] ^= 1
    #expect(Self.read(broken).error == .badChecksum)

    var reader = FrameReader(bodyLimitBytes: 10)
    reader.feed(broken)
    #expect(throws: FrameError.badChecksum) { try reader.next() }
    reader.feed(good)
    #expect(throws: FrameError.badChecksum) { try reader.next() }
    #expect(reader.bufferedBytes == 0)
  }
}

func == (a: (frames: [Frame], error: FrameError?), b: ([Frame], FrameError?)) -> Bool {
  a.frames == b.0 && a.error == b.1
}
