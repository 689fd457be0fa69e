/// The number of a node, chosen by the operator, unique in its cluster, never 0.
package struct NodeID: Comparable, Hashable, Sendable {
  package var value: UInt16

  @inline(__always)
  package init(_ value: UInt16) { self.value = value }

  @inline(__always)
  package static func < (a: NodeID, b: NodeID) -> Bool { a.value < b.value }
}
