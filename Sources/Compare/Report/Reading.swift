import Workload

/// Sentences on numbers: who is ahead, by what factor, and whether that is more than noise.
package enum Reading {
  /// Says a value with its unit.
  package static func words(_ value: Double, _ metric: Metric) -> String {
    switch metric {
    case .throughput: return "\(NumberWords.grouped(Int64(value.rounded())))/s"
    case .successShare: return "\(NumberWords.threeDigits(value)) %"
    case .messageBytes, .writtenBytes, .diskWrittenBytes: return bytes(value)
    case .p50, .p99, .p999, .longestGap, .restartTime, .catchUpTime:
      return DurationWords.text(UInt64(max(0, value * 1e6)))
    default:
      let number = NumberWords.threeDigits(value)
      return metric.unit.isEmpty ? number : "\(number) \(metric.unit)"
    }
  }

  private static func bytes(_ value: Double) -> String {
    if value < 10_000 { return "\(NumberWords.threeDigits(value)) B" }
    return value < 1e7
      ? "\(NumberWords.threeDigits(value / 1024)) KiB" : "\(NumberWords.threeDigits(value / 1_048_576)) MiB"
  }

  /// What two series of repetitions come to.
  package enum Verdict: Equatable, Sendable {
    /// The first, or the second, is ahead by a factor; the repetitions of the two do not overlap.
    case first(Double)
    case second(Double)
    /// They overlap, or the medians are the same.
    case noise(Double)
  }

  package static func verdict(_ first: Measure, _ second: Measure) -> Verdict {
    let (low, high) = (min(first.median, second.median), max(first.median, second.median))
    let factor = low > 0 ? high / low : (high > 0 ? .infinity : 1)
    let overlaps = first.minimum <= second.maximum && second.minimum <= first.maximum
    if overlaps || first.median == second.median { return .noise(factor) }
    return (first.median > second.median) == first.metric.isHigherBetter ? .first(factor) : .second(factor)
  }

  /// One sentence on two stores at one point; nil where either was not measured there.
  ///
  /// - Parameter place: such as `64 clients`; empty for none.
  package static func compare(
    _ result: ScenarioResult, _ metric: Metric, series: String = "", x: Double? = nil, place: String,
    _ first: Store = .register, _ second: Store = .raft
  ) -> String? {
    guard let a = result.measure(first, metric, series: series, x: x),
      let b = result.measure(second, metric, series: series, x: x)
    else { return nil }
    let numbers =
      "\(first.rawValue) \(words(a.median, metric)), \(second.rawValue) \(words(b.median, metric))"
    let head =
      place.isEmpty ? "\(capitalised(metric.title)): \(numbers)" : "\(capitalised(metric.title)), \(place): \(numbers)"
    switch verdict(a, b) {
    case .first(let factor): return "\(head). The \(name(first)) is ahead \(by(factor)), outside of noise."
    case .second(let factor): return "\(head). The \(name(second)) is ahead \(by(factor)), outside of noise."
    case .noise(let factor):
      return factor < 1.005
        ? "\(head). No difference."
        : "\(head). The repetitions overlap: no winner (factor \(NumberWords.fixed(factor, decimals: 2)))."
    }
  }

  private static func by(_ factor: Double) -> String {
    factor.isFinite
      ? "by a factor of \(NumberWords.fixed(factor, decimals: factor < 10 ? 2 : 0))" : "(the other side has none)"
  }

  private static func name(_ store: Store) -> String {
    switch store {
    case .register: "register"
    case .raft: "log"
    case .etcd: "etcd cluster"
    }
  }

  private static func capitalised(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }

  /// How many points each side is ahead at, for the summary.
  package static func tally(_ results: [ScenarioResult], _ first: Store = .register, _ second: Store = .raft) -> (
    first: Int, second: Int, noise: Int
  ) {
    var (ahead, behind, noise) = (0, 0, 0)
    for result in results {
      for a in result.measures where a.store == first {
        guard let b = result.measure(second, a.metric, series: a.series, x: a.x) else { continue }
        switch verdict(a, b) {
        case .first: ahead += 1
        case .second: behind += 1
        case .noise: noise += 1
        }
      }
    }
    return (ahead, behind, noise)
  }
}
