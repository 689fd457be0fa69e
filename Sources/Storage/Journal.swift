/// The ring of one event-loop thread: where the next batch goes.
///
///     0      checkpoint, copy 0 (``JournalCheckpoint``)
///     4096   checkpoint, copy 1
///     8192   half 0: blocks (``JournalBlock``) of one even generation, each padded to a multiple of 4096 bytes
///     8192 + halfBytes   half 1: the same, of one odd generation
///
/// Generation g is written into half g modulo 2, and begun only when the checkpoint of generation g - 2, whose place it
/// takes, is durable, that is when the tables hold all of it. So the file holds the two newest generations and nothing
/// else of value. A block is live if and only if it is valid, its generation is above the flushed one, and the blocks
/// from the start of its half up to it are live with consecutive positions; the younger half goes on where the older
/// ended. Batches begin on a page of their own, and only one is in flight: a torn write touches nothing that was
/// acknowledged, and is the last of its journal.
///
/// Why a stale block brings back nothing: one of a flushed generation is not read at all, and one that is read without
/// need (the checkpoint's last copy was torn) bears a lower sequence than the slot that was written from it. Why the
/// checkpoint is needed: a half whose first block is damaged looks like one whose first batch was torn when it was
/// begun anew. In the second case what the older blocks say is in the tables, in the first it is nowhere else.
struct Journal {
  static let prefixBytes = 2 * Page.bytes

  let number: Int
  let halfBytes: Int
  /// The generation being written.
  private(set) var generation: UInt64
  /// Invariant: `generation - 1` or `generation - 2`.
  private(set) var flushedGeneration: UInt64
  /// Bytes of the half being written that hold blocks.
  private(set) var used = 0
  /// The last position given to a block.
  private(set) var position: UInt64
  /// The last position of generation - 1.
  private(set) var closedPosition: UInt64

  /// Begins a journal of which everything before is in the tables.
  init(after checkpoint: JournalCheckpoint) {
    number = checkpoint.number
    halfBytes = checkpoint.halfBytes
    flushedGeneration = checkpoint.flushedGeneration
    generation = flushedGeneration + 1
    position = checkpoint.position
    closedPosition = checkpoint.position
  }

  static func fileBytes(halfBytes: Int) -> UInt64 { UInt64(prefixBytes + 2 * halfBytes) }

  static func start(ofHalf half: Int, halfBytes: Int) -> Int { prefixBytes + half * halfBytes }

  var room: Int { halfBytes - used }
  var half: Int { Int(generation & 1) }
  var isOtherHalfFree: Bool { flushedGeneration + 1 == generation }

  /// Leaves the half being written to the flush and goes on in the other one, which must be free.
  mutating func turn() {
    generation += 1
    used = 0
    closedPosition = position
  }

  /// Takes `bytes` and `blocks` positions; returns where in the file they go.
  mutating func take(bytes: Int, blocks: Int) -> UInt64 {
    let offset = Journal.start(ofHalf: half, halfBytes: halfBytes) + used
    used += bytes
    position += UInt64(blocks)
    return UInt64(offset)
  }

  /// What is to be made durable when the tables hold all of generation - 1.
  func checkpoint(sequence: UInt64, _ tables: [TableMark]) -> JournalCheckpoint {
    JournalCheckpoint(
      number: number, halfBytes: halfBytes, flushedGeneration: generation - 1, position: closedPosition,
      sequence: sequence, tables: tables)
  }

  /// The checkpoint of generation - 1 is durable.
  mutating func flushed() { flushedGeneration = generation - 1 }
}
