/// Why a file is no history: said with the number of the line, never followed by a verdict.
struct HistoryError: Error {
  /// From 1; 0: the file as a whole.
  let line: Int
  let reason: String

  init(_ line: Int, _ reason: String) {
    self.line = line
    self.reason = reason
  }
}
