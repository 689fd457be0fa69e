import Base

/// The guards of the log.
package enum RaftMutants {
  package static let all: [Mutant] = [
    Mutant(removed: .voteIsDurable, rule: "§5.2", scenario: RaftScenarios.elections, seeds: 20),
    Mutant(removed: .oneVoteATerm, rule: "§5.2", scenario: RaftScenarios.elections, seeds: 20),
    Mutant(removed: .candidateIsUpToDate, rule: "§5.4.1", scenario: RaftScenarios.elections, seeds: 50),
    Mutant(removed: .logsMeet, rule: "§5.3", scenario: RaftScenarios.oldLeaders, seeds: 200),
    Mutant(removed: .sameEntriesStay, rule: "§5.3", scenario: RaftScenarios.weather, seeds: 50),
    Mutant(removed: .appendIsDurable, rule: "§5.3", scenario: RaftScenarios.crashes, seeds: 20),
    Mutant(removed: .ownEntryIsDurable, rule: "10.2.1", scenario: RaftScenarios.crashes, seeds: 20),
    Mutant(removed: .hostHoldsBack, rule: "§5.2", scenario: RaftScenarios.crashes, seeds: 20),
    Mutant(removed: .matchedBoundsCommit, rule: "§5.3", scenario: RaftScenarios.oldLeaders, seeds: 50),
    Mutant(removed: .commitIsOfOwnTerm, rule: "§5.4.2", scenario: RaftScenarios.oldLeaders, seeds: 200),
    Mutant(removed: .readIsConfirmed, rule: "6.4", scenario: RaftScenarios.lateAnswers, seeds: 100),
    Mutant(removed: .readRoundIsNew, rule: "6.4", scenario: RaftScenarios.lateAnswers, seeds: 100),
    Mutant(removed: .readKnowsCommit, rule: "§8", scenario: RaftScenarios.elections, seeds: 200),
    Mutant(removed: .snapshotNamesItsTerm, rule: "§7", scenario: RaftScenarios.snapshots, seeds: 100),
    Mutant(removed: .bothMajorities, rule: "4.3", scenario: RaftScenarios.replacedLeaders, seeds: 50),
    Mutant(removed: .jointComesBetween, rule: "4.3", scenario: RaftScenarios.members, seeds: 20),
    Mutant(removed: .configurationIsInForceAtOnce, rule: "4.1", scenario: RaftScenarios.members, seeds: 20),
    Mutant(removed: .configurationGoesWithItsEntry, rule: "4.1", scenario: RaftScenarios.replacedLeaders, seeds: 200),
    Mutant(removed: .onlyMembersCount, rule: "4.2.2", scenario: RaftScenarios.replacedLeaders, seeds: 50),
    Mutant(removed: .damagedLogAbstains, rule: "damage", scenario: RaftScenarios.damage, seeds: 20),
    Mutant(removed: .voteIsKeptApart, rule: "damage", scenario: RaftScenarios.damage, seeds: 20),
    Mutant(removed: .wholeBehindMarker, rule: "damage", scenario: RaftScenarios.damage, seeds: 50),
    Mutant(removed: .windowAnswers, rule: "R7", scenario: RaftScenarios.repeats, seeds: 20),
    Mutant(removed: .windowReachesBack, rule: "R7", scenario: RaftScenarios.oldLeaders, seeds: 400),
    Mutant(removed: .sentIsUnknown, rule: "R8", scenario: RaftScenarios.repeats, seeds: 50),
    Mutant(removed: .deadStaysDead, rule: "R8", scenario: RaftScenarios.repeats, seeds: 50),
    Mutant(removed: .forwardIsFresh, rule: "R8", scenario: RaftScenarios.weather, seeds: 200),
    Mutant(removed: .forwardIsOfThisTerm, rule: "R8", scenario: RaftScenarios.elections, seeds: 200),
    Mutant(removed: .lostAnswerIsNotApplied, rule: "R7", scenario: RaftScenarios.weather, seeds: 100),
    Mutant(removed: .storageIsCurrent, rule: "R12", scenario: RaftScenarios.storageReplaced, seeds: 50),
    Mutant(removed: .journalChecksum, rule: "storage", scenario: RaftScenarios.crashes, seeds: 400),
  ]
}
