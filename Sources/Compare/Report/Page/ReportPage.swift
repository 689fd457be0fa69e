import Workload

/// A report as one page that needs nothing else: no script, no font, no other file.
package enum ReportPage {
  package static func html(_ report: ReportDocument) -> String {
    var page = """
      <!doctype html>
      <html lang="en"><head><meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>synod: registers against a log</title>
      <style>
      \(PageStyle.css)
      </style></head><body><main>
      <h1>Registers against a log</h1>
      <p class="soft">synod compare: the same work on the same machine, by clusters of \
      \(names(report.settings.stores)).</p>

      """
    page += summary(report)
    page += "<nav>"
    for result in report.results { page += "<a href=\"#\(result.name)\">\(SVG.escaped(result.title))</a> " }
    page += "<a href=\"#environment\">Machine and method</a></nav>\n"
    for result in report.results { page += section(result, report.settings.stores) }
    page += environment(report)
    return page + "</main></body></html>\n"
  }

  private static func names(_ stores: [Store]) -> String {
    let words = stores.map { store in
      switch store {
      case .register: "registers (Paxos rounds for each key, no log)"
      case .raft: "the same store on a Raft log"
      case .etcd: "etcd"
      }
    }
    guard words.count > 1, let last = words.last else { return words.first ?? "nothing" }
    return words.dropLast().joined(separator: ", ") + " and " + last
  }

  private static func summary(_ report: ReportDocument) -> String {
    var text = ""
    if !report.isComplete {
      let count = report.finished
      text += "<p class=\"notice\">Not complete: \(count) of \(report.settings.scenarios.count) scenarios. "
      text += "The same command goes on from here.</p>\n"
    }
    if report.settings.isQuick {
      text += "<p class=\"soft\">A quick run: short measurements, three repetitions. For figures to quote, leave "
      text += "<code>--quick</code> out.</p>\n"
    }
    text += table(ReportTable.headlines(report), numbersFrom: 2)
    text += "<p class=\"soft\">“raft × 2”: twice as good; “within noise”: the repetitions of the two overlap. In plots "
    text += "a mark is the median of all repetitions, the bar through it goes from the smallest to "
    text += "the largest; what runs over time is the repetition in the middle. “Outside of noise” means that the "
    text += "repetitions of the two sides do not overlap.</p>\n"
    return text
  }

  private static func section(_ result: ScenarioResult, _ stores: [Store]) -> String {
    var text = "<section id=\"\(result.name)\"><h2>\(SVG.escaped(result.title))"
    text += "<span class=\"name\">\(result.name)</span></h2>\n<p>\(SVG.escaped(result.question))</p>\n"
    if !result.setup.isEmpty { text += "<p class=\"soft\">\(SVG.escaped(result.setup)).</p>\n" }
    for words in [Reading.simulation(result), Reading.disturbance(result)].compactMap({ $0 }) {
      text += "<p class=\"notice\">\(SVG.escaped(words))</p>\n"
    }
    for note in result.notes { text += "<p class=\"soft\">Note: \(SVG.escaped(note)).</p>\n" }
    switch result.ending {
    case .complete: break
    case .leftOut(let reason): text += "<p class=\"notice\">Left out: \(SVG.escaped(reason)).</p>\n"
    case .failed(let reason): text += "<p class=\"notice\">It failed on the way: \(SVG.escaped(reason)).</p>\n"
    }
    let reading = Reading.sentences(result)
    if let lead = reading.first {
      text += "<p class=\"verdict\">\(SVG.escaped(lead))</p>\n<ul class=\"reading\">"
      for sentence in reading.dropFirst() { text += "<li>\(SVG.escaped(sentence))</li>" }
      text += "</ul>\n"
    }
    text += "<div class=\"plots\">\n"
    for plot in plots(result, stores) { text += figure(plot.title, plot.drawing, plot.table) }
    return text + "</div>\n" + allFigures(result, stores) + "</section>\n"
  }

  /// Each plot as a file of its own, by a name such as `clients-1.svg`.
  package static func files(_ report: ReportDocument) -> [(name: String, text: String)] {
    report.results.flatMap { result in
      plots(result, report.settings.stores).enumerated().map { index, plot in
        ("\(result.name)-\(index + 1).svg", SVG.file(plot.drawing))
      }
    }
  }

  private static func plots(
    _ result: ScenarioResult, _ stores: [Store]
  ) -> [(title: String, drawing: String, table: String)] {
    var plots: [(title: String, drawing: String, table: String)] = []
    for sweep in result.sweeps {
      guard let plot = Plots.sweep(result, sweep, stores) else { continue }
      plots.append((sweep.title, plot, table(result, sweep, stores)))
    }
    if let plot = Plots.spectrum(result.curves, title: "latency spectrum") {
      plots.append(("latency spectrum, all repetitions", plot, table(result.curves)))
    }
    // Kind by kind, and those of a kind with one scale, so that they can be compared.
    var titles: [String] = []
    for trace in result.traces where !titles.contains(trace.title) { titles.append(trace.title) }
    for trace in titles.flatMap({ title in result.traces.filter { $0.title == title } }) {
      let alike = result.traces.filter { $0.title == trace.title }
      guard let plot = Plots.trace(trace, upTo: Plots.top(of: alike)) else { continue }
      let unit = trace.unit.isEmpty ? "" : " (\(trace.unit))"
      plots.append(("\(trace.title)\(unit): \(trace.store.rawValue)", plot, table(trace)))
    }
    return plots
  }

  private static func figure(_ title: String, _ plot: String, _ table: String) -> String {
    "<figure><h3>\(SVG.escaped(title))</h3>\(plot)<details><summary>as a table</summary>\(table)</details></figure>\n"
  }

  // MARK: - Tables

  private static func table(_ rows: [[String]], numbersFrom: Int = 1) -> String {
    guard let head = rows.first else { return "" }
    func cells(_ row: [String], _ tag: String) -> String {
      row.enumerated().map { column, cell in
        "<\(tag)\(column >= numbersFrom ? " class=\"number\"" : "")>\(SVG.escaped(cell))</\(tag)>"
      }.joined()
    }
    var text = "<div class=\"table\"><table><tr>\(cells(head, "th"))</tr>"
    for row in rows.dropFirst() { text += "<tr>\(cells(row, "td"))</tr>" }
    return text + "</table></div>"
  }

  /// What a sweep's plot shows.
  private static func table(_ result: ScenarioResult, _ sweep: Sweep, _ stores: [Store]) -> String {
    var places: [(series: String, x: Double?)] = []
    for measure in result.measures
    where measure.metric == sweep.metric && (sweep.series == nil || measure.series == sweep.series)
      && (measure.x != nil) == (sweep.xTitle != nil)
      && !places.contains(where: { $0.series == measure.series && $0.x == measure.x })
    {
      places.append((measure.series, measure.x))
    }
    var rows = [[sweep.xTitle ?? ""] + stores.map { "\($0.rawValue): median (smallest – largest)" }]
    for place in places {
      let name = place.x.map { NumberWords.grouped(Int64($0)) } ?? place.series
      rows.append(
        [name]
          + stores.map {
            ReportTable.cell(result.measure($0, sweep.metric, series: place.series, x: place.x))
          })
    }
    return table(rows)
  }

  private static func table(_ curves: [Curve]) -> String {
    let wanted = [0.5, 0.9, 0.99, 0.999, 0.9999]
    var rows = [["", "50 %", "90 %", "99 %", "99.9 %", "99.99 %", "slowest"]]
    for curve in curves {
      let cells = wanted.map { quantile -> String in
        // The first point that is no earlier: the spectrum has one within a tenth of a nine.
        guard let point = curve.points.first(where: { $0.quantile >= quantile - 1e-9 }) else { return "–" }
        return DurationWords.text(point.value)
      }
      rows.append(
        ["\(curve.store.rawValue) \(curve.series)"] + cells + [DurationWords.text(curve.points.last?.value ?? 0)])
    }
    return table(rows)
  }

  private static func table(_ trace: Trace) -> String {
    // A row for each tenth of a second, or there would be hundreds.
    let group = max(1, Int((100 / trace.stepMilliseconds).rounded()))
    let isSum = trace.unit.isEmpty
    var rows = [["from"] + trace.lines.map { "\($0.label)\(isSum ? "" : " (\(trace.unit), largest)")" }]
    let count = trace.lines.map(\.values.count).max() ?? 0
    for start in stride(from: 0, to: count, by: group) {
      let time = Double(start) * trace.stepMilliseconds / 1000
      rows.append(
        ["\(NumberWords.fixed(time, decimals: 1)) s"]
          + trace.lines.map { line in
            let slice = line.values[min(start, line.values.count)..<min(start + group, line.values.count)]
            return NumberWords.threeDigits(isSum ? slice.reduce(0, +) : slice.max() ?? 0)
          })
    }
    return table(rows)
  }

  private static func allFigures(_ result: ScenarioResult, _ stores: [Store]) -> String {
    let rows = ReportTable.rows(result, stores)
    guard !rows.isEmpty else { return "" }
    return "<details><summary>all figures of this scenario</summary>\(table(rows, numbersFrom: 2))</details>\n"
  }

  private static func environment(_ report: ReportDocument) -> String {
    var rows = [["", ""]]
    for fact in report.environment.facts { rows.append([fact.name, fact.text]) }
    var text = "<section id=\"environment\"><h2>Machine and method</h2>\n"
    text += table(rows, numbersFrom: 9)
    text += """
      <p>The stores take turns within each repetition, each time with new processes and an empty folder, so that what \
      changes on the machine meanwhile hits all of them. Load comes from one thread of the program that made this \
      report. In a closed loop a client starts its next operation when the last one is answered. In an open loop \
      operations have their times, and latency is counted from those times. A change without a clear answer counts as \
      unknown, never as done. Faults come from outside the nodes.</p></section>

      """
    return text
  }
}
