package import Base

/// What one operation of a workload does.
package enum OperationKind: Int, Sendable, CaseIterable {
  /// A linearizable read.
  case read
  /// A write without a condition.
  case update
  /// A read, then a write on the condition that nobody wrote in between; tried again until it holds.
  case readModifyWrite
  /// A write on the condition of the revision that this client knows; where it does not hold, tried again with the one
  /// that it was told.
  case increment
  /// The store itself adds 1.
  case add
  /// A deletion, of what may be there or not.
  case delete
}

/// A workload by name: a mix of operations and where they go.
package struct Profile: Sendable {
  /// Which keys an operation may choose.
  package enum Keys: Sendable, Equatable {
    /// Any of all keys, by the distribution.
    case all
    /// One of each client's own.
    case ownOfClient
    /// The first few, which all clients share.
    case hot
  }

  package let name: String
  /// A line for people.
  package let summary: String
  package let keys: Keys
  package let distribution: KeyChoice.Distribution
  /// Shares in percent, in the order of ``OperationKind``; their sum is 100.
  private let percent: [Int]

  private init(
    _ name: String, _ summary: String, keys: Keys = .all, by distribution: KeyChoice.Distribution = .uniform,
    mix: [(OperationKind, Int)]
  ) {
    self.name = name
    self.summary = summary
    self.keys = keys
    self.distribution = distribution
    var percent = [Int](repeating: 0, count: OperationKind.allCases.count)
    for (kind, share) in mix { percent[kind.rawValue] += share }
    invariant(percent.reduce(0, +) == 100, "the mix of \(name) is not whole")
    self.percent = percent
  }

  /// In percent.
  package func share(of kind: OperationKind) -> Int { percent[kind.rawValue] }

  /// Whether anything is read that must have been written before.
  package var needsFilling: Bool { share(of: .read) + share(of: .readModifyWrite) > 0 }

  @inline(__always)
  package func next(_ random: inout SeededRandom) -> OperationKind {
    var rest = Int(random.below(100))
    for kind in OperationKind.allCases {
      rest -= percent[kind.rawValue]
      if rest < 0 { return kind }
    }
    return .read
  }

  package static let all: [Profile] = [
    Profile("put", "writes of uniformly chosen keys", mix: [(.update, 100)]),
    Profile("get", "linearizable reads of uniformly chosen keys", mix: [(.read, 100)]),
    Profile("churn", "half writes, half deletions of uniformly chosen keys", mix: [(.update, 50), (.delete, 50)]),
    Profile("ycsb-a", "half reads, half writes, Zipf", by: .ycsb, mix: [(.read, 50), (.update, 50)]),
    Profile("ycsb-b", "95 % reads, 5 % writes, Zipf", by: .ycsb, mix: [(.read, 95), (.update, 5)]),
    Profile("ycsb-c", "reads, Zipf", by: .ycsb, mix: [(.read, 100)]),
    Profile(
      "ycsb-f", "half reads, half read-modify-write, Zipf", by: .ycsb, mix: [(.read, 50), (.readModifyWrite, 50)]),
    Profile("cas", "compare-and-set, each client on a key of its own", keys: .ownOfClient, mix: [(.increment, 100)]),
    Profile("cas-hot", "compare-and-set by all clients on the same few keys", keys: .hot, mix: [(.increment, 100)]),
    Profile("add", "the store adds 1, each client on a key of its own", keys: .ownOfClient, mix: [(.add, 100)]),
    Profile("add-hot", "the store adds 1, all clients on the same few keys", keys: .hot, mix: [(.add, 100)]),
  ]

  package static func named(_ name: String) -> Profile? { all.first { $0.name == name } }
}
