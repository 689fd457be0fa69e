import Base

/// What a round does at a moment, for who watches.
package enum RoundPhase: Sendable {
  case preparing
  case accepting
  case reading
  case loading
  case backingOff

  package var name: String {
    switch self {
    case .preparing: "prepares"
    case .accepting: "writes"
    case .reading: "reads"
    case .loading: "loads"
    case .backingOff: "backs off"
    }
  }
}

extension Registers {
  func phase(of key: Key) -> RoundPhase? {
    guard let slot = slots.find(key, in: rounds) else { return nil }
    switch rounds[slot].phase {
    case .idle: return nil
    case .preparing: return .preparing
    case .accepting: return .accepting
    case .reading: return .reading
    case .loading: return .loading
    case .backingOff: return .backingOff
    }
  }
}
