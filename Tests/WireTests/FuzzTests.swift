import Base
import Testing
import Wire

/// Damaged input: whatever it is, the parsers end, and how the bytes were cut makes no difference.
@Suite("Parsers under damaged input")
struct FuzzTests {
  static let seeds = Array(UInt64(1)...8)

  @Test(arguments: seeds)
  func http(_ seed: UInt64) {
    var mutator = Mutator(random: SeededRandom(seed: seed))
    var requests = 0
    var faults = 0
    for round in 0..<1500 {
      let seedCase = HTTPParserTests.wellFormed[round % HTTPParserTests.wellFormed.count]
      let input = mutator.mutate(bytes(seedCase.input))
      let whole = Transcript.http(input).filter { $0 != "continue" }
      let cut = Transcript.http(input, cuts: mutator.cuts(input.count)).filter { $0 != "continue" }
      #expect(whole == cut, "input \(input)")
      if whole.last?.hasPrefix("fault") == true { faults += 1 } else if !whole.isEmpty { requests += 1 }
    }
    // A run that damaged nothing, or everything, would show nothing.
    #expect(requests > 100)
    #expect(faults > 100)
  }

  @Test(arguments: seeds)
  func lines(_ seed: UInt64) {
    var mutator = Mutator(random: SeededRandom(seed: seed))
    let input = bytes(LineParserTests.wellFormed.map(\.line).joined(separator: "\n") + "\n")
    var commands = 0
    var faults = 0
    for _ in 0..<500 {
      let damaged = mutator.mutate(input)
      let whole = Transcript.lines(damaged)
      #expect(whole == Transcript.lines(damaged, cuts: mutator.cuts(damaged.count)), "input \(damaged)")
      faults += whole.count { $0.hasPrefix("fault") }
      commands += whole.count { !$0.hasPrefix("fault") }
    }
    #expect(commands > 100)
    #expect(faults > 100)
  }

  @Test(arguments: seeds)
  func json(_ seed: UInt64) {
    var mutator = Mutator(random: SeededRandom(seed: seed))
    let input = bytes(
      #"{"op":"cas","key":"a\u00e9\ud83d\ude00","value":"x","if_revision":18446744073709551615,"l":[1,-2.5e3]}"#)
    var failures = 0
    for _ in 0..<3000 {
      let damaged = mutator.mutate(input)
      do {
        _ = try JSONValue.parse(damaged)
      } catch {
        #expect(error.offset <= damaged.count)
        failures += 1
      }
      _ = try? BatchLine.parse(damaged[...], valueLimitBytes: 64)
    }
    #expect(failures > 1000)
  }

  @Test(arguments: seeds)
  func frames(_ seed: UInt64) {
    var mutator = Mutator(random: SeededRandom(seed: seed))
    var writer = ByteWriter()
    for length in [0, 1, 100] {
      let start = Frame.begin(UInt8(length), in: &writer)
      writer.raw([UInt8](repeating: 7, count: length))
      Frame.seal(&writer, from: start)
    }
    let original = FrameTests.read(writer.bytes)
    #expect(original.frames.count == 3)
    var failures = 0
    for _ in 0..<2000 {
      let damaged = FrameTests.read(mutator.mutate(writer.bytes))
      // Whatever comes out was put in: no damage passes for a frame.
      for frame in damaged.frames { #expect(original.frames.contains(frame)) }
      if damaged.error != nil { failures += 1 }
    }
    #expect(failures > 500)
  }

  @Test(arguments: seeds)
  func targetsAndTags(_ seed: UInt64) {
    var mutator = Mutator(random: SeededRandom(seed: seed))
    var keys = 0
    for _ in 0..<3000 {
      let path = mutator.mutate(bytes("a%2Fb//c%20d/..%2e/%F0%9F%98%80"))
      if let key = try? KeyCoding.decode(path[...]) {
        keys += 1
        var encoded: [UInt8] = []
        PercentCoding.append(key.bytes, to: &encoded)
        #expect((try? KeyCoding.decode(encoded[...])) == key)
      }
      _ = try? Query(mutator.mutate(bytes("settle&wait=30s&expect=a%20b"))[...])
      _ = try? EntityTags.parse(mutator.mutate(bytes(#""1", W/"2" , "x""#))[...])
      _ = DurationText.parse(mutator.mutate(bytes("800ms")))
    }
    #expect(keys > 100)
  }
}
