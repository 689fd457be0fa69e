package import Workload

/// What the users of some nodes saw before a change of members, during it and after it: a load for each, with a moment
/// in between in which the clients connect anew.
package struct MembersOutcome {
  private let phases: [[Timeline]]
  private let lengths: [Double]
  /// In milliseconds, of any node.
  package let longestGapDuring: Double
  /// Successes a second before the change, of all nodes together.
  package let throughputBefore: Double

  /// - Parameters:
  ///   - phases: before, during and after, a timeline for each node that was loaded.
  ///   - seconds: how long each load was measured.
  package init(_ phases: [[Timeline]], seconds: [Double]) {
    self.phases = phases
    lengths = seconds.map { $0 * 1000 }
    longestGapDuring = Double(phases[1].map(\.longestGap.nanoseconds).max() ?? 0) / 1e6
    let before = phases[0].reduce(0) { $0 + $1.windows.reduce(0) { $0 + $1.counts.ok } }
    throughputBefore = Double(before) / seconds[0]
  }

  /// Successes over time, at most some hundreds of steps, the change shaded.
  ///
  /// - Parameter ids: of the nodes that were loaded.
  package func trace(_ store: Store, title: String, ids: [Int]) -> Trace {
    let window = Double(phases[0][0].windowNanoseconds) / 1e6
    let counts = lengths.map { Int($0 / window) }
    let group = max(1, (counts.reduce(0, +) + 399) / 400)
    var lines: [Trace.Line] = []
    for (place, id) in ids.enumerated() {
      var values: [Double] = []
      for (timelines, count) in zip(phases, counts) {
        // Whole groups only, at least one: half a group would look like a fall.
        for step in 0..<max(1, count / group) {
          let windows = timelines[place].windows.dropFirst(step * group).prefix(group)
          values.append(windows.reduce(0) { $0 + Double($1.counts.ok) } * 1000 / (Double(group) * window))
        }
      }
      lines.append(Trace.Line(label: "node \(id)", values: values))
    }
    let steps = counts.map { Double(max(1, $0 / group)) * Double(group) * window }
    return Trace(
      store: store, title: title, unit: "/s", stepMilliseconds: Double(group) * window, lines: lines,
      shades: [Trace.Shade(from: steps[0], to: steps[0] + steps[1], label: "change")])
  }
}
