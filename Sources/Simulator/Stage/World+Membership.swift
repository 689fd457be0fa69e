import Base
import Host
import Register
import Replica

// Members of a stage: what can be asked of them, and what is seen of them.
extension World {
  /// How a node stands to the members, by what it goes by itself.
  package enum MemberPart: Sendable {
    case member
    /// Of a change that is under way: only in the old set, only in the new one, in both.
    case old, new, both
    /// It runs, and is no member.
    case outside
    case notStarted
    case left

    package var name: String {
      switch self {
      case .member: "member"
      case .old: "old"
      case .new: "new"
      case .both: "both"
      case .outside: "outside"
      case .notStarted: "not started"
      case .left: "left"
      }
    }
  }

  /// Somebody asks a node to make these nodes, by their places, the members.
  package func want(members wanted: [Int], through node: Int) {
    guard let stage, !nodes[node].isPaused, let host = enter(node) else { return }
    var entries: [WantedMembers.Entry] = []
    for place in nodes.indices where wanted.contains(place) {
      entries.append(WantedMembers.Entry(id: nodes[place].id, address: SimNode.address(place)))
    }
    guard !entries.isEmpty else { return }
    let names = StageText.names(entries.map { $0.id })
    let known = host.status().peers
    let strangers = entries.filter { entry in
      entry.id != nodes[node].id && !known.contains { $0.id == entry.id && $0.lastHeardMilliseconds != nil }
    }
    if strangers.isEmpty {
      stage.note(time, node: node, "n\(node + 1) is asked to make \(names) the members")
    } else {
      let missing = StageText.names(strangers.map { $0.id })
      stage.note(time, node: node, "n\(node + 1) refuses to make \(names) the members: it has not heard of \(missing)")
    }
    // No session has this number: the answer goes nowhere, and what comes of it is seen.
    host.changeMembers(WantedMembers(entries: entries), for: ExchangeID(session: 0, exchange: 0))
    turnSoon(node)
  }

  /// The members that a node goes by, and how it stands to them; of one that does not run, by what the newest have.
  package func membership(_ node: Int) -> (epoch: UInt32, part: MemberPart) {
    let host = nodes[node].host
    if nodes[node].hasLeft { return (stage?.memberships[node].epoch ?? 0, .left) }
    guard !nodes[node].isYetToCome else { return (0, .notStarted) }
    let configuration = host?.state.configuration ?? newestConfiguration ?? plan.firstMembers
    let epoch = host.map { $0.state.configuration.epoch } ?? stage?.memberships[node].epoch ?? 0
    guard let place = configuration.index(of: nodes[node].id) else { return (epoch, .outside) }
    guard let new = configuration.new else { return (epoch, .member) }
    switch (configuration.old.contains(place), new.contains(place)) {
    case (true, true): return (epoch, .both)
    case (true, false): return (epoch, .old)
    case (false, _): return (epoch, .new)
    }
  }

  /// What is left of the registers that a node has erased, in words; empty where it has erased none.
  package func floor(_ node: Int) -> String {
    guard let host = nodes[node].host, host.state.floor != NodeFloor() else { return "" }
    return StageText.text(host.state.floor)
  }

  /// Notes what a node goes by from now on, and what it has erased.
  func watchMembership(_ node: Int, _ host: Host, _ stage: Stage, isSilent: Bool) {
    let erased = monitor.erasures(node)
    let now = Stage.Membership(
      epoch: host.state.configuration.epoch, floor: host.state.floor, erased: erased.count)
    let before = stage.memberships[node]
    guard now != before else { return }
    stage.memberships[node] = now
    guard !isSilent else { return }
    if now.epoch != before.epoch {
      stage.note(
        time, node: node,
        "n\(node + 1) goes by epoch \(now.epoch): members \(StageText.text(host.state.configuration))")
    }
    if now.floor != before.floor {
      stage.note(time, node: node, "the floor of n\(node + 1) rises to \(StageText.text(now.floor))")
    }
    if now.erased > before.erased {
      let what = now.erased == before.erased + 1 ? StageText.key(erased.key) : "\(now.erased - before.erased) registers"
      stage.note(time, node: node, "n\(node + 1) erases its record of \(what)")
    }
  }
}

extension StageText {
  /// `1, 2 and 3`.
  static func names(_ ids: [NodeID]) -> String {
    var text = ""
    for (place, id) in ids.enumerated() {
      text += place == 0 ? "" : place == ids.count - 1 ? " and " : ", "
      text += "n\(id.value)"
    }
    return text
  }

  /// `1 2 3`, or `1 2 3 + 3 4 5` while both sets must agree.
  static func text(_ configuration: Configuration) -> String {
    guard let new = configuration.new else { return list(configuration, configuration.old) }
    return "\(list(configuration, configuration.old)) + \(list(configuration, new))"
  }

  private static func list(_ configuration: Configuration, _ set: BitSet) -> String {
    var text = ""
    for (place, member) in configuration.members.enumerated() where set.contains(place) {
      text += text.isEmpty ? "\(member.id.value)" : " \(member.id.value)"
    }
    return text
  }

  static func text(_ floor: NodeFloor) -> String {
    let floor = Floor(floor)
    return floor.ballot == .zero
      ? "revision \(floor.revision)" : "ballot \(floor.ballot.short), revision \(floor.revision)"
  }

  /// The register in which the members themselves stand has no name of its own.
  static func key(_ bytes: [UInt8]) -> String { bytes.isEmpty ? "members" : text(bytes) }
}
