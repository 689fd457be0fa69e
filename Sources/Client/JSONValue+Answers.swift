import Base
package import Wire

/// What the nodes' JSON holds again and again.
extension JSONValue {
  /// nil for anything but one JSON text.
  package static func read(_ text: [UInt8]) -> JSONValue? { try? parse(text) }

  /// A string as text.
  package var text: String? { string.map { String(decoding: $0, as: UTF8.self) } }

  /// The bytes of member `name`, or of its twin `name_base64` for what is not UTF-8.
  package func bytes(_ name: StaticString, orBase64 encoded: StaticString) -> [UInt8]? {
    if let plain = self[name]?.string { return plain }
    return self[encoded]?.string.flatMap { Base64.decode($0) }
  }

  /// `{"revision":N,"value":…}`, nil for anything else.
  var entry: Entry? {
    guard let revision = self["revision"]?.unsigned, let value = bytes("value", orBase64: "value_base64") else {
      return nil
    }
    return Entry(revision: revision, value: value)
  }
}
