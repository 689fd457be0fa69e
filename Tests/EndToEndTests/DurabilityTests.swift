import Foundation
import Testing

/// What was acknowledged stays, whoever dies. One at a time: each is three processes under load.
@Suite("Durability", .serialized)
struct DurabilityTests {
  @Test(arguments: [[2], [1, 3], [1, 2, 3]])
  func killMinus9UnderLoad(_ victims: [Int]) throws {
    try TestCluster.with(flags: ["--request-timeout", "2s"]) { cluster in
      let load = Load(cluster)
      let history = try load.run {
        for _ in 0..<2 {
          try load.waitForAcknowledged(200)
          for id in victims { try cluster.kill(id) }
          // With a majority alive the others go on; else everything ends without an effect, or unknown.
          if victims.count == 1 { try load.waitForAcknowledged(100) } else { try load.waitForAttempts(20) }
          for id in victims { try cluster.start(id) }
          try cluster.waitUntilReady()
        }
        try load.waitForAcknowledged(100)
      }
      #expect(History.violations(history).isEmpty)
      // Once more from the disks alone.
      for id in cluster.ids { try cluster.kill(id) }
      for id in cluster.ids { try cluster.start(id) }
      try cluster.waitUntilReady()
      try load.readAll()
      #expect(History.violations(load.history).isEmpty)
    }
  }

  /// A node whose clock stands still for longer than its peers wait is not dead, and must not do harm when it goes on.
  @Test func aPausedNodeUnderLoad() throws {
    try TestCluster.with(flags: ["--request-timeout", "2s"]) { cluster in
      let others = Load(cluster, nodes: [1, 3])
      let history = try others.run {
        for id in [2, 1] {
          try others.waitForAcknowledged(100)
          try cluster.process(id).send(SIGSTOP)
          if id == 2 { try others.waitForAcknowledged(100) }
          try waitUntil("node 3 misses node \(id)") {
            try cluster.ask(3, "GET", "/readyz?verbose").text.contains("[-] peer \(id)")
          }
          try cluster.process(id).send(SIGCONT)
          try cluster.waitUntilReady()
        }
        try others.waitForAcknowledged(100)
      }
      #expect(History.violations(history).isEmpty)
    }
  }

  @Test func sigtermUnderLoad() throws {
    try TestCluster.with { cluster in
      let load = Load(cluster)
      let history = try load.run {
        try load.waitForAcknowledged(200)
        let waiting = try cluster.connect(2)
        try waiting.send(RawConnection.request("GET", "/v1/kv/never?wait=60s"))
        // Behind it on the node's loop, so the wait is under way when this is answered.
        #expect(try cluster.ask(2, "GET", "/livez").status == 200)
        #expect(try cluster.terminate(2) == 0)
        let answer = try waiting.answer()
        #expect(answer.status == 503 && answer.outcome == "not-applied", "a request under way is answered")
        try load.waitForAcknowledged(100)
        try cluster.start(2)
        try cluster.waitUntilReady()
        try load.waitForAcknowledged(100)
      }
      #expect(History.violations(history).isEmpty)
      for id in cluster.ids {
        #expect(try cluster.terminate(id) == 0)
        #expect(try !cluster.process(id).errors.contains("Fatal"))
      }
    }
  }

  @Test func otherNumbersOfThreads() throws {
    try TestCluster.with(starting: false) { cluster in
      func start(_ threads: [String]) throws {
        for id in cluster.ids { try cluster.start(id, extra: ["--threads", threads[id - 1]]) }
        try cluster.waitUntilReady()
      }
      let load = Load(cluster)
      try start(["1", "2", "2"])
      let history = try load.run {
        try load.waitForAcknowledged(200)
        for id in cluster.ids {
          try cluster.kill(id)
          try cluster.start(id, extra: ["--threads", id == 1 ? "3" : "1"])
          try cluster.waitUntilReady()
          try load.waitForAcknowledged(50)
        }
      }
      #expect(History.violations(history).isEmpty)
      for id in cluster.ids { #expect(try cluster.terminate(id) == 0) }
      try start(["2", "3", "4"])
      try load.readAll()
      #expect(History.violations(load.history).isEmpty)
    }
  }

  /// Prints how long clients of the other nodes go without an answer; a machine under load may take its time.
  @Test func gapAfterAKill() throws {
    try TestCluster.with { cluster in
      let gaps = Locked<[Int: Double]>([:])
      let progress = Locked<[Int: Int]>([:])
      let killed = Locked(false)
      let survivors = [1, 3]
      let killer = DispatchGroup()
      killer.enter()
      Thread.detachNewThread {
        defer { killer.leave() }
        try? waitUntil("both are under way") { survivors.allSatisfy { progress.value[$0] ?? 0 >= 20 } }
        try? cluster.kill(2)
        killed.with { $0 = true }
      }
      defer { killer.wait() }
      try concurrently(survivors.count) { index in
        let node = survivors[index]
        let connection = try cluster.connect(node)
        var last = ContinuousClock.now
        var since = 0
        var failures = 0
        while since < 200 {
          let number = progress.with { progress -> Int in
            progress[node, default: 0] += 1
            return progress[node] ?? 0
          }
          // Few registers, so that node 2 has coordinated each of them.
          let target = "/v1/kv/gap/\(number / 2 % 10)"
          let isWrite = number % 2 == 0
          let answer = try isWrite ? connection.ask("PUT", target, body: [0x78]) : connection.ask("GET", target)
          let now = ContinuousClock.now
          if [200, 201, 404].contains(answer.status) {
            let gap = (now - last) / .milliseconds(1)
            if killed.value { gaps.with { $0[node] = max($0[node] ?? 0, gap) } }
            last = now
          } else {
            failures += 1
            #expect([503, 504].contains(answer.status))
          }
          if killed.value { since += 1 }
          letOthersRun(milliseconds: 10)
        }
        #expect(failures < 200, "the survivors serve")
      }
      let text = gaps.value.sorted { $0.key < $1.key }.map { String(format: "%.0f ms (node %d)", $0.value, $0.key) }
      print("longest gap after kill -9: " + text.joined(separator: ", "))
      try cluster.start(2)
      try cluster.waitUntilReady()
      #expect(try cluster.ask(2, "GET", "/v1/kv/gap/1").status == 200)
    }
  }
}
