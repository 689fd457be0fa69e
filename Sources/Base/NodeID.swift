/// The number of a node, chosen by the operator, unique in its cluster, never 0.
@usableFromInline
package struct NodeID: Comparable, Hashable, Sendable {
  @usableFromInline package var value: UInt16

  @inlinable @inline(__always)
  package init(_ value: UInt16) { self.value = value }

  /// No node: what is sent to it goes into the trace of this one.
  @inlinable package static var recorder: NodeID { NodeID(0) }

  @inlinable @inline(__always)
  package static func == (a: NodeID, b: NodeID) -> Bool { a.value == b.value }
  @inlinable @inline(__always)
  package static func < (a: NodeID, b: NodeID) -> Bool { a.value < b.value }
}
