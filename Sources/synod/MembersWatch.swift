import Base
import Client
import Glibc
import Linux

/// Waits for the end of a change of members, and draws how far it is on a terminal.
struct MembersWatch {
  private let client: SynodClient
  private let before: ClusterMembers
  private let wanted: [ClusterMembers.Member]

  private static let pollMicroseconds: UInt32 = 200_000
  /// A node may not have heard of the begin yet; a log shows none until those that enter have caught up.
  private static let beginsWithin: Milliseconds = 10_000

  init(_ client: SynodClient, from before: ClusterMembers, to wanted: [ClusterMembers.Member]) {
    self.client = client
    self.before = before
    self.wanted = wanted.sorted { $0.id < $1.id }
  }

  /// The members at the end.
  func run() throws(Failure) -> ClusterMembers {
    let begin = MonotonicClock.now()
    var lastMove = begin
    var lastDone: UInt64 = 0
    while true {
      let now = MonotonicClock.now()
      let present = try Failure.catching { () throws(ClientError) in try client.members() }
      draw(present, begin, now)
      if !present.isJoint && present.members == wanted && (present.epoch > before.epoch || before.members == wanted) {
        clear()
        return present
      }
      if !present.isJoint && present.epoch > before.epoch {
        clear()
        throw Failure(.notApplied, "the change was given up: members are \(MembersPlan.names(present.members))")
      }
      if present.isJoint || present.done != lastDone { lastMove = now }
      lastDone = present.done
      if lastMove + Self.beginsWithin < now {
        clear()
        throw Failure(.notApplied, "the change has not begun: the nodes that are to enter may not be able to catch up")
      }
      usleep(Self.pollMicroseconds)
    }
  }

  private func clear() {
    if Terminal.errorIsTerminal { Terminal.sayInPlace("") }
  }

  private func draw(_ present: ClusterMembers, _ begin: Instant, _ now: Instant) {
    guard Terminal.errorIsTerminal else { return }
    let width = 30
    let share = present.total == 0 ? 0 : min(1, Double(present.done) / Double(present.total))
    let filled = Int(share * Double(width))
    var text = "[" + String(repeating: "=", count: filled) + String(repeating: " ", count: width - filled) + "] "
    text += "\(Int(share * 100)) %  \(present.done) of \(present.total) carried over"
    let elapsed = now.milliseconds(since: begin)
    if share > 0.01 && share < 1 {
      text += ", \(Int(Double(elapsed) * (1 - share) / share) / 1000 + 1) s left"
    }
    Terminal.sayInPlace(text)
  }
}
