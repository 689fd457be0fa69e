import Base
import Simulator

/// How a run begins.
package struct LabSetup: Sendable {
  /// The first members, and how many more nodes may be started and added.
  package var nodes: Int
  package var newcomers: Int
  package var clients: Int
  package var seed: UInt64
  /// Milliseconds after which the collector of the registers looks again at a tombstone, to erase it the second time;
  /// 0: as in a real cluster, longer than anybody watches.
  package var tombstoneMilliseconds: UInt64

  package init(
    nodes: Int = 3, newcomers: Int = 0, clients: Int = 3, seed: UInt64 = 1, tombstoneMilliseconds: UInt64 = 0
  ) {
    self.nodes = min(max(nodes, 1), 7)
    self.newcomers = min(max(newcomers, 0), 7 - self.nodes)
    self.clients = min(max(clients, 1), 8)
    self.seed = seed
    self.tombstoneMilliseconds = tombstoneMilliseconds
  }
}

/// The same script on registers and on a log, side by side on one clock. The same setup and the same lines at the same
/// times come to the same run, to the byte, in a browser and natively; so a step back is a run from the beginning that
/// ends earlier.
package final class LabRun {
  package let setup: LabSetup
  package let register: Pane
  package let raft: Pane
  /// Microseconds since the run began.
  package private(set) var time: UInt64 = 0
  /// In the order of their times; those before `done` have been performed.
  private var script: [Directive] = []
  private var done = 0
  /// Remarks of the script so far.
  package private(set) var remarks: [(at: UInt64, text: String)] = []

  /// Nil if a cluster does not form.
  package init?(_ setup: LabSetup) {
    self.setup = setup
    var rules = StageRules(nodes: setup.nodes, newcomers: setup.newcomers, clients: setup.clients)
    rules.tombstoneMilliseconds = setup.tombstoneMilliseconds
    guard let register = Pane("register", rules, seed: setup.seed, RegisterBackend()),
      let raft = Pane("raft", rules, seed: setup.seed, RaftBackend())
    else { return nil }
    self.register = register
    self.raft = raft
  }

  /// Adds a line. What should have happened before now happens now. False where the line is none.
  @discardableResult
  package func add(_ line: [UInt8]) -> Bool {
    guard let directive = Directive(line) else { return false }
    var place = script.count
    while place > done, script[place - 1].at > directive.at { place -= 1 }
    script.insert(directive, at: place)
    return true
  }

  /// Lets everything up to a moment happen; nothing where it has passed.
  package func advance(to end: UInt64) {
    while done < script.count, script[done].at <= end {
      let directive = script[done]
      done += 1
      let at = max(directive.at, time)
      register.play(until: at)
      raft.play(until: at)
      time = at
      perform(directive)
    }
    guard end > time else { return }
    register.play(until: end)
    raft.play(until: end)
    time = end
  }

  private func perform(_ directive: Directive) {
    if case .say(let text) = directive.what { remarks.append((directive.at, text)) }
    if directive.side != .raft { register.perform(directive.what) }
    if directive.side != .register { raft.perform(directive.what) }
  }

  /// Goes on to the next moment at which something can be seen to happen; at most ten seconds.
  package func step() {
    let limit = time + 10_000_000
    let before = register.look &+ raft.look
    while register.look &+ raft.look == before && time < limit {
      var next = limit
      if let at = register.nextEventAt { next = min(next, at) }
      if let at = raft.nextEventAt { next = min(next, at) }
      if done < script.count { next = min(next, script[done].at) }
      advance(to: max(next, time))
      if done < script.count, script[done].at <= time { advance(to: time) }
    }
  }

  /// When the last line of the script happens.
  package var scriptEnd: UInt64 { script.last?.at ?? 0 }
}
