import Workload

/// Sentences on numbers: who is ahead, by what factor, and whether that is more than noise.
package enum Reading {
  /// Says a value with its unit.
  package static func words(_ value: Double, _ metric: Metric) -> String {
    switch metric {
    case .throughput: return "\(NumberWords.grouped(Int64(value.rounded())))/s"
    case .successShare, .throughputShare, .p99Share: return "\(NumberWords.threeDigits(value)) %"
    case .messageBytes, .writtenBytes, .diskWrittenBytes: return bytes(value)
    case .p50, .p99, .p999, .longestGap, .restartTime, .catchUpTime, .changeTime:
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

  /// A warning where the machine was not ours alone.
  package static func disturbance(_ result: ScenarioResult) -> String? {
    guard result.disturbance >= 5, result.simulated == nil else { return nil }
    let percent = NumberWords.fixed(result.disturbance, decimals: 0)
    return "Other processes took \(percent) % of the machine's processors meanwhile: expect noise."
  }

  /// All that is to be said before the numbers.
  package static func remarks(_ result: ScenarioResult) -> [String] {
    [simulation(result), disturbance(result)].compactMap { $0 } + result.notes.map { "\(capitalised($0))." }
  }

  /// A warning where nothing was measured on real processes.
  package static func simulation(_ result: ScenarioResult) -> String? {
    result.simulated.map {
      "Simulated, not measured: this program's nodes over a network, disks and clocks that are made up (\($0)). "
        + "Gaps and latencies follow from the time model, not from this machine."
    }
  }

  /// What is to be said of a scenario: first who is ahead how often, then a sentence for each point.
  package static func sentences(_ result: ScenarioResult) -> [String] {
    var sentences: [String] = []
    for point in result.points {
      for other in [Store.raft, .etcd] {
        let sentence = compare(
          result, point.metric, series: point.series, x: point.x, place: point.place, .register, other)
        if let sentence { sentences.append(sentence) }
      }
    }
    return (lead(result).map { [$0] } ?? []) + sentences
  }

  /// Who is ahead how often, and where the difference is largest; nil where nothing was compared.
  private static func lead(_ result: ScenarioResult) -> String? {
    var (ahead, behind, count) = (0, 0, 0)
    var largest: (factor: Double, words: String)?
    for point in result.points {
      guard let a = result.measure(.register, point.metric, series: point.series, x: point.x),
        let b = result.measure(.raft, point.metric, series: point.series, x: point.x)
      else { continue }
      count += 1
      let (side, factor): (Store, Double)
      switch verdict(a, b) {
      case .noise: continue
      case .first(let by):
        ahead += 1
        (side, factor) = (.register, by)
      case .second(let by):
        behind += 1
        (side, factor) = (.raft, by)
      }
      if factor.isFinite, factor > largest?.factor ?? 0 {
        let place = point.place.isEmpty ? "" : ", \(point.place)"
        largest = (
          factor,
          "the \(name(side)) by a factor of \(NumberWords.fixed(factor, decimals: factor < 10 ? 1 : 0)) "
            + "(\(point.metric.title)\(place))"
        )
      }
    }
    guard count > 0 else { return nil }
    guard ahead + behind > 0 else { return "In none of \(count) comparisons is either side ahead outside of noise." }
    let rest = count - ahead - behind
    let sides = "Of \(count) comparisons the register is ahead in \(ahead), the log in \(behind)"
    return sides + (rest > 0 ? "; \(rest) within noise." : ".")
      + (largest.map { " The largest difference: \($0.words)." } ?? "")
  }

  /// Who is ahead at a point, in a few words for a table.
  package static func short(_ first: Measure, _ second: Measure) -> String {
    switch verdict(first, second) {
    case .first(let factor): "\(first.store.rawValue) × \(factorText(factor))"
    case .second(let factor): "\(second.store.rawValue) × \(factorText(factor))"
    case .noise(let factor): "within noise (\(factorText(factor)))"
    }
  }

  private static func factorText(_ factor: Double) -> String {
    factor.isFinite ? NumberWords.fixed(factor, decimals: factor < 10 ? 2 : 0) : "∞"
  }
}
