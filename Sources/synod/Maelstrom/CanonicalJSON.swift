import Base
package import Wire

/// One text for each JSON value, so that equal values are equal bytes: no blanks, the members of objects sorted by
/// name, numbers by their value (1, 1.0 and 10e-1 are one number), strings with the fewest escapes.
package enum CanonicalJSON {
  /// So many zeros are written out before a number gets an exponent.
  private static let maximumZeros: Int64 = 20

  /// The text of `value`; nil where it holds a number whose exponent has no place in 32 bits.
  package static func text(_ value: JSONValue) -> [UInt8]? {
    var output: [UInt8] = []
    return append(value, to: &output) ? output : nil
  }

  private static func append(_ value: JSONValue, to output: inout [UInt8]) -> Bool {
    switch value {
    case .null: output.append("null")
    case .boolean(let flag): output.append(flag ? "true" : "false")
    case .unsigned(let number): return append(number: digits(number), to: &output)
    case .negative(let number): return append(number: digits(number), to: &output)
    case .number(let text): return append(number: text, to: &output)
    case .string(let text): JSONText.appendString(text, to: &output)
    case .array(let values):
      output.append(UInt8(ascii: "["))
      for (place, value) in values.enumerated() {
        if place > 0 { output.append(UInt8(ascii: ",")) }
        guard append(value, to: &output) else { return false }
      }
      output.append(UInt8(ascii: "]"))
    case .object(let members):
      output.append(UInt8(ascii: "{"))
      for (place, member) in members.sorted(by: { $0.name.lexicographicallyPrecedes($1.name) }).enumerated() {
        if place > 0 { output.append(UInt8(ascii: ",")) }
        JSONText.appendString(member.name, to: &output)
        output.append(UInt8(ascii: ":"))
        guard append(member.value, to: &output) else { return false }
      }
      output.append(UInt8(ascii: "}"))
    }
    return true
  }

  private static func digits(_ number: UInt64) -> [UInt8] {
    var text: [UInt8] = []
    Decimal.append(number, to: &text)
    return text
  }

  private static func digits(_ number: Int64) -> [UInt8] {
    var text: [UInt8] = []
    Decimal.append(number, to: &text)
    return text
  }

  /// A number as JSON writes it, taken apart into digits without a zero at either end, and the power of ten of the
  /// last.
  private static func append(number text: [UInt8], to output: inout [UInt8]) -> Bool {
    var digits: [UInt8] = []
    var exponent: Int64 = 0
    var rest = text[...]
    let isNegative = rest.first == UInt8(ascii: "-")
    if isNegative { rest.removeFirst() }
    var isFraction = false
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: ".") {
        isFraction = true
      } else if byte | 0x20 == UInt8(ascii: "e") {
        if rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        guard let power = Decimal.integer(rest), let power = Int32(exactly: power) else { return false }
        exponent += Int64(power)
        break
      } else {
        if byte != UInt8(ascii: "0") || !digits.isEmpty { digits.append(byte) }
        if isFraction { exponent -= 1 }
      }
    }
    while digits.last == UInt8(ascii: "0") {
      digits.removeLast()
      exponent += 1
    }
    guard !digits.isEmpty else {
      output.append(UInt8(ascii: "0"))
      return true
    }
    if isNegative { output.append(UInt8(ascii: "-")) }
    append(digits, exponent, to: &output)
    return true
  }

  private static func append(_ digits: [UInt8], _ exponent: Int64, to output: inout [UInt8]) {
    let zero = UInt8(ascii: "0")
    /// Digits before the point.
    let whole = Int64(digits.count) + exponent
    if (0...maximumZeros).contains(exponent) {
      output += digits + Array(repeating: zero, count: Int(exponent))
    } else if exponent < 0 && whole > 0 {
      output += digits[..<Int(whole)] + [UInt8(ascii: ".")] + digits[Int(whole)...]
    } else if exponent < 0 && whole > -maximumZeros {
      output.append("0.")
      output += Array(repeating: zero, count: Int(-whole)) + digits
    } else {
      output += digits
      output.append("E")
      Decimal.append(exponent, to: &output)
    }
  }
}
