/// Lengths of time for people.
package enum DurationWords {
  /// Three digits and a unit: `870 ns`, `65.3 µs`, `1.48 ms`, `12.0 s`.
  package static func text(_ nanoseconds: UInt64) -> String {
    if nanoseconds < 1000 { return "\(nanoseconds) ns" }
    var value = Double(nanoseconds) / 1000
    var unit = "µs"
    if value >= 999.5 {
      value /= 1000
      unit = "ms"
    }
    if unit == "ms", value >= 999.5 {
      value /= 1000
      unit = "s"
    }
    return "\(NumberWords.threeDigits(value)) \(unit)"
  }
}

/// Numbers for people.
package enum NumberWords {
  /// With three significant digits, no less than all of its whole ones: `0.0123`, `1.48`, `12.0`, `1234`.
  package static func threeDigits(_ value: Double) -> String {
    guard value.isFinite else { return "–" }
    let magnitude = value.magnitude
    if magnitude == 0 { return "0" }
    var decimals = 0
    var scaled = magnitude
    while scaled < 99.95, decimals < 6 {
      scaled *= 10
      decimals += 1
    }
    return fixed(value, decimals: decimals)
  }

  /// So many digits behind the point, rounded.
  package static func fixed(_ value: Double, decimals: Int) -> String {
    guard value.isFinite else { return "–" }
    var factor: Int64 = 1
    for _ in 0..<decimals { factor *= 10 }
    let scaled = (value.magnitude * Double(factor)).rounded()
    guard scaled < 9e18 else { return "\(value)" }
    let whole = Int64(scaled)
    let sign = value < 0 && whole > 0 ? "-" : ""
    if decimals == 0 { return "\(sign)\(whole)" }
    let rest = String(whole % factor)
    return "\(sign)\(whole / factor)." + String(repeating: "0", count: decimals - rest.count) + rest
  }

  /// With a thin gap between thousands: `1 234 567`.
  package static func grouped(_ value: Int64) -> String {
    var digits = String(value.magnitude)
    var groups: [String] = []
    while digits.count > 3 {
      groups.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    groups.insert(digits, at: 0)
    return (value < 0 ? "-" : "") + groups.joined(separator: " ")
  }
}
