import Base

/// The tokens of `--token-file`.
///
/// ```
/// file  = *( line LF )
/// line  = blanks | blanks "#" anything | TOKEN blanks ( "ro" | "rw" | "admin" ) [ blanks KEY-PREFIX ]
/// ```
/// Valid if and only if every line is of that form, each token is of visible ASCII and at least ``minimumTokenBytes``
/// long and stands once, and there is at least one. The prefix is percent-encoded, as keys are wherever they stand in a
/// text.
package struct TokenTable: Sendable {
  package static let minimumTokenBytes = 8

  private struct Entry: Sendable {
    var token: [UInt8]
    var grant: Grant
  }

  private var entries: [Entry] = []

  package init(parsing file: [UInt8]) throws(TokenFileError) {
    var number = 0
    for line in file.split(separator: 0x0A, omittingEmptySubsequences: false) {
      number += 1
      let words = line.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
      guard let token = words.first, token.first != UInt8(ascii: "#") else { continue }
      guard words.count == 2 || words.count == 3, let role = Self.role(words[1]) else {
        throw TokenFileError(line: number, reason: "a line must be: TOKEN ro|rw|admin [KEY-PREFIX]")
      }
      guard token.count >= Self.minimumTokenBytes else {
        throw TokenFileError(line: number, reason: "a token must have at least 8 characters")
      }
      guard token.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
        throw TokenFileError(line: number, reason: "a token must be of visible ASCII characters")
      }
      guard !entries.contains(where: { $0.token.elementsEqual(token) }) else {
        throw TokenFileError(line: number, reason: "a token stands twice")
      }
      guard let prefix = words.count == 3 ? PercentCoding.decode(words[2]) : [] else {
        throw TokenFileError(line: number, reason: "the key prefix is not percent-encoded")
      }
      entries.append(Entry(token: Array(token), grant: Grant(role: role, keyPrefix: prefix)))
    }
    // An empty file would shut everybody out, and is more likely a file that went wrong.
    guard !entries.isEmpty else { throw TokenFileError(line: 0, reason: "there is no token in the file") }
  }

  /// What this token grants; nil for one that is not in the table.
  ///
  /// The time taken tells the length of the tokens, never their content: all of them are compared to the end.
  package func grant(_ token: ArraySlice<UInt8>) -> Grant? {
    let token = Array(token)
    var found: Grant?
    for entry in entries where SHA256.equalInConstantTime(entry.token, token) { found = entry.grant }
    return found
  }

  private static func role(_ word: ArraySlice<UInt8>) -> Grant.Role? {
    if StaticString("ro").equals(word) { return .readOnly }
    if StaticString("rw").equals(word) { return .readWrite }
    if StaticString("admin").equals(word) { return .administrator }
    return nil
  }
}
