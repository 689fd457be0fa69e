import Workload

// How fast, over clients, rates, mixes, keys and value sizes.
extension Scenario {
  static let clients = Scenario(
    "clients", "Writes and reads by 1 … 256 clients",
    question: """
      How much does a cluster carry, and at what latency, when each client waits for its answer? With one client the \
      answer's way is what counts; with many, what an operation costs the nodes. Clients are spread over all nodes: \
      those of a log that do not talk to the leader are forwarded, and registers are coordinated by whoever wrote them \
      last. A leader gathers all writes into its batches, and one message carries many of them; three nodes that \
      coordinate a third of the keys each gather a third, and each change has messages of its own.
      """
  ) { stage, result throws(CompareError) in
    let counts = stage.isQuick ? [1, 64, 256] : [1, 4, 16, 64, 128, 256]
    result.setup = "closed loop, 10,000 keys chosen uniformly, values of 16 bytes, clients on all three nodes"
    var spectra = Spectra()
    try stage.alternate("clients", repetitions: stage.isQuick ? 3 : 5) { store throws(CompareError) in
      let cluster = try stage.newCluster(store)
      try stage.fill(cluster, like: stage.options("put", on: cluster))
      for work in ["put", "get"] {
        for clients in counts {
          var load = stage.options(work, on: cluster)
          load.clients = clients
          load.warmUpMilliseconds = stage.isQuick ? 100 : 300
          load.milliseconds = stage.isQuick ? 350 : 1500
          let before = cluster.figures()
          let measured = try stage.run(load, on: cluster)
          result.addSpeed(store, measured, series: work, x: Double(clients))
          guard clients == 64 else { continue }
          result.addCost(
            store, cluster.figures() - before, operations: measured.allCounts.ok, series: work, x: Double(clients))
          spectra.add(store, work, measured.latency)
        }
      }
    }
    result.curves = spectra.curves
    if !stage.isQuick { try addOneCoordinator(stage, &result) }
    for work in ["put", "get"] {
      result.sweeps.append(Sweep("\(work): throughput", .throughput, series: work, over: "clients"))
      result.sweeps.append(Sweep("\(work): median latency", .p50, series: work, over: "clients"))
    }
    for work in ["put", "get"] {
      for clients in [1, 64, 256] {
        result.compare(
          .throughput, series: work, x: Double(clients), place: "\(work) by \(clients) client\(clients > 1 ? "s" : "")",
          isHeadline: clients == 64)
      }
      result.compare(.p99, series: work, x: 64, place: "\(work) by 64 clients")
    }
    for metric in [Metric.processorTime, .syncs, .messages, .writtenBytes, .memory] {
      result.compare(metric, series: "put", x: 64, place: "put by 64 clients", isHeadline: metric == .processorTime)
    }
    result.compare(.processorTime, series: "get", x: 64, place: "get by 64 clients")
  }

  /// The same writes on all nodes, of keys that one node has written before: it coordinates all of them, as a leader
  /// does. What is left between the two is the price of messages for each change.
  private static func addOneCoordinator(_ stage: Stage, _ result: inout ScenarioResult) throws(CompareError) {
    let series = "put of keys that one node wrote"
    try stage.alternate("clients, one coordinator", repetitions: 5) { store throws(CompareError) in
      let cluster = try stage.newCluster(store)
      var load = stage.options("put", on: cluster)
      load.endpoints = [cluster.endpoints[cluster.mostImportantNode - 1]]
      try stage.fill(cluster, like: load)
      load.endpoints = cluster.endpoints
      load.warmUpMilliseconds = 300
      load.milliseconds = 1500
      let before = cluster.figures()
      let measured = try stage.run(load, on: cluster)
      result.addSpeed(store, measured, series: series, x: 64)
      result.addCost(store, cluster.figures() - before, operations: measured.allCounts.ok, series: series, x: 64)
    }
    for metric in [Metric.throughput, .processorTime, .syncs] {
      result.compare(metric, series: series, x: 64, place: "put by 64 clients on all nodes of keys that one node wrote")
    }
  }

