public import Base

/// What replicas want done after their steps. It is passed `inout` and reused, so a step allocates nothing for it; a
/// host that has many events at once lets it fill, and has what is in it done after the last.
///
/// A replica never does IO: it writes here, and the host makes it so, in the one order that is safe:
/// what carries a ticket leaves only after the write of that ticket is on stable storage.
@usableFromInline
package struct Outbox {
  @usableFromInline
  package struct Send {
    @usableFromInline package let to: NodeID
    /// Leaves when this write is durable.
    @usableFromInline package let after: Ticket
    /// Of the replica that sends it, and of those that it is for.
    @usableFromInline package let partition: Int
    /// Where the message stands in ``Outbox/arena``. Several sends may share one message.
    @usableFromInline package let message: Range<Int>

    @inlinable
    init(to: NodeID, after: Ticket, partition: Int, message: Range<Int>) {
      self.to = to
      self.after = after
      self.partition = partition
      self.message = message
    }
  }

  /// A record, by its partition and its number there.
  @usableFromInline
  package struct Record: Equatable {
    @usableFromInline package let partition: Int
    @usableFromInline package let index: UInt32

    @inlinable
    init(partition: Int, index: UInt32) {
      self.partition = partition
      self.index = index
    }
  }

  package struct Reply {
    package let token: UInt64
    package let outcome: Outcome
  }

  package struct ListReply {
    package let token: UInt64
    /// Nil where no quorum answered in time.
    package let page: ListPage?
  }

  /// The bytes of the messages in ``sends``.
  @usableFromInline package var arena = ByteWriter(reserving: 4096)
  @usableFromInline package var sends: [Send] = []
  /// Records whose latest state must be made durable under ``openTicket``, each at least once.
  @usableFromInline package var writes: [Record] = []
  /// To clients of this node. They need no ticket: an outcome rests on answers of a quorum, and each of those, this
  /// node's own too, waited for its write.
  package var replies: [Reply] = []
  package var listReplies: [ListReply] = []
  /// The configuration that this replica goes by from this step on, where that is another than before and the host
  /// does not know it yet. Only of a log, which learns of configurations by its own entries.
  package var configuration: Configuration?

  /// R14: records wait to be erased until the node's floor is durably at least this.
  package var floorWanted: NodeFloor?
  /// Promises come near the node's reserve: it is to be durably at least this.
  package var reserveWanted: UInt64?

  /// Records whose state is to be read from the table; each is answered by one ``Event/loaded(record:_:)``.
  package private(set) var reads: [Record] = []
  /// The partitions whose replicas held more in memory than they may, once for each step after which one did:
  /// ``Replica/evict(isSettled:)`` is wanted.
  package private(set) var crowded: [Int] = []

  /// That of the replica that steps; set by the host before each step.
  @usableFromInline package var partition = 0
  /// The number that the next write will have; set by the host before each step.
  @usableFromInline package var openTicket: UInt64 = 1
  /// Every write up to this ticket is on stable storage; set by the host before each step.
  package var durable = Ticket.none

  package init() {}

  /// Asks for the record's latest state to be made durable.
  @inlinable @inline(__always)
  package mutating func write(record index: UInt32) -> Ticket {
    writes.append(Record(partition: partition, index: index))
    return Ticket(number: openTicket)
  }

  /// The ticket of an earlier write, by the number that the record kept of it.
  @inlinable @inline(__always)
  package func ticket(ofEarlierWrite number: UInt64) -> Ticket { Ticket(number: number) }

  /// Sends what `encode` appends to `node`, once `ticket` is durable.
  @inlinable @inline(__always)
  package mutating func send(to node: NodeID, after ticket: Ticket, _ encode: (inout ByteWriter) -> Void) {
    let start = arena.count
    encode(&arena)
    sends.append(Send(to: node, after: ticket, partition: partition, message: start..<arena.count))
  }

  /// Sends one more copy of the message that was sent last.
  @inlinable @inline(__always)
  package mutating func sendAgain(to node: NodeID) {
    invariant(!sends.isEmpty, "nothing was sent that could be sent again")
    let last = sends[sends.count - 1]
    sends.append(Send(to: node, after: last.after, partition: last.partition, message: last.message))
  }

  /// Asks for the record's state in the table.
  package mutating func read(record index: UInt32) { reads.append(Record(partition: partition, index: index)) }

  /// Asks to be allowed to drop something.
  package mutating func noteCrowded() { crowded.append(partition) }

  package mutating func reply(_ token: UInt64, _ outcome: Outcome) {
    replies.append(Reply(token: token, outcome: outcome))
  }

  package mutating func reply(list token: UInt64, _ page: ListPage?) {
    listReplies.append(ListReply(token: token, page: page))
  }

  /// Sets the durable ticket; for hosts.
  package mutating func setDurable(_ number: UInt64) { durable = Ticket(number: number) }

  /// How full it is; for those who look on, and want to know what one step has added.
  package struct Mark {
    package var sends = 0
    package var writes = 0
    package var replies = 0
    package init() {}
  }

  package var mark: Mark {
    var mark = Mark()
    mark.sends = sends.count
    mark.writes = writes.count
    mark.replies = replies.count
    return mark
  }

  /// Most steps fill one or two of the lists: asking costs less than emptying what is empty.
  package mutating func removeAll() {
    if !sends.isEmpty {
      sends.removeAll(keepingCapacity: true)
      arena.bytes.removeAll(keepingCapacity: true)
    }
    if !writes.isEmpty { writes.removeAll(keepingCapacity: true) }
    if !replies.isEmpty { replies.removeAll(keepingCapacity: true) }
    if !listReplies.isEmpty { listReplies.removeAll(keepingCapacity: true) }
    if configuration != nil { configuration = nil }
    if floorWanted != nil { floorWanted = nil }
    if reserveWanted != nil { reserveWanted = nil }
    if !reads.isEmpty { reads.removeAll(keepingCapacity: true) }
    if !crowded.isEmpty { crowded.removeAll(keepingCapacity: true) }
  }
}
