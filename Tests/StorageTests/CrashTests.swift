import Base
import Storage
import Testing

/// A dictionary against the store, over random writes, completions, crashes, and recoveries.
struct CrashTests {
  /// What the reference knows of a key.
  struct Expected {
    var written: [UInt64: Int] = [:]
    /// The lowest version that may be found: it was durable, or was seen after a recovery.
    var floor: UInt64 = 0
    /// Versions that are erasures.
    var erasures: Set<UInt64> = []
    /// Versions that wait for a ticket.
    var waiting: [(ticket: UInt64, version: UInt64)] = []
  }

  final class Run {
    var random: SeededRandom
    let node: Node
    var keys: [Int: Expected] = [:]
    var version: UInt64 = 0
    var position: UInt64 = 0
    var seen = (crashes: 0, kills: 0, stalls: 0, torn: 0, replayed: 0, moved: 0, cut: 0, erased: 0)

    /// Values so large that extents take several units: every third run.
    let isLarge: Bool

    init(seed: UInt64) {
      random = SeededRandom(seed: seed)
      isLarge = seed % 3 == 2
      var options = smallOptions()
      if isLarge {
        options.halfBytes = 512 << 10
        options.batchBytes = 256 << 10
        options.flushBytes = 100 << 10
        options.maximumPayloadBytes = 200 << 10
      }
      node = Node(partitions: isLarge ? 2 : 4, options: options)
    }

    func below(_ bound: Int) -> Int { Int(random.below(UInt64(bound))) }

    func write() {
      let number = below(4) == 0 ? below(400) : below(40)
      let sizes = [20, 90, 100, 300, 1000, 3000]
      let large = isLarge && below(4) == 0 ? 10_000 + below(190_000) : 0
      let size = large > 0 ? large : below(40) == 0 ? 4000 + below(16000) : sizes[below(sizes.count)] + below(40)
      version += 1
      // Size 0: the record is erased.
      let isErasure = below(5) == 0 && node.read(key(number)) != nil
      if isErasure { seen.erased += 1 }
      let ticket = node.write(key(number), isErasure ? [] : payload(version, bytes: size))
      if isErasure {
        keys[number, default: Expected()].erasures.insert(version)
        keys[number, default: Expected()].waiting.append((ticket, version))
        return
      }
      keys[number, default: Expected()].written[version] = size
      keys[number, default: Expected()].waiting.append((ticket, version))
    }

    func acknowledge() {
      for number in keys.keys {
        let durable = node.store(of: key(number)).durableTicket
        guard var expected = keys[number], !expected.waiting.isEmpty else { continue }
        while let first = expected.waiting.first, first.ticket <= durable {
          expected.floor = max(expected.floor, first.version)
          expected.waiting.removeFirst()
        }
        keys[number] = expected
      }
      #expect(node.position >= position, "the position fell")
      position = node.position
    }

    func crash() {
      if below(4) == 0 {
        node.device.kill(using: &random)
        seen.kills += 1
      } else {
        node.device.crash(using: &random)
        seen.crashes += 1
      }
    }

    /// Recovers, now and then through crashes in the middle of the recovery, and compares.
    func recover() throws {
      let shards = 1 + below(4)
      let halfBytes = below(8) == 0 && !isLarge ? (48 << 10) + below(3) * (16 << 10) : nil
      while below(3) == 0 {
        node.device.performsLeft = below(12)
        do {
          try node.start(shards: shards, halfBytes: halfBytes)
          node.device.performsLeft = nil
        } catch {
          guard case .device = error else { throw error }
          seen.cut += 1
        }
        crash()
      }
      try node.start(shards: shards, halfBytes: halfBytes)
      #expect(node.recovery.damaged == [])
      seen.torn += node.recovery.tornBytes > 0 ? 1 : 0
      seen.replayed += node.recovery.journalEntries
      #expect(node.position >= position, "the position fell over a restart")
      position = node.position
      for (number, expected) in keys {
        var expected = expected
        if let found = node.read(key(number)) {
          let number = StorageTests.version(found)
          let size = try #require(expected.written[number], "a version that was never written")
          #expect(found == payload(number, bytes: size))
          #expect(number >= expected.floor, "an acknowledged write is lost, or an erased record is back")
          expected.floor = number
        } else {
          let isErased = expected.erasures.contains { $0 >= expected.floor }
          #expect(expected.floor == 0 || isErased, "an acknowledged record is lost")
        }
        expected.waiting = []
        keys[number] = expected
      }
    }

    func step() {
      switch below(10) {
      case 0..<5: for _ in 0...below(12) { write() }
      case 5: for _ in 0..<below(4) { node.complete(.background) }
      default:
        node.submit()
        if node.complete(.journal) { acknowledge() }
        if below(2) == 0 { node.complete(.background) }
      }
      if node.stores.contains(where: { $0.isStalled }) { seen.stalls += 1 }
    }
  }

  @Test(arguments: 0..<(isHeavy ? 60 : 6))
  func nothingAcknowledgedIsLost(seed: Int) throws {
    let run = Run(seed: UInt64(seed))
    try run.recover()
    for _ in 0..<(isHeavy ? 40 : 8) {
      for _ in 0..<run.below(160) { run.step() }
      run.crash()
      try run.recover()
    }
    // A run that met none of these would prove nothing.
    #expect(run.seen.crashes > 0)
    #expect(run.seen.replayed > 0)
    #expect(run.seen.stalls > 0)
    #expect(run.seen.erased > 0)
  }

  /// A crash after each single batch of a fixed run, so that no moment is left out.
  @Test(arguments: 0..<(isHeavy ? 2 : 1))
  func crashAtEachPoint(seed: Int) throws {
    var point = 0
    while true {
      let run = Run(seed: UInt64(1000 + seed))
      try run.node.start(shards: 2)
      var batches = 0
      var isOver = true
      steps: for _ in 0..<60 {
        for _ in 0..<12 { run.write() }
        run.node.submit()
        for lane in [DeviceBatch.Lane.journal, .background, .background] {
          if batches == point {
            isOver = false
            break steps
          }
          if run.node.complete(lane) { batches += 1 }
          run.acknowledge()
          run.node.submit()
        }
      }
      if isOver { break }
      run.random = SeededRandom(seed: UInt64(point))
      run.node.device.crash(using: &run.random)
      try run.recover()
      point += isHeavy ? 1 : 11
    }
    #expect(point > 100)
  }
}
