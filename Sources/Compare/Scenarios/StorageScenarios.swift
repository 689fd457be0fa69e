import Base
import Linux
import Workload

// What history costs: disk, compaction, restart, catching up, a slow disk.
extension Scenario {
  static let overwrite = Scenario(
    "overwrite", "Overwriting the same keys: disk and compaction",
    question: """
      The same few keys are written over and over. A log grows until a snapshot lets it be cut, and taking the \
      snapshot costs disk and perhaps latency; a register's cell is overwritten in place. The limits are set low, so \
      that both go round many times.
      """
  ) { stage, result throws(CompareError) in
    let rate = stage.isQuick ? 3000 : 5000
    result.setup = """
      open loop at \(rate) writes/s, 500 keys, values of 1 KiB; journal halves of 4 MiB; raft: snapshot each 8 MiB of \
      log, 4 MiB kept; etcd: snapshot each 5,000 entries
      """
    var runs: [Store: [(gap: Double, traces: [Trace])]] = [:]
    try stage.alternate("overwrite", repetitions: stage.isQuick ? 3 : 5) { store throws(CompareError) in
      let cluster = try stage.newCluster(store, flags: Self.tightFlags(store))
      var load = stage.options("put", on: cluster)
      load.pace = .open(perSecond: Double(rate), spacing: .steady)
      load.clients = 96
      load.keys = 500
      load.valueBytes = 1024
      load.warmUpMilliseconds = 200
      load.milliseconds = stage.isQuick ? 2000 : 10_000
      load.timeoutMilliseconds = 2000
      load.windowMilliseconds = 50
      var disk: [Double] = []
      let before = cluster.figures()
      let measured = try stage.run(load, on: cluster) { start throws(CompareError) in
        let end = start + Milliseconds(load.milliseconds)
        var next = start
        while next < end {
          try stage.wait(until: next, cluster)
          disk.append(Double(Folder.bytesOnDisk(cluster.folder)) / 1_048_576)
          next = next + 50
        }
      }
      result.addLatency(store, measured)
      result.addCost(store, cluster.figures() - before, operations: measured.allCounts.ok)
      result.add(store, .diskBytes, disk.max() ?? 0)
      let slowest = Self.slowest(measured.timelines)
      let traces = [
        Trace(
          store: store, title: "disk space", unit: "MiB", stepMilliseconds: 50,
          lines: [Trace.Line(label: "all nodes", values: disk)]),
        Trace(
          store: store, title: "slowest operation in each 50 ms", unit: "ms", stepMilliseconds: 50,
          lines: [Trace.Line(label: "all nodes", values: slowest)]),
      ]
      runs[store, default: []].append((Double(measured.latency.value(at: 0.99)), traces))
    }
    for store in stage.options.stores { result.traces += Self.median(runs[store] ?? []) }
    result.sweeps = [
      Sweep("latency, 99.9 %", .p999), Sweep("bytes that the disk took an operation", .diskWrittenBytes),
      Sweep("most disk space", .diskBytes),
    ]
    for metric in [Metric.p50, .p99, .p999, .diskWrittenBytes, .diskBytes] {
      result.compare(metric, place: "", isHeadline: metric == .p999 || metric == .diskBytes)
    }
  }

  /// Low limits, so that compaction comes often.
  private static func tightFlags(_ store: Store) -> [String] {
    switch store {
    case .register: ["--journal-bytes", "4194304"]
    case .raft:
      [
        "--journal-bytes", "4194304", "--snapshot-log-bytes", "8388608", "--retained-log-bytes", "4194304",
        "--retained-log-entries", "4000",
      ]
    case .etcd: ["--snapshot-count", "5000"]
    }
  }

  /// Of each window the slowest success at any node, in milliseconds.
  private static func slowest(_ timelines: [Timeline]) -> [Double] {
    guard let first = timelines.first else { return [] }
    return first.windows.indices.map { index in
      Double(timelines.map { $0.windows[index].slowest }.max() ?? 0) / 1e6
    }
  }

