import Base
import Host
import Replica
import Storage

// An operator who changes the members, one wish after the other, through whichever node answers.
extension World {
  /// What the operator wants, in turn: bit n is node n. Who was a member and is none never comes back: under another
  /// folder it would be another node.
  static func drawGoals(_ scenario: Scenario, first: Int, _ random: consuming SeededRandom) -> [BitSet] {
    var random = random
    if scenario.letsBackIn { return goals(returning: first + scenario.newcomers, first: first, &random) }
    if let walk = scenario.walk { return goals(of: walk, first: first) }
    var present = Array(0..<first)
    var next = first
    var goals: [BitSet] = []
    while next < first + scenario.newcomers {
      var kept = present.filter { _ in random.below(3) != 0 }
      let entering = Int(random.below(UInt64(min(3, first + scenario.newcomers - next) + 1)))
      for _ in 0..<entering where kept.count < 5 {
        kept.append(next)
        next += 1
      }
      guard !kept.isEmpty, kept != present else { continue }
      present = kept
      goals.append(BitSet(kept))
    }
    return goals
  }

  /// One leaves and the one that is outside enters, again and again.
  private static func goals(returning count: Int, first: Int, _ random: inout SeededRandom) -> [BitSet] {
    var present = Array(0..<first)
    var outside = Array(first..<count)
    var goals: [BitSet] = []
    for _ in 0..<5 {
      let leaving = present.remove(at: Int(random.below(UInt64(present.count))))
      present.append(outside.removeFirst())
      outside.append(leaving)
      goals.append(BitSet(present))
    }
    return goals
  }

  /// A walk through sizes: the youngest enter, the oldest leave.
  private static func goals(of walk: [Int], first: Int) -> [BitSet] {
    var present = Array(0..<first)
    var next = first
    var goals: [BitSet] = []
    for size in walk {
      let before = present.count
      while present.count < size {
        present.append(next)
        next += 1
      }
      // A set of the same size is another set.
      if size == before {
        present.append(next)
        next += 1
      }
      if present.count > size { present.removeFirst(present.count - size) }
      goals.append(BitSet(present))
    }
    return goals
  }

  /// Who is to be added later starts now, knowing where members are.
  func bringNewcomers() {
    guard scenario.newcomers > 0 else { return }
    for node in nodes where node.isYetToCome {
      queue.schedule(.arrive(node: node.place), at: time + random.below(400_000_000))
    }
    queue.schedule(.wish, at: time + 50_000_000 + random.below(400_000_000))
  }

  func arrive(_ place: Int) {
    nodes[place].isYetToCome = false
    start(place)
  }

  /// The newest configuration that any running node has.
  var newestConfiguration: Configuration? {
    var newest: Configuration?
    for node in nodes {
      guard let configuration = node.host?.state.configuration, node.host?.isServing == true else { continue }
      if configuration.epoch >= newest?.epoch ?? 0 { newest = configuration }
    }
    return newest
  }

  /// The operator looks at a node and asks for what it wants; again and again, because anything may have been lost.
  func wish() {
    guard !isClosing else { return }
    let pause = scenario.wishPause
    queue.schedule(.wish, at: time + pause.least * 1_000_000 + random.below(pause.more * 1_000_000))
    let running = nodes.filter { $0.host?.isServing == true && !$0.isPaused }
    // Who has left, because a change was given up, does not come back.
    while goal < goals.count, !scenario.letsBackIn, stillThere(goals[goal]).isEmpty { goal += 1 }
    guard !running.isEmpty, goal < goals.count, time >= restsUntil else { return }
    if scenario.letsBackIn {
      for node in nodes where node.hasLeft && goals[goal].contains(node.place) { letBackIn(node) }
    }
    let wanted = stillThere(goals[goal])
    let place = running[Int(random.below(UInt64(running.count)))].place
    guard let configuration = nodes[place].host?.state.configuration else { return }
    if !configuration.isJoint && Self.places(configuration.members) == wanted {
      trace?.add(time, "world members are as wanted, in epoch \(configuration.epoch)")
      goal += 1
      restsUntil = time + scenario.wishRest * 1_000_000
      return
    }
    // Now and then two wishes race, or one is given up.
    if random.below(8) == 0, goal + 1 < goals.count { ask(running, stillThere(goals[goal + 1])) }
    if configuration.isJoint && random.below(6) == 0 {
      occurrences.note(.changeGivenUp)
      let old = configuration.members.enumerated().filter { configuration.old.contains($0.offset) }
      ask(running, Self.places(old.map { $0.element }))
    } else {
      for _ in 0..<scenario.wishCopies { ask(running, wanted) }
    }
  }

  private func stillThere(_ places: BitSet) -> BitSet {
    BitSet(nodes.filter { places.contains($0.place) && !$0.hasLeft && !$0.isLeaving }.map { $0.place })
  }

  /// Somebody tells the node that it is a stranger, and not one that was removed.
  private func letBackIn(_ node: SimNode) {
    guard var superblock = try? Superblock.read(from: node.device),
      var state = try? NodeState(decoding: superblock.payload)
    else { return }
    state.formation = .guest
    state.address = SimNode.address(node.place)
    for _ in 0..<2 where (try? node.device.perform(superblock.nextChanges(state.encoded()))) == nil { return }
    occurrences.note(.memberReturned)
    trace?.add(time, "n\(node.place + 1) is let back in")
    node.hasLeft = false
    start(node.place)
  }

  private func ask(_ running: [SimNode], _ wanted: BitSet) {
    let place = running[Int(random.below(UInt64(running.count)))].place
    guard let host = enter(place) else { return }
    var entries: [WantedMembers.Entry] = []
    for node in nodes where wanted.contains(node.place) {
      entries.append(WantedMembers.Entry(id: node.id, address: SimNode.address(node.place)))
    }
    guard !entries.isEmpty else { return }
    occurrences.note(.membersWanted)
    trace?.add(time, "operator to n\(place + 1)  members \(entries.map { String($0.id.value) }.joined(separator: ","))")
    // No session has this number: the answer goes nowhere, and the operator looks again.
    host.changeMembers(WantedMembers(entries: entries, isForced: true), for: ExchangeID(session: 0, exchange: 0))
    turnSoon(place)
  }

  private static func places(_ members: [Member]) -> BitSet { BitSet(members.map { Int($0.id.value) - 1 }) }

  /// A node that is no member any more ends when it has answered what it had under way.
  func leaveIfDrained(_ place: Int) {
    let node = nodes[place]
    guard node.isLeaving, let host = node.host, host.isDrained || time >= node.leavesBy else { return }
    occurrences.note(.memberLeft)
    node.hasLeft = true
    stop(place, losingPower: false)
  }

  /// The nodes that must serve in the end.
  var expected: [SimNode] {
    guard scenario.newcomers > 0, let newest = newestConfiguration else { return nodes.filter { !$0.isYetToCome } }
    let places = Self.places(newest.members)
    return nodes.filter { places.contains($0.place) }
  }
}