  static let rates = Scenario(
    "rates", "Latency at a given rate",
    question: """
      What do users feel who do not wait for each other? Operations start at fixed times, whatever became of those \
      before, and latency counts from the time at which an operation was meant to start: queueing shows.
      """
  ) { stage, result throws(CompareError) in
    let rates = stage.isQuick ? [1000, 10_000, 20_000] : [1000, 5000, 10_000, 20_000, 30_000, 40_000]
    result.setup = "open loop, writes, 10,000 keys chosen uniformly, values of 16 bytes, up to 192 under way"
    var spectra = Spectra()
    try stage.alternate("rates", repetitions: stage.isQuick ? 3 : 5) { store throws(CompareError) in
      let cluster = try stage.newCluster(store)
      try stage.fill(cluster, like: stage.options("put", on: cluster))
      for rate in rates {
        var load = stage.options("put", on: cluster)
        load.pace = .open(perSecond: Double(rate), spacing: .poisson)
        load.clients = 192
        load.warmUpMilliseconds = stage.isQuick ? 100 : 300
        load.milliseconds = stage.isQuick ? 500 : 2000
        load.timeoutMilliseconds = 2000
        let measured = try stage.run(load, on: cluster)
        result.addSpeed(store, measured, x: Double(rate))
        if rate == 10_000 { spectra.add(store, "put at \(rate)/s", measured.latency) }
      }
    }
    result.curves = spectra.curves
    result.sweeps = [
      Sweep("median latency", .p50, over: "operations/s asked for"),
      Sweep("latency, 99 %", .p99, over: "operations/s asked for"),
      Sweep("carried out", .throughput, over: "operations/s asked for"),
    ]
    for rate in rates {
      result.compare(.p50, x: Double(rate), place: "\(rate)/s")
      result.compare(.p99, x: Double(rate), place: "\(rate)/s", isHeadline: rate == 10_000)
    }
    if let top = rates.last { result.compare(.throughput, x: Double(top), place: "\(top)/s asked for") }
  }

  static let mixes = Scenario(
    "mixes", "YCSB A, B, C and F",
    question: """
      Reads and writes mixed, popular keys more often than others (Zipf, 0.99). A is half reads, half writes; B 95 % \
      reads; C reads only; F half reads, half read-modify-write by compare-and-set, where popular keys collide.
      """
  ) { stage, result throws(CompareError) in
    result.setup = "closed loop, 64 clients on all three nodes, 10,000 keys, values of 100 bytes"
    let names = ["ycsb-a", "ycsb-b", "ycsb-c", "ycsb-f"]
    try stage.alternate("mixes", repetitions: stage.isQuick ? 3 : 5) { store throws(CompareError) in
      let cluster = try stage.newCluster(store)
      var load = stage.options("put", on: cluster)
      load.valueBytes = 100
      try stage.fill(cluster, like: load)
      for name in names {
        load = stage.options(name, on: cluster)
        load.valueBytes = 100
        load.warmUpMilliseconds = stage.isQuick ? 100 : 300
        load.milliseconds = stage.isQuick ? 400 : 2000
        result.addSpeed(store, try stage.run(load, on: cluster), series: name)
      }
    }
    result.sweeps = [Sweep("throughput", .throughput), Sweep("latency, 99 %", .p99)]
    for name in names {
      result.compare(.throughput, series: name, place: name, isHeadline: name == "ycsb-a" || name == "ycsb-f")
      result.compare(.p99, series: name, place: name)
    }
  }

  static let keys = Scenario(
    "keys", "From few keys to many",
    question: """
      Does an operation cost the same, however many registers there are? Few keys collide; many no longer fit into \
      caches. Memory counts too: both keep all values there.
      """
  ) { stage, result throws(CompareError) in
    var counts = stage.isQuick ? [1, 10_000, 100_000] : [1, 100, 10_000, 1_000_000]
    let available = ProcessFigures.number("MemAvailable:", in: ProcessFigures.read("/proc/meminfo") ?? "") ?? 0
    if !stage.options.isHuge {
      if !stage.isQuick {
        result.note("10,000,000 keys are left out: they take some ten minutes and 32 GiB of memory, and --huge")
      }
    } else if available > 32 << 20 {
      counts.append(10_000_000)
    } else {
      result.note("10,000,000 keys are left out: this machine has not the 32 GiB of memory that they take")
    }
    result.setup = "closed loop, writes, 64 clients on all three nodes, keys chosen uniformly, values of 16 bytes"
    for count in counts {
      // What takes minutes to fill is not repeated as often.
      let repetitions = count > 1_000_000 ? 1 : 3
      var stores = stage.options.stores
      if count > 100_000, stores.contains(.etcd) {
        stores.removeAll { $0 == .etcd }
        result.note("etcd takes no part with more than 100,000 keys: to fill it would take minutes each time")
      }
      try stage.alternate("\(count) keys", among: stores, repetitions: repetitions) { store throws(CompareError) in
        let cluster = try stage.newCluster(store)
        var load = stage.options("put", on: cluster)
        load.keys = count
        if count > 1 { try stage.fill(cluster, like: load) }
        load.warmUpMilliseconds = 100
        load.milliseconds = stage.isQuick ? 400 : 2000
        result.addSpeed(store, try stage.run(load, on: cluster), x: Double(count))
        result.add(store, .memory, Double(cluster.figures().residentBytes) / 1_048_576, x: Double(count))
      }
    }
    result.sweeps = [
      Sweep("throughput", .throughput, over: "keys"), Sweep("resident memory", .memory, over: "keys"),
    ]
    for count in counts { result.compare(.throughput, x: Double(count), place: "\(count) key\(count > 1 ? "s" : "")") }
    if let most = counts.last { result.compare(.memory, x: Double(most), place: "\(most) keys", isHeadline: true) }
  }

