import Base
import Replica
import Wire

/// Another member, or a node that is to become one or was one, and the link to it that this thread dials: everything
/// for that peer leaves on it, one write a turn.
final class Peer {
  /// The link that this side dialled.
  enum Link {
    case resting(until: Instant)
    case dialling
    case greeting(connection: UInt64, hello: Greeting, since: Instant)
    case established(connection: UInt64)
  }

  let id: NodeID
  var address: [UInt8]
  /// It is to be added.
  var isGuest = false
  /// In a row.
  var failedDials = 0
  var link = Link.resting(until: .zero)
  var reader = FrameReader(bodyLimitBytes: 4096)
  var redial: Milliseconds

  /// Frames on their way to the server.
  var output = ByteWriter()
  private var openFrame: Int?
  /// What the socket could not take yet.
  var unsentBytes = 0
  var droppedMessages: UInt64 = 0
  /// Replica messages that were put on the link, and their bytes without the frames around them.
  var sentMessages: UInt64 = 0
  var sentBytes: UInt64 = 0

  /// The last pong: both directions work.
  var heardAt: Instant?
  var roundTripNanoseconds: UInt64?
  var clock: PeerClock?
  var isReachable = false
  var problem = "not connected yet"
  var refusal: PeerRefusal?
  /// What it last said of itself, in a greeting or a ping.
  var incarnation: Incarnation?
  var formation = NodeState.Formation.gathering
  var cluster: [UInt8]?
  var epoch: UInt32 = 0
  var floor = NodeFloor()
  /// The joint epoch for which it has raised its floor (PROTOCOL, Membership, step 2).
  var floorEpoch: UInt32 = 0
  /// How far it has carried the change of its epoch, where it drives one.
  var progress = ChangeProgress()

  /// A frame is sealed when it has grown beyond this, so that the other side can begin to work.
  static let frameBytes = 1 << 20
  static let batchLimitBytes = 8 << 20

  init(id: NodeID, address: [UInt8], redial: Milliseconds) {
    self.id = id
    self.address = address
    self.redial = redial
  }

  var connection: UInt64? {
    switch link {
    case .resting, .dialling: nil
    case .greeting(let connection, _, _), .established(let connection): connection
    }
  }

  var isEstablished: Bool {
    if case .established = link { true } else { false }
  }

  /// Adds a replica message to this turn's frame; drops it, as a network may, where the link is down or its queue is
  /// full.
  func append(_ bytes: [UInt8], _ range: Range<Int>, partition: Int, maximumQueueBytes: Int) {
    guard isEstablished, unsentBytes + output.count + range.count <= maximumQueueBytes else {
      droppedMessages += 1
      return
    }
    if openFrame == nil { openFrame = Frame.begin(FrameKind.batch.rawValue, in: &output) }
    sentMessages += 1
    sentBytes += UInt64(range.count)
    output.append(2 + 10 + range.count) { span in
      span.append(UInt8(truncatingIfNeeded: partition))
      span.append(UInt8(truncatingIfNeeded: partition >> 8))
      span.varint(UInt64(range.count))
      bytes.withUnsafeBytes { span.raw(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }
    if let start = openFrame, output.count - start > Self.frameBytes { sealBatch() }
  }

  func sealBatch() {
    guard let start = openFrame else { return }
    Frame.seal(&output, from: start)
    openFrame = nil
  }

  /// A frame of its own, outside of batches.
  func appendFrame(_ kind: FrameKind, _ body: (inout ByteWriter) -> Void) {
    sealBatch()
    let start = Frame.begin(kind.rawValue, in: &output)
    body(&output)
    Frame.seal(&output, from: start)
  }

  /// The link is gone, with all that was queued on it.
  func drop() {
    output = ByteWriter()
    openFrame = nil
    unsentBytes = 0
    reader = FrameReader(bodyLimitBytes: 4096)
  }
}

/// A link that a peer dialled: what it sends comes in here.
final class ServedLink {
  enum State {
    case awaitingHello(since: Instant)
    case awaitingProof(hello: Greeting, nonce: [UInt8], since: Instant)
    case established(NodeID)
  }

  var state: State
  var reader = FrameReader(bodyLimitBytes: Peer.batchLimitBytes)
  /// Of the greeting only.
  var output = ByteWriter()
  /// To be closed once the output is written.
  var isFinished = false

  init(_ state: State) { self.state = state }
}
