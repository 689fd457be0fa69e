import Base

/// The guards of the register side.
package enum RegisterMutants {
  package static let all: [Mutant] = [
    Mutant(removed: .ballotIsSpent, rule: "R1", scenario: RegisterScenarios.calm, seeds: 20),
    Mutant(removed: .counterGrows, rule: "R2", scenario: RegisterScenarios.duel, seeds: 50),
    Mutant(removed: .promiseIsDurable, rule: "R3", scenario: RegisterScenarios.crashes, seeds: 20),
    Mutant(removed: .acceptIsDurable, rule: "R3", scenario: RegisterScenarios.crashes, seeds: 20),
    Mutant(removed: .hostHoldsBack, rule: "R3", scenario: RegisterScenarios.crashes, seeds: 20),
    Mutant(removed: .observationIsChosen, rule: "R4", scenario: RegisterScenarios.duel, seeds: 50),
    Mutant(removed: .sentChangeIsPrepared, rule: "R4", scenario: RegisterScenarios.duel, seeds: 50),
    Mutant(removed: .reignEnds, rule: "R5", scenario: RegisterScenarios.duel, seeds: 50),
    Mutant(removed: .readersAgree, rule: "R6", scenario: RegisterScenarios.duel, seeds: 50),
    Mutant(removed: .readIsRecent, rule: "R6", scenario: RegisterScenarios.acrossEpochs, seeds: 100),
    Mutant(removed: .windowAnswers, rule: "R7", scenario: RegisterScenarios.repeats, seeds: 20),
    Mutant(removed: .windowReachesBack, rule: "R7", scenario: RegisterScenarios.comeback, seeds: 100),
    Mutant(removed: .sentIsUnknown, rule: "R8", scenario: RegisterScenarios.repeats, seeds: 50),
    Mutant(removed: .deadStaysDead, rule: "R8", scenario: RegisterScenarios.repeats, seeds: 50),
    Mutant(removed: .forwardIsFresh, rule: "R8", scenario: RegisterScenarios.repeats, seeds: 200),
    Mutant(removed: .foldIsKept, rule: "R9", scenario: RegisterScenarios.hotKey, seeds: 20),
    Mutant(removed: .fenceHolds, rule: "R11", scenario: RegisterScenarios.epochs, seeds: 20),
    Mutant(removed: .reignIsOfThisEpoch, rule: "R11", scenario: RegisterScenarios.epochs, seeds: 50),
    Mutant(removed: .bothMajorities, rule: "membership", scenario: RegisterScenarios.members, seeds: 50),
    Mutant(removed: .listedBehindFence, rule: "membership", scenario: RegisterScenarios.late, seeds: 100),
    Mutant(removed: .everyKeyIsCarried, rule: "membership", scenario: RegisterScenarios.members, seeds: 20),
    Mutant(removed: .floorIsHandedOver, rule: "R14", scenario: RegisterScenarios.floors, seeds: 20),
    Mutant(removed: .eraseComparesBallots, rule: "R13", scenario: RegisterScenarios.erasure, seeds: 100),
    Mutant(removed: .everyoneHasTombstone, rule: "R13", scenario: RegisterScenarios.erasure, seeds: 20),
    Mutant(removed: .eraseIsOfStableEpoch, rule: "R13", scenario: RegisterScenarios.erasureMembers, seeds: 100),
    Mutant(removed: .floorKeepsPromise, rule: "R14", scenario: RegisterScenarios.erasure, seeds: 20),
    Mutant(removed: .floorIsDurable, rule: "R14", scenario: RegisterScenarios.erasure, seeds: 50),
    Mutant(removed: .recordsAreOfThisMembership, rule: "membership", scenario: RegisterScenarios.returning, seeds: 50),
    Mutant(removed: .storageIsCurrent, rule: "R12", scenario: RegisterScenarios.storageReplaced, seeds: 50),
    Mutant(removed: .journalChecksum, rule: "storage", scenario: RegisterScenarios.crashes, seeds: 200),
    Mutant(removed: .tableChecksum, rule: "storage", scenario: RegisterScenarios.damage, seeds: 50),
    Mutant(removed: .halfIsFlushed, rule: "storage", scenario: RegisterScenarios.disks, seeds: 20),
  ]
}
