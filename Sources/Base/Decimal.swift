/// Decimal numbers as bytes, without going through `String`.
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
    if number < 10 {
      bytes.append(UInt8(truncatingIfNeeded: number) &+ UInt8(ascii: "0"))
      return
    }
    // The digits come last first, and a slice of `bytes` cannot be turned round in place without copying all of it.
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
      var first = 20
      var rest = number
      repeat {
        let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
        first -= 1
        digits[first] = UInt8(truncatingIfNeeded: digit) &+ UInt8(ascii: "0")
        rest = quotient
      } while rest != 0
      bytes.append(contentsOf: UnsafeMutableBufferPointer(rebasing: digits[first..<20]))
    }
  }
}
