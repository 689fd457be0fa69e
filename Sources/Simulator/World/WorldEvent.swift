import Storage

/// What can happen in a simulated world. Nodes and clients are numbered from 0.
enum WorldEvent {
  /// The node's event loop goes round. `life`: of this start of the node; later ones do not care.
  case turn(node: Int, life: UInt32)
  /// The oldest batch of a lane is done.
  case disk(node: Int, life: UInt32, DeviceBatch.Lane)
  /// A read of a disk is done. `early`: what stood there when it was asked for.
  case read(node: Int, life: UInt32, DeviceRead, early: [UInt8])
  /// A connection attempt has reached the other node, or has found that it cannot.
  case dial(from: Int, to: Int, life: UInt32)
  case bytes(connection: UInt64, toDialler: Bool, [UInt8])
  /// A frame that was held up by itself: it comes on whatever link there is from the one node to the other.
  case late(from: Int, to: Int, [UInt8])
  /// The other side has closed the connection, behind all that it sent.
  case closed(connection: UInt64, toDialler: Bool)
  /// A client may go on; `visit` tells whether it still waits for this.
  case client(Int, visit: UInt64)
  case faultBegins(Int)
  case faultEnds(Int)
  /// Bytes that have lain on a disk for a while are damaged.
  case damage(fault: Int)
  case start(node: Int)
  /// The node hears of the newest epoch.
  case install(node: Int)
  /// A node that is to be added later starts.
  case arrive(node: Int)
  /// The operator looks whether the members are as wanted.
  case wish
  /// A node that was paused goes on.
  case resume(node: Int)
  /// On a stage: a message is there, unless it was taken out or put off.
  case landing(flight: UInt64)
  /// An operation of a load that is timed is meant to start.
  case arrival(node: Int)
}
