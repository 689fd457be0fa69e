import Compare
import Workload

/// What `bench` prints.
enum LoadReport {
  static let quantiles: [(name: String, value: Double)] = [
    ("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p99.9", 0.999), ("p99.99", 0.9999),
  ]

  static func text(_ options: LoadOptions, _ result: LoadResult) -> String {
    var lines = [
      "\(options.profile.name): \(options.profile.summary)",
      "  \(pace(options)), \(options.clients) connections to \(options.endpoints.count) "
        + "endpoint\(options.endpoints.count == 1 ? "" : "s")"
        + "\(options.depth > 1 ? ", \(options.depth) requests deep" : ""), "
        + "values of \(options.valueBytes) bytes, \(seconds(result.seconds)) s",
      "",
      "  \(Int(result.throughput.rounded()))/s  \(result.counts.ok) ok, \(result.counts.failed) failed, "
        + "\(result.counts.unknown) unknown" + (result.conflicts > 0 ? ", \(result.conflicts) conflicts" : "")
        + (result.notSent > 0 ? ", \(result.notSent) never sent (in failed)" : "")
        + (result.starved > 0 ? ", \(result.starved) clients without a success all the time" : ""),
    ]
    if result.counts.ok > 0 {
      lines.append("")
      lines.append(row("latency", result.latency))
      if result.latencyOfReads.count > 0 && result.latencyOfChanges.count > 0 {
        lines.append(row("  of reads", result.latencyOfReads))
        lines.append(row("  of changes", result.latencyOfChanges))
      }
      if let gap = result.timelines.map(\.longestGap.nanoseconds).max() {
        lines.append("  longest time without a success at one endpoint: \(DurationWords.text(gap))")
      }
    }
    if result.counts.failed + result.counts.unknown > 0, let reason = result.lastFailure {
      lines.append("  last failure: \(reason)")
    }
    return lines.joined(separator: "\n")
  }

  private static func row(_ name: String, _ histogram: Histogram) -> String {
    let cells = quantiles.map { "\($0.name) \(DurationWords.text(histogram.value(at: $0.value)))" }
    return "  \(name): \(cells.joined(separator: "  "))  max \(DurationWords.text(histogram.maximum))"
  }

  private static func pace(_ options: LoadOptions) -> String {
    switch options.pace {
    case .closed, .eachKeyOnce: "closed loop"
    case .open(let rate, _): "open loop at \(Int(rate))/s"
    }
  }

  private static func seconds(_ seconds: Double) -> String {
    let tenths = Int((seconds * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }

  /// Latencies in nanoseconds.
  static func json(_ options: LoadOptions, _ result: LoadResult) -> JSONLine {
    var line = JSONLine()
    line.add("workload", options.profile.name)
    if case .open(let rate, _) = options.pace { line.add("rate", UInt64(rate)) } else { line.addNull("rate") }
    line.add("endpoints", UInt64(options.endpoints.count))
    line.add("clients", UInt64(options.clients))
    line.add("pipeline", UInt64(options.depth))
    line.add("keys", UInt64(options.keys))
    line.add("value_bytes", UInt64(options.valueBytes))
    line.add("seed", options.seed)
    line.add("milliseconds", UInt64(result.seconds * 1000))
    line.add("ok", result.counts.ok)
    line.add("failed", result.counts.failed)
    line.add("unknown", result.counts.unknown)
    line.add("never_sent", result.notSent)
    line.add("starved", result.starved)
    line.add("conflicts", result.conflicts)
    line.add("per_second", UInt64(result.throughput.rounded()))
    line.add("latency_ns", raw: histogram(result.latency))
    line.add("latency_of_reads_ns", raw: histogram(result.latencyOfReads))
    line.add("latency_of_changes_ns", raw: histogram(result.latencyOfChanges))
    line.add("longest_gap_ns", result.timelines.map(\.longestGap.nanoseconds).max() ?? 0)
    if let reason = result.lastFailure { line.add("last_failure", reason) } else { line.addNull("last_failure") }
    return line
  }

  private static func histogram(_ histogram: Histogram) -> [UInt8] {
    guard histogram.count > 0 else { return Array("null".utf8) }
    var line = JSONLine()
    line.add("count", histogram.count)
    line.add("min", histogram.minimum)
    line.add("mean", UInt64(histogram.mean))
    line.add("p50", histogram.value(at: 0.5))
    line.add("p90", histogram.value(at: 0.9))
    line.add("p95", histogram.value(at: 0.95))
    line.add("p99", histogram.value(at: 0.99))
    line.add("p99_9", histogram.value(at: 0.999))
    line.add("p99_99", histogram.value(at: 0.9999))
    line.add("max", histogram.maximum)
    return line.object
  }
}
