package import Base

/// The limits of a node. Every queue has one; what is over it is refused with 429 or 503, and memory stays bounded.
package struct HostOptions: Sendable {
  package var maximumValueBytes = 64 << 10
  /// `--request-timeout`: the longest that a request may take; its `Synod-Timeout` may shorten it.
  package var requestTimeout: Milliseconds = 5000
  /// Operations under way at once, in one thread.
  package var maximumOperations = 16384
  /// Bytes of values in operations under way at once, in one thread.
  package var maximumOperationBytes = 128 << 20
  /// Requests of one connection that may be under way before no more are read from it.
  package var maximumPipelined = 256
  /// Bytes of answers that one connection may leave unread before no more is read from it.
  package var maximumUnsentBytes = 4 << 20
  /// A connection that is in the middle of sending a request must finish within this.
  package var requestReadTimeout: Milliseconds = 30_000
  /// A connection that rests between requests is closed after this.
  package var idleTimeout: Milliseconds = 300_000
  package var maximumSessions = 10_000
  /// Bytes that may wait for one peer; what is over is dropped as if the network had lost it.
  package var maximumPeerQueueBytes = 32 << 20
  package var heartbeat: Milliseconds = 50
  /// A peer that was not heard for so long counts as unreachable. For forwarding and failing fast, never for safety.
  package var peerTimeout: Milliseconds = 400
  package var redialFirst: Milliseconds = 20
  package var redialMost: Milliseconds = 1000
  /// The bytes of the teaching page; nil: there is none, and `/lab` is a 404. A function, because it is large.
  package var labPage: (@Sendable () -> [UInt8])?

  package init() {}
}
