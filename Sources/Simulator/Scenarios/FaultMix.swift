import Base
package import Host
import Storage

/// Which faults a scenario draws, and how often.
package struct FaultMix: Sendable {
  package enum Kind: Sendable {
    case powerLoss, processKill, powerLossOfAll, pause, cut, split, isolate, clog, weather, slowDisk, failedSync,
      fullDisk
    case wallClock, crashInRecovery, bitFlip, badSector, oldCopy, lostFolder, nextEpoch
  }

  /// Each kind with its weight among the others.
  package var weights: [(kind: Kind, weight: UInt64)]
  /// How many are drawn: from, to.
  package var least: UInt64
  package var most: UInt64
  /// The shortest and the longest one, in milliseconds.
  package var shortest: UInt64
  package var longest: UInt64
  /// Whose files are damaged.
  package var backend = NodeState.Backend.register

  package init(
    _ weights: [(kind: Kind, weight: UInt64)], from least: UInt64, to most: UInt64, shortest: UInt64 = 1,
    longest: UInt64 = 1500
  ) {
    self.weights = weights
    self.least = least
    self.most = most
    self.shortest = shortest
    self.longest = longest
  }

  func draw(nodes: Int, over nanoseconds: UInt64, _ random: inout SeededRandom) -> [Fault] {
    var total: UInt64 = 0
    for (_, weight) in weights { total += weight }
    guard total > 0 else { return [] }
    var faults: [Fault] = []
    for _ in 0..<(least + random.below(most - least + 1)) {
      var drawn = random.below(total)
      var place = 0
      while drawn >= weights[place].weight {
        drawn -= weights[place].weight
        place += 1
      }
      let at = random.below(nanoseconds - shortest * 1_000_000)
      let room = nanoseconds - at - shortest * 1_000_000
      let duration = shortest * 1_000_000 + random.below(min((longest - shortest) * 1_000_000, room) + 1)
      faults.append(Fault(at: at, duration: duration, kind: fault(weights[place].kind, nodes, &random)))
    }
    return faults.sorted { $0.at < $1.at }
  }

  private func fault(_ kind: Kind, _ nodes: Int, _ random: inout SeededRandom) -> Fault.Kind {
    let node = Int(random.below(UInt64(nodes)))
    let other = (node + 1 + Int(random.below(UInt64(nodes - 1)))) % nodes
    let breaking = random.below(2) == 0
    switch kind {
    case .powerLoss: return .powerLoss(node: node)
    case .processKill: return .processKill(node: node)
    case .powerLossOfAll: return .powerLossOfAll
    case .pause: return .pause(node: node)
    case .cut: return .cut(from: node, to: other, breaking: breaking)
    case .split: return .split(sides: 1 + random.below((1 << UInt64(nodes)) - 2), breaking: breaking)
    case .isolate: return .split(sides: 1 << UInt64(node), breaking: breaking)
    case .clog: return .clog(from: node, to: other, microseconds: 1000 + random.below(400_000))
    case .weather:
      return .weather(
        loss: random.below(150), duplication: random.below(100), delay: random.below(200),
        longestDelay: 1 + random.below(800))
    case .slowDisk: return .slowDisk(node: node, factor: 2 + random.below(200))
    case .failedSync: return .failedSync(node: node)
    case .fullDisk: return .fullDisk(node: node)
    case .wallClock: return .wallClock(node: node, aheadSeconds: Int64(random.below(4000)) - 2000)
    case .crashInRecovery: return .crashInRecovery(node: node, after: Int(random.below(8)))
    case .badSector:
      let file = damagedFile(&random)
      return .badSector(node: damagedNode(node, of: nodes), file, place: UInt32(truncatingIfNeeded: random.next()))
    case .bitFlip:
      let file = damagedFile(&random)
      return .bitFlip(
        node: damagedNode(node, of: nodes), file, place: UInt32(truncatingIfNeeded: random.next()),
        bit: Int(random.below(8)))
    case .oldCopy: return .oldCopy(node: node)
    case .lostFolder: return .lostFolder(node: node)
    case .nextEpoch: return .nextEpoch
    }
  }

  /// Nodes that are without a vote at the same time must be a minority: of a log always the same ones.
  private func damagedNode(_ node: Int, of nodes: Int) -> Int { backend == .raft ? node % ((nodes - 1) / 2) : node }

  private func damagedFile(_ random: inout SeededRandom) -> FileID {
    switch (random.below(4), backend) {
    case (0, .register): .superblock(Int(random.below(2)))
    case (0, .raft): random.below(2) == 0 ? .superblock(Int(random.below(2))) : .vote(Int(random.below(2)))
    case (1, .register): .journal(0)
    case (_, .register): .table(Int(random.below(2)))
    case (1, .raft): .snapshot(Int(random.below(2)))
    case (_, .raft): .log(Int(random.below(2)))
    }
  }
}
