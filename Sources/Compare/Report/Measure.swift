package import Workload

/// One quantity of one store at one point, measured several times.
package struct Measure: Sendable, Equatable {
  package let store: Store
  /// What kind of work, or another circumstance; empty where there is but one.
  package let series: String
  /// The place in a sweep: clients, rate, keys, bytes …
  package let x: Double?
  package let metric: Metric
  package var samples: [Double]

  package init(store: Store, series: String, x: Double?, metric: Metric, samples: [Double]) {
    self.store = store
    self.series = series
    self.x = x
    self.metric = metric
    self.samples = samples
  }

  /// The middle one; of an even number the mean of the two in the middle.
  package var median: Double {
    let sorted = samples.sorted()
    guard !sorted.isEmpty else { return .nan }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  package var minimum: Double { samples.min() ?? .nan }
  package var maximum: Double { samples.max() ?? .nan }
}

/// The latencies of all repetitions together.
package struct Curve: Sendable, Equatable {
  package let store: Store
  /// What kind of work.
  package let series: String
  /// Values in nanoseconds.
  package let points: [Histogram.Point]

  package init(store: Store, series: String, points: [Histogram.Point]) {
    self.store = store
    self.series = series
    self.points = points
  }
}

/// Something over time, of one repetition.
package struct Trace: Sendable, Equatable {
  package struct Line: Sendable, Equatable {
    /// Such as `node 2`.
    package let label: String
    /// One for each step.
    package let values: [Double]

    package init(label: String, values: [Double]) {
      self.label = label
      self.values = values
    }
  }

  /// A time in which something was out of order.
  package struct Shade: Sendable, Equatable {
    /// In milliseconds since the start.
    package let from: Double
    package let to: Double
    package let label: String

    package init(from: Double, to: Double, label: String) {
      self.from = from
      self.to = to
      self.label = label
    }
  }

  package let store: Store
  package let title: String
  package let unit: String
  package let stepMilliseconds: Double
  package let lines: [Line]
  package let shades: [Shade]

  package init(
    store: Store, title: String, unit: String, stepMilliseconds: Double, lines: [Line], shades: [Shade] = []
  ) {
    self.store = store
    self.title = title
    self.unit = unit
    self.stepMilliseconds = stepMilliseconds
    self.lines = lines
    self.shades = shades
  }
}

/// A place at which the stores are compared in words.
package struct ComparedPoint: Sendable, Equatable {
  package let metric: Metric
  package let series: String
  package let x: Double?
  /// Such as `put by 64 clients`; empty where there is but one place.
  package let place: String
  /// Whether it stands in the table at the head of the report.
  package let isHeadline: Bool

  package init(metric: Metric, series: String, x: Double?, place: String, isHeadline: Bool) {
    self.metric = metric
    self.series = series
    self.x = x
    self.place = place
    self.isHeadline = isHeadline
  }
}

/// How a scenario's measures are drawn.
package struct Sweep: Sendable, Equatable {
  package let title: String
  package let metric: Metric
  /// Only this one; all where nil.
  package let series: String?
  /// nil: the series stand side by side as bars.
  package let xTitle: String?

  package init(_ title: String, _ metric: Metric, series: String? = nil, over xTitle: String? = nil) {
    self.title = title
    self.metric = metric
    self.series = series
    self.xTitle = xTitle
  }
}
