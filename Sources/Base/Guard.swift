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
  /// R12: a node whose storage was replaced, or is an older copy, is refused.
  case storageIsCurrent
  /// A block of the journal that was torn is not replayed.
  case journalChecksum
  /// A slot of the table that is damaged is not believed.
  case tableChecksum
  /// A half of the journal is written anew only when the tables hold what it held.
  case halfIsFlushed

  #if Mutants
    /// The one guard that is out. Set before a simulation begins.
    nonisolated(unsafe) public static var removed: Guard?
    public var isIn: Bool { Guard.removed != self }
  #else
    @inlinable public var isIn: Bool { @inline(__always) get { true } }
  #endif
}
