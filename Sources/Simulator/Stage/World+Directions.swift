import Base
import Storage

// What can be done to the nodes and links of a stage. Each does nothing where it makes no sense.
extension World {
  /// The process ends at once, and what was not synced is lost.
  package func crash(_ node: Int) {
    guard let stage, nodes[node].host != nil else { return }
    nodes[node].keptDown.insert(0)
    stop(node, losingPower: true)
    stage.disks[node] = []
    stage.note(time, node: node, "n\(node + 1) crashes: what was not synced is gone")
  }

  package func restart(_ node: Int) {
    guard let stage, nodes[node].host == nil else { return }
    guard !nodes[node].hasLeft else {
      return stage.note(time, node: node, "n\(node + 1) was removed: on this disk it does not come back")
    }
    nodes[node].keptDown = BitSet()
    if nodes[node].isYetToCome {
      stage.note(time, node: node, "n\(node + 1) starts, and greets the members: it is none")
      arrive(node)
    } else {
      stage.note(time, node: node, "n\(node + 1) starts, and reads its disk")
      start(node)
    }
  }

  package func freeze(_ node: Int) {
    guard let stage, nodes[node].host != nil, !nodes[node].isPaused else { return }
    pause(node)
    stage.note(time, node: node, "n\(node + 1) is paused: it neither hears nor says anything")
  }

  package func thaw(_ node: Int) {
    guard let stage, nodes[node].isPaused else { return }
    stage.note(time, node: node, "n\(node + 1) goes on, as if no time had passed")
    resume(node)
  }

  /// The disk is replaced by an empty one, and the node starts on it.
  package func wipe(_ node: Int) {
    guard let stage, !nodes[node].isYetToCome, !nodes[node].hasLeft else { return }
    stop(node, losingPower: true)
    nodes[node].device = MemoryDevice()
    nodes[node].folder = .other
    nodes[node].hasSpoken = false
    nodes[node].keptDown = BitSet()
    stage.note(time, node: node, "n\(node + 1) has lost its disk, and starts with an empty one")
    start(node)
  }

  /// Nothing gets to it or from it any more; its clients still reach it.
  package func isolate(_ node: Int) {
    guard let stage, !stage.isolated.contains(node) else { return }
    stage.isolated.insert(node)
    for other in nodes.indices where other != node {
      network[node, other].cuts += 1
      network[other, node].cuts += 1
    }
    stage.note(time, node: node, "n\(node + 1) is cut off from the others")
  }

  package func join(_ node: Int) {
    guard let stage, stage.isolated.contains(node) else { return }
    stage.isolated.remove(node)
    for other in nodes.indices where other != node {
      uncutOnStage(node, other)
      uncutOnStage(other, node)
    }
    stage.note(time, node: node, "n\(node + 1) is connected again")
  }

  /// One direction between two nodes.
  package func cut(from: Int, to: Int) {
    guard let stage, cutSilently(stage, from, to) else { return }
    stage.note(time, "nothing gets from n\(from + 1) to n\(to + 1)")
  }

  private func cutSilently(_ stage: Stage, _ from: Int, _ to: Int) -> Bool {
    guard from != to, !stage.cuts.contains(where: { $0 == (from, to) }) else { return false }
    stage.cuts.append((from, to))
    network[from, to].cuts += 1
    return true
  }

  /// The nodes of one side and all others do not hear each other.
  package func split(_ side: [Int]) {
    guard let stage else { return }
    var names = ""
    for node in nodes.indices where side.contains(node) { names += names.isEmpty ? "n\(node + 1)" : ", n\(node + 1)" }
    stage.note(time, "the network splits: \(names) on one side, the others on the other")
    for a in nodes.indices where side.contains(a) {
      for b in nodes.indices where !side.contains(b) {
        _ = cutSilently(stage, a, b)
        _ = cutSilently(stage, b, a)
      }
    }
  }

  package func mend(from: Int, to: Int) {
    guard let stage, let place = stage.cuts.firstIndex(where: { $0 == (from, to) }) else { return }
    stage.cuts.remove(at: place)
    uncutOnStage(from, to)
    stage.note(time, "n\(from + 1) reaches n\(to + 1) again")
  }

  private func uncutOnStage(_ from: Int, _ to: Int) {
    network[from, to].cuts -= 1
    if network[from, to].cuts == 0 { mend(from, to, breaking: false) }
  }

  /// What goes between the two takes longer, both ways; 0: as long as it did.
  package func slow(_ a: Int, _ b: Int, byNanoseconds extra: UInt64) {
    guard let stage, a != b else { return }
    network[a, b].clog = extra
    network[b, a].clog = extra
    stage.note(
      time, "between n\(a + 1) and n\(b + 1) a message takes \((stage.rules.linkNanoseconds + extra) / 1_000_000) ms")
  }

  /// All nodes run, and all links are whole.
  package func mendAll() {
    guard let stage else { return }
    for node in nodes.indices {
      join(node)
      thaw(node)
      if !nodes[node].isYetToCome && !nodes[node].hasLeft { restart(node) }
    }
    if !stage.cuts.isEmpty { stage.note(time, "the network is whole again") }
    for cut in stage.cuts { uncutOnStage(cut.from, cut.to) }
    stage.cuts = []
    for from in nodes.indices {
      for to in nodes.indices where from != to { network[from, to].clog = 0 }
    }
  }

  /// The timer of the node's replica that is due next fires now: its clock leaps there.
  package func timeOut(_ node: Int) {
    guard let stage, nodes[node].host != nil, !nodes[node].isPaused else { return }
    let due = monitor.nextTick(node)
    guard due != .never else { return stage.note(time, node: node, "n\(node + 1) waits for nothing") }
    let now = nodes[node].clock.reading(at: time)
    if due > now { nodes[node].clock.leap(due.nanoseconds - now.nanoseconds) }
    stage.note(time, node: node, "n\(node + 1) loses patience: its next timer fires")
    turnSoon(node)
  }
}
