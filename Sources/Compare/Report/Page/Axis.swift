import Workload

/// One axis of a plot: from values to pixels.
struct Axis {
  struct Tick: Equatable {
    let value: Double
    let label: String
  }

  let low: Double
  let high: Double
  let isLogarithmic: Bool
  /// Pixels; `start` may be larger than `end`, as it is for a vertical axis.
  let start: Double
  let end: Double

  /// An axis that holds all of `values`; a linear one begins at zero.
  ///
  /// - Parameter logarithmicFrom: where the largest value is so many times the smallest, it is logarithmic.
  init(holding values: [Double], from start: Double, to end: Double, logarithmicFrom ratio: Double?) {
    let finite = values.filter { $0.isFinite }
    let most = finite.max() ?? 1
    let least = finite.filter { $0 > 0 }.min() ?? most
    self.start = start
    self.end = end
    if let ratio, least > 0, most / least >= ratio {
      isLogarithmic = true
      low = least
      high = most
    } else {
      isLogarithmic = false
      low = 0
      high = most > 0 ? most : 1
    }
  }

  init(low: Double, high: Double, isLogarithmic: Bool, from start: Double, to end: Double) {
    self.low = low
    self.high = high
    self.isLogarithmic = isLogarithmic
    self.start = start
    self.end = end
  }

  func position(_ value: Double) -> Double {
    let share: Double
    if isLogarithmic {
      let clamped = max(value, low / 10)
      let span = Elementary.logarithm(high / low)
      share = span > 0 ? Elementary.logarithm(clamped / low) / span : 0.5
    } else {
      share = high > low ? (value - low) / (high - low) : 0.5
    }
    return start + min(max(share, -0.05), 1.05) * (end - start)
  }

  /// The same range, made wider to the next round numbers.
  var rounded: Axis {
    if isLogarithmic {
      let first = Axis.steps.last { $0 <= low * 1.0001 } ?? low
      let last = Axis.steps.first { $0 >= high * 0.9999 } ?? high
      return Axis(low: first, high: max(last, first * 2), isLogarithmic: true, from: start, to: end)
    }
    let step = Axis.step(high / 4)
    return Axis(low: 0, high: (high / step).rounded(.up) * step, isLogarithmic: false, from: start, to: end)
  }

  /// 1, 2 and 5 times the powers of ten.
  private static let steps: [Double] = (-9...12).flatMap { exponent in
    [1.0, 2, 5].map { $0 * Elementary.power(10, Double(exponent)) }
  }

  /// The first round number that is no less than `value`.
  private static func step(_ value: Double) -> Double { steps.first { $0 >= value * 0.9999 } ?? value }

  /// Round numbers on a rounded axis.
  func ticks(_ label: (Double) -> String) -> [Tick] {
    if isLogarithmic {
      let decades = Elementary.logarithm(high / low) / Elementary.logarithm(10)
      let inside = Axis.steps.filter { $0 >= low * 0.9999 && $0 <= high * 1.0001 }
      return inside.filter { decades <= 2.2 || Axis.isPowerOfTen($0) }.map { Tick(value: $0, label: label($0)) }
    }
    let step = Axis.step(high / 4)
    var ticks: [Tick] = []
    var value = 0.0
    while value <= high * 1.0001 {
      ticks.append(Tick(value: value, label: label(value)))
      value += step
    }
    return ticks
  }

  private static func isPowerOfTen(_ value: Double) -> Bool {
    let exponent = Elementary.logarithm(value) / Elementary.logarithm(10)
    return abs(exponent - exponent.rounded()) < 1e-6
  }

  /// A short label: `50k`, `1M`, `0.5`, `16Ki`.
  static func short(_ value: Double) -> String {
    if value >= 1024, value < 1_048_576, value.truncatingRemainder(dividingBy: 1024) == 0 {
      return "\(Int(value) / 1024)Ki"
    }
    func plain(_ value: Double) -> String {
      let hundredths = (value * 100).rounded() / 100
      if hundredths == hundredths.rounded() { return "\(Int64(hundredths))" }
      return value >= 0.1 ? trimmed(NumberWords.fixed(value, decimals: 2)) : NumberWords.threeDigits(value)
    }
    if value >= 999_999.5 { return plain(value / 1_000_000) + "M" }
    return value >= 9_999.5 ? plain(value / 1000) + "k" : plain(value)
  }

  private static func trimmed(_ text: String) -> String {
    var text = text
    while text.hasSuffix("0") { text.removeLast() }
    return text.hasSuffix(".") ? String(text.dropLast()) : text
  }
}
