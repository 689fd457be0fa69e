package import Base

/// The times and limits of a Raft replica.
package struct RaftOptions: Sendable {
  /// How often a leader says that it is alive.
  package var heartbeat: Milliseconds = 50
  /// A follower that hears no leader for between once and twice this time begins an election.
  package var electionTimeout: Milliseconds = 300
  /// CLOCK-DEPENDENT: the leader answers reads from its own state as long as a quorum heard of it within three quarters
  /// of an election timeout. Right only while no clock of the cluster runs a third faster than another.
  package var leaseReads = false

  /// An append message carries at most so many bytes of entries, and at least one entry.
  package var appendBytes = 256 << 10
  /// Append messages, and their bytes, that may be on their way to one follower.
  package var windowMessages = 64
  package var windowBytes = 4 << 20
  /// The entries that are not committed yet; beyond it proposals are refused as overload.
  package var maximumUncommittedBytes = 32 << 20
  /// All entries that are held; beyond it proposals are refused until a snapshot allows to trim.
  package var maximumLogBytes = 256 << 20
  /// Operations and reads of this node's clients that may wait at once.
  package var maximumWaiting = 65_536

  /// A snapshot is begun when the log behind the last one has grown by so much: bytes (or half of the state's size,
  /// if that is more), or entries.
  package var snapshotLogBytes = 32 << 20
  package var snapshotLogEntries = 500_000
  /// What may stay of the log below the snapshot, for followers that are behind.
  package var retainedLogBytes = 16 << 20
  package var retainedLogEntries = 100_000
  /// A snapshot travels in parts of about this size, so many at once.
  package var pieceBytes = 256 << 10
  package var windowPieces = 4
  /// A follower that takes no part for so long is given a new image when it is there again.
  package var streamTimeout: Milliseconds = 10_000
  /// A change of membership is refused when none of those who are to enter has got ahead for so long.
  package var catchUpTimeout: Milliseconds = 10_000
  /// For so long those who were removed are sent what they need to hear of it.
  package var leavingTimeout: Milliseconds = 3000

  /// Entries that one step applies before it lets others have the thread.
  package var appliedPerStep = 4096
  /// What was sent and not answered is sent again after this.
  package var retry: Milliseconds = 100
  /// An append that would make a value longer is refused.
  package var maximumValueBytes = 64 << 10

  package init() {}
}
