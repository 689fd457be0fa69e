package import Base
import Simulator

/// What the page asks for once: lessons and guards.
package enum Catalogue {
  package static var json: [UInt8] {
    var json = JSONLine(reserving: 32 << 10)
    json.object { json in
      json.array("lessons") { json in
        for lesson in Lessons.all { lesson.write(into: &json) }
      }
      json.array("guards") { json in
        for (mutant, backend) in guards {
          json.object { json in
            json.add("number", UInt64(mutant.removed.rawValue))
            json.add("rule", mutant.rule)
            json.add("side", backend)
            json.add("text", mutant.removed.words.text)
          }
        }
      }
    }
    return json.bytes
  }

  /// Each once, under the backend that has it first.
  private static var guards: [(Mutant, String)] {
    var found: [(Mutant, String)] = []
    for backend in SimulatedBackends.all {
      for mutant in backend.mutants where !found.contains(where: { $0.0.removed == mutant.removed }) {
        found.append((mutant, backend.name))
      }
    }
    return found
  }

  /// The trace of a run of the simulator's default scenario, shortened.
  package static func trace(ofLog isLog: Bool, seed: UInt64) -> [UInt8] {
    let backends = SimulatedBackends.all
    let backend = backends[isLog ? 1 : 0]
    var scenario = backend.scenarios[0]
    scenario.milliseconds = 500
    let result = Simulation(scenario, seed: seed).run(backend, traces: true)
    return result.trace?.text ?? []
  }
}

extension Guard {
  /// What is no longer so when the guard is out, for people.
  package var words: StaticString {
    for (one, words) in Self.allWords where one == self { return words }
    return "A guard of the protocol"
  }

  private static let allWords: [(Guard, StaticString)] = [
    (.ballotIsSpent, "A ballot is used for one accept only"),
    (.counterGrows, "A proposer's counter only grows"),
    (.promiseIsDurable, "A promise is on the disk before it is given"),
    (.acceptIsDurable, "An accepted value is on the disk before anybody hears of it"),
    (.hostHoldsBack, "What rests on a write waits for the write"),
    (.observationIsChosen, "What is answered is known to be chosen"),
    (.sentChangeIsPrepared, "A change that was sent is decided by a new prepare only"),
    (.reignEnds, "One-round writes end when somebody contests them"),
    (.readersAgree, "A read in one round needs a quorum that agrees"),
    (.readIsRecent, "What was accepted before a change of members takes a full round to be read"),
    (.windowAnswers, "A repeated operation is answered, and not done again"),
    (.windowReachesBack, "Where memory does not reach back, nobody guesses"),
    (.sentIsUnknown, "“Not applied” is said only where nothing was sent"),
    (.deadStaysDead, "What settle declared dead never starts"),
    (.forwardIsFresh, "A request that is too old is not started"),
    (.foldIsKept, "All changes of the last round are remembered"),
    (.fenceHolds, "Nothing of an earlier epoch is promised or accepted"),
    (.reignIsOfThisEpoch, "A promise of an earlier epoch is void"),
    (.bothMajorities, "While members change, a majority of the old and one of the new must agree"),
    (.listedBehindFence, "What is to be carried over is listed after the old members are fenced off"),
    (.everyKeyIsCarried, "Every key is carried over to the new members"),
    (.floorIsHandedOver, "New members take over what is remembered of erased registers"),
    (.eraseComparesBallots, "A record is erased only while it still holds that tombstone"),
    (.everyoneHasTombstone, "A tombstone is erased only when every member holds it"),
    (.eraseIsOfStableEpoch, "Nothing is erased while the members change"),
    (.floorKeepsPromise, "What an erased record had promised stays promised"),
    (.floorIsDurable, "What is left of an erased record is on the disk before anybody hears of it"),
    (.recordsAreOfThisMembership, "What a node accepted before it last entered is no vote"),
    (.relayIsOfThisEpoch, "What is handed on to who missed it is of this epoch"),
    (.relayHeedsPromise, "What is handed on yields to a higher promise"),
    (.damageAbstains, "A damaged record gives no vote"),
    (.healsAboveReserve, "A damaged record is healed only above all that it can have promised"),
    (.reserveIsDurable, "How high promises may go is on the disk before they do"),
    (.slotIsStillTheRecords, "A slot is believed only while it still holds the record that was asked for"),
    (.storageIsCurrent, "A node that has lost its disk is not let in under its old name"),
    (.journalChecksum, "A torn block of the journal is not believed"),
    (.tableChecksum, "A damaged slot of the table is not believed"),
    (.halfIsFlushed, "The journal is written over only when the table holds what it held"),
    (.voteIsDurable, "A vote is on the disk before it is given"),
    (.oneVoteATerm, "A node votes once a term"),
    (.candidateIsUpToDate, "Nobody votes for a candidate whose log is behind its own"),
    (.logsMeet, "Entries are appended only where the logs agree before them"),
    (.sameEntriesStay, "Entries that are there already stay"),
    (.appendIsDurable, "An entry is on the disk before it is acknowledged"),
    (.ownEntryIsDurable, "A leader counts its own entry when it is on its disk"),
    (.matchedBoundsCommit, "A follower commits only what it shares with its leader"),
    (.commitIsOfOwnTerm, "A leader commits by counting only entries of its own term"),
    (.readIsConfirmed, "A leader answers a read only when a majority still follows it"),
    (.readRoundIsNew, "The round that confirms a read begins after the read came"),
    (.readKnowsCommit, "A new leader reads only after an entry of its own is committed"),
    (.snapshotNamesItsTerm, "A snapshot names the term of its last entry"),
    (.forwardIsOfThisTerm, "A forwarded request is started in the term it names, or never"),
    (.lostAnswerIsNotApplied, "A request whose answer is lost is tried anew only when it cannot be in the log"),
    (.jointComesBetween, "Between two memberships there is one in which both must agree"),
    (.configurationIsInForceAtOnce, "A membership is in force from when its entry is in the log"),
    (.configurationGoesWithItsEntry, "When its entry is taken back, so is the membership"),
    (.onlyMembersCount, "A leader that is no member does not count itself"),
  ]
}