  /// The traces of the repetition that is in the middle.
  static func median(_ runs: [(gap: Double, traces: [Trace])]) -> [Trace] {
    let sorted = runs.sorted { $0.gap < $1.gap }
    return sorted.isEmpty ? [] : sorted[sorted.count / 2].traces
  }

  static let restart = Scenario(
    "restart", "Restart after a long history",
    question: """
      A node is killed and started again after more and more writes to the same 1,000 keys. How long until it serves \
      again? What must be read then is what the design keeps: registers the live cells and a journal of fixed size, a \
      log its snapshot and the entries since.
      """
  ) { stage, result throws(CompareError) in
    let histories = stage.isQuick ? [1000, 20_000, 100_000] : [1000, 100_000, 1_000_000]
    result.setup = """
      1,000 keys, values of 100 bytes; kill -9 of a node that does not lead, then start, until it answers that it can \
      serve; one cluster of each store, a node of it restarted \(stage.isQuick ? 3 : 5) times after each history
      """
    try stage.alternate("restart", repetitions: 1) { store throws(CompareError) in
      let cluster = try stage.newCluster(store)
      var written = 0
      for history in histories {
        var load = stage.options("put", on: cluster)
        load.keys = 1000
        load.valueBytes = 100
        load.clients = 48
        load.depth = 8
        try stage.write(history - written, like: load, on: cluster)
        written = history
        for _ in 0..<(stage.isQuick ? 3 : 5) {
          let id = cluster.leader == 3 ? 2 : 3
          cluster.kill(id)
          try cluster.start(id)
          let time = try stage.wait(for: "node \(id) serves again", cluster, every: 1) { cluster.isReady(id) }
          result.add(store, .restartTime, time, x: Double(history))
        }
      }
    }
    result.sweeps = [Sweep("time until it serves", .restartTime, over: "writes before")]
    for history in histories {
      result.compare(
        .restartTime, x: Double(history), place: "after \(history) writes", isHeadline: history == histories.last)
    }
  }

  static let comeback = Scenario(
    "comeback", "A node away and back",
    question: """
      A node is down while the others take writes; then it is started again. How long until it holds everything again, \
      without a client's help, and how much did the others send and it write for that? A log's node must have every \
      entry it missed, or a snapshot; a register's node takes part at once, and compares digests with the others to \
      fetch what it lacks.
      """
  ) { stage, result throws(CompareError) in
    let writes = stage.isQuick ? [2000, 15_000] : [2000, 20_000, 100_000]
    result.setup = """
      1,000 keys, values of 1 KiB. The end is what the node says of itself: that it lacks nothing that the others hold \
      or has applied what was committed. etcd does not say it: there, when all keys have been read through the node
      """
    for count in writes {
      try stage.alternate("comeback after \(count)", repetitions: 3) { store throws(CompareError) in
        let cluster = try stage.newCluster(store)
        var load = stage.options("put", on: cluster)
        load.keys = 1000
        load.valueBytes = 1024
        try stage.fill(cluster, like: load)
        let id = cluster.leader == 3 ? 2 : 3
        cluster.kill(id)
        load.endpoints.remove(at: id - 1)
        load.clients = 48
        load.depth = 4
        try stage.write(count, like: load, on: cluster)
        let committed = cluster.committedIndex
        let sentBefore = cluster.sentBytes(by: id)
        let start = Stage.seconds()
        try cluster.start(id)
        if store != .etcd {
          let what = "node \(id) holds everything again"
          try stage.wait(for: what, cluster, every: 1) { cluster.holdsEverything(id, committed: committed) }
          result.add(store, .catchUpTime, (Stage.seconds() - start) * 1000, x: Double(count))
          let counters = cluster.counters(cluster.nodes[id - 1])
          let sent = counters.messageBytes + cluster.sentBytes(by: id) - sentBefore
          result.add(store, .catchUpBytes, Double(counters.writtenBytes) / 1_048_576, x: Double(count))
          result.add(store, .catchUpTraffic, Double(sent) / 1_048_576, x: Double(count))
        }
        try stage.wait(for: "node \(id) serves again", cluster, every: 1) { cluster.isReady(id) }
        var reading = stage.options("get", on: cluster)
        reading.endpoints = [cluster.endpoints[id - 1]]
        reading.pace = .eachKeyOnce
        reading.keys = 1000
        reading.clients = 16
        reading.milliseconds = 60_000
        reading.windowMilliseconds = 1000
        let read = try stage.run(reading, on: cluster)
        guard read.counts.ok == 1000 else {
          throw .failed("node \(id) could not be read through: \(read.lastFailure ?? "")")
        }
        if store == .etcd {
          result.add(store, .catchUpTime, (Stage.seconds() - start) * 1000, x: Double(count))
          result.note("etcd does not tell how many bytes it sends, nor how many it hands to its files")
        }
      }
    }
    result.sweeps = [
      Sweep("time until it holds all again", .catchUpTime, over: "writes missed"),
      Sweep("sent between the nodes until then", .catchUpTraffic, over: "writes missed"),
      Sweep("written by the node until then", .catchUpBytes, over: "writes missed"),
    ]
    for count in writes {
      result.compare(.catchUpTime, x: Double(count), place: "\(count) writes missed", isHeadline: count == writes.last)
      result.compare(.catchUpTraffic, x: Double(count), place: "\(count) writes missed")
      result.compare(.catchUpBytes, x: Double(count), place: "\(count) writes missed")
    }
  }

