import Replica

/// Which operations with a client's own name a leader has appended lately in its term: a repeat by way of another node
/// may come late, when its register's window has long forgotten the first (R7).
struct NamedAppends {
  private var recent: Set<OperationID> = []
  private var older: Set<OperationID> = []
  private var recentFrom: UInt64
  /// Every entry from here on is this leader's, and its name is remembered.
  private var completeFrom: UInt64
  private static let length = 32_768

  /// - Parameter first: the index of the leader's first entry.
  init(from first: UInt64) {
    recentFrom = first
    completeFrom = first
  }

  /// Whether no entry behind `index` bears this name, for certain.
  func vouches(for id: OperationID, behind index: UInt64) -> Bool {
    index + 1 >= completeFrom && !recent.contains(id) && !older.contains(id)
  }

  mutating func append(_ id: OperationID, at index: UInt64) {
    if recent.count == Self.length {
      completeFrom = recentFrom
      older = recent
      recent = []
      recentFrom = index
    }
    recent.insert(id)
  }
}
