import Base
import Testing
import Workload

@Suite("Histogram")
struct HistogramTests {
  /// Values of very different sizes, as latencies are.
  private static func values(_ count: Int, seed: UInt64) -> [UInt64] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { _ in random.next() >> random.below(64) }
  }

  @Test(arguments: [UInt64(1), 2, 3, 4, 5])
  func percentilesAreThoseOfASortedArray(seed: UInt64) {
    let values = Self.values(10_000, seed: seed)
    let sorted = values.sorted()
    var histogram = Histogram()
    for value in values { histogram.record(value) }
    for quantile in [0, 0.001, 0.1, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1] {
      let rank = max(1, Int((quantile * 10_000).rounded(.up)))
      let exact = sorted[rank - 1]
      let told = histogram.value(at: quantile)
      #expect(told >= exact && told - exact <= exact / 128, "\(quantile): \(told) for \(exact)")
    }
    #expect(histogram.minimum == sorted[0])
    #expect(histogram.maximum == sorted[9_999])
    #expect(histogram.count == 10_000)
  }

  @Test func smallValuesAndTheLargestAreExact() {
    for value in Array(0..<256) + [UInt64.max] {
      var histogram = Histogram()
      histogram.record(value)
      #expect(histogram.value(at: 0.5) == value)
    }
  }

  /// Each bucket's end, and what lies around it.
  @Test func noValueIsToldTooSmallOrTooLarge() {
    for bit in 0..<64 {
      for offset in [UInt64(0), 1, 2] {
        let value = (UInt64(1) << UInt64(bit)) &- offset
        var histogram = Histogram()
        histogram.record(value)
        // A second, larger one, so that the answer is the bucket's end and not the maximum.
        histogram.record(.max)
        let told = histogram.value(at: 0.5)
        #expect(told >= value && told - value <= value / 128, "\(told) for \(value)")
      }
    }
  }

  @Test func mergingIsRecordingBoth() {
    let (first, second) = (Self.values(5_000, seed: 7), Self.values(3_000, seed: 8))
    var (a, b, both) = (Histogram(), Histogram(), Histogram())
    for value in first {
      a.record(value)
      both.record(value)
    }
    for value in second { b.record(value) }
    for value in second { both.record(value) }
    a.merge(b)
    #expect(a.count == both.count && a.minimum == both.minimum && a.maximum == both.maximum)
    for step in 0...1000 { #expect(a.value(at: Double(step) / 1000) == both.value(at: Double(step) / 1000)) }
  }

  @Test func recordingSeveralAtOnceIsRecordingEach() {
    var (once, each) = (Histogram(), Histogram())
    once.record(77_777, times: 5)
    for _ in 0..<5 { each.record(77_777) }
    #expect(once == each)
  }

  @Test func anEmptyOneHasNothingToSay() {
    var histogram = Histogram()
    #expect(histogram.value(at: 0.99) == 0 && histogram.mean == 0 && histogram.spectrum().isEmpty)
    histogram.record(5)
    histogram.removeAll()
    #expect(histogram == Histogram())
  }

  @Test func theSpectrumRisesToTheMaximum() {
    var histogram = Histogram()
    for value in Self.values(50_000, seed: 3) { histogram.record(value) }
    let points = histogram.spectrum()
    #expect(points.count > 40)
    #expect(points.last?.value == histogram.maximum)
    for (a, b) in zip(points, points.dropFirst()) { #expect(a.quantile < b.quantile && a.value <= b.value) }
    for point in points.dropLast() { #expect(point.value == histogram.value(at: point.quantile)) }
  }
}
