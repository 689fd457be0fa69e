/// What the bearer of a token may do.
package struct Grant: Sendable, Equatable {
  /// Each may do what those before it may.
  package enum Role: UInt8, Sendable, Equatable {
    case readOnly, readWrite, administrator
  }

  package let role: Role
  /// Keys that begin otherwise may not be touched.
  package let keyPrefix: [UInt8]

  /// Without a token file everybody may do everything.
  package static let everything = Grant(role: .administrator, keyPrefix: [])

  @inline(__always)
  func allows(key: [UInt8], toChange: Bool) -> Bool {
    (!toChange || role != .readOnly) && (keyPrefix.isEmpty || key.starts(with: keyPrefix))
  }

  /// A listing touches every key under its prefix.
  func allows(listing prefix: [UInt8]) -> Bool { keyPrefix.isEmpty || prefix.starts(with: keyPrefix) }

  /// A token for some of the keys does not administer the node that holds all of them.
  package var mayAdminister: Bool { role == .administrator && keyPrefix.isEmpty }
}
