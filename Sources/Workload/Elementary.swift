/// Logarithm, exponential and power in Swift alone, for this target imports no C library; exact to about 1 part in
/// 10¹², and the same on every machine, which a seeded workload needs.
package enum Elementary {
  private static let ln2 = 0.693_147_180_559_945_309_4

  /// ln x; `x` must be above zero and finite.
  package static func logarithm(_ x: Double) -> Double {
    // x = m · 2ᵏ with m in √½ … √2, and ln m = 2 artanh((m − 1) / (m + 1)).
    var exponent = Double(x.exponent)
    var mantissa = x.significand
    if mantissa > 1.414_213_562_373_095 {
      mantissa /= 2
      exponent += 1
    }
    let y = (mantissa - 1) / (mantissa + 1)
    let square = y * y
    var term = y
    var sum = 0.0
    var divisor = 1.0
    while divisor < 32 {
      sum += term / divisor
      term *= square
      divisor += 2
    }
    return exponent * ln2 + 2 * sum
  }

  /// eˣ; 0 below what a Double can hold, infinity above.
  package static func exponential(_ x: Double) -> Double {
    if x < -745 { return 0 }
    if x > 709.7 { return .infinity }
    let power = (x / ln2).rounded()
    let rest = x - power * ln2
    var term = 1.0
    var sum = 1.0
    var divisor = 1.0
    while divisor < 18 {
      term *= rest / divisor
      sum += term
      divisor += 1
    }
    return sum * Double(sign: .plus, exponent: Int(power), significand: 1)
  }

  /// baseˣ; `base` must be above zero.
  package static func power(_ base: Double, _ x: Double) -> Double { exponential(x * logarithm(base)) }
}
