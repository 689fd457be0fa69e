import Base
import Linux
import Replica

/// A socket of an event loop. Its number, unique in the loop, is its epoll tag: the kernel reuses descriptors at once,
/// and an event for a connection that was closed must not hit the one that took its place.
final class Connection {
  enum Kind {
    case client
    /// A peer dialled this node.
    case servedPeer
    /// This node dials a peer; the socket is not connected yet.
    case dialling(NodeID)
    case dialledPeer(NodeID)
  }

  let id: UInt64
  var kind: Kind
  private(set) var descriptor: Descriptor?
  /// What the socket could not take yet, from `sent` on.
  var pending: [UInt8] = []
  var sent = 0
  /// What the host was told last of how much waits to be sent.
  var toldUnsentBytes = 0
  /// The host has no more to say: close when `pending` is written.
  var closesWhenSent = false
  var interest: Readiness
  /// The end of what the other side sends has come, and may stand behind bytes that were not read yet.
  var isEnding = false
  /// The other side has sent all it will.
  var isInputFinished = false

  init(_ descriptor: consuming Descriptor, id: UInt64, kind: Kind, interest: Readiness) {
    self.id = id
    self.kind = kind
    self.interest = interest
    self.descriptor = consume descriptor
  }

  var number: Int32 { descriptor?.number ?? -1 }

  var unsentBytes: Int { pending.count - sent }

  func receive(into buffer: inout [UInt8], at offset: Int) -> Transfer {
    descriptor?.receive(into: &buffer, at: offset) ?? .closed
  }

  /// Writes as much as the socket takes; false if the connection is broken.
  func flush() -> Bool {
    while sent < pending.count {
      switch descriptor?.send(pending, from: sent) ?? .closed {
      case .bytes(let count): sent += count
      case .wouldBlock: return true
      case .closed, .failed: return false
      }
    }
    pending.removeAll(keepingCapacity: pending.capacity <= keptRoom)
    sent = 0
    return true
  }

  /// The array of what was sent last, if nothing waits.
  func takeRoom() -> [UInt8] {
    var room: [UInt8] = []
    if pending.isEmpty { swap(&room, &pending) }
    return room
  }

  /// So large an array is kept for what comes next: there are many clients, and few peers, who get a frame a turn.
  private var keptRoom: Int { if case .client = kind { 1 << 14 } else { 1 << 18 } }

  /// Adds output. Moves it in where nothing waits, which is the usual case.
  func append(_ bytes: consuming [UInt8]) {
    if pending.isEmpty {
      pending = bytes
    } else {
      if sent > 1 << 20 {
        pending.removeFirst(sent)
        sent = 0
      }
      pending += bytes
    }
  }

  func finishConnect() throws(SystemError) {
    guard descriptor != nil else { return }
    try Socket.finishConnect(descriptor!)
  }

  /// Gives the socket away, to another thread.
  func release() -> Descriptor? { descriptor.take() }
}
