package import Base
import Synchronization
package import Workload

/// What a running load tells whoever waits for it, and how it is told to end early.
package final class LoadProgress: Sendable {
  private let ok = Atomic<UInt64>(0)
  private let failed = Atomic<UInt64>(0)
  private let unknown = Atomic<UInt64>(0)
  private let started = Atomic<UInt64>(0)
  private let stop = Atomic<Bool>(false)

  package init() {}

  /// Of all operations so far, those of the warm-up too.
  package var counts: OutcomeCounts {
    OutcomeCounts(
      ok: ok.load(ordering: .relaxed), failed: failed.load(ordering: .relaxed),
      unknown: unknown.load(ordering: .relaxed))
  }

  /// When measuring begins; nil while connections are still made.
  package var start: Instant? {
    let time = started.load(ordering: .relaxed)
    return time == 0 ? nil : Instant(nanoseconds: time)
  }

  func begin(at start: Instant) { started.store(start.nanoseconds, ordering: .relaxed) }

  func tell(_ counts: OutcomeCounts) {
    ok.store(counts.ok, ordering: .relaxed)
    failed.store(counts.failed, ordering: .relaxed)
    unknown.store(counts.unknown, ordering: .relaxed)
  }

  package func requestStop() { stop.store(true, ordering: .relaxed) }
  package var isStopRequested: Bool { stop.load(ordering: .relaxed) }
}
