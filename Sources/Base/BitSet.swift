/// A set of small integers (0...63) in one word: votes, by a member's position in its configuration.
@usableFromInline
package struct BitSet: Hashable, Sendable {
  @usableFromInline package var bits: UInt64

  @inlinable @inline(__always)
  package init(bits: UInt64 = 0) { self.bits = bits }

  /// The set {0, 1, …, count - 1}; `count` is at most 64.
  package init(_ places: [Int]) {
    bits = 0
    for place in places { insert(place) }
  }
  package init(first count: Int) { bits = count == 64 ? .max : (1 << UInt64(count)) - 1 }

  @inlinable @inline(__always)
  package mutating func insert(_ index: Int) { bits |= 1 << UInt64(index) }
  @inlinable @inline(__always)
  package mutating func remove(_ index: Int) { bits &= ~(1 << UInt64(index)) }
  @inlinable @inline(__always)
  package func contains(_ index: Int) -> Bool { bits & (1 << UInt64(index)) != 0 }

  @inlinable @inline(__always)
  package var count: Int { bits.nonzeroBitCount }
  @inlinable package var isEmpty: Bool { bits == 0 }
  @inlinable @inline(__always)
  package func intersection(_ other: BitSet) -> BitSet { BitSet(bits: bits & other.bits) }
  @inlinable package func union(_ other: BitSet) -> BitSet { BitSet(bits: bits | other.bits) }
}
