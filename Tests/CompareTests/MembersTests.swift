import Base
import Compare
import Linux
import Testing
import Workload

/// What of the scenario `members` needs no cluster.
@Suite("Members in a comparison")
struct MembersTests {
  @Test func anAnswerIsRead() throws {
    let stable = #"{"epoch":2,"phase":"stable","members":[{"id":4,"address":"h:1"},{"id":1,"address":"h:2"}]}"#
    let view = try #require(MembersView(json: Array(stable.utf8)))
    #expect(view.epoch == 2 && view.isStable && view.ids == [1, 4])
    let joint = #"{"epoch":3,"phase":"joint","members":[]}"#
    #expect(MembersView(json: Array(joint.utf8))?.isStable == false)
    for text in ["", "{}", #"{"epoch":2,"phase":"stable"}"#, "no json"] {
      #expect(MembersView(json: Array(text.utf8)) == nil, "\(text)")
    }
  }

  @Test func aWishNamesAllMembers() {
    let wish = MembersView.wish([
      (2, HostPort(host: "127.0.0.1", port: 7)), (4, HostPort(host: "127.0.0.1", port: 9)),
    ])
    #expect(wish == #"{"members":[{"id":2,"address":"127.0.0.1:7"},{"id":4,"address":"127.0.0.1:9"}]}"#)
  }

  /// A success each 5 ms for so long, but for a gap.
  private static func timeline(_ milliseconds: UInt64, gap: Range<UInt64> = 0..<0) -> Timeline {
    let start = Instant(nanoseconds: 1_000_000_000)
    // As in the scenario, meant for longer than it is used.
    var timeline = Timeline(startingAt: start, milliseconds: 60_000)
    for time in stride(from: UInt64(0), to: milliseconds, by: 5) where !gap.contains(time) {
      timeline.record(.ok, at: start + Milliseconds(time), latency: 1000)
    }
    timeline.finish(at: start + Milliseconds(milliseconds))
    return timeline
  }

  @Test func theLongestGapIsThatDuringTheChange() {
    let outcome = MembersOutcome(
      [
        [Self.timeline(500, gap: 100..<400), Self.timeline(500)],
        [Self.timeline(1000), Self.timeline(1000, gap: 200..<260)],
        [Self.timeline(500), Self.timeline(500)],
      ], seconds: [0.5, 1, 0.5])
    #expect(outcome.longestGapDuring == 65)
    #expect(outcome.throughputBefore == 280, "140 successes in half a second")
  }

  @Test(arguments: [(0.5, 1.0), (5, 50), (5, 0.1)])
  func aTraceShadesTheChange(_ calm: Double, _ length: Double) throws {
    let lengths = [calm, length, calm]
    let timelines = lengths.map { Self.timeline(min(60_000, UInt64($0 * 1000))) }
    let outcome = MembersOutcome(timelines.map { [$0, $0] }, seconds: lengths)
    let trace = outcome.trace(.register, title: "t", ids: [1, 3])
    #expect(trace.lines.map(\.label) == ["node 1", "node 3"])
    let values = trace.lines[0].values
    #expect((3...402).contains(values.count))
    #expect(values.allSatisfy { $0 == 200 }, "a success each 5 ms is 200 a second: \(values)")
    let shade = try #require(trace.shades.first)
    let drawn = Double(values.count) * trace.stepMilliseconds
    #expect(shade.from <= calm * 1000 + trace.stepMilliseconds && shade.to < drawn)
    #expect(abs(shade.to - shade.from - length * 1000) <= trace.stepMilliseconds)
  }

  @Test func sharesAreSaidInPercent() {
    #expect(Reading.words(92.5, .throughputShare) == "92.5 %")
    #expect(Reading.words(5120, .changeTime) == "5.12 s")
    #expect(Metric.throughputShare.isHigherBetter && !Metric.p99Share.isHigherBetter)
  }
}
