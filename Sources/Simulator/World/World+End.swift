import Base
import Host
import Linearizability
import Replica

// What must be true when everything has been mended.
extension World {
  /// The healed cluster is live again within a bound, every register can be read and written through every node, and
  /// what clients saw is linearizable.
  func finish() {
    guard failures.isEmpty else { return }
    // Clients that wait give up or are answered; what was begun long ago is decided.
    run(until: time + 8_000_000_000)
    run(until: time + 20_000_000_000) { self.areAllReady }
    guard failures.isEmpty else { return }
    for node in expected where !(node.host?.status().isReady ?? false) {
      let why = node.failure ?? node.host?.status().problems.first ?? "no reason given"
      fail("liveness: node \(node.place + 1) is not ready 20 s after everything was mended: \(why)")
    }
    if scenario.newcomers > 0 { endOfChanges() }
    for node in nodes where scenario.newcomers == 0 && node.host?.state.configuration.epoch != plan.epoch {
      if clusterHasHeard { fail("liveness: node \(node.place + 1) has not heard of epoch \(plan.epoch)") }
    }
    holdTheSame()
    guard failures.isEmpty else { return }
    askEverything()
    // Waits and timers of what was answered long ago run out.
    run(until: time + 3_000_000_000)
    for node in nodes where failures.isEmpty && node.host != nil { failures += monitor.unfinishedWork(node.place) }
    occurrences += monitor.occurrences
    guard failures.isEmpty else { return }
    switch Checker().check(history) {
    case .linearizable: break
    case .undecided(let reason): fail("linearizability is undecided: \(reason)")
    case .notLinearizable(let explanation):
      fail("not linearizable")
      failures += explanation.lines
    }
  }

  /// Whatever was begun is ended, and every member knows it.
  private func endOfChanges() {
    run(until: time + 20_000_000_000) { self.areMembersStable }
    guard failures.isEmpty else { return }
    if !areMembersStable {
      let epochs = expected.map { "n\($0.place + 1) \($0.host?.state.configuration.epoch ?? 0)" }
      fail("liveness: a change of members does not end: \(epochs.joined(separator: ", "))")
    }
    if let epoch = newestConfiguration?.epoch { occurrences.note(.membersChanged, UInt64(epoch) / 2) }
  }

  /// Who was away has caught up, without a client's help (PROTOCOL, "Catching up").
  private func holdTheSame() {
    guard scenario.mustHoldTheSame, failures.isEmpty else { return }
    let members = expected.map { $0.place }
    let bound = time + 20_000_000_000
    while failures.isEmpty, time < bound, !monitor.differences(members).isEmpty { run(until: time + 100_000_000) }
    for line in monitor.differences(members).prefix(3) { fail("liveness: 20 s after everything was mended " + line) }
  }

  private var areMembersStable: Bool {
    guard let newest = newestConfiguration, !newest.isJoint else { return false }
    return expected.allSatisfy {
      $0.host?.state.configuration.epoch == newest.epoch && $0.host?.status().isReady == true
    }
  }

  /// Whether any node has the newest epoch: one that every node slept through is lost with its operator.
  private var clusterHasHeard: Bool { nodes.contains { $0.host?.state.configuration.epoch == plan.epoch } }

  /// A settle, a write and a read of each register through each node.
  private func askEverything() {
    for node in expected.map({ $0.place }) {
      for key in 0..<scenario.workload.keys {
        let name = scenario.workload.key(key)
        expect(node, .register(name, .settle(target: nil, known: 0), .always), key)
        expect(node, .register(name, .put([UInt8(ascii: "7")]), .always), key)
        expect(node, .register(name, .read, .always), key)
      }
    }
  }

  private func expect(_ node: Int, _ subject: ClientRequest.Subject, _ key: Int) {
    guard failures.isEmpty else { return }
    move(0, to: node)
    let before = history.calls.count
    send(0, ClientRequest(subject: subject, timeoutMilliseconds: 2000), key)
    run(until: time + 3_000_000_000) { self.clients[0].open == nil }
    guard failures.isEmpty else { return }
    let outcome = history.calls[before].outcome
    let isFine =
      switch outcome {
      case .read, .settled, .changed: true
      case .absent, .conditionFailed, .notANumber, .notApplied, .unknown: false
      }
    if !isFine { fail("liveness: a healed cluster answered a request through node \(node + 1) with something else") }
  }
}
