import Base
import Linux

/// The endpoints of a client with their connections, and which of them to ask next.
///
/// It stays with one endpoint while that answers, for the node that coordinates a register serves it in fewer steps,
/// and
/// leaves one that does not answer alone for a while.
final class EndpointRing {
  private struct Place {
    let endpoint: Endpoint
    var connection: Connection?
    /// In a row.
    var failures = 0
    var restUntil = Instant.zero
  }

  private var places: [Place]
  private(set) var current = 0

  /// Milliseconds.
  private static let shortestRest: UInt64 = 50
  private static let longestRest: UInt64 = 2_000

  init(_ endpoints: [Endpoint]) {
    invariant(!endpoints.isEmpty, "a client needs at least one endpoint")
    places = endpoints.map { Place(endpoint: $0) }
  }

  var endpoint: Endpoint { places[current].endpoint }
  var count: Int { places.count }

  /// Moves to an endpoint that may be asked now, if the current one is resting.
  /// Otherwise tells when the first of them has rested.
  func choose(_ now: Instant) -> Instant? {
    for step in 0..<places.count {
      let index = (current + step) % places.count
      if places[index].restUntil <= now {
        current = index
        return nil
      }
    }
    return places.map(\.restUntil).min()
  }

  /// A connection to the current endpoint.
  func connection(deadline: Instant) throws(SystemError) -> Connection {
    if let connection = places[current].connection, connection.isOpen, !connection.isStale { return connection }
    places[current].connection = nil
    let connection = try Connection(to: endpoint, deadline: deadline)
    places[current].connection = connection
    return connection
  }

  func succeeded() { places[current].failures = 0 }

  /// Lets the current endpoint rest: for `milliseconds`, or the longer the oftener it failed.
  func failed(_ now: Instant, restMilliseconds: UInt64? = nil) {
    let shift = min(places[current].failures, 8)
    let growing = min(EndpointRing.shortestRest << UInt64(shift), EndpointRing.longestRest)
    places[current].failures += 1
    places[current].restUntil = now + Milliseconds(restMilliseconds ?? growing)
    current = (current + 1) % places.count
  }
}
