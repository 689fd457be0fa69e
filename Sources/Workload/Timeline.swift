package import Base

/// What the users of one node see over time: outcomes in windows of a few milliseconds, by when they were known, and
/// the longest time without a success.
package struct Timeline: Sendable {
  package struct Window: Sendable, Equatable {
    package var counts = OutcomeCounts()
    /// The slowest success, in nanoseconds.
    package var slowest: UInt64 = 0
  }

  /// A time without any success, in nanoseconds since the start.
  package struct Gap: Sendable, Equatable {
    package let from: UInt64
    package let to: UInt64

    package init(from: UInt64, to: UInt64) {
      self.from = from
      self.to = to
    }

    package var nanoseconds: UInt64 { to - from }
  }

  package let start: Instant
  package let windowNanoseconds: UInt64
  package private(set) var windows: [Window]
  package private(set) var longestGap = Gap(from: 0, to: 0)
  private var lastSuccess: UInt64 = 0

  /// What comes later than `milliseconds` after the start is left out.
  package init(startingAt start: Instant, milliseconds: UInt64, windowMilliseconds: UInt64 = 10) {
    self.start = start
    windowNanoseconds = windowMilliseconds * 1_000_000
    let count = (milliseconds + windowMilliseconds - 1) / windowMilliseconds
    windows = [Window](repeating: Window(), count: Int(count))
  }

  private var end: UInt64 { windowNanoseconds * UInt64(windows.count) }

  /// `at` never falls from one success to the next.
  package mutating func record(_ outcome: Outcome, at: Instant, latency: UInt64) {
    guard at >= start else { return }
    let time = at.nanoseconds - start.nanoseconds
    let index = Int(time / windowNanoseconds)
    guard index < windows.count else { return }
    windows[index].counts.add(outcome)
    guard outcome == .ok else { return }
    windows[index].slowest = max(windows[index].slowest, latency)
    endGap(at: time)
    lastSuccess = time
  }

  /// To be called once nothing more will come: a gap may reach to the end, or to `moment` where that came first.
  package mutating func finish(at moment: Instant = .never) {
    let time = moment > start ? moment.nanoseconds - start.nanoseconds : 0
    endGap(at: max(lastSuccess, min(end, time)))
  }

  private mutating func endGap(at time: UInt64) {
    if time - lastSuccess > longestGap.nanoseconds { longestGap = Gap(from: lastSuccess, to: time) }
  }
}
