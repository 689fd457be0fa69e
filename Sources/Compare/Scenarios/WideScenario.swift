import Workload

extension Scenario {
  /// Round trips in milliseconds between West US 2, West Central US and Southeast Asia, as in the CASPaxos paper.
  private static let roundTrips: [[Double]] = [[0, 21.8, 169], [21.8, 0, 189], [169, 189, 0]]

  static let wide = Scenario(
    "wide", "Three regions",
    question: """
      The nodes are far from each other, at the round trips of the CASPaxos paper (21.8, 169 and 189 ms), and each \
      client talks to the node of its own region, about a key of its own. A register is written in one round trip to \
      the nearest majority, from anywhere; a log's followers go through the leader first.
      """
  ) { stage, result throws(CompareError) in
    result.setup = """
      closed loop, 8 clients in each region, compare-and-set and reads; what peers send is delayed by a relay of ours \
      between network namespaces (delay only: no loss, no limit of bandwidth); raft: heartbeat 100 ms, election \
      timeout 1 s, resent after 500 ms; register: round timeout 500 ms
      """
    let works = [("cas", "compare-and-set"), ("get", "read")]
    try stage.withDelays(roundTrips.map { $0.map { $0 / 2 } }) { network throws(CompareError) in
      try stage.alternate("wide", repetitions: stage.isQuick ? 3 : 5) { store throws(CompareError) in
        let cluster = try stage.newCluster(store, flags: wideFlags(store), network: network)
        for (work, name) in works {
          var load = stage.options(work, on: cluster)
          load.clients = 24
          load.keys = 24
          load.warmUpMilliseconds = stage.isQuick ? 1000 : 2000
          load.milliseconds = stage.isQuick ? 1200 : 5000
          let measured = try stage.run(load, on: cluster)
          for (index, latency) in measured.latencyOfEndpoint.enumerated() where latency.count > 0 {
            let leads = store != .register && cluster.leader == index + 1
            result.add(store, .p50, Double(latency.value(at: 0.5)) / 1e6, series: "\(name), region \(index + 1)")
            if leads {
              result.add(store, .p50, Double(latency.value(at: 0.5)) / 1e6, series: "\(name), where the leader is")
            }
          }
          result.add(store, .p50, Double(measured.latency.value(at: 0.5)) / 1e6, series: "\(name), all regions")
        }
      }
    }
    result.sweeps = [Sweep("median latency", .p50)]
    for (_, name) in works {
      for region in 1...3 {
        let series = "\(name), region \(region)"
        result.compare(.p50, series: series, place: series, isHeadline: name == "compare-and-set")
      }
    }
  }

  private static func wideFlags(_ store: Store) -> [String] {
    switch store {
    case .register: ["--round-timeout", "500ms"]
    case .raft: ["--heartbeat", "100ms", "--election-timeout", "1s", "--resend-after", "500ms"]
    case .etcd: ["--heartbeat-interval", "200", "--election-timeout", "2000"]
    }
  }
}
