/// A register's content at one moment.
public struct Entry: Hashable, Sendable {
  /// Grows with each change of the register and never repeats, not even across deletion.
  public let revision: UInt64
  public let value: [UInt8]

  public init(revision: UInt64, value: [UInt8]) {
    self.revision = revision
    self.value = value
  }

  /// The value as text, nil if it is not UTF-8.
  public var text: String? { String(validating: value, as: UTF8.self) }
}
