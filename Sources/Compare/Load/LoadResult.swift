package import Base
package import Workload

/// What a load has measured, from the end of its warm-up on.
package struct LoadResult: Sendable {
  /// When measuring began.
  package internal(set) var start: Instant
  package internal(set) var seconds: Double
  /// Of all operations that were meant to start within the time.
  package internal(set) var counts = OutcomeCounts()
  /// Of all operations, those of the warm-up too.
  package internal(set) var allCounts = OutcomeCounts()
  /// Attempts of compare-and-set that somebody else's change came before.
  package internal(set) var conflicts: UInt64 = 0
  /// Operations that began before the measuring and were still under way when it ended, as of a client that others come
  /// before each time. Their latencies are in no percentile.
  package internal(set) var starved: UInt64 = 0
  /// Operations of an open loop that were never sent, because those before took so long. They count as failed.
  package internal(set) var notSent: UInt64 = 0
  /// Of the successes, in nanoseconds, from the (intended) start to the answer.
  package internal(set) var latency = Histogram()
  /// The same for each endpoint.
  package internal(set) var latencyOfEndpoint: [Histogram] = []
  package internal(set) var latencyOfReads = Histogram()
  package internal(set) var latencyOfChanges = Histogram()
  /// One for each endpoint.
  package internal(set) var timelines: [Timeline]
  /// The last reason why something failed.
  package internal(set) var lastFailure: String?

  /// Successes a second.
  package var throughput: Double { Double(counts.ok) / seconds }
}
