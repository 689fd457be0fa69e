package import Base

/// A ballot `(epoch, counter, proposer)`, ordered lexicographically (PROTOCOL, State).
///
/// The epoch is the most significant part, so a round belongs to one configuration and a promise fences older ones
/// (R11). The proposer is a node and its boot number, which is persisted and grows at each start, so that no ballot
/// is ever used twice. Packed into 16 bytes, because every record holds two: `epoch:20 counter:44 | node:16 boot:48`.
package struct Ballot: Comparable, Hashable, Sendable {
  private let high: UInt64
  private let low: UInt64

  package static let counterBits: UInt64 = 44
  package static let bootBits: UInt64 = 48
  package static let highestCounter: UInt64 = 1 << counterBits - 1
  package static let highestBoot: UInt64 = 1 << bootBits - 1

  package init(epoch: UInt32, counter: UInt64, node: NodeID, boot: UInt64) {
    invariant(
      epoch < 1 << 20 && counter < 1 << Self.counterBits && boot < 1 << Self.bootBits,
      "a part of a ballot has outgrown its field")
    high = UInt64(epoch) << Self.counterBits | counter
    low = UInt64(node.value) << Self.bootBits | boot
  }

  /// The words in which a ballot is packed.
  init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  var words: (high: UInt64, low: UInt64) { (high, low) }

  /// Below every ballot that a proposer can use; stands for "nothing".
  package static var zero: Ballot { Ballot(high: 0, low: 0) }

  /// The promise that a node gives for every key when it installs `epoch` (R11).
  package static func fence(epoch: UInt32) -> Ballot { Ballot(epoch: epoch, counter: 0, node: NodeID(0), boot: 0) }

  package var epoch: UInt32 { UInt32(truncatingIfNeeded: high >> Self.counterBits) }
  package var counter: UInt64 { high & ((1 << Self.counterBits) - 1) }
  package var node: NodeID { NodeID(UInt16(truncatingIfNeeded: low >> Self.bootBits)) }
  package var boot: UInt64 { low & ((1 << Self.bootBits) - 1) }

  @inline(__always)
  package static func < (a: Ballot, b: Ballot) -> Bool { a.high != b.high ? a.high < b.high : a.low < b.low }

  /// The next ballot of the same proposer in the same epoch (R2: the counter only grows).
  package var next: Ballot { Ballot(epoch: epoch, counter: counter + 1, node: node, boot: boot) }

  package func encode(into writer: inout ByteWriter) { writer.append(16) { encode(into: &$0) } }

  @inline(__always)
  func encode(into span: inout OutputSpan<UInt8>) {
    span.u64(high)
    span.u64(low)
  }

  package init(from reader: inout ByteReader) throws(DecodeError) {
    high = try reader.u64()
    low = try reader.u64()
  }
}

extension Ballot: CustomStringConvertible {
  /// `epoch.counter@node/boot`, as in traces.
  package var description: String { "\(epoch).\(counter)@\(node.value)/\(boot)" }
}
