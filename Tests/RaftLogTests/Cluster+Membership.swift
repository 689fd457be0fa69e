import Base
import RaftLog
import Replica
import Testing

// Changes of membership, as a host asks for them.
extension Cluster {
  /// What a host asks for: the way from `current` (node `at`'s own, unless given) to these members.
  @discardableResult
  func change(
    _ at: Int, to wanted: [Int], after current: Configuration? = nil, timeout: Milliseconds = 60_000
  ) -> UInt64 {
    let current = current ?? nodes[at].replica.configuration
    return configure(
      at, Configuration(joining: wanted.map(Self.member), after: current), after: current, timeout: timeout)
  }

  @discardableResult
  func configure(
    _ at: Int, _ next: Configuration, after current: Configuration, timeout: Milliseconds = 60_000
  ) -> UInt64 {
    send(at, "", .put(next.encoded), if: Condition(value: current.encoded), timeout: timeout)
  }

  func configuration(of node: Int) -> Configuration { nodes[node].replica.configuration }

  /// Whether every one of these nodes knows, and goes by, a stable configuration of just these members.
  func areMembers(_ members: [Int]) -> Bool {
    members.allSatisfy { node in
      let configuration = configuration(of: node)
      return nodes[node].isUp && !configuration.isJoint
        && configuration.members.map { Int($0.id.value) - 1 } == members.sorted()
    }
  }

  /// Lets time pass until these are the members.
  func settle(
    _ members: [Int], within milliseconds: UInt64 = 5000, dropping isDropped: (Envelope) -> Bool = { _ in false }
  ) -> Bool {
    for _ in 0..<milliseconds {
      if areMembers(members) { return true }
      pass(milliseconds: 1, dropping: isDropped)
    }
    return areMembers(members)
  }

  /// Lets time pass until the answer is there.
  func answer(
    _ token: UInt64, within milliseconds: UInt64 = 5000, dropping isDropped: (Envelope) -> Bool = { _ in false }
  ) -> Outcome? {
    for _ in 0..<milliseconds where outcomes[token] == nil { pass(milliseconds: 1, dropping: isDropped) }
    return outcomes[token]
  }

  func cut(_ isolated: [Int]) -> (Envelope) -> Bool {
    { $0.from != $0.to && isolated.contains($0.from) != isolated.contains($0.to) }
  }
}
