/// Why a token file is refused. A file that is half understood would open or close the wrong doors.
package struct TokenFileError: Error, Sendable {
  /// From 1; 0: the file as a whole.
  package let line: Int
  package let reason: StaticString
}
