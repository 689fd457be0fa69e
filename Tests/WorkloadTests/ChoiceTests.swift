import Base
import Glibc
import Testing
import Workload

@Suite("Keys and mixes")
struct ChoiceTests {
  @Test func elementaryFunctionsAgreeWithTheCLibrary() {
    for step in 1...2000 {
      let x = Double(step) * 0.37
      #expect(abs(Elementary.logarithm(x) - log(x)) < 1e-12 * max(1, abs(log(x))), "ln \(x)")
      let y = x / 2 - 200
      #expect(abs(Elementary.exponential(y) / exp(y) - 1) < 1e-12, "e^\(y)")
      #expect(abs(Elementary.power(x, -0.99) / pow(x, -0.99) - 1) < 1e-11, "\(x)^-0.99")
    }
    #expect(Elementary.exponential(-1000) == 0 && Elementary.exponential(1000) == .infinity)
  }

  /// What rank r must come up how often: 1 / rᶿ of the sum.
  @Test func zipfIsZipf() {
    let zipf = Zipf(count: 1000, theta: 0.99)
    var random = SeededRandom(seed: 11)
    var counts = [Int](repeating: 0, count: 1000)
    let draws = 400_000
    for _ in 0..<draws { counts[Int(zipf.rank(random.unit()))] += 1 }
    let sum = (1...1000).reduce(0.0) { $0 + pow(Double($1), -0.99) }
    for rank in [1, 2] {
      let expected = Double(draws) * pow(Double(rank), -0.99) / sum
      #expect(abs(Double(counts[rank - 1]) - expected) < 0.03 * expected, "rank \(rank)")
    }
    // Beyond the first two the method is an approximation: held to in groups.
    for group in [2..<10, 10..<100, 100..<1000] {
      let expected = group.reduce(0.0) { $0 + Double(draws) * pow(Double($1 + 1), -0.99) / sum }
      let found = counts[group].reduce(0, +)
      #expect(abs(Double(found) - expected) < 0.1 * expected, "ranks \(group)")
    }
  }

  @Test(arguments: [KeyChoice.Distribution.uniform, .ycsb])
  func everyKeyIsInRangeAndTheSameSeedChoosesTheSame(_ distribution: KeyChoice.Distribution) {
    for count in [1, 2, 3, 1000] {
      let choice = KeyChoice(distribution, count: count)
      var (a, b) = (SeededRandom(seed: 5), SeededRandom(seed: 5))
      var seen: Set<UInt64> = []
      for _ in 0..<20_000 {
        let key = choice.next(&a)
        #expect(key < UInt64(count) && key == choice.next(&b))
        seen.insert(key)
      }
      #expect(seen.count > count / 2)
    }
  }

  @Test func uniformIsUniform() {
    let choice = KeyChoice(.uniform, count: 100)
    var random = SeededRandom(seed: 9)
    var counts = [Int](repeating: 0, count: 100)
    for _ in 0..<100_000 { counts[Int(choice.next(&random))] += 1 }
    #expect(counts.allSatisfy { (850...1150).contains($0) })
  }

  @Test(arguments: Profile.all.map(\.name))
  func mixesAreWhatTheySay(_ name: String) throws {
    let profile = try #require(Profile.named(name))
    var random = SeededRandom(seed: 4)
    var counts = [Int](repeating: 0, count: OperationKind.allCases.count)
    for _ in 0..<100_000 { counts[profile.next(&random).rawValue] += 1 }
    for kind in OperationKind.allCases {
      #expect(abs(counts[kind.rawValue] - 1000 * profile.share(of: kind)) < 600, "\(kind)")
    }
  }

  @Test func ycsbSharesAreThoseOfYCSB() throws {
    let shares = try ["ycsb-a", "ycsb-b", "ycsb-c", "ycsb-f"].map { name in
      let profile = try #require(Profile.named(name))
      return [OperationKind.read, .update, .readModifyWrite].map { profile.share(of: $0) }
    }
    #expect(shares == [[50, 50, 0], [95, 5, 0], [100, 0, 0], [50, 0, 50]])
  }
}
