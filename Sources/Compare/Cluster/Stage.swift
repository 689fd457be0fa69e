import Base
import Glibc
import Linux
import Workload

/// What all scenarios share: where they run, on what, for how long, and whom they tell.
package final class Stage {
  package struct Options: Sendable {
    package var stores: [Store] = [.register, .raft]
    package var isQuick = false
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
    _ what: String, repetitions: Int, _ body: (Store) throws(CompareError) -> Void
  ) throws(CompareError) {
    for repetition in 0..<repetitions {
      let order = repetition % 2 == 0 ? options.stores : options.stores.reversed()
      for store in order {
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

  /// Runs `body` with namespaces between which a relay delays, see ``Network``.
  func withDelays(
    _ delays: [[Double]], _ body: (Network) throws(CompareError) -> Void
  ) throws(CompareError) {
    if let obstacle = Network.obstacle() { throw .unsupported(obstacle) }
    network?.remove()
    network = nil
    let made = try Network(count: delays.count, delays: delays)
    defer {
      endClusters()
      made.remove()
    }
    try body(made)
  }

  /// Namespaces for the nodes, made once.
  package func namespaces() throws(CompareError) -> Network {
    if let network { return network }
    if let obstacle = Network.obstacle() { throw .unsupported(obstacle) }
    let made = try Network(count: 3)
    network = made
    return made
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
    endClusters()
    network?.remove()
    network = nil
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
    let result = try run(filling, on: cluster)
    guard result.counts.ok >= UInt64(load.keys) else {
      throw .failed("the keys could not be written: \(result.lastFailure ?? "no reason was given")")
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
  func run(
    _ load: LoadOptions, on cluster: Cluster, meanwhile: (Instant) throws(CompareError) -> Void
  ) throws(CompareError) -> LoadResult {
    let running = try CompareError.catching { () throws(SystemError) in try RunningLoad(load) }
    do throws(CompareError) {
      try wait(for: "the load's begin", cluster, every: 1) { running.progress.start != nil || running.isOver }
      if let start = running.progress.start { try meanwhile(start) }
      while !running.isOver { try wait(5, cluster) }
    } catch {
      // Its thread must be gone before anything else happens to the cluster.
      running.progress.requestStop()
      _ = try? running.result()
      throw error
    }
    return try CompareError.catching { () throws(SystemError) in try running.result() }
  }
}
