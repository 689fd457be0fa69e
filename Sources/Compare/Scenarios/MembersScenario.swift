import Base
import Linux
import Workload

// What it costs to replace nodes.
extension Scenario {
  static let members = Scenario(
    "members", "Nodes are replaced",
    question: """
      A node is replaced by a new one, in one change, while users go on; then another with nobody there. How long does \
      it take, what has to move, and what do the users notice? A log hands its snapshot and the entries since to the \
      newcomer and then changes the majorities; registers change the majorities first, and then each register gets a \
      round of its own that brings it to a majority of the new members, some 2,000 a second while users are there.
      """
  ) { stage, result throws(CompareError) in
    let sizes = stage.isQuick ? [10_000] : [10_000, 100_000, 1_000_000]
    result.setup = """
      three nodes, values of 100 bytes; closed loop, 16 clients on the two nodes that stay, half reads, half writes of \
      all keys alike; the node that is replaced does not lead; register: --move-rate 2000, the default. "Half": at \
      half of the rate that was the limit, open loop. "All three": three newcomers in one change, the clients on these \
      from the start
      """
    let stores = stage.options.stores.filter { $0 != .etcd }
    if stores != stage.options.stores {
      result.note("etcd takes no part: it changes one member at a time, through another interface")
    }
    var runs: [Store: [(gap: Double, traces: [Trace])]] = [:]
    for size in sizes {
      let repetitions = size > 100_000 ? 1 : stage.isQuick ? 2 : 3
      try stage.alternate("members, \(size) registers", among: stores, repetitions: repetitions) {
        store throws(CompareError) in
        try replaceOne(store, size, on: stage, &result)
      }
    }
    try stage.alternate("members, all three", among: stores, repetitions: stage.isQuick ? 2 : 3) {
      store throws(CompareError) in
      let outcome = try replaceAll(store, sizes[0], on: stage, &result)
      runs[store, default: []].append(outcome)
    }
    for store in stores { result.traces += median(runs[store] ?? []) }
    draw(sizes, sizes.filter { isMeasuredAtHalf($0, on: stage) }, &result)
  }

  private static let oneOfThree = "one"
  private static let allThree = "all three"
  private static let halfLoad = "one, half"

  /// Such as `10k registers, one`.
  private static func series(_ size: Int, _ circumstance: String) -> String {
    "\(Axis.short(Double(size))) registers, \(circumstance)"
  }

  private static let atRest = "one, nobody there"

  private static func isMeasuredAtHalf(_ size: Int, on stage: Stage) -> Bool { !stage.isQuick && size <= 100_000 }

  private static func draw(_ sizes: [Int], _ atHalf: [Int], _ result: inout ScenarioResult) {
    result.sweeps = [
      Sweep("throughput, one of three replaced", .throughput),
      Sweep("latency, 99 %, one of three replaced", .p99),
      Sweep("throughput during the change, of that before", .throughputShare),
      Sweep("longest time without a success during the change", .longestGap),
      Sweep("time until it is over", .changeTime),
      Sweep("sent between the nodes until then", .movedBytes),
      Sweep("written by the newcomer until then", .newcomerBytes),
    ]
    for size in sizes {
      let isLast = size == sizes.last
      var circumstances = [oneOfThree]
      if atHalf.contains(size) { circumstances.append(halfLoad) }
      if size == sizes[0] { circumstances.append(allThree) }
      for circumstance in circumstances {
        let name = series(size, circumstance)
        let isHeadline = isLast || circumstance == allThree
        result.compare(.changeTime, series: name, place: name, isHeadline: isHeadline)
        result.compare(.throughputShare, series: name, place: name, isHeadline: isHeadline)
        result.compare(.p99Share, series: name, place: name)
        result.compare(.longestGap, series: name, place: name, isHeadline: isHeadline)
      }
      let name = series(size, atRest)
      result.compare(.changeTime, series: name, place: name, isHeadline: isLast)
      result.compare(.movedBytes, series: name, place: name)
      result.compare(.newcomerBytes, series: name, place: name)
    }
  }

