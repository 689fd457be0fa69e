/// What must hold of a register for a change to be made. Evaluated by the nodes in one step with the change.
public enum Condition: Hashable, Sendable {
  /// The register exists, at this revision.
  case revision(UInt64)
  /// The register is absent, or at another revision.
  case notRevision(UInt64)
  /// The register exists.
  case exists
  /// The register is absent.
  case absent
  /// The register exists and its value is exactly this. It travels in the request line, so it should be short;
  /// for long values compare revisions.
  case value([UInt8])
}
