/// A connection between a node and another node, or a client: two streams of bytes, each in order.
struct SimConnection {
  enum Party: Equatable {
    case node(Int, life: UInt32)
    case client(Int)
  }

  /// Who made it.
  let dialler: Party
  /// The node that it was made to.
  let listener: Int
  let listenerLife: UInt32
  /// The node that was connected to knows of it.
  var isAccepted = false
  /// Both ends have greeted each other: replica messages may come.
  var isEstablished = false
  /// The end that has learnt that the connection is over takes nothing more in.
  var isOpenAtListener = true
  var isOpenAtDialler = true
  /// When the last bytes on their way to each end will be there.
  var arrivalAtListener: UInt64 = 0
  var arrivalAtDialler: UInt64 = 0

  /// True if both ends are closed, and nobody needs it any more.
  mutating func close(atDialler: Bool) -> Bool {
    if atDialler { isOpenAtDialler = false } else { isOpenAtListener = false }
    return !isOpenAtDialler && !isOpenAtListener
  }
}
