import Workload

/// The kinds of plots. Each is drawn from the numbers of the report alone, and carries them: every mark has its values
/// in `data-` attributes.
enum Plots {
  private static let width = 460.0
  private static let height = 290.0
  private static let left = 62.0
  private static let right = 448.0
  private static let top = 34.0
  private static let bottom = 242.0

  /// A value as a label on an axis.
  static func tick(_ value: Double, _ metric: Metric) -> String {
    switch metric.unit {
    case "ms": value == 0 ? "0" : duration(value)
    default: Axis.short(value)
    }
  }

  /// `500 µs`, `2 ms`, `1 s`.
  private static func duration(_ milliseconds: Double) -> String {
    if milliseconds < 0.9995 { return "\(Axis.short(milliseconds * 1000)) µs" }
    return milliseconds < 999.5 ? "\(Axis.short(milliseconds)) ms" : "\(Axis.short(milliseconds / 1000)) s"
  }

  private static func data(_ entries: [(String, Double)]) -> String {
    entries.map { " data-\($0.0)=\"\($0.1)\"" }.joined()
  }

  // MARK: - Frames

  private static func frame(_ svg: inout SVG, _ x: Axis, _ xTicks: [Axis.Tick], _ y: Axis, _ yTicks: [Axis.Tick]) {
    for tick in yTicks {
      svg.line(left, y.position(tick.value), right, y.position(tick.value), "grid")
      svg.label(tick.label, left - 7, y.position(tick.value) + 4, anchor: "end")
    }
    for tick in xTicks {
      svg.line(x.position(tick.value), bottom, x.position(tick.value), bottom + 4, "axis")
      svg.label(tick.label, x.position(tick.value), bottom + 18)
    }
    svg.line(left, bottom, right, bottom, "axis")
  }

  /// In rows; returns how many pixels those behind the first take.
  @discardableResult
  private static func legend(
    _ svg: inout SVG, _ entries: [(store: Store, label: String, style: String)]
  ) -> Double {
    var x = left
    var y = 16.0
    for entry in entries {
      let room = 44 + Double(entry.label.count) * 6.8
      if x > left, x + room - 16 > width {
        x = left
        y += 17
      }
      svg.line(x, y, x + 22, y, "curve \(entry.store.rawValue) \(entry.style)")
      if entry.style.isEmpty { svg.mark(entry.store, x + 11, y) }
      svg.label(entry.label, x + 28, y + 4, anchor: "start")
      x += room
    }
    return y - 16
  }

  private static func legend(_ svg: inout SVG, _ stores: [Store]) {
    legend(&svg, stores.map { ($0, $0.rawValue, "") })
  }

  // MARK: - Sweeps

  /// Medians over a sweep, with bars from the smallest to the largest repetition. nil where there is nothing.
  static func sweep(_ result: ScenarioResult, _ sweep: Sweep, _ stores: [Store]) -> String? {
    guard let xTitle = sweep.xTitle else { return bars(result, sweep, stores) }
    let measures = result.measures.filter {
      $0.metric == sweep.metric && $0.x != nil && (sweep.series == nil || $0.series == sweep.series)
    }
    guard !measures.isEmpty else { return nil }
    let places = Set(measures.compactMap(\.x)).sorted()
    let x = Axis(
      holding: places, from: left + 18, to: right - 18, logarithmicFrom: places.count > 2 ? 20 : nil)
    let isSpeed = sweep.metric.unit == "ms"
    let y = Axis(
      holding: measures.flatMap(\.samples), from: bottom, to: top + 6, logarithmicFrom: isSpeed ? 8 : 100
    ).rounded
    var svg = SVG(width: width, height: height)
    frame(
      &svg, x, thinned(places, x).map { Axis.Tick(value: $0, label: Axis.short($0)) }, y,
      y.ticks { tick($0, sweep.metric) })
    svg.label(xTitle, (left + right) / 2, height - 8, "label axis-title")
    for store in stores {
      let own = measures.filter { $0.store == store }.sorted { ($0.x ?? 0) < ($1.x ?? 0) }
      guard !own.isEmpty else { continue }
      svg.path(own.map { (x.position($0.x ?? 0), y.position($0.median)) }, "curve \(store.rawValue)")
      for measure in own {
        let place = x.position(measure.x ?? 0)
        whisker(&svg, store, place, y.position(measure.minimum), y.position(measure.maximum))
        svg.mark(
          store, place, y.position(measure.median),
          title: "\(store.rawValue) at \(Axis.short(measure.x ?? 0)): \(ReportTable.cell(measure))",
          data: data([
            ("x", measure.x ?? 0), ("y", measure.median), ("low", measure.minimum), ("high", measure.maximum),
          ]))
      }
    }
    legend(&svg, stores.filter { store in measures.contains { $0.store == store } })
    return svg.element(sweep.title)
  }