  /// What the clients do. All keys are written through `nodes` first: where these are the nodes that will be loaded,
  /// they coordinate all registers from the start, and no load begins with taking them over.
  private static func fill(
    _ cluster: Cluster, _ size: Int, through nodes: [Int], on stage: Stage
  ) throws(CompareError) -> LoadOptions {
    var load = stage.options("ycsb-a", on: cluster)
    load.distribution = .uniform
    load.keys = size
    load.valueBytes = 100
    load.endpoints = nodes.map { cluster.endpoints[$0 - 1] }
    try stage.fill(cluster, like: load)
    load.clients = 16
    load.warmUpMilliseconds = 200
    return load
  }

  /// One member for a newcomer under load, and then that newcomer for another, with nobody there.
  private static func replaceOne(
    _ store: Store, _ size: Int, on stage: Stage, _ result: inout ScenarioResult
  ) throws(CompareError) {
    let cluster = try stage.newCluster(store)
    let stay = cluster.leader == 3 ? [1, 3] : [1, 2]
    let load = try fill(cluster, size, through: stay, on: stage)
    let newcomer = try joined(cluster, by: stay[0], on: stage)
    let outcome = try change(
      to: stay + [newcomer], by: stay, under: load, cluster, on: stage, size, oneOfThree, &result)
    result.traces.removeAll { $0.store == store && $0.title.hasPrefix("\(size) registers") }
    result.traces.append(outcome.trace(store, title: "\(size) registers: successes a second, one of three", ids: stay))

    if isMeasuredAtHalf(size, on: stage) {
      var half = load
      half.pace = .open(perSecond: outcome.throughputBefore / 2, spacing: .poisson)
      let other = try joined(cluster, by: stay[0], on: stage)
      _ = try change(to: stay + [other], by: stay, under: half, cluster, on: stage, size, halfLoad, &result)
    }

    let name = series(size, atRest)
    let last = try joined(cluster, by: stay[0], on: stage)
    var sent = MovedBytes(cluster)
    let time = try change(to: stay + [last], at: stay[0], cluster, on: stage) { sent.read(cluster) }
    sent.read(cluster)
    result.add(store, .changeTime, time, series: name)
    result.add(store, .movedBytes, Double(sent.sum) / 1_048_576, series: name)
    let written = cluster.counters(cluster.nodes[last - 1]).writtenBytes
    result.add(store, .newcomerBytes, Double(written) / 1_048_576, series: name)
  }

  private static func replaceAll(
    _ store: Store, _ size: Int, on stage: Stage, _ result: inout ScenarioResult
  ) throws(CompareError) -> (gap: Double, traces: [Trace]) {
    let cluster = try stage.newCluster(store)
    var load = try fill(cluster, size, through: [1, 2, 3], on: stage)
    var newcomers: [Int] = []
    for sponsor in 1...3 { newcomers.append(try joined(cluster, by: sponsor, on: stage)) }
    load.endpoints = newcomers.map { cluster.endpoints[$0 - 1] }
    let outcome = try change(
      to: newcomers, by: newcomers, under: load, cluster, on: stage, size, allThree, &result)
    let trace = outcome.trace(store, title: "\(size) registers: successes a second, all three", ids: newcomers)
    return (outcome.longestGapDuring, [trace])
  }

  private static func joined(_ cluster: Cluster, by sponsor: Int, on stage: Stage) throws(CompareError) -> Int {
    let id = try cluster.join(by: sponsor)
    try stage.wait(for: "the newcomer serves by way of the others", cluster) { cluster.isReady(id) }
    return id
  }

  /// Milliseconds between two questions of how far it is. The same questions are put before and after the change:
  /// their cost is in all phases alike.
  private static let step: UInt64 = 20

