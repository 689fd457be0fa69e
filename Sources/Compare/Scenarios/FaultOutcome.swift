package import Workload

/// What a fault did to the users of the node that it hit, and of the others.
package struct FaultOutcome {
  /// In milliseconds.
  package let longestGapThere: Double
  package let longestGapElsewhere: Double
  /// Of what was asked of the other nodes while it lasted, in percent.
  package let shareElsewhere: Double
  private let timelines: [Timeline]
  private let victim: Int
  private let shade: (from: Double, to: Double)

  /// - Parameters:
  ///   - timelines: one for each node.
  ///   - shade: when the fault began and ended, in milliseconds since the start.
  package init(_ timelines: [Timeline], victim: Int, shade: (from: Double, to: Double)) {
    self.timelines = timelines
    self.victim = victim
    self.shade = shade
    let others = timelines.indices.filter { $0 != victim - 1 }
    longestGapThere = Double(timelines[victim - 1].longestGap.nanoseconds) / 1e6
    longestGapElsewhere = Double(others.map { timelines[$0].longestGap.nanoseconds }.max() ?? 0) / 1e6
    var counts = OutcomeCounts()
    for other in others {
      let window = Double(timelines[other].windowNanoseconds) / 1e6
      for (index, entry) in timelines[other].windows.enumerated() {
        let time = Double(index) * window
        if time >= shade.from, time < shade.to { counts += entry.counts }
      }
    }
    shareElsewhere = counts.total > 0 ? 100 * Double(counts.ok) / Double(counts.total) : 0
  }

  /// Successes in each window, a line for each node.
  func trace(_ store: Store, name: String) -> Trace {
    let window = Double(timelines[0].windowNanoseconds) / 1e6
    let lines = timelines.enumerated().map { index, timeline in
      let role = index + 1 == victim ? (store == .register ? ", hit" : ", hit, led before") : ""
      return Trace.Line(
        label: "node \(index + 1)\(role)", values: timeline.windows.map { Double($0.counts.ok) })
    }
    return Trace(
      store: store, title: "successes in each \(Int(window)) ms", unit: "", stepMilliseconds: window,
      lines: lines, shades: [Trace.Shade(from: shade.from, to: shade.to, label: name)])
  }
}