  private static func whisker(_ svg: inout SVG, _ store: Store, _ x: Double, _ low: Double, _ high: Double) {
    guard low - high > 1 else { return }
    svg.line(x, low, x, high, "whisker \(store.rawValue)")
    svg.line(x - 4, low, x + 4, low, "whisker \(store.rawValue)")
    svg.line(x - 4, high, x + 4, high, "whisker \(store.rawValue)")
  }

  /// Only those whose labels do not touch.
  private static func thinned(_ places: [Double], _ axis: Axis) -> [Double] {
    var kept: [Double] = []
    var last = -Double.infinity
    for place in places where axis.position(place) - last >= 34 {
      kept.append(place)
      last = axis.position(place)
    }
    return kept
  }

  // MARK: - Bars

  /// The series side by side, a bar for each store, with its value behind it.
  private static func bars(_ result: ScenarioResult, _ sweep: Sweep, _ stores: [Store]) -> String? {
    let measures = result.measures.filter {
      $0.metric == sweep.metric && $0.x == nil && (sweep.series == nil || $0.series == sweep.series)
    }
    guard !measures.isEmpty else { return nil }
    var series: [String] = []
    for measure in measures where !series.contains(measure.series) { series.append(measure.series) }
    let present = stores.filter { store in measures.contains { $0.store == store } }
    let rowHeight = 20.0
    let groupHeight = Double(present.count) * rowHeight + 30
    let height = top + Double(series.count) * groupHeight + 6
    var svg = SVG(width: width, height: height)
    let x = Axis(holding: measures.flatMap(\.samples), from: 14, to: right - 112, logarithmicFrom: nil)
    var y = top + 2
    for name in series {
      svg.label(name.isEmpty ? " " : name, 14, y + 12, anchor: "start", "label group")
      y += 20
      for store in present {
        guard let measure = measures.first(where: { $0.store == store && $0.series == name }) else { continue }
        let end = x.position(measure.median)
        svg.rectangle(
          14, y, max(1, end - 14), rowHeight - 5, "bar \(store.rawValue)",
          data: data([("y", measure.median), ("low", measure.minimum), ("high", measure.maximum)]))
        let middle = y + (rowHeight - 5) / 2
        let (low, high) = (x.position(measure.minimum), x.position(measure.maximum))
        if high - low > 1 {
          svg.line(low, middle, high, middle, "whisker dark")
          svg.line(low, middle - 3, low, middle + 3, "whisker dark")
          svg.line(high, middle - 3, high, middle + 3, "whisker dark")
        }
        svg.label(Reading.words(measure.median, sweep.metric), max(high, end) + 7, middle + 4, anchor: "start")
        y += rowHeight
      }
      y += 10
    }
    legend(&svg, present)
    return svg.element(sweep.title)
  }

  // MARK: - Spectra

