package import Base

/// A node's clocks in a simulated world: a monotonic one that starts anywhere and runs a little fast or slow, and a
/// wall clock that somebody may set.
package struct SimClock {
  /// What the monotonic clock showed at the world's time 0.
  private var origin: UInt64
  /// How much faster it runs than the world, in parts per million.
  private let drift: Int64
  /// Seconds since 1970 at the world's time 0.
  private var wallOrigin: UInt64 = 1_700_000_000

  package init(origin: UInt64, driftPartsPerMillion drift: Int64) {
    self.origin = origin
    self.drift = drift
  }

  /// What the monotonic clock shows at the world's `time`, in nanoseconds.
  package func reading(at time: UInt64) -> Instant {
    let gained = Int64(time / 1000) * drift / 1000
    return Instant(nanoseconds: origin &+ time &+ UInt64(bitPattern: gained))
  }

  /// When the clock will show `instant`: in the world's time, never before `now`. Right to within a microsecond; who
  /// asks looks again.
  package func time(of instant: Instant, now: UInt64) -> UInt64 {
    let reading = reading(at: now)
    guard instant > reading else { return now }
    let ahead = instant.nanoseconds - reading.nanoseconds
    guard ahead < 1 << 52 else { return .max }
    let correction = Int64(ahead / 1000) * drift / 1000
    return now + UInt64(max(1, Int64(ahead) - correction)) + 1
  }

  package func wallSeconds(at time: UInt64) -> UInt64 { wallOrigin + time / 1_000_000_000 }

  /// The machine started anew: its monotonic clock begins somewhere else.
  package mutating func restart(origin: UInt64) { self.origin = origin }

  /// The monotonic clock goes on from a later reading.
  package mutating func leap(_ nanoseconds: UInt64) { origin += nanoseconds }

  /// Somebody set the wall clock.
  package mutating func setWall(aheadSeconds: Int64) {
    wallOrigin = UInt64(max(0, Int64(wallOrigin) + aheadSeconds))
  }
}
