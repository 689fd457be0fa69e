import Base
import Linux
package import Workload

// What users feel while a node is killed, stopped or cut off.
extension Scenario {
  static let kill = fault(
    "kill", "kill -9 of the node that matters most",
    question: """
      The leader of a log is killed, or any node of the registers, and started again. How long do the users of the \
      other nodes wait? A log has to notice and to elect; registers have nobody to replace, but whoever coordinated a \
      key must be missed before another takes over.
      """,
    inject: { cluster, id throws(CompareError) in cluster.kill(id) },
    mend: { cluster, id throws(CompareError) in try cluster.start(id) })

  static let pause = fault(
    "pause", "SIGSTOP of the node that matters most",
    question: """
      The process is stopped, as by a long garbage collection, a frozen virtual machine or a swapping host: its \
      connections stay open and nobody refuses them. Then it goes on, and believes that no time has passed.
      """,
    inject: { cluster, id throws(CompareError) in cluster.pause(id) },
    mend: { cluster, id throws(CompareError) in cluster.resume(id) })

  static let isolate = fault(
    "isolate", "The node that matters most is cut off from its peers",
    question: """
      Nothing passes between the node and its peers, but clients reach all three. Those of the other nodes should go \
      on; those of the lonely one must be told no, and must not be told yes.
      """,
    needsNetwork: true,
    inject: { cluster, id throws(CompareError) in
      try cluster.network?.silence(id)
      try cluster.network?.deafen(id)
    },
    mend: { cluster, _ throws(CompareError) in try cluster.network?.heal() })

  static let oneWay = fault(
    "one-way", "The node that matters most hears, but is not heard",
    question: """
      A link that is broken in one direction only, which heartbeats alone may not notice: the node goes on to hear \
      from its peers, and nothing it says arrives.
      """,
    needsNetwork: true,
    inject: { cluster, id throws(CompareError) in try cluster.network?.silence(id) },
    mend: { cluster, _ throws(CompareError) in try cluster.network?.heal() })

  private typealias Change = @Sendable (Cluster, Int) throws(CompareError) -> Void

  private static func fault(
    _ name: String, _ title: String, question: String, needsNetwork: Bool = false, inject: @escaping Change,
    mend: @escaping Change
  ) -> Scenario {
    Scenario(name, title, question: question) { stage, result throws(CompareError) in
      let calm: UInt64 = stage.isQuick ? 500 : 1000
      let broken: UInt64 = stage.isQuick ? 1000 : 2000
      let after: UInt64 = stage.isQuick ? 800 : 2000
      result.setup = """
        open loop, 500 operations/s at each node (half reads, half writes, YCSB A), 1,000 keys, clients give up after \
        1 s; the fault lasts \(Double(broken) / 1000) s
        """
      let network = needsNetwork ? try stage.namespaces() : nil
      var runs: [Store: [(gap: Double, traces: [Trace])]] = [:]
      try stage.alternate(name, repetitions: stage.isQuick ? 3 : 7) { store throws(CompareError) in
        let cluster = try stage.newCluster(store, network: network)
        var load = stage.options("ycsb-a", on: cluster)
        load.keys = 1000
        try stage.fill(cluster, like: load)
        load.pace = .open(perSecond: 1500, spacing: .steady)
        load.clients = 96
        load.warmUpMilliseconds = 200
        load.milliseconds = calm + broken + after
        load.timeoutMilliseconds = 1000
        let victim = cluster.mostImportantNode
        var shade = (from: 0.0, to: 0.0)
        defer { try? network?.heal() }
        let measured = try stage.run(load, on: cluster) { start throws(CompareError) in
          try stage.wait(until: start + Milliseconds(calm), cluster)
          shade.from = Stage.milliseconds(since: start)
          try inject(cluster, victim)
          try stage.wait(until: start + Milliseconds(calm + broken), cluster)
          try mend(cluster, victim)
          shade.to = Stage.milliseconds(since: start)
        }
        let outcome = FaultOutcome(measured.timelines, victim: victim, shade: shade)
        result.add(store, .longestGap, outcome.longestGapElsewhere, series: "the other nodes")
        result.add(store, .longestGap, outcome.longestGapThere, series: "the node itself")
        result.add(store, .successShare, outcome.shareElsewhere, series: "the other nodes")
        runs[store, default: []].append((outcome.longestGapElsewhere, [outcome.trace(store, name: name)]))
      }
      for store in stage.options.stores { result.traces += median(runs[store] ?? []) }
      result.sweeps = [
        Sweep("longest time without a success", .longestGap),
        Sweep("operations carried out while it lasted", .successShare),
      ]
      result.compare(.longestGap, series: "the other nodes", place: "the other nodes", isHeadline: true)
      result.compare(.successShare, series: "the other nodes", place: "the other nodes while it lasted")
      result.compare(.longestGap, series: "the node itself", place: "the node itself")
    }
  }
}

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

extension Stage {
  static func milliseconds(since start: Instant) -> Double {
    (Double(MonotonicClock.now().nanoseconds) - Double(start.nanoseconds)) / 1e6
  }
}
