/// Counts of values in buckets of logarithmic width (an HDR histogram): any 64-bit value is told to within one part in
/// 128 of itself, in a fixed 58 KiB, and histograms of several threads or runs add up without a loss.
///
/// Values are nanoseconds wherever this house uses it, but nothing here depends on that.
package struct Histogram: Sendable, Equatable {
  /// 2⁷ buckets for each power of two; what is below 2⁸ has a bucket of its own for each value.
  private static let precisionBits = 7
  private static let perPower = 1 << precisionBits
  private static let buckets = (64 - precisionBits + 1) * perPower

  private var counts: [UInt64]
  package private(set) var count: UInt64 = 0
  /// Exact; `UInt64.max` while there is nothing.
  package private(set) var minimum = UInt64.max
  /// Exact; 0 while there is nothing.
  package private(set) var maximum: UInt64 = 0
  private var sum: Double = 0

  package init() { counts = [UInt64](repeating: 0, count: Histogram.buckets) }

  /// 0 while there is nothing.
  package var mean: Double { count == 0 ? 0 : sum / Double(count) }

  @inline(__always)
  package mutating func record(_ value: UInt64) { record(value, times: 1) }

  @inline(__always)
  package mutating func record(_ value: UInt64, times: UInt64) {
    counts[Histogram.index(of: value)] += times
    count += times
    if value < minimum { minimum = value }
    if value > maximum { maximum = value }
    sum += Double(value) * Double(times)
  }

  package mutating func merge(_ other: Histogram) {
    for index in 0..<Histogram.buckets { counts[index] += other.counts[index] }
    count += other.count
    minimum = min(minimum, other.minimum)
    maximum = max(maximum, other.maximum)
    sum += other.sum
  }

  package mutating func removeAll() {
    for index in 0..<Histogram.buckets { counts[index] = 0 }
    count = 0
    minimum = .max
    maximum = 0
    sum = 0
  }

  /// The value that a share `quantile` of all recorded ones does not exceed: the ⌈quantile · count⌉-th smallest,
  /// rounded up to the end of its bucket (never beyond the maximum). 0 while there is nothing.
  ///
  /// - Parameter quantile: 0 to 1; 0.99 is the 99th percentile.
  package func value(at quantile: Double) -> UInt64 {
    guard count > 0 else { return 0 }
    let rank = max(1, min(count, UInt64((quantile * Double(count)).rounded(.up))))
    var seen: UInt64 = 0
    for index in 0..<Histogram.buckets {
      seen += counts[index]
      if seen >= rank { return min(Histogram.lastValue(of: index), maximum) }
    }
    return maximum
  }

  /// A point of the cumulative distribution: a share `quantile` of all values does not exceed `value`.
  package struct Point: Sendable, Equatable {
    package let quantile: Double
    package let value: UInt64

    package init(quantile: Double, value: UInt64) {
      self.quantile = quantile
      self.value = value
    }
  }

  /// The distribution for a plot whose axis is logarithmic in 1 − quantile: `perDecade` points for each nine, as far as
  /// the count reaches. The last point is the maximum, at the quantile that one value less than all makes.
  package func spectrum(perDecade: Int = 10) -> [Point] {
    guard count > 0 else { return [] }
    var points: [Point] = []
    let last = 1 - 1 / Double(max(count, 2))
    var step = 0
    while true {
      let quantile = 1 - Elementary.power(10, -Double(step) / Double(perDecade))
      guard quantile < last else { break }
      points.append(Point(quantile: quantile, value: value(at: quantile)))
      step += 1
    }
    points.append(Point(quantile: last, value: maximum))
    return points
  }

  @inline(__always)
  private static func index(of value: UInt64) -> Int {
    let bits = UInt64.bitWidth - value.leadingZeroBitCount
    let shift = bits > precisionBits + 1 ? bits - precisionBits - 1 : 0
    return shift * perPower + Int(truncatingIfNeeded: value >> UInt64(shift))
  }

  /// The largest value that falls into a bucket.
  private static func lastValue(of index: Int) -> UInt64 {
    if index < 2 * perPower { return UInt64(index) }
    let shift = UInt64(index / perPower - 1)
    let leading = UInt64(index % perPower + perPower)
    return (leading << shift) | ((1 << shift) - 1)
  }
}
