/// The name of a register: 1 to 512 bytes of any value. A text stands for its UTF-8 bytes.
///
/// Segments `.` and `..` between slashes are refused by the nodes (400).
public struct RegisterKey: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
  public let bytes: [UInt8]

  public init(_ bytes: [UInt8]) { self.bytes = bytes }
  public init(_ text: String) { bytes = Array(text.utf8) }
  public init(stringLiteral text: String) { self.init(text) }

  /// For people: bytes that are not UTF-8 are shown as U+FFFD.
  public var description: String { String(decoding: bytes, as: UTF8.self) }
}
