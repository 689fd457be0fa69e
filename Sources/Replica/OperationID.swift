package import Base

/// The name of one client operation, for as long as the register remembers it (R7, R8): 128 bits.
package struct OperationID: Hashable, Sendable {
  package let high: UInt64
  package let low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The name that a node gives to an operation whose client gave none. Unique, because boot numbers are persisted and
  /// never repeat.
  package init(node: NodeID, boot: UInt64, sequence: UInt64) {
    high = UInt64(node.value) << 47 | (boot & ((1 << 47) - 1))
    low = sequence
  }

  /// The name made from a client's Idempotency-Key; `digest` is 16 bytes of a cryptographic hash of the text. The top
  /// bit keeps the two kinds apart.
  package init(digest: ArraySlice<UInt8>) {
    invariant(digest.count >= 16, "an operation id needs 16 bytes of digest")
    var words: (UInt64, UInt64) = (0, 0)
    for byte in digest.prefix(8) { words.0 = words.0 << 8 | UInt64(byte) }
    for byte in digest.dropFirst(8).prefix(8) { words.1 = words.1 << 8 | UInt64(byte) }
    high = words.0 | 1 << 63
    low = words.1
  }

  /// Whether a client chose the name, and so may send the operation again.
  package var isFromClient: Bool { high >> 63 == 1 }
}
