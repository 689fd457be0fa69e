import Base

/// Readings of the few other fields that the interface gives a meaning.
package enum FieldValues {
  /// Whether an Accept field names application/json, and not with a weight of zero (RFC 9110 §12.5.1). Ranges such as
  /// `*/*` do not ask for it: what everybody sends gets the raw value.
  package static func asksForJSON(_ accept: ArraySlice<UInt8>) -> Bool {
    parts(accept, HTTPCharacters.comma).contains { range in
      let pieces = parts(range, 0x3B)
      guard let type = pieces.first, StaticString("application/json").equalsIgnoringCase(type) else { return false }
      return !pieces.dropFirst().contains { piece in
        guard piece.count >= 3, StaticString("q=").equalsIgnoringCase(piece.prefix(2)) else { return false }
        return piece.dropFirst(2).allSatisfy { $0 == UInt8(ascii: "0") || $0 == UInt8(ascii: ".") }
      }
    }
  }

  /// Whether a Prefer field holds `return=minimal` (RFC 7240 §4.2).
  package static func prefersMinimalReturn(_ prefer: ArraySlice<UInt8>) -> Bool {
    parts(prefer, HTTPCharacters.comma).contains { preference in
      guard let first = parts(preference, 0x3B).first else { return false }
      return StaticString("return=minimal").equalsIgnoringCase(first)
        || StaticString("return=\"minimal\"").equalsIgnoringCase(first)
    }
  }

  /// The token of `Authorization: Bearer TOKEN` (RFC 6750 §2.1); nil for another scheme, or without a token.
  package static func bearerToken(_ authorization: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard authorization.count > 7, StaticString("bearer ").equalsIgnoringCase(authorization.prefix(7)) else {
      return nil
    }
    let token = authorization.dropFirst(7).drop { $0 == HTTPCharacters.space }
    return token.isEmpty || token.contains(where: { HTTPCharacters.isBlank($0) }) ? nil : token
  }

  /// What stands between separators, without the blanks around it, empty parts left out.
  private static func parts(_ text: ArraySlice<UInt8>, _ separator: UInt8) -> [ArraySlice<UInt8>] {
    var found: [ArraySlice<UInt8>] = []
    for part in text.split(separator: separator) {
      var trimmed = part.drop { HTTPCharacters.isBlank($0) }
      while let last = trimmed.last, HTTPCharacters.isBlank(last) { trimmed.removeLast() }
      if !trimmed.isEmpty { found.append(trimmed) }
    }
    return found
  }
}
