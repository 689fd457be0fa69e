import Base
import Replica

/// Messages of an epoch that this node has not installed yet. R11: it adopts the epoch before it handles them; the
/// configuration is on its way, so they wait for it, and a round need not be begun again.
///
/// What finds no room is dropped, as a network may.
struct EarlyMessages {
  private static let maximumBytes = 8 << 20

  private var messages: [(from: NodeID, epoch: UInt32, message: Message)] = []
  private var bytes = 0

  var isEmpty: Bool { messages.isEmpty }

  mutating func append(_ message: Message, from: NodeID, epoch: UInt32) {
    let size = message.payloadBytes
    guard bytes + size <= Self.maximumBytes else { return }
    bytes += size
    messages.append((from, epoch, message))
  }

  /// Takes out those of `epoch`, in the order in which they came; those of earlier ones are void.
  mutating func take(upTo epoch: UInt32) -> [(from: NodeID, message: Message)] {
    var due: [(from: NodeID, message: Message)] = []
    for early in messages where early.epoch == epoch { due.append((early.from, early.message)) }
    messages.removeAll { $0.epoch <= epoch }
    bytes = 0
    for early in messages { bytes += early.message.payloadBytes }
    return due
  }
}

extension Message {
  /// Of what must not be handled before the epoch is installed; nil: the message belongs to no epoch.
  var epoch: UInt32? {
    switch self {
    case .prepare(_, let ballot, _), .accept(_, let ballot, _, _, _, _): ballot.epoch
    case .read(_, let epoch, _): epoch
    case .list(_, let epoch, _, _, _): Guard.listedBehindFence.isIn ? epoch : nil
    // An erasure, or a relay, that comes too early is one that comes not at all: another one follows.
    case .promise, .accepted, .conflict, .readReply, .stale, .forward, .forwardReply, .listReply, .erase, .compare,
      .differing, .holdings, .want, .relay:
      nil
    }
  }

  fileprivate var payloadBytes: Int {
    switch self {
    case .accept(_, _, _, _, let key, let cell): 128 + key.count + cell.count
    case .prepare(_, _, let key), .read(_, _, let key): 128 + key.count
    default: 128
    }
  }
}
