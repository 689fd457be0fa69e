import Base

/// A JSON text (RFC 8259) as a tree. Strings are UTF-8 bytes; whole numbers of 64 bits are exact.
package indirect enum JSONValue: Sendable, Equatable {
  package struct Member: Sendable, Equatable {
    package let name: [UInt8]
    package let value: JSONValue

    package init(name: [UInt8], value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  case null
  case boolean(Bool)
  case unsigned(UInt64)
  /// Below zero.
  case negative(Int64)
  /// Any other number, as it was written.
  case number([UInt8])
  case string([UInt8])
  case array([JSONValue])
  /// In their order; no name stands twice.
  case object([Member])

  /// Reads one whole text. Strict: UTF-8, no duplicate names, no lone surrogates, nothing behind it but blanks.
  /// `maximumDepth`: so many arrays and objects may stand inside each other.
  package static func parse(_ text: ArraySlice<UInt8>, maximumDepth: Int = 16) throws(JSONError) -> JSONValue {
    var reader = JSONReader(text)
    let value = try reader.value(depthLeft: maximumDepth)
    try reader.requireEnd()
    return value
  }

  package static func parse(_ text: [UInt8], maximumDepth: Int = 16) throws(JSONError) -> JSONValue {
    try parse(text[...], maximumDepth: maximumDepth)
  }

  /// The member of an object; nil if there is none, and for anything but an object.
  package subscript(_ name: StaticString) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    for member in members where name.equals(member.name) { return member.value }
    return nil
  }

  package var string: [UInt8]? {
    if case .string(let text) = self { text } else { nil }
  }

  package var unsigned: UInt64? {
    if case .unsigned(let number) = self { number } else { nil }
  }

  package var signed: Int64? {
    switch self {
    case .unsigned(let number): Int64(exactly: number)
    case .negative(let number): number
    case .null, .boolean, .number, .string, .array, .object: nil
    }
  }

  package var boolean: Bool? {
    if case .boolean(let flag) = self { flag } else { nil }
  }

  package var array: [JSONValue]? {
    if case .array(let values) = self { values } else { nil }
  }
}
