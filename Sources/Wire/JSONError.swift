/// Where and why a text is not the JSON that is read here.
package struct JSONError: Error, Sendable {
  /// Bytes from the start of the text.
  package let offset: Int
  package let reason: StaticString
}
