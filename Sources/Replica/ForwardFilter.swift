/// Which forwards of one peer have been taken up. A forward that the network delivers twice must be started once
/// only: its first copy may have been answered "not applied", and its change may have left the window since (R7, R8).
///
/// The sender numbers its forwards upwards. The last 1024 are remembered; what is older, and was not seen in time,
/// counts as lost, which its sender must be ready for anyway.
package struct ForwardFilter: Sendable {
  private static let length: UInt64 = 1024
  private var highest: UInt64 = 0
  /// One bit for each of the last ``length`` numbers, at its remainder.
  private var seen: [UInt64] = []

  package init() {}

  /// Whether `number` comes for the first time.
  package mutating func admit(_ number: UInt64) -> Bool {
    if seen.isEmpty { seen = Array(repeating: 0, count: Int(Self.length / 64)) }
    if number > highest {
      if number - highest >= Self.length {
        for word in seen.indices { seen[word] = 0 }
      } else {
        for skipped in (highest + 1)...number { seen[Self.word(skipped)] &= ~Self.bit(skipped) }
      }
      highest = number
    } else if highest - number >= Self.length {
      return false
    }
    if seen[Self.word(number)] & Self.bit(number) != 0 { return false }
    seen[Self.word(number)] |= Self.bit(number)
    return true
  }

  private static func word(_ number: UInt64) -> Int { Int(number % length / 64) }
  private static func bit(_ number: UInt64) -> UInt64 { 1 << (number % 64) }
}
