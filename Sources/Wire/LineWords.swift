/// The words of one line, separated by one space each.
struct LineWords {
  private let line: ArraySlice<UInt8>
  /// Where the next word begins; nil once there is no space left before one.
  private var start: Int?

  init(_ line: ArraySlice<UInt8>) {
    self.line = line
    start = line.startIndex
  }

  /// Whether the line is over; false also where a space stands at its end.
  var isAtEnd: Bool { start == nil }

  /// The next word, nil at the end of the line and where two spaces stand together.
  mutating func next() -> ArraySlice<UInt8>? {
    guard let from = start else { return nil }
    let end = line[from...].firstIndex(of: HTTPCharacters.space) ?? line.endIndex
    start = end < line.endIndex ? end + 1 : nil
    return from < end ? line[from..<end] : nil
  }

  /// All that is left, spaces included; empty after a space at the end of the line, nil where there is none.
  mutating func rest() -> [UInt8]? {
    guard let from = start else { return nil }
    start = nil
    return Array(line[from...])
  }

  /// What stands between two `=` of which the second is followed by a space, as SWAP has it; nil without them.
  mutating func delimited() -> ArraySlice<UInt8>? {
    guard let from = start, from < line.endIndex, line[from] == 0x3D else { return nil }
    var end = from + 1
    while end < line.endIndex {
      if line[end] == 0x3D, end + 1 < line.endIndex, line[end + 1] == HTTPCharacters.space {
        start = end + 2
        return line[from + 1..<end]
      }
      end += 1
    }
    return nil
  }
}
