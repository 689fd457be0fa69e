/// Why a file is no history: said with the number of the line, never followed by a verdict.
package struct HistoryError: Error {
  /// From 1; 0: the file as a whole.
  package let line: Int
  package let reason: String

  init(_ line: Int, _ reason: String) {
    self.line = line
    self.reason = reason
  }
}