  /// Latency over the share of operations, with an axis that gives each further nine the same room.
  static func spectrum(_ curves: [Curve], title: String) -> String? {
    let curves = curves.filter { !$0.points.isEmpty }
    guard !curves.isEmpty else { return nil }
    func nines(_ quantile: Double) -> Double {
      -Elementary.logarithm(max(1 - quantile, 1e-12)) / Elementary.logarithm(10)
    }
    let most = max(2, curves.flatMap(\.points).map { nines($0.quantile) }.max() ?? 2)
    let x = Axis(low: 0, high: most, isLogarithmic: false, from: left, to: right)
    var series: [String] = []
    for curve in curves where !series.contains(curve.series) { series.append(curve.series) }
    func style(_ curve: Curve) -> String {
      series.firstIndex(of: curve.series).map { ["solid", "dashed", "dotted"][$0 % 3] } ?? "solid"
    }
    var svg = SVG(width: width, height: height)
    let below = legend(&svg, curves.map { ($0.store, "\($0.store.rawValue) \($0.series)", style($0)) })
    let values = curves.flatMap(\.points).map { Double(max($0.value, 1000)) / 1e6 }
    let y = Axis(holding: values, from: bottom, to: top + 6 + below, logarithmicFrom: 1.5).rounded
    let named = ["0 %", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %"]
    let ticks = named.enumerated().filter { Double($0.offset) <= most }
      .map { Axis.Tick(value: Double($0.offset), label: $0.element) }
    frame(&svg, x, ticks, y, y.ticks { tick($0, .p50) })
    svg.label("share of operations that took no longer", (left + right) / 2, height - 8, "label axis-title")
    for curve in curves {
      let points = curve.points.map { (x.position(nines($0.quantile)), y.position(Double($0.value) / 1e6)) }
      svg.path(
        points, "curve \(curve.store.rawValue) \(style(curve))", data: data([("points", Double(curve.points.count))]))
    }
    return svg.element(title)
  }

  // MARK: - Traces

  /// How far up the axis of traces that are alike reaches. Of counts no further than three times the usual one: where
  /// those who have waited are all served at once, the peak would leave no room for the rest.
  static func top(of traces: [Trace]) -> Double {
    let values = traces.flatMap(\.lines).flatMap(\.values).filter { $0 > 0 }.sorted()
    guard let most = values.last else { return 0 }
    let areCounts = traces.allSatisfy { $0.unit.isEmpty }
    return areCounts ? min(most, 3 * values[values.count / 2]) : most
  }

  /// Over time, a row for each line, all up to `highest`, with what was out of order shaded.
  static func trace(_ trace: Trace, upTo highest: Double) -> String? {
    guard let count = trace.lines.map(\.values.count).max(), count > 0 else { return nil }
    let rowHeight = trace.lines.count > 1 ? 62.0 : 120.0
    let base = 26.0
    let height = base + Double(trace.lines.count) * (rowHeight + 18) + 34
    let bottom = height - 36
    var svg = SVG(width: width, height: height)
    let x = Axis(
      low: 0, high: Double(count) * trace.stepMilliseconds / 1000, isLogarithmic: false, from: left, to: right)
    for shade in trace.shades {
      svg.rectangle(
        x.position(shade.from / 1000), base - 12, x.position(shade.to / 1000) - x.position(shade.from / 1000),
        bottom - base + 12, "shade", data: data([("from", shade.from), ("to", shade.to)]))
      svg.label(
        shade.label, (x.position(shade.from / 1000) + x.position(shade.to / 1000)) / 2, base, "label shade-label")
    }
    let most = highest > 0 ? highest : 1
    var y = base + 16
    for line in trace.lines {
      let axis = Axis(holding: [most], from: y + rowHeight, to: y, logarithmicFrom: nil)
      svg.label(line.label, left, y - 3, anchor: "start", "label group")
      svg.label(NumberWords.threeDigits(most), left - 7, y + 8, anchor: "end")
      svg.label("0", left - 7, y + rowHeight, anchor: "end")
      svg.line(left, y, right, y, "grid")
      if let peak = line.values.max(), peak > most {
        svg.label("peak \(NumberWords.threeDigits(peak))", right, y - 3, anchor: "end")
      }
      let points = line.values.enumerated().flatMap { index, value in
        let time = Double(index) * trace.stepMilliseconds / 1000
        return [
          (x: x.position(time), y: axis.position(value)),
          (x: x.position(time + trace.stepMilliseconds / 1000), y: axis.position(value)),
        ]
      }
      svg.path(
        points, "area \(trace.store.rawValue)", closingAt: y + rowHeight,
        data: data([("points", Double(line.values.count)), ("sum", line.values.reduce(0, +))]))
      svg.line(left, y + rowHeight, right, y + rowHeight, "axis")
      y += rowHeight + 18
    }
    let seconds = x.rounded
    for tick in seconds.ticks({ "\(Axis.short($0)) s" }) where tick.value <= x.high * 1.001 {
      svg.line(x.position(tick.value), bottom - 2, x.position(tick.value), bottom + 3, "axis")
      svg.label(tick.label, x.position(tick.value), bottom + 17)
    }
    return svg.element(trace.title)
  }
}
