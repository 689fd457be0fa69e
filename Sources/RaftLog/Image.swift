import Base

/// The state of all registers at one moment, read in parts while they go on changing: a register that changes before
/// it was read leaves its old cell here (copy on write). What it costs in memory is what changes meanwhile.
final class Image {
  let number: UInt64
  let position: LogPosition
  /// Registers that were there at that moment; numbers are given in turn, so later ones lie above.
  private let count: Int
  /// The next register to be read.
  private(set) var cursor = 0
  private var kept: [Int: [UInt8]] = [:]

  init(number: UInt64, position: LogPosition, count: Int) {
    self.number = number
    self.position = position
    self.count = count
  }

  var isAtEnd: Bool { cursor == count }

  /// As many of the entries up to `position` as this part of the registers stands for.
  var entriesRead: UInt64 { count == 0 ? 0 : UInt64(Double(position.index) * Double(cursor) / Double(count)) }

  /// Register `index` is about to change; `cell` is what it holds.
  func keep(_ index: Int, _ cell: [UInt8]) {
    guard index >= cursor, index < count, kept[index] == nil else { return }
    kept[index] = cell
  }

  /// Steps over the next register; returns its cell where it has changed since.
  func take() -> [UInt8]? {
    defer { cursor += 1 }
    return kept.isEmpty ? nil : kept.removeValue(forKey: cursor)
  }
}
