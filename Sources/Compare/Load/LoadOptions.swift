package import Linux
package import Workload

/// What load to put on which nodes, for how long.
package struct LoadOptions: Sendable {
  package enum Pace: Sendable, Equatable {
    /// Each client starts an operation when its last one is answered.
    case closed
    /// Operations start at their times, this many a second over all nodes, however long those before take.
    case open(perSecond: Double, spacing: ArrivalSchedule.Spacing)
    /// Each key is written (or read, where the profile only reads) once, as fast as possible; it ends with the last
    /// one, or with the time.
    case eachKeyOnce
  }

  /// Where clients connect, in turn.
  package var endpoints: [HostPort]
  package var dialect = Dialect.synod
  package var profile: Profile
  package var pace = Pace.closed
  /// Connections.
  package var clients = 64
  /// Requests under way at once on each connection, at most 256: a node takes no more from one.
  package var depth = 1
  package var keys = 10_000
  /// Keys that the hot workloads share.
  package var hotKeys = 1
  /// Instead of the profile's own.
  package var distribution: KeyChoice.Distribution?
  package var valueBytes = 16
  /// A closed loop starts no more operations than this; it may end before its time.
  package var operationLimit: UInt64?
  package var warmUpMilliseconds: UInt64 = 0
  package var milliseconds: UInt64 = 10_000
  /// After this a request counts as lost, and its connection is made anew.
  package var timeoutMilliseconds: UInt64 = 5_000
  package var windowMilliseconds: UInt64 = 10
  package var token: String?
  package var seed: UInt64 = 1

  package init(endpoints: [HostPort], profile: Profile) {
    self.endpoints = endpoints
    self.profile = profile
  }

  package static let maximumDepth = 256
}
