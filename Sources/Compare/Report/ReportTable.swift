import Workload

/// A report as tables for a terminal.
package enum ReportTable {
  /// For each scenario its title, and a row for each point of what its plots show, and its costs.
  package static func text(_ report: ReportDocument, bold: (String) -> String) -> String {
    var lines: [String] = []
    for result in report.results {
      lines.append("")
      lines.append(bold("\(result.name): \(result.title)"))
      for words in Reading.remarks(result) { lines.append("  \(words)") }
      switch result.ending {
      case .complete: break
      case .leftOut(let reason): lines.append("  left out: \(reason)")
      case .failed(let reason): lines.append("  failed: \(reason)")
      }
      lines += columns(rows(result, report.settings.stores)).map { "  \($0)" }
    }
    lines.append("")
    lines.append(bold("in short"))
    lines += columns(headlines(report)).map { "  \($0)" }
    return lines.joined(separator: "\n")
  }

  /// The head, then a row for each point.
  package static func rows(_ result: ScenarioResult, _ stores: [Store]) -> [[String]] {
    var seen: [(Metric, String, Double?)] = []
    for measure in result.measures
    where !seen.contains(where: { $0 == (measure.metric, measure.series, measure.x) }) {
      seen.append((measure.metric, measure.series, measure.x))
    }
    guard !seen.isEmpty else { return [] }
    seen.sort { a, b in
      if a.1 != b.1 { return order(a.1, result) < order(b.1, result) }
      if a.0 != b.0 { return Metric.allCases.firstIndex(of: a.0)! < Metric.allCases.firstIndex(of: b.0)! }
      return (a.2 ?? 0) < (b.2 ?? 0)
    }
    var rows = [["what", "where"] + stores.map(\.rawValue) + (stores.contains(.raft) ? ["register : raft"] : [])]
    for (metric, series, x) in seen {
      let place = [series, x.map { NumberWords.grouped(Int64($0)) } ?? ""].filter { !$0.isEmpty }
      var row = [metric.title, place.joined(separator: ", ")]
      for store in stores { row.append(cell(result.measure(store, metric, series: series, x: x))) }
      if stores.contains(.raft) { row.append(factor(result, metric, series, x)) }
      rows.append(row)
    }
    return rows
  }

  /// The table at the head of the report, in Markdown.
  package static func markdown(_ report: ReportDocument) -> String {
    var rows = headlines(report)
    guard !rows.isEmpty else { return "" }
    rows.insert([String](repeating: "---", count: rows[0].count), at: 1)
    return rows.map { "| \($0.joined(separator: " | ")) |\n" }.joined()
  }

  /// The head, then a row for each point that stands for its scenario.
  package static func headlines(_ report: ReportDocument) -> [[String]] {
    let stores = report.settings.stores
    var rows = [["scenario", "what"] + stores.map(\.rawValue) + (stores.contains(.raft) ? ["ahead"] : [])]
    for result in report.results {
      for point in result.points where point.isHeadline {
        let measures = stores.map { result.measure($0, point.metric, series: point.series, x: point.x) }
        guard measures.contains(where: { $0 != nil }) else { continue }
        let what = point.place.isEmpty ? point.metric.title : "\(point.metric.title), \(point.place)"
        let name = result.simulated == nil ? result.name : "\(result.name) (simulated)"
        var row = [name, what] + measures.map { $0.map { Reading.words($0.median, point.metric) } ?? "–" }
        if stores.contains(.raft) {
          let pair = (
            result.measure(.register, point.metric, series: point.series, x: point.x),
            result.measure(.raft, point.metric, series: point.series, x: point.x)
          )
          if case (let a?, let b?) = pair { row.append(Reading.short(a, b)) } else { row.append("") }
        }
        rows.append(row)
      }
    }
    return rows
  }

  private static func order(_ series: String, _ result: ScenarioResult) -> Int {
    result.measures.firstIndex { $0.series == series } ?? 0
  }

  /// `median (minimum – maximum)`.
  static func cell(_ measure: Measure?) -> String {
    guard let measure else { return "–" }
    let median = Reading.words(measure.median, measure.metric)
    if measure.samples.count < 2 { return median }
    return
      "\(median) (\(NumberWords.threeDigits(measure.minimum)) – \(NumberWords.threeDigits(measure.maximum)))"
  }

  /// How many times as good the register is; in parentheses where the repetitions overlap.
  private static func factor(_ result: ScenarioResult, _ metric: Metric, _ series: String, _ x: Double?) -> String {
    guard let a = result.measure(.register, metric, series: series, x: x),
      let b = result.measure(.raft, metric, series: series, x: x)
    else { return "" }
    func word(_ factor: Double) -> String { factor.isFinite ? NumberWords.fixed(factor, decimals: 2) : "∞" }
    switch Reading.verdict(a, b) {
    case .first(let factor): return "× \(word(factor))"
    case .second(let factor): return "÷ \(word(factor))"
    case .noise(let factor): return "(\(word(factor)))"
    }
  }

  private static func columns(_ rows: [[String]]) -> [String] {
    guard let head = rows.first else { return [] }
    let widths = head.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        line += column + 1 == row.count ? cell : cell + String(repeating: " ", count: widths[column] - cell.count + 2)
      }
      return line
    }
  }
}
