import Base
package import Storage

/// One thing that goes wrong, from a moment on and for a while.
package struct Fault: Sendable {
  package enum Kind: Sendable {
    /// The machine loses power and comes back at the end.
    case powerLoss(node: Int)
    /// kill -9: the page cache survives.
    case processKill(node: Int)
    /// Every machine loses power at once.
    case powerLossOfAll
    case pause(node: Int)
    /// Nothing gets from the one node to the other. `breaking`: at the end the connections are found broken; else what
    /// was sent comes after all.
    case cut(from: Int, to: Int, breaking: Bool)
    /// Two parts that do not hear each other; bit n: on which side node n is.
    case split(sides: UInt64, breaking: Bool)
    /// What goes from the one node to the other takes longer by so many microseconds.
    case clog(from: Int, to: Int, microseconds: UInt64)
    /// In units of one in a thousand messages; the longest delay in milliseconds.
    case weather(loss: UInt64, duplication: UInt64, delay: UInt64, longestDelay: UInt64)
    case slowDisk(node: Int, factor: UInt64)
    /// The next sync fails; the node must stop, and its disk is sound again at its next start.
    case failedSync(node: Int)
    case fullDisk(node: Int)
    case wallClock(node: Int, aheadSeconds: Int64)
    /// The node starts anew and loses power while it recovers.
    case crashInRecovery(node: Int, after: Int)
    /// A bit of a file is inverted while the node is down; `place`: at which of the bytes that are not zero, in parts
    /// of 2³² of them.
    case bitFlip(node: Int, FileID, place: UInt32, bit: Int)
    /// A sector of a file holds something else while the node is down; `place` as above.
    case badSector(node: Int, FileID, place: UInt32)
    /// The node starts on a copy of its folder that is as old as the fault is long.
    case oldCopy(node: Int)
    /// The node starts with an empty folder.
    case lostFolder(node: Int)
    /// The next epoch is chosen, with the same members, and goes from node to node.
    case nextEpoch
  }

  /// Nanoseconds after the faults begin.
  package let at: UInt64
  /// Nanoseconds.
  package let duration: UInt64
  package let kind: Kind

  package init(at: UInt64, duration: UInt64, kind: Kind) {
    self.at = at
    self.duration = duration
    self.kind = kind
  }

  package var text: String {
    let what =
      switch kind {
      case .powerLoss(let node): "n\(node + 1) loses power"
      case .processKill(let node): "n\(node + 1) is killed"
      case .powerLossOfAll: "every node loses power"
      case .pause(let node): "n\(node + 1) is paused"
      case .cut(let from, let to, let breaking):
        "n\(from + 1) to n\(to + 1) is cut\(breaking ? ", breaking links" : "")"
      case .split(let sides, let breaking):
        "the network splits by \(String(sides, radix: 2))\(breaking ? ", breaking links" : "")"
      case .clog(let from, let to, let microseconds): "n\(from + 1) to n\(to + 1) takes \(microseconds) µs longer"
      case .weather(let loss, let duplication, let delay, let longest):
        "of 1000 messages \(loss) are lost, \(duplication) doubled, \(delay) delayed by up to \(longest) ms"
      case .slowDisk(let node, let factor): "the disk of n\(node + 1) is \(factor) times slower"
      case .failedSync(let node): "a sync of n\(node + 1) fails"
      case .fullDisk(let node): "the disk of n\(node + 1) is full"
      case .wallClock(let node, let ahead): "the wall clock of n\(node + 1) is set by \(ahead) s"
      case .crashInRecovery(let node, let after): "n\(node + 1) loses power in recovery, after \(after) syncs"
      case .bitFlip(let node, let file, let place, let bit):
        "bit \(bit) at \(place)/2^32 of the used bytes of \(file.description) of n\(node + 1) is inverted"
      case .badSector(let node, let file, let place):
        "the sector of byte \(place)/2^32 of the used bytes of \(file.description) of n\(node + 1) is lost"
      case .oldCopy(let node): "n\(node + 1) starts on an old copy of its folder"
      case .lostFolder(let node): "n\(node + 1) starts with an empty folder"
      case .nextEpoch: "the next epoch is installed"
      }
    return "\(at / 1_000_000) ms, for \(duration / 1_000_000) ms: \(what)"
  }
}
