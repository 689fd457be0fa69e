/// A reading of a monotonic clock: nanoseconds since an arbitrary start. The cores never read a clock; they are told
/// the time.
package struct Instant: Comparable, Hashable, Sendable {
  package var nanoseconds: UInt64

  package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  package static let zero = Instant(nanoseconds: 0)
  package static let never = Instant(nanoseconds: .max)

  @inline(__always)
  package static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }

  /// Saturates instead of wrapping, so that `never + x` is `never`.
  @inline(__always)
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
package struct Milliseconds: Comparable, Hashable, Sendable, ExpressibleByIntegerLiteral {
  package var count: UInt64

  package init(_ count: UInt64) { self.count = count }
  package init(integerLiteral value: UInt64) { self.count = value }

  package var nanoseconds: UInt64 {
    let (product, overflow) = count.multipliedReportingOverflow(by: 1_000_000)
    return overflow ? .max : product
  }

  package static func < (a: Milliseconds, b: Milliseconds) -> Bool { a.count < b.count }
}
