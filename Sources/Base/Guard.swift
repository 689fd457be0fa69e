/// The guards that keep the rules of PROTOCOL.md and the formats on disk, by name, so that each can be taken out.
///
/// `Guard.x.isIn` stands where the guard stands. It is the constant `true`, and leaves nothing behind in the code that
/// is compiled, unless the package is built with the trait `Mutants`: then a simulation may take out one guard, and
/// must notice (`synod mutants`). A guard that nobody misses is not tested.
public enum Guard: UInt8, Sendable {
  /// R1: the ballot is spent by its first accept message.
  case ballotIsSpent
  /// R2: a proposer's counter grows above everything promised, used, or heard of.
  case counterGrows
  /// R3: a promise waits for its write.
  case promiseIsDurable
  /// R3: the answer to an accept waits for its write.
  case acceptIsDurable
  /// R3: the host holds back what waits for a write.
  case hostHoldsBack
  /// R4: what changes nothing is answered only when its cell is known to be chosen.
  case observationIsChosen
  /// R4, R7: a change that was sent in an accept is decided only by a new prepare.
  case sentChangeIsPrepared
  /// R5: the promise that rode on an accept ends with whatever breaks the chain.
  case reignEnds
  /// R6: a quorum reports the same accepted ballot.
  case readersAgree
  /// R6: what was accepted before a change of members, and not carried over by it, takes a full round. Keys are listed
  /// by majorities of both sets, so that no quorum of the new one holds such a ballot; and a read believes none.
  case readIsRecent
  /// R7: an operation in the window is answered from it.
  case windowAnswers
  /// R7: where the window does not reach back, no one guesses.
  case windowReachesBack
  /// R8: "not applied" is said only where nothing was sent.
  case sentIsUnknown
  /// R8: what settle declared dead never starts.
  case deadStaysDead
  /// R8: a forward whose deadline has passed is not started.
  case forwardIsFresh
  /// R9: the window keeps the changes of the last fold, all of them.
  case foldIsKept
  /// R11: nothing below the fence is promised, accepted, or read.
  case fenceHolds
  /// R11: a promise that rode on an accept of an earlier epoch is void.
  case reignIsOfThisEpoch
  /// Membership: a quorum of a joint epoch is a majority of the old members and one of the new.
  case bothMajorities
  /// Membership, step 3: keys are listed by nodes that have installed the joint epoch.
  case listedBehindFence
  /// Membership, step 3: every key that is listed gets a round in the joint epoch.
  case everyKeyIsCarried
  /// Membership, step 2: who counts towards the new majority has the floor of the old.
  case floorIsHandedOver
  /// R13: an acceptor erases the tombstone of the very ballot that all have accepted, not any tombstone.
  case eraseComparesBallots
  /// R13: a tombstone is erased only when every member has accepted it.
  case everyoneHasTombstone
  /// R13: an acceptor erases in the stable epoch that the message names, and in no other.
  case eraseIsOfStableEpoch
  /// R14: the floor keeps the promise of a record that is erased.
  case floorKeepsPromise
  /// R14: the floor is durable before a record is erased.
  case floorIsDurable
  /// Membership: what a node accepted before it last entered is no vote.
  case recordsAreOfThisMembership
  /// Catching up: what is relayed is of this epoch; across epochs a round carries it (R11).
  case relayIsOfThisEpoch
  /// Catching up: what is relayed is refused below what was promised, by the record or by the floor.
  case relayHeedsPromise
  /// A damaged record is no empty one: it abstains.
  case damageAbstains
  /// A damaged record is healed by an accept above whatever it can have promised, and by no other.
  case healsAboveReserve
  /// The reserve is on the disk before a promise goes as high.
  case reserveIsDurable
  /// R12: a node whose storage was replaced, or is an older copy, is refused.
  case storageIsCurrent
  /// A block of the journal that was torn is not replayed.
  case journalChecksum
  /// A slot of the table that is damaged is not believed.
  case tableChecksum
  /// A half of the journal is written anew only when the tables hold what it held.
  case halfIsFlushed
  /// What is read of a slot is believed only where it bears the record's key and the ballot that it has accepted: the
  /// slot may have gone to another record, or to another state of this one, while the read was on its way.
  case slotIsStillTheRecords

  // Of the log; sections are those of the Raft paper (§) and of the dissertation.

  /// §5.2: a vote waits for its write.
  case voteIsDurable
  /// §5.2: one vote a term.
  case oneVoteATerm
  /// §5.4.1: who lacks what this node has is not elected by it.
  case candidateIsUpToDate
  /// §5.3: an append is taken only where its previous entry stands.
  case logsMeet
  /// §5.3: entries that are there already stay, with all behind them.
  case sameEntriesStay
  /// §5.3: an acknowledgement waits for its write.
  case appendIsDurable
  /// 10.2.1: the leader counts itself when its own write is done.
  case ownEntryIsDurable
  /// §5.3: a follower commits what it has in common with the leader, and no more.
  case matchedBoundsCommit
  /// §5.4.2: an entry of an earlier term is not committed by counting.
  case commitIsOfOwnTerm
  /// 6.4: a leader answers reads only when a quorum still follows it.
  case readIsConfirmed
  /// 6.4: the round that confirms a read begins after the read came.
  case readRoundIsNew
  /// §8: before an entry of its own term is committed a leader does not know what is.
  case readKnowsCommit
  /// §7: a snapshot names its last entry by that entry's own term.
  case snapshotNamesItsTerm
  /// R8: a forward is started in the term that it names, or never.
  case forwardIsOfThisTerm
  /// R7: a forward whose answer is lost is tried anew when all is applied among which its entry may stand.
  case lostAnswerIsNotApplied
  /// 4.3: from one set to another the way leads over the joint configuration.
  case jointComesBetween
  /// 4.1: a configuration is in force from its append on, not from its commit on.
  case configurationIsInForceAtOnce
  /// 4.1: with its entry a configuration goes.
  case configurationGoesWithItsEntry
  /// 4.2.2: a leader that is no member does not count itself.
  case onlyMembersCount
  /// A node whose log was damaged has no vote, and does not count, until it has got back all that it had.
  case damagedLogAbstains
  /// Term and vote are kept apart from the log: damage in it takes neither.
  case voteIsKeptApart
  /// A node is whole again when it has applied the marker that it asked for, not when it hears of a leader.
  case wholeBehindMarker

  #if Mutants
    /// The one guard that is out. Set before a simulation begins.
    nonisolated(unsafe) public static var removed: Guard?
    public var isIn: Bool { Guard.removed != self }
  #else
    @inlinable public var isIn: Bool { @inline(__always) get { true } }
  #endif
}
