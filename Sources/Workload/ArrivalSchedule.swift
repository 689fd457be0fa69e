package import Base

/// When the operations of an open loop are meant to start, whatever became of those before. Latency that is measured
/// from here leaves out no waiting (no "coordinated omission", as Gil Tene named it).
package struct ArrivalSchedule: Sendable {
  package enum Spacing: Sendable, Equatable {
    /// All the same.
    case steady
    /// Exponential, as of many users who know nothing of each other (a Poisson process).
    case poisson
  }

  private let meanNanoseconds: Double
  private let spacing: Spacing
  private let start: UInt64
  private var random: SeededRandom
  private var offset: Double

  /// The intended start of the next operation.
  package private(set) var next: Instant

  /// - Parameters:
  ///   - perSecond: above 0.
  ///   - phase: 0 ..< 1, the share of a step that the first one is late: several schedules side by side take turns.
  package init(perSecond: Double, spacing: Spacing, startingAt start: Instant, phase: Double = 0, seed: UInt64) {
    invariant(perSecond > 0, "an open loop that never starts anything")
    meanNanoseconds = 1_000_000_000 / perSecond
    self.spacing = spacing
    self.start = start.nanoseconds
    random = SeededRandom(seed: seed)
    offset = meanNanoseconds * phase
    next = Instant(nanoseconds: self.start &+ UInt64(offset))
  }

  /// Goes on to the operation after ``next``.
  @inline(__always)
  package mutating func advance() {
    switch spacing {
    case .steady: offset += meanNanoseconds
    case .poisson: offset -= meanNanoseconds * Elementary.logarithm(1 - random.unit())
    }
    next = Instant(nanoseconds: start &+ UInt64(offset))
  }
}
