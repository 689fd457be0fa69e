import Base

/// The value of an If-Match or If-None-Match field (RFC 9110 §8.8.3, §13.1): `*`, or a list of entity tags.
///
/// Our own tags are `"REVISION"`, strong, in decimal without leading zeros. A tag is compared as text, so another
/// spelling of a number is another tag, and matches nothing.
package enum EntityTags: Sendable, Equatable {
  package struct Tag: Sendable, Equatable {
    package let isWeak: Bool
    /// Nil for a tag that none of our revisions has.
    package let revision: UInt64?

    package init(isWeak: Bool, revision: UInt64?) {
      self.isWeak = isWeak
      self.revision = revision
    }
  }

  case any
  /// At least one.
  case list([Tag])

  /// Throws 400 for anything else.
  package static func parse(_ text: ArraySlice<UInt8>) throws(HTTPFault) -> EntityTags {
    if text.count == 1, text.first == 0x2A { return .any }
    var tags: [Tag] = []
    var index = text.startIndex
    var needsComma = false
    while index < text.endIndex {
      let byte = text[index]
      if byte == 0x2C {
        needsComma = false
        index += 1
      } else if HTTPCharacters.isBlank(byte) {
        index += 1
      } else if needsComma {
        throw malformed
      } else {
        tags.append(try tag(text, &index))
        needsComma = true
      }
    }
    guard !tags.isEmpty else { throw malformed }
    return .list(tags)
  }

  /// Strong comparison, for If-Match: a weak tag matches nothing.
  package func matchesStrongly(_ revision: UInt64) -> Bool {
    switch self {
    case .any: true
    case .list(let tags): tags.contains { !$0.isWeak && $0.revision == revision }
    }
  }

  /// Weak comparison, for If-None-Match.
  package func matchesWeakly(_ revision: UInt64) -> Bool {
    switch self {
    case .any: true
    case .list(let tags): tags.contains { $0.revision == revision }
    }
  }

  private static let malformed = HTTPFault(400, "an entity tag is malformed", close: false)

  /// `[ "W/" ] DQUOTE *etagc DQUOTE`, from `index` on.
  private static func tag(_ text: ArraySlice<UInt8>, _ index: inout Int) throws(HTTPFault) -> Tag {
    let isWeak = text[index] == UInt8(ascii: "W")
    if isWeak {
      guard index + 1 < text.endIndex, text[index + 1] == 0x2F else { throw malformed }
      index += 2
    }
    guard index < text.endIndex, text[index] == 0x22 else { throw malformed }
    let start = index + 1
    guard let end = text[start...].firstIndex(of: 0x22) else { throw malformed }
    for byte in text[start..<end] where byte <= 0x20 || byte == 0x7F { throw malformed }
    index = end + 1
    let digits = text[start..<end]
    let isCanonical = digits.count == 1 || digits.first != 0x30
    return Tag(isWeak: isWeak, revision: isCanonical ? Decimal.unsigned(digits) : nil)
  }
}