  static let slowDisk = Scenario(
    "slow-disk", "A slow disk on one node",
    question: """
      One node's disk takes no more than 50 writes a second, as a failing disk or a noisy neighbour would have it. A \
      majority has fast disks; does everybody wait for the slow one? Once on the node that matters most (the leader, \
      or node 1 of the registers), once on another.
      """
  ) { stage, result throws(CompareError) in
    try Folder.make(stage.dataFolder)
    if let obstacle = SlowDisk.obstacle(folder: stage.dataFolder) { throw .unsupported(obstacle) }
    result.setup =
      "open loop at 2,000 writes/s, 1,000 keys, values of 100 bytes; the limit is the kernel's (control groups)"
    let places = ["all disks fast", "slow on the node that matters most", "slow on another node"]
    try stage.alternate("slow-disk", repetitions: stage.isQuick ? 3 : 5) { store throws(CompareError) in
      let cluster = try stage.newCluster(store)
      let important = cluster.mostImportantNode
      let victims = [nil, important, important % 3 + 1]
      for (place, victim) in zip(places, victims) {
        let disk = try SlowDisk(folder: stage.dataFolder, writesPerSecond: 50)
        defer { disk.remove() }
        if let victim, let process = cluster.nodes[victim - 1].process { try disk.hold(process.pid) }
        var load = stage.options("put", on: cluster)
        load.pace = .open(perSecond: 2000, spacing: .steady)
        load.clients = 96
        load.keys = 1000
        load.valueBytes = 100
        load.warmUpMilliseconds = stage.isQuick ? 100 : 200
        load.milliseconds = stage.isQuick ? 600 : 2000
        load.timeoutMilliseconds = 1000
        let watched = cluster.nodes[(victim ?? important) - 1]
        let before = cluster.counters(watched).syncs
        let measured = try stage.run(load, on: cluster)
        result.addSpeed(store, measured, series: place)
        let syncs = cluster.counters(watched).syncs - before
        let seconds = Double(load.warmUpMilliseconds + load.milliseconds) / 1000
        result.add(store, .syncRate, Double(syncs) / seconds, series: place)
      }
    }
    result.sweeps = [
      Sweep("carried out", .throughput), Sweep("median latency", .p50), Sweep("latency, 99 %", .p99),
      Sweep("syncs a second on that node", .syncRate),
    ]
    for place in places {
      result.compare(.throughput, series: place, place: place)
      result.compare(.p50, series: place, place: place)
      result.compare(.p99, series: place, place: place, isHeadline: place != places[0])
    }
  }
}
