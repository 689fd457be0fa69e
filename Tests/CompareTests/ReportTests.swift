import Base
import Compare
import Testing
import Workload

@Suite("Report")
struct ReportTests {
  @Test func medianAndSpreadAreThoseOfTheSamples() {
    func measure(_ samples: [Double]) -> Measure {
      Measure(store: .raft, series: "", x: nil, metric: .p50, samples: samples)
    }
    #expect(measure([3, 1, 2]).median == 2 && measure([4, 1, 2, 3]).median == 2.5 && measure([7]).median == 7)
    #expect(measure([3, 1, 2]).minimum == 1 && measure([3, 1, 2]).maximum == 3)
  }

  @Test(arguments: [
    (Metric.throughput, [10.0, 11, 12], [20.0, 22, 24], Reading.Verdict.second(2)),
    (.p99, [10, 11, 12], [20, 22, 24], .first(2)), (.p99, [10, 11, 20], [20, 22, 24], .noise(2)),
    (.p99, [5], [5], .noise(1)), (.throughput, [8, 9, 10], [1, 3, 5], .first(3)),
  ])
  func whoIsAheadDependsOnTheMetricAndOnOverlap(
    _ metric: Metric, _ a: [Double], _ b: [Double], _ expected: Reading.Verdict
  ) {
    let first = Measure(store: .register, series: "", x: nil, metric: metric, samples: a)
    let second = Measure(store: .raft, series: "", x: nil, metric: metric, samples: b)
    #expect(Reading.verdict(first, second) == expected)
  }

