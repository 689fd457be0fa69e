package import Base

/// Which of the keys 0 ..< count an operation goes to.
package struct KeyChoice: Sendable {
  package enum Distribution: Sendable, Equatable {
    case uniform
    /// Key popularity falls with its rank r as 1 / rᶿ; YCSB takes θ = 0.99. Which keys are popular is scrambled.
    case zipf(theta: Double)

    package static let ycsb = Distribution.zipf(theta: 0.99)
  }

  package let count: UInt64
  private let zipf: Zipf?

  /// `count` is 1 to 10⁹. For Zipf it takes time in proportion to it, some 20 ns a key.
  package init(_ distribution: Distribution, count: Int) {
    invariant((1...1_000_000_000).contains(count), "a choice among no keys, or too many")
    self.count = UInt64(count)
    switch distribution {
    case .uniform: zipf = nil
    case .zipf(let theta): zipf = count > 1 ? Zipf(count: UInt64(count), theta: theta) : nil
    }
  }

  @inline(__always)
  package func next(_ random: inout SeededRandom) -> UInt64 {
    guard let zipf else { return random.below(count) }
    return KeyChoice.scramble(zipf.rank(random.unit()), count)
  }

  /// Spreads the ranks over the keys, so that popular keys are not neighbours; each rank has a key of its own, because
  /// the factor is a prime larger than any count of keys.
  @inline(__always)
  private static func scramble(_ rank: UInt64, _ count: UInt64) -> UInt64 { rank &* 2_654_435_761 % count }
}

/// Zipf's distribution by the method of Gray et al., "Quickly Generating Billion-Record Synthetic Databases" (SIGMOD
/// 1994), which YCSB uses: constant time a number, after one sum over all ranks.
package struct Zipf: Sendable {
  private let count: Double
  private let theta: Double
  private let alpha: Double
  private let eta: Double
  private let zeta: Double

  /// `theta` is above 0 and not 1; `count` is at least 2.
  package init(count: UInt64, theta: Double) {
    var zeta = 0.0
    // From the smallest term, so that the sum loses no digits.
    for rank in stride(from: count, to: 0, by: -1) { zeta += Elementary.power(Double(rank), -theta) }
    let zeta2 = 1 + Elementary.power(2, -theta)
    self.count = Double(count)
    self.theta = theta
    self.zeta = zeta
    alpha = 1 / (1 - theta)
    eta = (1 - Elementary.power(2 / Double(count), 1 - theta)) / (1 - zeta2 / zeta)
  }

  /// The rank, 0 for the most popular, that a number `u` in 0 ..< 1 stands for.
  package func rank(_ u: Double) -> UInt64 {
    let scaled = u * zeta
    if scaled < 1 { return 0 }
    if scaled < 1 + Elementary.power(0.5, theta) { return 1 }
    let rank = count * Elementary.power(eta * u - eta + 1, alpha)
    return min(UInt64(rank), UInt64(count) - 1)
  }
}

extension SeededRandom {
  /// A number in 0 ..< 1, in steps of 2⁻⁵³.
  package mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
}
