/// A node's part in the log, for who watches.
package enum Standing: UInt8, Sendable {
  case follower
  case preCandidate
  case candidate
  case leader

  package var name: String {
    switch self {
    case .follower: "follower"
    case .preCandidate: "pre-candidate"
    case .candidate: "candidate"
    case .leader: "leader"
    }
  }
}

extension RaftReplica {
  package var standing: Standing {
    switch role {
    case .follower: .follower
    case .preCandidate: .preCandidate
    case .candidate: .candidate
    case .leader: .leader
    }
  }
}
