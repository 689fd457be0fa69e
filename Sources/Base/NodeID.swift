/// The number of a node, chosen by the operator, unique in its cluster, never 0.
package struct NodeID: Comparable, Hashable, Sendable {
  package var value: UInt16

  @inline(__always)
  package init(_ value: UInt16) { self.value = value }

  /// No node: what is sent to it goes into the trace of this one.
  package static let recorder = NodeID(0)

  @inline(__always)
  package static func < (a: NodeID, b: NodeID) -> Bool { a.value < b.value }
}
