import Testing

/// A judge that finds nothing wrong with anything would make every durability test green.
@Suite("The judge of histories")
struct HistoryTests {
  private static func put(_ value: String, _ start: UInt64, _ end: UInt64, _ result: Attempt.Result) -> Attempt {
    Attempt(key: "k", kind: .put, value: value, start: start, end: end, result: result)
  }
  private static func read(_ start: UInt64, _ end: UInt64, _ result: Attempt.Result) -> Attempt {
    Attempt(key: "k", kind: .read, start: start, end: end, result: result)
  }
  private static func cas(_ expected: UInt64, _ value: String, _ start: UInt64, _ result: Attempt.Result) -> Attempt {
    Attempt(key: "k", kind: .compareAndSet(expected), value: value, start: start, end: start + 1, result: result)
  }
  private static func add(_ value: String, _ result: Attempt.Result) -> Attempt {
    Attempt(key: "k", kind: .add, value: value, start: 1, end: 2, result: result)
  }

  static let good: [[Attempt]] = [
    [put("a", 1, 2, .applied(1)), read(3, 4, .found(1, "a")), cas(1, "b", 5, .applied(2)), read(7, 8, .found(2, "b"))],
    // At the same time, either order.
    [
      put("a", 1, 9, .applied(2)), put("b", 1, 9, .applied(1)), read(2, 3, .found(1, "b")),
      read(10, 11, .found(2, "a")),
    ],
    // What is unknown may take effect late, or never.
    [put("a", 1, 2, .unknown), put("b", 3, 4, .applied(1)), read(5, 6, .found(1, "b")), read(7, 8, .found(2, "a"))],
    [put("a", 1, 2, .unknown), read(3, 4, .absent), put("b", 5, 6, .refused), read(7, 8, .absent)],
    [add("1", .applied(1)), add("", .unknown), add("3", .applied(3)), read(5, 6, .found(3, "3"))],
  ]

  static let bad: [[Attempt]] = [
    // Lost.
    [put("a", 1, 2, .applied(1)), read(3, 4, .absent)],
    [put("a", 1, 2, .applied(1)), put("b", 3, 4, .applied(2)), read(5, 6, .found(1, "a"))],
    // Stale, then fresh again.
    [put("a", 1, 2, .applied(1)), put("b", 3, 9, .applied(2)), read(4, 5, .found(2, "b")), read(6, 7, .found(1, "a"))],
    // A refused write that shows, a value from nowhere, one that shows before it was sent.
    [put("a", 1, 2, .refused), read(3, 4, .found(1, "a"))], [read(3, 4, .found(1, "x"))],
    [put("b", 1, 2, .applied(2)), put("a", 3, 4, .unknown), read(5, 6, .found(1, "a")), read(7, 8, .found(2, "b"))],
    // Two at one revision, one at two.
    [put("a", 1, 9, .applied(1)), put("b", 1, 9, .applied(1))],
    [put("a", 1, 9, .applied(1)), read(2, 3, .found(2, "a"))],
    // Two that replaced the same, one that was refused though it held.
    [put("a", 1, 2, .applied(1)), cas(1, "b", 3, .applied(2)), cas(1, "c", 3, .applied(3))],
    [put("a", 1, 2, .applied(1)), cas(1, "b", 3, .found(1, "a"))],
    // A number too small, too large, twice.
    [add("1", .applied(1)), add("2", .applied(2)), read(5, 6, .found(1, "1"))],
    [add("1", .applied(1)), read(5, 6, .found(2, "2"))],
    [add("1", .applied(1)), add("1", .applied(2)), read(5, 6, .found(2, "2"))],
  ]

  @Test(arguments: good.indices) func passesGoodOnes(_ index: Int) {
    #expect(History.violations(Self.good[index]).isEmpty)
  }

  @Test(arguments: bad.indices) func catchesBadOnes(_ index: Int) {
    #expect(!History.violations(Self.bad[index]).isEmpty)
  }
}
