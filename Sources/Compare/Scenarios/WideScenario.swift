import Base
import Simulator
import Workload

// Nodes that are far from each other, or on links that are not steady.
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
    let ways = roundTrips.map { $0.map { $0 / 2 } }
    let network = try stage.namespacesOrSimulator(delays: ways, &result)
    result.setup = """
      closed loop, 8 clients in each region, compare-and-set and reads; what peers send is delayed \(carrier(network)) \
      (delay only: no loss, no limit of bandwidth); raft: heartbeat 100 ms, election timeout 1 s, resent after 500 ms; \
      register: round timeout 500 ms
      """
    let stores = network == nil ? stage.simulatedStores : stage.options.stores
    let warmUp: UInt64 = stage.isQuick ? 600 : 2000
    let milliseconds: UInt64 = stage.isQuick ? 800 : 5000
    let works = [("cas", "compare-and-set"), ("get", "read")]
    var seed = stage.options.seed
    var leaders: [Store: [Int]] = [:]
    try stage.alternate("wide", among: stores, repetitions: stage.isQuick ? 3 : 5) { store throws(CompareError) in
      guard let network else {
        seed &+= 1
        for (work, name) in works {
          var simulated = SimulatedLoad(
            work == "cas" ? .compareAndSet : .read, .closed, clientsOfNode: 8, ways: ways, milliseconds: milliseconds)
          simulated.run.warmUp = 2000
          simulated.run.heartbeat = 100
          simulated.run.electionTimeout = 1000
          simulated.run.resendAfter = 500
          simulated.run.roundTimeout = 500
          let measured = try simulated.measure(store, seed: seed)
          addRegions(store, measured.load, name, leader: measured.leader, &result)
          if let leader = measured.leader { leaders[store, default: []].append(leader) }
        }
        return
      }
      let cluster = try stage.newCluster(store, flags: wideFlags(store), network: network)
      for (work, name) in works {
        var load = stage.options(work, on: cluster)
        load.clients = 24
        load.keys = 24
        load.warmUpMilliseconds = warmUp
        load.milliseconds = milliseconds
        let measured = try stage.run(load, on: cluster)
        let leader = cluster.leader
        addRegions(store, measured, name, leader: leader, &result)
        if let leader { leaders[store, default: []].append(leader) }
      }
    }
    for store in stores {
      guard let regions = leaders[store] else { continue }
      let counts = (1...3).map { region in regions.count { $0 == region } }
      result.note(
        "elections put the leader of \(store.rawValue) into regions 1, 2 and 3 for \(counts[0]), \(counts[1]) and "
          + "\(counts[2]) loads of \(regions.count)")
    }
    result.sweeps = [Sweep("median latency", .p50)]
    for (_, name) in works {
      for region in 1...3 {
        let series = "\(name), region \(region)"
        result.compare(.p50, series: series, place: series, isHeadline: name == "compare-and-set")
      }
    }
  }

  private static func carrier(_ network: Network?) -> String {
    network == nil ? "in the simulator" : "by a relay of ours between network namespaces"
  }

  private static func addRegions(
    _ store: Store, _ load: LoadResult, _ name: String, leader: Int?, _ result: inout ScenarioResult
  ) {
    for (index, latency) in load.latencyOfEndpoint.enumerated() where latency.count > 0 {
      let median = Double(latency.value(at: 0.5)) / 1e6
      result.add(store, .p50, median, series: "\(name), region \(index + 1)")
      if leader == index + 1 { result.add(store, .p50, median, series: "\(name), where the leader is") }
    }
    if load.latency.count > 0 {
      result.add(store, .p50, Double(load.latency.value(at: 0.5)) / 1e6, series: "\(name), all regions")
    }
  }

  private static func wideFlags(_ store: Store) -> [String] {
    switch store {
    case .register: ["--round-timeout", "500ms"]
    case .raft: ["--heartbeat", "100ms", "--election-timeout", "1s", "--resend-after", "500ms"]
    case .etcd: ["--heartbeat-interval", "200", "--election-timeout", "2000"]
    }
  }

  static let jitter = Scenario(
    "jitter", "Links that are not steady",
    question: """
      Messages between the nodes come late by a random time, and one in a thousand by ten times the most of that, as \
      if it had been lost and sent again; what comes behind it waits. On both sides the faster of two answers makes a \
      majority; and who asks another node than the log's leader, or than the one that wrote a register last, needs \
      that node's link besides.
      """
  ) { stage, result throws(CompareError) in
    let levels: [Double] = stage.isQuick ? [0, 10] : [0, 2, 10, 30]
    let milliseconds: UInt64 = stage.isQuick ? 1000 : 4000
    let ways: [[Double]] = [[0, 2, 2], [2, 0, 2], [2, 2, 0]]
    let network = try stage.namespacesOrSimulator(delays: ways, &result)
    result.setup = """
      open loop, 300 operations/s at each node (half reads, half writes), 1,000 keys chosen uniformly; what peers send \
      is late by 2 ms and 0 to so many milliseconds more, \(carrier(network)); raft: heartbeat 100 ms, election \
      timeout 1 s, resent after 500 ms; register: round timeout 500 ms
      """
    let stores = network == nil ? stage.simulatedStores : stage.options.stores
    var seed = stage.options.seed
    try stage.alternate("jitter", among: stores, repetitions: stage.isQuick ? 3 : 5) { store throws(CompareError) in
      guard let network else {
        seed &+= 1
        for level in levels {
          var simulated = SimulatedLoad(
            .shared(keys: 1000, reads: 50), .open(perSecond: 300), clientsOfNode: 64, ways: ways,
            milliseconds: milliseconds)
          simulated.run.warmUp = 3000
          simulated.run.jitter = UInt64(level * 1e6)
          simulated.run.isStormy = true
          simulated.run.heartbeat = 100
          simulated.run.electionTimeout = 1000
          simulated.run.resendAfter = 500
          simulated.run.roundTimeout = 500
          result.addLatency(store, try simulated.measure(store, seed: seed).load, x: level)
        }
        return
      }
      network.setJitter(milliseconds: 0)
      let cluster = try stage.newCluster(store, flags: wideFlags(store), network: network)
      var load = stage.options("ycsb-a", on: cluster)
      load.distribution = .uniform
      load.keys = 1000
      try stage.fill(cluster, like: load)
      load.pace = .open(perSecond: 900, spacing: .steady)
      load.clients = 192
      load.warmUpMilliseconds = 200
      load.milliseconds = milliseconds
      for level in levels {
        network.setJitter(milliseconds: level)
        result.addLatency(store, try stage.run(load, on: cluster), x: level)
      }
    }
    result.sweeps = [
      Sweep("median latency", .p50, over: "jitter in ms"), Sweep("latency, 99 %", .p99, over: "jitter in ms"),
      Sweep("latency, 99.9 %", .p999, over: "jitter in ms"),
    ]
    for level in levels {
      let place = level == 0 ? "no jitter" : "up to \(Int(level)) ms"
      result.compare(.p50, x: level, place: place)
      result.compare(.p99, x: level, place: place, isHeadline: level == 10)
    }
  }
}
