/// Decimal numbers as bytes, without going through `String`.
@usableFromInline
package enum Decimal {
  /// A 64-bit integer: an optional `-`, then digits; nil for anything else, also for `+1`, ` 1`, and what does not fit.
  package static func integer(_ bytes: ArraySlice<UInt8>) -> Int64? {
    guard let first = bytes.first else { return nil }
    let isNegative = first == UInt8(ascii: "-")
    let digits = isNegative ? bytes.dropFirst() : bytes
    guard !digits.isEmpty else { return nil }
    var value: Int64 = 0
    for byte in digits {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      // Gathered as a negative number, because the most negative one has no positive twin.
      let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
      let (next, underflow) = scaled.subtractingReportingOverflow(Int64(byte - UInt8(ascii: "0")))
      guard !overflow, !underflow else { return nil }
      value = next
    }
    if isNegative { return value }
    let (positive, overflow) = Int64(0).subtractingReportingOverflow(value)
    return overflow ? nil : positive
  }

  /// An unsigned 64-bit integer: digits only.
  package static func unsigned(_ bytes: ArraySlice<UInt8>) -> UInt64? {
    guard !bytes.isEmpty else { return nil }
    var value: UInt64 = 0
    for byte in bytes {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
      let (next, carry) = scaled.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
      guard !overflow, !carry else { return nil }
      value = next
    }
    return value
  }

  package static func append(_ number: Int64, to bytes: inout [UInt8]) {
    if number < 0 { bytes.append(UInt8(ascii: "-")) }
    append(number.magnitude, to: &bytes)
  }

  package static func append(_ number: UInt64, to bytes: inout [UInt8]) {
    bytes.append(addingCapacity: digits(number)) { $0.decimal(number) }
  }

  /// How many digits `number` has, without leading zeros.
  @inlinable
  package static func digits(_ number: UInt64) -> Int {
    var count = 1
    var bound: UInt64 = 10
    // 10^20 does not fit.
    while count < 20, number >= bound {
      count += 1
      bound &*= 10
    }
    return count
  }
}

extension OutputSpan where Element == UInt8 {
  /// Appends the digits of `number`.
  @inlinable
  package mutating func decimal(_ number: UInt64) {
    let digits = Decimal.digits(number)
    invariant(freeCapacity >= digits, "no room was made for a number")
    withUnsafeMutableBufferPointer { room, count in
      let bytes = UnsafeMutableRawBufferPointer(room)
      var rest = number
      // The last digit comes first.
      for place in stride(from: count + digits - 1, through: count, by: -1) {
        let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
        bytes[place] = UInt8(truncatingIfNeeded: digit) &+ UInt8(ascii: "0")
        rest = quotient
      }
      count += digits
    }
  }
}
