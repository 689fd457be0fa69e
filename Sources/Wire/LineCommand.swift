package import Base

/// One command of the line protocol (CONTRACT §2), and `AUTH TOKEN`, which a node with a token file asks for first.
package enum LineCommand: Sendable, Equatable {
  case get(Key)
  /// PUT and PUTB alike.
  case put(Key, value: [UInt8])
  /// CAS; nil: the register must be absent.
  case compareAndSet(Key, revision: UInt64?, value: [UInt8])
  /// SWAP: compares with a value.
  case swap(Key, expected: [UInt8], value: [UInt8])
  /// DEL, at any revision where it is nil.
  case delete(Key, revision: UInt64?)
  case add(Key, Int64)
  /// WAIT until the revision is another than this, at most so long.
  case wait(Key, revision: UInt64, Milliseconds)
  case ping
  case quit
  case authenticate(token: [UInt8])
}

/// What a connection that speaks lines has received, in order.
package enum LineEvent: Sendable, Equatable {
  case command(LineCommand)
  /// A line that is answered with an error, and of which nothing was executed.
  case refused(HTTPFault)
}
