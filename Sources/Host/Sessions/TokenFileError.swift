/// Why a token file is refused. A file that is half understood would open or close the wrong doors.
package struct TokenFileError: Error, Sendable, Equatable {
  /// From 1; 0: the file as a whole.
  package let line: Int
  package let reason: StaticString

  package static func == (a: TokenFileError, b: TokenFileError) -> Bool { a.line == b.line }
}