  static let values = Scenario(
    "values", "Value sizes",
    question: """
      What do large values cost? A log writes each value into the log, and again into snapshots; a register writes it \
      into its journal, and the last one of each key into its table.
      """
  ) { stage, result throws(CompareError) in
    let sizes = stage.isQuick ? [16, 1024, 16_384] : [16, 256, 1024, 4096, 16_384, 65_000]
    result.setup = "closed loop, writes, 32 clients on all three nodes, 1,000 keys chosen uniformly"
    try stage.alternate("values", repetitions: stage.isQuick ? 3 : 5) { store throws(CompareError) in
      let cluster = try stage.newCluster(store)
      for size in sizes {
        var load = stage.options("put", on: cluster)
        load.clients = 32
        load.keys = 1000
        load.valueBytes = size
        load.warmUpMilliseconds = stage.isQuick ? 100 : 300
        load.milliseconds = stage.isQuick ? 500 : 2000
        let before = cluster.figures()
        let measured = try stage.run(load, on: cluster)
        result.addSpeed(store, measured, x: Double(size))
        result.addCost(store, cluster.figures() - before, operations: measured.allCounts.ok, x: Double(size))
      }
    }
    result.sweeps = [
      Sweep("throughput", .throughput, over: "bytes a value"), Sweep("latency, 99 %", .p99, over: "bytes a value"),
      Sweep("bytes written by the nodes an operation", .writtenBytes, over: "bytes a value"),
    ]
    for size in sizes {
      result.compare(.throughput, x: Double(size), place: "\(size) bytes", isHeadline: size == sizes.last)
    }
    if let largest = sizes.last { result.compare(.writtenBytes, x: Double(largest), place: "\(largest) bytes") }
  }

  static let hot = Scenario(
    "hot", "One hot key",
    question: """
      Many writers on one key. Compare-and-set by clients who do not know of each other collides on any store, and a \
      client that loses tries again, and may lose each time; an addition by the store itself does not collide. Writers \
      on all nodes are the hard case for registers, which have no leader to put them in order.
      """
  ) { stage, result throws(CompareError) in
    let writers = stage.isQuick ? [1, 8, 32] : [1, 2, 8, 32, 64]
    if stage.options.stores.contains(.etcd) {
      result.note("etcd takes no part in additions: its interface has none")
    }
    result.setup = "closed loop, one key, values of 16 bytes; `one node`: all clients on the leader, or on node 1"
    try stage.alternate("hot", repetitions: stage.isQuick ? 3 : 5) { store throws(CompareError) in
      let cluster = try stage.newCluster(store)
      let kinds = [("cas-hot", false), ("cas-hot", true), ("add-hot", false)]
      for (work, isOneNode) in kinds where work != "add-hot" || store != .etcd {
        let series = "\(work == "cas-hot" ? "compare-and-set" : "add") on \(isOneNode ? "one node" : "all nodes")"
        for count in writers {
          var load = stage.options(work, on: cluster)
          if isOneNode { load.endpoints = [cluster.endpoints[cluster.mostImportantNode - 1]] }
          load.clients = count
          load.warmUpMilliseconds = stage.isQuick ? 50 : 300
          load.milliseconds = stage.isQuick ? 250 : 1500
          let measured = try stage.run(load, on: cluster)
          result.addSpeed(store, measured, series: series, x: Double(count))
          guard work == "cas-hot", measured.counts.ok > 0 else { continue }
          result.add(
            store, .conflicts, Double(measured.conflicts) / Double(measured.counts.ok), series: series,
            x: Double(count))
          result.add(store, .starved, Double(measured.starved), series: series, x: Double(count))
        }
      }
    }
    let names = ["compare-and-set on all nodes", "compare-and-set on one node", "add on all nodes"]
    for name in names {
      result.sweeps.append(Sweep("\(name): throughput", .throughput, series: name, over: "writers"))
      let most = writers[writers.count - 1]
      for count in [1, most] {
        let place = "\(name) by \(count) writer\(count > 1 ? "s" : "")"
        result.compare(.throughput, series: name, x: Double(count), place: place, isHeadline: count == most)
      }
      // Where clients starve, the latencies of those who do not say little.
      let isFair = name.hasPrefix("add")
      result.compare(isFair ? .p99 : .starved, series: name, x: Double(most), place: "\(name) by \(most) writers")
    }
  }
}
