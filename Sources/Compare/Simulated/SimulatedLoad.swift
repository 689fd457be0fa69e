import Base
import Simulator
import Workload

/// A load on a simulated cluster, told like one on a real cluster: for machines on which links cannot be cut or
/// delayed.
struct SimulatedLoad {
  /// What one run gave.
  struct Measured {
    let load: LoadResult
    /// Nodes are numbered from 1, as ids are.
    let leader: Int?
    let victim: Int
  }

  /// One-way times between nodes that are near each other, in milliseconds.
  static let near: [[Double]] = [[0, 0.05, 0.05], [0.05, 0, 0.05], [0.05, 0.05, 0]]

  /// Why `store` cannot take part; nil where it can.
  static func obstacle(_ store: Store) -> String? {
    store == .etcd ? "etcd takes no part in what is simulated: the simulator runs this program's own nodes alone" : nil
  }

  var run: MeasuredRun
  var windowMilliseconds: UInt64 = 10

  init(
    _ work: MeasuredLoad.Work, _ pace: MeasuredLoad.Pace, clientsOfNode: Int, ways: [[Double]],
    milliseconds: UInt64
  ) {
    run = MeasuredRun(
      MeasuredLoad(work, pace, clientsOfNode: clientsOfNode), ways: ways.map { $0.map { UInt64($0 * 1e6) } },
      duration: Milliseconds(milliseconds))
  }

  /// Throws where the simulator's monitor finds that the store does what it must not.
  func measure(_ store: Store, seed: UInt64) throws(CompareError) -> Measured {
    guard let backend = SimulatedBackends.named(store.rawValue) else {
      throw .failed("there is no simulated \(store.rawValue)")
    }
    let found = run.run(backend, seed: seed)
    if let failure = found.failures.first { throw .failed("simulated \(store.rawValue), seed \(seed): \(failure)") }
    return Measured(
      load: result(found.operations), leader: found.leader.map { $0 + 1 }, victim: found.victim + 1)
  }

  private func result(_ operations: [MeasuredOperation]) -> LoadResult {
    let count = run.ways.count
    // Times begin with the measuring; those of a real load lie somewhere on a clock.
    let start = Instant(nanoseconds: 1 << 60)
    var result = LoadResult(
      start: start, seconds: Double(run.duration.count) / 1000,
      timelines: (0..<count).map { _ in
        Timeline(startingAt: start, milliseconds: run.duration.count, windowMilliseconds: windowMilliseconds)
      })
    result.latencyOfEndpoint = (0..<count).map { _ in Histogram() }
    for operation in operations {
      let outcome: Outcome
      switch operation.outcome {
      case .succeeded: outcome = .ok
      case .failed: outcome = .failed
      case .unknown: outcome = .unknown
      }
      let latency = UInt64(operation.end - operation.start)
      result.allCounts.add(outcome)
      if operation.end >= 0 {
        let end = Instant(nanoseconds: start.nanoseconds + UInt64(operation.end))
        result.timelines[operation.node].record(outcome, at: end, latency: latency)
      }
      guard operation.start >= 0 else { continue }
      result.counts.add(outcome)
      guard outcome == .ok else { continue }
      result.latency.record(latency)
      result.latencyOfEndpoint[operation.node].record(latency)
      if operation.isRead { result.latencyOfReads.record(latency) } else { result.latencyOfChanges.record(latency) }
    }
    for place in result.timelines.indices { result.timelines[place].finish() }
    return result
  }
}
