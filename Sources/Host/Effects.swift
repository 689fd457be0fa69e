package import Base
package import Replica
package import Storage

/// What a host wants done by whoever drives it (the server, or a simulator). Filled during a turn, carried out at its
/// end.
package struct Effects {
  /// Peers to be connected to; answered by ``Host/dialled(_:connection:)`` or ``Host/dialFailed(_:_:)``.
  package var dials: [NodeID] = []
  /// Peers whose address may be another than before.
  package var readdressed: [NodeID] = []
  /// Connections that have output to be taken, or are to be closed.
  package var touched: [UInt64] = []
  package var batches: [DeviceBatch] = []
  package var reads: [DeviceRead] = []
  /// Lines for the checker of `Proofs/`, of a node that is traced: in the order in which what they tell has happened.
  package var trace: [UInt8] = []
  package var posts: [(shard: Int, message: ShardMessage)] = []
  /// Links from peers whose greeting is done, and which belong to another thread.
  package var handOvers: [HandOver] = []
  /// The node cannot go on; why, and what to do.
  package var fatal: String?
  /// Lines for the operator.
  package var notices: [String] = []
  /// The node is no member any more: it is to be shut down as at a SIGTERM.
  package var isLeaving = false
  /// Somebody wants all of the data folder to be read now.
  package var scrubWanted = false

  package struct HandOver: Sendable {
    package var connection: UInt64
    package var shard: Int
    package var peer: NodeID
    /// What was received behind the greeting.
    package var rest: [UInt8]
  }

  package init() {}
}

/// What the threads of one node tell each other. A key's partition belongs to one thread; everything about it goes
/// there.
package enum ShardMessage: Sendable {
  case request(partition: Int, Request)
  case list(partition: Int, ListRequest)
  case cancel(partition: Int, token: UInt64)
  case outcome(token: UInt64, Outcome)
  case page(token: UInt64, ListPage?)
  case peerMessage(partition: Int, from: NodeID, [UInt8])
  case pong(from: NodeID, [UInt8])
  /// From thread 0: the cluster is formed, or the configuration is another.
  case state(NodeState)
  /// To thread 0: a configuration that was chosen.
  case configuration(Configuration)
  /// To thread 0: a configuration that its log goes by.
  case followLog(Configuration)
  /// To thread 0: records wait to be erased until the node's floor is at least this (R14).
  case raiseFloor(NodeFloor)
  /// To thread 0: promises come near the node's reserve.
  case raiseReserve(UInt64)
  /// From the scrub: this place of the thread's own files does not read as it should.
  case suspect(ScrubFinding)
  case scrubbed(ScrubStatus.Event)
  /// From thread 0: a node that is to be added is there.
  case guest(NodeID, address: [UInt8])
  /// To thread 0, and back.
  case change(WantedMembers, ChangeAsker)
  case changeAnswer(ExchangeID, ChangeAnswer)
  /// From thread 0: carry every register over into this joint epoch.
  case carryOver(epoch: UInt32)
  /// To thread 0: what a peer has durable (R12).
  case position(NodeState.JournalName, UInt64)
  /// For status, now and then.
  case statistics(shard: Int, ShardStatistics)
}

/// One thread's share of what status and metrics tell.
package struct ShardStatistics: Sendable {
  var replica: ReplicaStatistics
  var storage: NodeStatus.Storage
  var requests: RequestCounts
  var sessions: Int
  var operations: Int
}

/// Messages that wait for a write, by ticket. They leave when it is durable, in the order in which they were made (R3).
struct HeldMessages {
  private struct Group {
    var ticket: UInt64 = 0
    var sends: [(to: NodeID, partition: Int, message: Range<Int>)] = []
    var arena: [UInt8] = []
  }

  /// Ascending by ticket; seldom more than two: the batch being synced, and the one being gathered.
  private var groups: [Group] = []
  /// An emptied group, kept for its storage.
  private var spare = Group()

  mutating func append(_ bytes: [UInt8], _ range: Range<Int>, to: NodeID, partition: Int, ticket: UInt64) {
    var place = groups.count
    while place > 0 && groups[place - 1].ticket > ticket { place -= 1 }
    if place == 0 || groups[place - 1].ticket != ticket {
      var group = Group()
      swap(&group, &spare)
      group.ticket = ticket
      groups.insert(group, at: place)
      place += 1
    }
    let start = groups[place - 1].arena.count
    bytes[range].withUnsafeBytes { groups[place - 1].arena.append(copying: $0) }
    groups[place - 1].sends.append((to, partition, start..<groups[place - 1].arena.count))
  }

  /// Takes out what waited for tickets up to `durable`.
  mutating func release(upTo durable: UInt64, _ body: (NodeID, Int, [UInt8], Range<Int>) -> Void) {
    while let first = groups.first, first.ticket <= durable {
      var group = groups.removeFirst()
      for send in group.sends { body(send.to, send.partition, group.arena, send.message) }
      group.sends.removeAll(keepingCapacity: true)
      group.arena.removeAll(keepingCapacity: true)
      spare = group
    }
  }
}
