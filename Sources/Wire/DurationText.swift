package import Base

/// Durations everywhere in the contract: a whole number and `ms`, `s` or `m`.
package enum DurationText {
  /// Nil for anything else, and for what 64 bits of milliseconds do not hold.
  package static func parse(_ text: ArraySlice<UInt8>) -> Milliseconds? {
    guard let unitStart = text.firstIndex(where: { $0 &- 0x30 >= 10 }) else { return nil }
    let unit = text[unitStart...]
    let scale: UInt64
    if StaticString("ms").equals(unit) {
      scale = 1
    } else if unit.count == 1, unit.first == UInt8(ascii: "s") {
      scale = 1000
    } else if unit.count == 1, unit.first == UInt8(ascii: "m") {
      scale = 60_000
    } else {
      return nil
    }
    guard let number = Decimal.unsigned(text[..<unitStart]) else { return nil }
    let (product, overflowed) = number.multipliedReportingOverflow(by: scale)
    return overflowed ? nil : Milliseconds(product)
  }

  package static func parse(_ text: [UInt8]) -> Milliseconds? { parse(text[...]) }
}
