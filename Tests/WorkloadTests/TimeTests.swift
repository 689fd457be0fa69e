import Base
import Testing
import Workload

@Suite("Time")
struct TimeTests {
  private static let start = Instant(nanoseconds: 1_000_000_000_000)

  @Test func steadyArrivalsKeepTheRateWithoutDrift() {
    var schedule = ArrivalSchedule(perSecond: 3000, spacing: .steady, startingAt: Self.start, seed: 1)
    #expect(schedule.next == Self.start)
    for _ in 0..<3_000_000 { schedule.advance() }
    let passed = schedule.next.nanoseconds - Self.start.nanoseconds
    #expect(abs(Int64(passed) - 1_000_000_000_000) < 1_000_000)
  }

  @Test func poissonArrivalsHaveTheRateAndTheSpread() {
    var schedule = ArrivalSchedule(perSecond: 1000, spacing: .poisson, startingAt: Self.start, seed: 2)
    var gaps: [Double] = []
    for _ in 0..<100_000 {
      let before = schedule.next.nanoseconds
      schedule.advance()
      gaps.append(Double(schedule.next.nanoseconds - before))
    }
    let mean = gaps.reduce(0, +) / 100_000
    #expect(abs(mean - 1e6) < 2e4)
    // Exponential: as many beyond the mean as 1 / e says.
    let beyond = Double(gaps.count { $0 > mean }) / 100_000
    #expect(abs(beyond - 0.3679) < 0.01)
  }

  @Test func aTimelineTellsWindowsAndTheLongestGap() {
    var timeline = Timeline(startingAt: Self.start, milliseconds: 100)
    func at(_ milliseconds: UInt64) -> Instant { Self.start + Milliseconds(milliseconds) }
    timeline.record(.ok, at: at(1), latency: 5)
    timeline.record(.ok, at: at(9), latency: 70)
    timeline.record(.failed, at: at(30), latency: 1)
    timeline.record(.unknown, at: at(39), latency: 1)
    timeline.record(.ok, at: at(61), latency: 8)
    timeline.record(.ok, at: at(98), latency: 8)
    timeline.record(.ok, at: at(200), latency: 8)
    timeline.finish()
    #expect(timeline.windows.count == 10)
    #expect(timeline.windows[0].counts == OutcomeCounts(ok: 2) && timeline.windows[0].slowest == 70)
    #expect(timeline.windows[3].counts == OutcomeCounts(failed: 1, unknown: 1))
    #expect(timeline.windows[6].counts.ok == 1 && timeline.windows[9].counts.ok == 1)
    #expect(timeline.longestGap == Timeline.Gap(from: 9_000_000, to: 61_000_000))
  }

  @Test func aGapMayReachToTheEnd() {
    var timeline = Timeline(startingAt: Self.start, milliseconds: 50)
    timeline.record(.ok, at: Self.start + 10, latency: 1)
    timeline.finish()
    #expect(timeline.longestGap == Timeline.Gap(from: 10_000_000, to: 50_000_000))
  }

  @Test func aGapReachesNoFurtherThanTheRun() {
    var timeline = Timeline(startingAt: Self.start, milliseconds: 50)
    timeline.record(.ok, at: Self.start + 10, latency: 1)
    timeline.finish(at: Self.start + 15)
    #expect(timeline.longestGap == Timeline.Gap(from: 0, to: 10_000_000))
  }

  @Test(arguments: [
    (0, "0 ns"), (999, "999 ns"), (1_000, "1.00 µs"), (65_340, "65.3 µs"), (999_400, "999 µs"), (999_600, "1.00 ms"),
    (1_480_000, "1.48 ms"), (12_000_000_000, "12.0 s"), (250_000_000_000, "250 s"),
  ])
  func durationsAreSaidInThreeDigits(_ nanoseconds: UInt64, _ text: String) {
    #expect(DurationWords.text(nanoseconds) == text)
  }

  @Test(arguments: [
    (0.0, "0"), (0.01234, "0.0123"), (1.005, "1.00"), (9.999, "10.0"), (99.96, "100"), (1234.4, "1234"),
    (-2.5, "-2.50"), (.infinity, "–"),
  ])
  func numbersAreSaidInThreeDigits(_ value: Double, _ text: String) {
    #expect(NumberWords.threeDigits(value) == text)
  }

  @Test func thousandsAreGrouped() {
    #expect(NumberWords.grouped(1_234_567) == "1 234 567" && NumberWords.grouped(-999) == "-999")
  }
}