  /// Has a change made; returns how many milliseconds it took.
  private static func change(
    to ids: [Int], at asked: Int, _ cluster: Cluster, on stage: Stage, watching: () -> Void = {}
  ) throws(CompareError) -> Double {
    var begin = MonotonicClock.now()
    let patience = begin + 30_000
    while try !cluster.beginChange(to: ids, at: asked) {
      guard MonotonicClock.now() < patience else { throw .failed("no member begins the change") }
      try stage.wait(step, cluster)
      begin = MonotonicClock.now()
    }
    try stage.wait(for: "the change's end", cluster, withinMilliseconds: 3_600_000, every: step) {
      watching()
      // One node is asked until it says so; the others only then.
      return cluster.members(asked)?.isStable == true && cluster.isChanged(to: ids)
    }
    return Stage.milliseconds(since: begin)
  }

  /// A change under load, with a time before it and one after it.
  private static func change(
    to ids: [Int], by users: [Int], under load: LoadOptions, _ cluster: Cluster, on stage: Stage, _ size: Int,
    _ circumstance: String, _ result: inout ScenarioResult
  ) throws(CompareError) -> MembersOutcome {
    let store = cluster.store
    var calm = load
    calm.milliseconds = stage.isQuick ? 800 : 5000
    func runCalm() throws(CompareError) -> LoadResult {
      try stage.run(calm, on: cluster) { start throws(CompareError) in
        let end = start + Milliseconds(calm.milliseconds)
        while MonotonicClock.now() < end {
          _ = cluster.members(users[0])
          try stage.wait(step, cluster)
        }
      }
    }
    let before = try runCalm()
    var long = load
    long.milliseconds = 3_600_000
    var time = 0.0
    let during = try stage.run(long, on: cluster, endsThen: true) { start throws(CompareError) in
      try stage.wait(until: start, cluster)
      time = try change(to: ids, at: users[0], cluster, on: stage)
    }
    let after = try runCalm()
    guard during.counts.ok > 0, before.counts.ok > 0 else {
      throw .failed("nothing succeeded: \(during.lastFailure ?? before.lastFailure ?? "")")
    }
    let phases = [before, during, after]
    let outcome = MembersOutcome(phases.map(\.timelines), seconds: phases.map(\.seconds))
    let name = series(size, circumstance)
    result.add(store, .changeTime, time, series: name)
    result.add(store, .longestGap, outcome.longestGapDuring, series: name)
    result.add(store, .throughputShare, 100 * during.throughput / before.throughput, series: name)
    let p99 = phases.map { Double($0.latency.value(at: 0.99)) / 1e6 }
    result.add(store, .p99Share, 100 * p99[1] / p99[0], series: name)
    guard circumstance == oneOfThree else { return outcome }
    for (phase, time) in ["before", "during", "after"].enumerated() {
      result.add(store, .throughput, phases[phase].throughput, series: series(size, time))
      result.add(store, .p99, p99[phase], series: series(size, time))
    }
    return outcome
  }
}

/// What the nodes have sent to their peers from a moment on. A node that leaves takes its count along, and whoever
/// sees it leave may forget what it has sent there: the highest that each node has said stands.
private struct MovedBytes {
  private let before: [Int: UInt64]
  private var highest: [Int: UInt64]

  init(_ cluster: Cluster) {
    before = Self.counts(cluster)
    highest = before
  }

  mutating func read(_ cluster: Cluster) {
    for (id, bytes) in Self.counts(cluster) { highest[id] = max(highest[id] ?? 0, bytes) }
  }

  var sum: UInt64 { highest.reduce(0) { $0 + $1.value - (before[$1.key] ?? 0) } }

  private static func counts(_ cluster: Cluster) -> [Int: UInt64] {
    var counts: [Int: UInt64] = [:]
    for node in cluster.nodes where node.state != .down { counts[node.id] = cluster.counters(node).messageBytes }
    return counts
  }
}
