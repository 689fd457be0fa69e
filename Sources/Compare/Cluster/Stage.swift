import Base
import Glibc
import Linux
import Workload

/// What all scenarios share: where they run, on what, for how long, and whom they tell.
package final class Stage {
  package struct Options: Sendable {
    package var stores: [Store] = [.register, .raft]
    package var isQuick = false
    /// Ten million keys too, which take some ten minutes and 32 GiB of memory.
    package var isHuge = false
    /// Links that must be cut or delayed are simulated, also where namespaces can be had.
    package var simulatesLinks = false
    package var seed: UInt64 = 1
    /// Holds the report, and the clusters' data while they run.
    package var folder: String

    package init(folder: String) { self.folder = folder }
  }

  package let options: Options
  /// Whether the user has asked to end.
  private let isInterrupted: () -> Bool
  /// A line on what happens now.
  private let tell: (String) -> Void
  private var clusters: [Cluster] = []
  private var network: Network?

  package init(_ options: Options, isInterrupted: @escaping () -> Bool, tell: @escaping (String) -> Void) {
    self.options = options
    self.isInterrupted = isInterrupted
    self.tell = tell
  }

  /// Where the run is, for the lines that follow.
  private var heading = ""

  func begin(_ scenario: String, _ number: Int, of count: Int) {
    heading = "[\(number)/\(count)] "
    say(scenario)
  }

  private func say(_ text: String) { tell(heading + text) }

  package var isQuick: Bool { options.isQuick }

  /// Of a clock that only grows.
  static func seconds() -> Double { Double(MonotonicClock.now().nanoseconds) / 1e9 }

  /// Runs `body` for each store, so many times, the stores taking turns in an order that turns round each time: what
  /// changes on the machine meanwhile hits all of them.
  func alternate(
    _ what: String, among stores: [Store]? = nil, repetitions: Int, _ body: (Store) throws(CompareError) -> Void
  ) throws(CompareError) {
    let stores = stores ?? options.stores
    for repetition in 0..<repetitions {
      let order = repetition % 2 == 0 ? stores : stores.reversed()
      for store in order {
        if isInterrupted() { throw .interrupted }
        say("\(what): \(store.rawValue), \(repetition + 1) of \(repetitions)")
        try body(store)
      }
    }
  }

  // MARK: - Time

  /// Waits, and watches: throws when the user wants to end, or a node of `cluster` does.
  package func wait(_ milliseconds: UInt64, _ cluster: Cluster?) throws(CompareError) {
    try wait(until: MonotonicClock.now() + Milliseconds(milliseconds), cluster)
  }

  func wait(until end: Instant, _ cluster: Cluster?) throws(CompareError) {
    while true {
      if isInterrupted() { throw .interrupted }
      try cluster?.check()
      let left = end.milliseconds(since: MonotonicClock.now())
      if left == 0 {
        let rest = Int64(end.nanoseconds) - Int64(MonotonicClock.now().nanoseconds)
        if rest > 0 { usleep(UInt32(rest / 1000)) }
        return
      }
      MonotonicClock.sleep(Milliseconds(min(left, 20)))
    }
  }

  /// Waits until something holds, asking every `step` milliseconds; returns how many milliseconds that took.
  @discardableResult
  package func wait(
    for what: String, _ cluster: Cluster, withinMilliseconds limit: UInt64 = 30_000, every step: UInt64 = 10,
    _ holds: () -> Bool
  ) throws(CompareError) -> Double {
    let start = MonotonicClock.now()
    while !holds() {
      if isInterrupted() { throw .interrupted }
      try cluster.check()
      guard MonotonicClock.now().milliseconds(since: start) < limit else {
        throw .failed("\(what): it has not come within \(limit / 1000) s (\(cluster.store.rawValue))")
      }
      MonotonicClock.sleep(Milliseconds(step))
    }
    return Double(MonotonicClock.now().nanoseconds - start.nanoseconds) / 1e6
  }

  // MARK: - Clusters

  /// A new cluster, whole and ready. One lives at a time: the one before is stopped, its data removed.
  package func newCluster(
    _ store: Store, size: Int = 3, flags: [String] = [], network: Network? = nil
  ) throws(CompareError) -> Cluster {
    endClusters()
    let cluster = try Cluster(
      store, size: size, folder: "\(dataFolder)/\(store.rawValue)", flags: flags, network: network)
    clusters.append(cluster)
    try cluster.startAll()
    try wait(for: "a cluster that is ready", cluster) { cluster.isWhole }
    return cluster
  }

  package var dataFolder: String { options.folder + "/data" }

  /// Namespaces for the nodes, made anew: with `delays` a relay between them delays, see ``Network``.
  package func namespaces(delays: [[Double]]? = nil) throws(CompareError) -> Network {
    if options.simulatesLinks { throw .unsupported("it was asked for") }
    if let obstacle = Network.obstacle() { throw .unsupported(obstacle) }
    endNetwork()
    let made = try Network(count: 3, delays: delays)
    network = made
    return made
  }

  /// The same; nil where the simulator has to stand in, which `result` then says, as of the stores that it lacks.
  func namespacesOrSimulator(
    delays: [[Double]]? = nil, _ result: inout ScenarioResult
  ) throws(CompareError) -> Network? {
    do throws(CompareError) {
      return try namespaces(delays: delays)
    } catch .unsupported(let reason) {
      result.simulated = reason
      for store in options.stores { if let obstacle = SimulatedLoad.obstacle(store) { result.note(obstacle) } }
      return nil
    }
  }

  /// Those that can be simulated.
  var simulatedStores: [Store] { options.stores.filter { SimulatedLoad.obstacle($0) == nil } }

  /// Ends what lives in the namespaces, and removes them.
  package func endNetwork() {
    endClusters()
    network?.remove()
    network = nil
  }

  package func endClusters() {
    for cluster in clusters {
      cluster.stop()
      Folder.remove(cluster.folder)
    }
    clusters.removeAll()
  }

  /// Ends all processes, and removes all that was made for them.
  package func end() {
    endNetwork()
    Folder.remove(dataFolder)
  }

  // MARK: - Loads

  /// Writes every key of `load` once.
  func fill(_ cluster: Cluster, like load: LoadOptions) throws(CompareError) {
    var filling = load
    filling.pace = .eachKeyOnce
    filling.clients = 48
    filling.depth = 16
    filling.warmUpMilliseconds = 0
    filling.milliseconds = 3_600_000
    filling.windowMilliseconds = 1000
    try complete(filling, atLeast: UInt64(load.keys), on: cluster)
  }

  /// Has `count` operations of `load` carried out, however long that takes; one in a hundred may come to nothing.
  func write(_ count: Int, like load: LoadOptions, on cluster: Cluster) throws(CompareError) {
    var writing = load
    writing.milliseconds = 3_600_000
    writing.windowMilliseconds = 1000
    writing.operationLimit = UInt64(count)
    try complete(writing, atLeast: UInt64(count) * 99 / 100, on: cluster)
  }

  /// As long as it gets on: nodes that refuse everything, as on a full disk, would be asked for ever.
  private func complete(_ load: LoadOptions, atLeast count: UInt64, on cluster: Cluster) throws(CompareError) {
    let result = try run(load, on: cluster, givingUpAfterMilliseconds: 10_000) { (_: Instant) throws(CompareError) in }
    guard result.counts.ok >= count else {
      let reason = result.lastFailure ?? "no reason was given"
      throw .failed("only \(result.counts.ok) writes of \(count) were carried out: \(reason)")
    }
  }

  func options(_ profile: String, on cluster: Cluster) -> LoadOptions {
    guard let profile = Profile.named(profile) else { invariantFailed("no workload \(profile)") }
    var load = LoadOptions(endpoints: cluster.endpoints, profile: profile)
    load.dialect = cluster.store.dialect
    load.seed = options.seed
    return load
  }

  func run(_ load: LoadOptions, on cluster: Cluster) throws(CompareError) -> LoadResult {
    try run(load, on: cluster) { (_: Instant) throws(CompareError) in }
  }

  /// Runs a load; `meanwhile` gets the time at which measuring begins.
  ///
  /// - Parameters:
  ///   - patience: the load is ended where nothing succeeds for so long.
  ///   - endsThen: it is ended when `meanwhile` is over, however much of its time is left.
  func run(
    _ load: LoadOptions, on cluster: Cluster, givingUpAfterMilliseconds patience: UInt64 = .max,
    endsThen: Bool = false, meanwhile: (Instant) throws(CompareError) -> Void
  ) throws(CompareError) -> LoadResult {
    let running = try CompareError.catching { () throws(SystemError) in try RunningLoad(load) }
    do throws(CompareError) {
      try wait(for: "the load's begin", cluster, every: 1) { running.progress.start != nil || running.isOver }
      if let start = running.progress.start { try meanwhile(start) }
      if endsThen { running.progress.requestStop() }
      var (done, since) = (UInt64(0), MonotonicClock.now())
      while !running.isOver {
        try wait(5, cluster)
        let now = MonotonicClock.now()
        if running.progress.counts.ok != done { (done, since) = (running.progress.counts.ok, now) }
        if now.milliseconds(since: since) >= patience { running.progress.requestStop() }
      }
    } catch {
      // Its thread must be gone before anything else happens to the cluster.
      running.progress.requestStop()
      _ = try? running.result()
      throw error
    }
    return try CompareError.catching { () throws(SystemError) in try running.result() }
  }
}
