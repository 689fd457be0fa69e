/// A reading of a monotonic clock: nanoseconds since an arbitrary start. The cores never read a clock; they are told
/// the time.
@usableFromInline
package struct Instant: Comparable, Hashable, Sendable {
  @usableFromInline package var nanoseconds: UInt64

  @inlinable @inline(__always)
  package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  @inlinable package static var zero: Instant { Instant(nanoseconds: 0) }
  @inlinable package static var never: Instant { Instant(nanoseconds: .max) }

  @inlinable @inline(__always)
  package static func == (a: Instant, b: Instant) -> Bool { a.nanoseconds == b.nanoseconds }
  @inlinable @inline(__always)
  package static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }
  // What follows from `<` would be called through its witness.
  @inlinable @inline(__always)
  package static func <= (a: Instant, b: Instant) -> Bool { a.nanoseconds <= b.nanoseconds }
  @inlinable @inline(__always)
  package static func > (a: Instant, b: Instant) -> Bool { a.nanoseconds > b.nanoseconds }
  @inlinable @inline(__always)
  package static func >= (a: Instant, b: Instant) -> Bool { a.nanoseconds >= b.nanoseconds }

  /// Saturates instead of wrapping, so that `never + x` is `never`.
  @inlinable @inline(__always)
  package static func + (a: Instant, milliseconds: Milliseconds) -> Instant {
    let (sum, overflow) = a.nanoseconds.addingReportingOverflow(milliseconds.nanoseconds)
    return Instant(nanoseconds: overflow ? .max : sum)
  }

  /// Milliseconds from `earlier` to here, rounded down; 0 if `earlier` is later.
  package func milliseconds(since earlier: Instant) -> UInt64 {
    nanoseconds > earlier.nanoseconds ? (nanoseconds - earlier.nanoseconds) / 1_000_000 : 0
  }
}

/// A length of time.
@usableFromInline
package struct Milliseconds: Comparable, Hashable, Sendable, ExpressibleByIntegerLiteral {
  @usableFromInline package var count: UInt64

  @inlinable package init(_ count: UInt64) { self.count = count }
  @inlinable package init(integerLiteral value: UInt64) { self.count = value }

  @inlinable package var nanoseconds: UInt64 {
    let (product, overflow) = count.multipliedReportingOverflow(by: 1_000_000)
    return overflow ? .max : product
  }

  @inlinable package static func < (a: Milliseconds, b: Milliseconds) -> Bool { a.count < b.count }
}
