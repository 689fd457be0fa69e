import Base

/// A JSON value as it was received. Strings are UTF-8 bytes, numbers stay text, so that 64 bits survive.
package indirect enum JSON: Equatable, Sendable {
  case null
  case bool(Bool)
  case number([UInt8])
  case string([UInt8])
  case array([JSON])
  case object([Member])

  package struct Member: Equatable, Sendable {
    package let name: [UInt8]
    package let value: JSON
  }

  /// The first member of this name; nil where there is none, or this is no object.
  package subscript(name: StaticString) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { name.equals($0.name) }?.value
  }

  package var unsigned: UInt64? {
    if case .number(let text) = self { Decimal.unsigned(text[...]) } else { nil }
  }

  package var integer: Int64? {
    if case .number(let text) = self { Decimal.integer(text[...]) } else { nil }
  }

  package var bytes: [UInt8]? {
    if case .string(let bytes) = self { bytes } else { nil }
  }

  package var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

  package var bool: Bool? {
    if case .bool(let bool) = self { bool } else { nil }
  }

  package var elements: [JSON]? {
    if case .array(let elements) = self { elements } else { nil }
  }

  /// The bytes of member `name`, or of its twin `name_base64` for what is not UTF-8.
  package func bytes(_ name: StaticString, orBase64 encoded: StaticString) -> [UInt8]? {
    if let plain = self[name]?.bytes { return plain }
    return self[encoded]?.bytes.flatMap { Base64.decode($0) }
  }

  /// `{"revision":N,"value":…}`, nil for anything else.
  var entry: Entry? {
    guard let revision = self["revision"]?.unsigned, let value = bytes("value", orBase64: "value_base64") else {
      return nil
    }
    return Entry(revision: revision, value: value)
  }
}
