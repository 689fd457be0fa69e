import Workload

/// What operations cost, as the difference between two readings of a cluster.
extension ScenarioResult {
  /// Adds throughput and latency.
  mutating func addSpeed(_ store: Store, _ load: LoadResult, series: String = "", x: Double? = nil) {
    add(store, .throughput, load.throughput, series: series, x: x)
    addLatency(store, load, series: series, x: x)
  }

  mutating func addLatency(_ store: Store, _ load: LoadResult, series: String = "", x: Double? = nil) {
    for (metric, quantile) in [(Metric.p50, 0.5), (.p99, 0.99), (.p999, 0.999)] {
      add(store, metric, Double(load.latency.value(at: quantile)) / 1e6, series: series, x: x)
    }
  }

  /// Adds what the nodes spent on each success, warm-up and measuring taken together.
  mutating func addCost(
    _ store: Store, _ spent: ClusterFigures, operations: UInt64, series: String = "", x: Double? = nil
  ) {
    guard operations > 0 else { return }
    let count = Double(operations)
    add(store, .processorTime, spent.processorSeconds / count * 1e6, series: series, x: x)
    add(store, .syncs, Double(spent.counters.syncs) / count, series: series, x: x)
    if store == .etcd {
      note("etcd does not tell how many messages it sends, nor how many bytes it hands to its files")
    } else {
      add(store, .messages, Double(spent.counters.messages) / count, series: series, x: x)
      add(store, .messageBytes, Double(spent.counters.messageBytes) / count, series: series, x: x)
      add(store, .writtenBytes, Double(spent.counters.writtenBytes) / count, series: series, x: x)
    }
    if let bytes = spent.diskWrittenBytes {
      add(store, .diskWrittenBytes, Double(bytes) / count, series: series, x: x)
    }
    add(store, .memory, Double(spent.residentBytes) / 1_048_576, series: series, x: x)
  }
}

/// Latencies of all repetitions, by store and kind of work.
struct Spectra {
  private var entries: [(store: Store, series: String, histogram: Histogram)] = []

  mutating func add(_ store: Store, _ series: String, _ histogram: Histogram) {
    if let place = entries.firstIndex(where: { $0.store == store && $0.series == series }) {
      entries[place].histogram.merge(histogram)
    } else {
      entries.append((store, series, histogram))
    }
  }

  var curves: [Curve] {
    entries.map { Curve(store: $0.store, series: $0.series, points: $0.histogram.spectrum()) }
  }
}