  @Test func theReadingIsWrittenFromTheNumbers() {
    var result = Examples.scenario
    #expect(
      Reading.sentences(result) == [
        "Of 2 comparisons the register is ahead in 2, the log in 0. The largest difference: the register by a factor "
          + "of 10 (longest time without a success, the others).",
        "Throughput, 100 clients: register 2 000/s, raft 1 000/s. The register is ahead by a factor of 2.00, outside "
          + "of noise.",
        "Longest time without a success, the others: register 3.00 ms, raft 30.0 ms. The register is ahead by a "
          + "factor of 10, outside of noise.",
      ])
    // The same scenario with the log ahead, and with overlap.
    result.add(.raft, .throughput, 5000, series: "put", x: 100)
    result.add(.raft, .throughput, 6000, series: "put", x: 100)
    let sentences = Reading.sentences(result)
    #expect(sentences[0].hasPrefix("Of 2 comparisons the register is ahead in 1, the log in 0; 1 within noise."))
    #expect(sentences[1].hasSuffix("The repetitions overlap: no winner (factor 1.90)."))
  }

  @Test func jsonComesBackAsItWas() throws {
    let report = Examples.report
    let again = try #require(ReportDocument(json: report.json))
    #expect(again == report && again.isComplete)
    var part = report
    part.results.removeLast()
    #expect(try !#require(ReportDocument(json: part.json)).isComplete)
    var failed = report
    failed.results[0].ending = .failed("a node died")
    #expect(try ReportDocument(json: failed.json) == failed && !#require(ReportDocument(json: failed.json)).isComplete)
    #expect(ReportDocument(json: Array("{}".utf8)) == nil && ReportDocument(json: []) == nil)
  }

  /// The marks of one store in the first plot of a page: `x`, `y` in pixels and the values they stand for.
  private static func marks(_ page: String, _ store: String) -> [(pixelX: Double, pixelY: Double, x: Double, y: Double)]
  {
    func attribute(_ name: String, _ element: Substring) -> Double? {
      element.firstRange(of: " \(name)=\"").flatMap { Double(element[$0.upperBound...].prefix { $0 != "\"" }) }
    }
    return page.split(separator: "<").filter { $0.contains("class=\"mark \(store)\"") && $0.contains("data-x") }
      .compactMap { element in
        let isCircle = element.hasPrefix("circle")
        guard let x = attribute(isCircle ? "cx" : "x", element), let y = attribute(isCircle ? "cy" : "y", element),
          let valueX = attribute("data-x", element), let valueY = attribute("data-y", element)
        else { return nil }
        return isCircle ? (x, y, valueX, valueY) : (x + 3.6, y + 3.6, valueX, valueY)
      }
  }

  @Test func plottedNumbersAreTheMeasured() throws {
    let page = ReportPage.html(Examples.report)
    let register = Self.marks(page, "register")
    let raft = Self.marks(page, "raft")
    #expect(register.map(\.x) == [1, 10, 100] && register.map(\.y) == [100, 500, 2000])
    #expect(raft.map(\.x) == [1, 10, 100] && raft.map(\.y) == [50, 250, 1000])
    // Over two decades the horizontal axis is logarithmic: equal steps.
    let steps = zip(register, register.dropFirst()).map { $1.pixelX - $0.pixelX }
    #expect(abs(steps[0] - steps[1]) < 0.3 && steps[0] > 50)
    // The vertical one is linear: pixels from the bottom go as the values do, for both stores.
    let scale = (register[2].pixelY - register[0].pixelY) / (register[2].y - register[0].y)
    #expect(scale < 0)
    for mark in register + raft {
      #expect(abs(mark.pixelY - (register[0].pixelY + (mark.y - register[0].y) * scale)) < 0.3)
    }
    #expect(page.contains("data-low=\"1900.0\" data-high=\"2100.0\""))
  }

  @Test func barsTracesAndSpectraCarryTheirNumbers() {
    let page = ReportPage.html(Examples.report)
    #expect(
      page.contains("class=\"bar register\"") && page.contains("data-y=\"3.0\" data-low=\"2.0\" data-high=\"4.0\""))
    #expect(page.contains("data-points=\"4.0\" data-sum=\"12.0\"") && page.contains("data-sum=\"20.0\""))
    #expect(page.contains("class=\"shade\"") && page.contains("data-from=\"10.0\" data-to=\"30.0\""))
    let curve = Examples.scenario.curves[0].points.count
    #expect(page.contains("data-points=\"\(Double(curve))\""))
  }

  @Test func aPeakOfCountsDoesNotSquashTheRest() {
    var result = Examples.scenario
    result.traces = [
      Trace(
        store: .raft, title: "successes", unit: "", stepMilliseconds: 10,
        lines: [Trace.Line(label: "node 1", values: [5, 5, 0, 200, 5])])
    ]
    var report = Examples.report
    report.results[0] = result
    let page = ReportPage.html(report)
    // The axis ends at 15, the peak is said, and the number itself stays in the data and in the table.
    #expect(page.contains(">15.0</text>") && page.contains(">peak 200</text>") && page.contains("data-sum=\"215.0\""))
    result.traces = [
      Trace(
        store: .raft, title: "slowest", unit: "ms", stepMilliseconds: 10,
        lines: [Trace.Line(label: "all", values: [5, 5, 0, 200, 5])])
    ]
    report.results[0] = result
    #expect(ReportPage.html(report).contains(">200</text>"))
  }

  @Test func textIsEscapedAndEveryPlotHasATable() {
    let page = ReportPage.html(Examples.report)
    #expect(page.contains("A title with &lt;angles&gt; &amp; more") && !page.contains("<angles>"))
    #expect(page.contains("Left out: no namespaces here."))
    #expect(page.components(of: "Other processes took 13 % of the machine's processors") == 1)
    let figures = page.components(of: "<figure>")
    #expect(figures == 4 && page.components(of: "<svg class=\"plot\"") == 4)
    #expect(page.components(of: "<summary>as a table</summary><div class=\"table\"><table>") == figures)
  }

  @Test func aPlotAsAFileStandsAlone() throws {
    let files = ReportPage.files(Examples.report)
    #expect(files.map(\.name) == ["clients-1.svg", "clients-2.svg", "clients-3.svg", "clients-4.svg"])
    for file in files {
      #expect(file.text.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\""))
      #expect(file.text.contains("--register:") && file.text.hasSuffix("</style></svg>\n"))
    }
    #expect(files[0].text.contains("data-y=\"2000.0\""))
  }

  @Test func anUnfinishedReportSaysSo() {
    var report = Examples.report
    #expect(!ReportPage.html(report).contains("Not complete"))
    report.results.removeLast()
    #expect(ReportPage.html(report).contains("Not complete: 1 of 2 scenarios."))
  }

  @Test func theTerminalTableHasARowForEachPoint() {
    let text = ReportTable.text(Examples.report) { $0 }
    #expect(
      text.contains("2 000/s (1900 – 2100)") && text.contains("× 2.00") && text.contains("left out: no namespaces"))
    let headlines = ReportTable.headlines(Examples.report)
    #expect(
      headlines.dropFirst().map { $0 } == [
        ["clients", "throughput, 100 clients", "2 000/s", "1 000/s", "register × 2.00"]
      ])
  }

  @Test func aFaultIsToldByItsGapsAndShares() {
    func timeline(_ gapFrom: UInt64?, _ gapTo: UInt64) -> Timeline {
      var timeline = Timeline(startingAt: .zero, milliseconds: 100)
      for time in stride(from: UInt64(1), to: 100, by: 2) {
        let isDown = gapFrom.map { time > $0 && time < gapTo } ?? false
        timeline.record(isDown ? .failed : .ok, at: .zero + Milliseconds(time), latency: 1)
      }
      timeline.finish()
      return timeline
    }
    let outcome = FaultOutcome(
      [timeline(20, 80), timeline(20, 40), timeline(nil, 0)], victim: 1, shade: (from: 20, to: 80))
    #expect(outcome.longestGapThere == 62 && outcome.longestGapElsewhere == 22)
    // Of 30 operations at each of the two others, node 2 lost 10.
    #expect(abs(outcome.shareElsewhere - 100 * 50.0 / 60) < 0.01)
  }
}

extension String {
  fileprivate func components(of part: String) -> Int { self.ranges(of: part).count }
}
