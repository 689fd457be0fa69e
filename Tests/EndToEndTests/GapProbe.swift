import Foundation

/// One client at each node that writes and reads now and then, and remembers the longest time without a success.
final class GapProbe: Sendable {
  private let cluster: TestCluster
  private let nodes: [Int]
  private let isOver = Locked(false)
  /// In milliseconds, by node.
  private let longest = Locked<[Int: Double]>([:])

  init(_ cluster: TestCluster, nodes: [Int]) {
    self.cluster = cluster
    self.nodes = nodes
  }

  /// The longest gap of each node while `body` runs, in milliseconds: `node 4: 12, node 5: 9`.
  func run(_ body: () throws -> Void) throws -> String {
    let group = DispatchGroup()
    for node in nodes {
      group.enter()
      Thread.detachNewThread { [self] in
        defer { group.leave() }
        probe(node)
      }
    }
    defer {
      isOver.with { $0 = true }
      group.wait()
    }
    try body()
    isOver.with { $0 = true }
    group.wait()
    return longest.value.sorted { $0.key < $1.key }
      .map { "node \($0.key): " + String(format: "%.0f", $0.value) }.joined(separator: ", ")
  }

  private func probe(_ node: Int) {
    var connection = try? cluster.connect(node)
    var last = ContinuousClock.now
    var number = 0
    while !isOver.value {
      number += 1
      let answer = try? connection?.ask("PUT", "/v1/kv/gap/\(node)/\(number % 8)", body: [0x78])
      let now = ContinuousClock.now
      if let answer, [200, 201].contains(answer.status) {
        let gap = (now - last) / .milliseconds(1)
        longest.with { $0[node] = max($0[node] ?? 0, gap) }
        last = now
      } else if answer == nil {
        connection = try? cluster.connect(node)
      }
      letOthersRun(milliseconds: 2)
    }
  }
}
