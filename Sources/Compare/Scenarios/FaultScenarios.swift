import Base
import Linux
import Simulator
import Workload

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
    simulated: .isolated,
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
    simulated: .unheard,
    inject: { cluster, id throws(CompareError) in try cluster.network?.silence(id) },
    mend: { cluster, _ throws(CompareError) in try cluster.network?.heal() })

  private typealias Change = @Sendable (Cluster, Int) throws(CompareError) -> Void

  /// - Parameter simulated: what the simulator does where it must stand in; nil: this fault needs no links.
  private static func fault(
    _ name: String, _ title: String, question: String, simulated: MeasuredRun.Fault? = nil, inject: @escaping Change,
    mend: @escaping Change
  ) -> Scenario {
    Scenario(name, title, question: question) { stage, result throws(CompareError) in
      let times = FaultTimes(isQuick: stage.isQuick)
      let network = simulated == nil ? nil : try stage.namespacesOrSimulator(&result)
      let isSimulated = simulated != nil && network == nil
      result.setup = """
        open loop, 500 operations/s at each node (half reads, half writes, \
        \(isSimulated ? "all keys alike" : "YCSB A")), 1,000 keys, clients give up after 1 s; the fault lasts \
        \(Double(times.broken) / 1000) s
        """
      let stores = isSimulated ? stage.simulatedStores : stage.options.stores
      var runs: [Store: [(gap: Double, traces: [Trace])]] = [:]
      try stage.alternate(name, among: stores, repetitions: stage.isQuick ? 3 : 7) { store throws(CompareError) in
        let outcome: FaultOutcome
        if let simulated, isSimulated {
          let seed = stage.options.seed &+ UInt64(runs[store]?.count ?? 0)
          outcome = try simulate(simulated, store, times, seed: seed)
        } else {
          outcome = try measure(store, on: stage, network, times, inject: inject, mend: mend)
        }
        result.add(store, .longestGap, outcome.longestGapElsewhere, series: "the other nodes")
        result.add(store, .longestGap, outcome.longestGapThere, series: "the node itself")
        result.add(store, .successShare, outcome.shareElsewhere, series: "the other nodes")
        runs[store, default: []].append((outcome.longestGapElsewhere, [outcome.trace(store, name: name)]))
      }
      for store in stores { result.traces += median(runs[store] ?? []) }
      result.sweeps = [
        Sweep("longest time without a success", .longestGap),
        Sweep("operations carried out while it lasted", .successShare),
      ]
      result.compare(.longestGap, series: "the other nodes", place: "the other nodes", isHeadline: true)
      result.compare(.successShare, series: "the other nodes", place: "the other nodes while it lasted")
      result.compare(.longestGap, series: "the node itself", place: "the node itself")
    }
  }

  /// In milliseconds.
  private struct FaultTimes {
    let calm: UInt64
    let broken: UInt64
    let after: UInt64

    init(isQuick: Bool) {
      calm = isQuick ? 400 : 1000
      broken = isQuick ? 900 : 2000
      after = isQuick ? 700 : 2000
    }

    var all: UInt64 { calm + broken + after }
  }

  private static func measure(
    _ store: Store, on stage: Stage, _ network: Network?, _ times: FaultTimes, inject: Change, mend: Change
  ) throws(CompareError) -> FaultOutcome {
    let cluster = try stage.newCluster(store, network: network)
    var load = stage.options("ycsb-a", on: cluster)
    load.keys = 1000
    try stage.fill(cluster, like: load)
    load.pace = .open(perSecond: 1500, spacing: .steady)
    load.clients = 96
    load.warmUpMilliseconds = 200
    load.milliseconds = times.all
    load.timeoutMilliseconds = 1000
    let victim = cluster.mostImportantNode
    var shade = (from: 0.0, to: 0.0)
    defer { try? network?.heal() }
    let measured = try stage.run(load, on: cluster) { start throws(CompareError) in
      try stage.wait(until: start + Milliseconds(times.calm), cluster)
      shade.from = Stage.milliseconds(since: start)
      try inject(cluster, victim)
      try stage.wait(until: start + Milliseconds(times.calm + times.broken), cluster)
      try mend(cluster, victim)
      shade.to = Stage.milliseconds(since: start)
    }
    return FaultOutcome(measured.timelines, victim: victim, shade: shade)
  }

  private static func simulate(
    _ fault: MeasuredRun.Fault, _ store: Store, _ times: FaultTimes, seed: UInt64
  ) throws(CompareError) -> FaultOutcome {
    var simulated = SimulatedLoad(
      .shared(keys: 1000, reads: 50), .open(perSecond: 500), clientsOfNode: 32, ways: SimulatedLoad.near,
      milliseconds: times.all)
    simulated.run.load.timeout = 1000
    simulated.run.warmUp = 3000
    simulated.run.fault = (fault, times.calm, times.calm + times.broken)
    let measured = try simulated.measure(store, seed: seed)
    return FaultOutcome(
      measured.load.timelines, victim: measured.victim,
      shade: (Double(times.calm), Double(times.calm + times.broken)))
  }
}

extension Stage {
  static func milliseconds(since start: Instant) -> Double {
    (Double(MonotonicClock.now().nanoseconds) - Double(start.nanoseconds)) / 1e6
  }
}
