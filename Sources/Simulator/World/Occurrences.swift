/// How often what happened in a run, so that a scenario in which its subject never came up can fail.
package struct Occurrences: Sendable, Equatable {
  package enum Kind: Int, CaseIterable, Sendable {
    // What was done to the nodes.
    case powerLoss, processKill, pause, cut, clog, slowDisk, failedSync, fullDisk, bitFlip, oldCopy, lostFolder
    case badSector
    case wallClockSet, crashInRecovery, epochRaised
    // What became of the members.
    case membersWanted, membersChanged, changeGivenUp, memberLeft, memberReturned
    // What became of messages.
    case weatherChanged, messageLost, messageDoubled, messageDelayed, linkBroken
    // What the disks went through.
    case valueRead, readOvertaken
    case unsyncedWriteLost, tornJournal, journalTurned, nodeRefusedToStart, nodeWasRefused, nodeStoppedItself
    case turnGathered
    // What the replicas did.
    case prepared, oneRoundWrite, quorumRead, quorumReadMixed, folded, conflict, forwarded, forwardTakenBack
    case minorityAcceptFound, staleRefused, settledRound
    case recordErased, erasedRegisterMadeAgain, recordDamaged, recordHealed
    case relayed, broughtByRound
    // What the replicas of a log did besides.
    case elected, deposed, splitVote, logConflict, entryReplaced, snapshotTaken, snapshotInstalled
    case membershipChanged, configurationTakenBack, jointInherited, leaderRemoved
    case logDamaged, logHealed
    // What clients saw.
    case applied, observed, conditionFailed, notApplied, unknown, replayed, neverAnswered, listed, waited
    case settledApplied, settledDead, settledForgotten, retried
  }

  private var counts = [UInt64](repeating: 0, count: Kind.allCases.count)

  package init() {}

  package subscript(_ kind: Kind) -> UInt64 { counts[kind.rawValue] }

  package mutating func note(_ kind: Kind, _ count: UInt64 = 1) { counts[kind.rawValue] += count }

  package static func += (a: inout Occurrences, b: Occurrences) {
    for place in a.counts.indices { a.counts[place] += b.counts[place] }
  }
}
