import Testing

/// Gives all tests of a suite one running cluster of three, ``TestCluster/shared``; their keys must differ.
struct SharedCluster: SuiteTrait, TestScoping {
  @TaskLocal static var current: TestCluster?

  // Once for the suite, not for each test in it.
  var isRecursive: Bool { false }

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    try await TestCluster.with { cluster in
      try await SharedCluster.$current.withValue(cluster) { try await function() }
    }
  }
}

extension Trait where Self == SharedCluster {
  static var sharedCluster: SharedCluster { SharedCluster() }
}

extension TestCluster {
  static var shared: TestCluster {
    get throws { try #require(SharedCluster.current, "the suite lacks .sharedCluster") }
  }
}
