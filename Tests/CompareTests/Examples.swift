import Compare
import Workload

/// A small report with numbers that are known.
enum Examples {
  static var scenario: ScenarioResult {
    var result = ScenarioResult(
      name: "clients", title: "A title with <angles> & more", question: "What is it?", setup: "a setup")
    result.disturbance = 12.5
    for (x, samples) in [(1.0, [90.0, 100, 110]), (10, [400, 500, 600]), (100, [1900, 2000, 2100])] {
      for sample in samples {
        result.add(.register, .throughput, sample, series: "put", x: x)
        result.add(.raft, .throughput, sample / 2, series: "put", x: x)
      }
    }
    for (store, samples) in [(Store.register, [2.0, 3, 4]), (.raft, [30, 20, 40])] {
      for sample in samples { result.add(store, .longestGap, sample, series: "others") }
    }
    var histogram = Histogram()
    for value in 1...10_000 { histogram.record(UInt64(value) * 1000) }
    result.curves = [Curve(store: .register, series: "put", points: histogram.spectrum())]
    result.traces = [
      Trace(
        store: .raft, title: "successes", unit: "", stepMilliseconds: 10,
        lines: [
          Trace.Line(label: "node 1", values: [5, 0, 0, 7]), Trace.Line(label: "node 2", values: [5, 5, 5, 5]),
        ],
        shades: [Trace.Shade(from: 10, to: 30, label: "kill")])
    ]
    result.sweeps = [Sweep("throughput", .throughput, series: "put", over: "clients"), Sweep("gap", .longestGap)]
    result.compare(.throughput, series: "put", x: 100, place: "100 clients", isHeadline: true)
    result.compare(.longestGap, series: "others", place: "the others")
    return result
  }

  static var report: ReportDocument {
    var leftOut = ScenarioResult(name: "isolate", title: "Cut", question: "Why?", setup: "")
    leftOut.ending = .leftOut("no namespaces here")
    return ReportDocument(
      settings: ReportDocument.Settings(
        isQuick: true, seed: .max, stores: [.register, .raft], scenarios: ["clients", "isolate"]),
      environment: Environment(facts: [.init("machine", "two \"cores\""), .init("seed", "1")]),
      results: [scenario, leftOut])
  }
}
