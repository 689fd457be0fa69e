/// The number of a durable write. What depends on a write carries its ticket and leaves only when that write is on
/// stable storage (R3).
///
/// Only an outbox makes a ticket, by a write or for an earlier one, so a message that must wait cannot be given the
/// wrong number by accident; ``none`` has to be written out, and says that no state of this node stands behind the
/// message.
@usableFromInline
package struct Ticket: Comparable, Hashable, Sendable {
  @usableFromInline package let number: UInt64

  @inlinable @inline(__always)
  init(number: UInt64) { self.number = number }

  /// For what rests on no durable state: requests, refusals.
  @inlinable package static var none: Ticket { Ticket(number: 0) }

  @inlinable @inline(__always)
  package static func < (a: Ticket, b: Ticket) -> Bool { a.number < b.number }
}
