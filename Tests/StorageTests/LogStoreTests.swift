import Base
import Storage
import Testing

/// A log against its store: random appends, cuts, votes and snapshots, and crashes at every moment.
@Suite struct LogStoreTests {
  static func options() -> LogOptions {
    var options = LogOptions()
    options.segmentBytes = 48 << 10
    options.batchBytes = 8 << 10
    options.pieceBytes = 1000
    options.maximumPayloadBytes = 4 << 10
    return options
  }

  final class Run {
    var random: SeededRandom
    var device = MemoryDevice()
    var holder = TestLogHolder()
    var store: LogStore!
    /// What must be found after a crash: the disk as of the last batch that completed, or as of the one in flight.
    var completed = TestLogHolder.State()
    var inFlight: TestLogHolder.State?
    /// The snapshot whose header is in flight.
    var position: UInt64 = 0
    var seen = (torn: 0, entries: 0, snapshots: 0, crashes: 0)

    init(seed: UInt64) throws {
      random = SeededRandom(seed: seed)
      try recover()
    }

    func below(_ bound: Int) -> Int { Int(random.below(UInt64(bound))) }

    func recover() throws {
      holder = TestLogHolder()
      let recovery = try LogStore.recover(device: device, holder: holder, options: LogStoreTests.options())
      store = recovery.store
      seen.torn += recovery.tornBytes > 0 ? 1 : 0
      seen.entries += recovery.entries
      #expect(store.position >= position, "the position fell over a restart")
      position = store.position
    }

    func step() {
      switch below(12) {
      case 0..<5:
        for _ in 0..<(1 + below(6)) { holder.append(term: max(holder.hardState.term, 1)) }
        store.markDirty(partition: 0, index: 0)
      case 5:
        holder.setHard(term: max(holder.hardState.term, holder.last.term) + 1, vote: UInt16(below(3)))
        store.markDirty(partition: 0, index: 0)
      case 6 where holder.entries.count > 2:
        // A new leader's entries take the place of the last few.
        holder.setHard(term: max(holder.hardState.term, holder.last.term) + 1, vote: 0)
        holder.truncate(from: holder.last.index - UInt64(below(2)))
        holder.append(term: holder.hardState.term)
        store.markDirty(partition: 0, index: 0)
      case 7 where !holder.hasImage && below(3) == 0 && holder.entries.count > 4:
        let place = below(holder.entries.count / 2)
        holder.beginSnapshot(at: holder.entries[place].position, pieces: 1 + below(6))
      case 8 where !holder.hasImage && below(6) == 0:
        // One that a leader has sent, beyond what is here.
        let term = max(holder.hardState.term, holder.last.term)
        holder.setHard(term: term, vote: 0)
        holder.beginSnapshot(
          at: LogPosition(index: holder.last.index + UInt64(1 + below(20)), term: max(term, 1)), pieces: 1 + below(4))
      default:
        submit()
        if below(4) > 0 { complete(.journal) }
        if below(2) == 0 { complete(.background) }
      }
    }

    func submit() {
      if let batch = store.sealIfPossible() {
        inFlight = holder.disk
        device.submit(batch)
      }
      if let batch = store.nextFlushBatch() { device.submit(batch) }
    }

    func complete(_ lane: DeviceBatch.Lane) {
      guard let completion = device.complete(next: lane) else { return }
      let before = holder.snapshotsTaken
      store.completed(completion)
      if lane == .journal {
        completed = inFlight ?? completed
        inFlight = nil
      }
      if holder.snapshotsTaken > before {
        seen.snapshots += 1
        if holder.unsavedBase != nil { store.markDirty(partition: 0, index: 0) }
      }
    }

    func crash() throws {
      seen.crashes += 1
      device.crash(using: &random)
      let snapshot = holder.disk.snapshot
      try recover()
      let found = holder.disk
      #expect(found.snapshot.index >= snapshot.index, "a snapshot is lost")
      let possible = [completed] + (inFlight.map { [$0] } ?? [])
      let fits = possible.contains { state in
        // Of the batch in flight, the vote may be there without the block.
        guard state.hard == found.hard || inFlight?.hard == found.hard else { return false }
        let entries = state.entries.filter { $0.index > found.snapshot.index }
        if entries == found.entries { return true }
        // What lies behind a snapshot of another log is dropped.
        return found.entries.isEmpty
          && (entries.first.map { $0.index > found.snapshot.index + 1 || $0.term < found.snapshot.term } ?? true
            || state.entries.contains { $0.index == found.snapshot.index && $0.term != found.snapshot.term })
      }
      #expect(fits, "found \(found.hard), \(found.snapshot), \(found.entries.count) entries")
      completed = found
      inFlight = nil
    }
  }

  @Test(arguments: 0..<(isHeavy ? 40 : 6))
  func whatWasDurableIsFoundAgain(seed: Int) throws {
    let run = try Run(seed: UInt64(seed))
    for _ in 0..<(isHeavy ? 60 : 10) {
      for _ in 0..<run.below(200) { run.step() }
      try run.crash()
    }
    #expect(run.seen.crashes > 0 && run.seen.entries > 0 && run.seen.snapshots > 0)
  }

  /// A crash after each single batch of a fixed run, so that no moment is left out.
  @Test func crashAtEachPoint() throws {
    var point = 0
    var isOver = false
    while !isOver {
      let run = try Run(seed: 4711)
      isOver = true
      for action in 0..<400 {
        if action == point {
          isOver = false
          break
        }
        run.step()
      }
      run.random = SeededRandom(seed: UInt64(point))
      try run.crash()
      try run.crash()
      point += isHeavy ? 1 : 13
    }
    #expect(point > 100)
  }

  /// Some entries over more than one segment, durable.
  private func written(entries: Int = 300) throws -> Run {
    let run = try Run(seed: 1)
    run.holder.setHard(term: 1, vote: 1)
    for _ in 0..<entries {
      run.holder.append(term: 1)
      run.store.markDirty(partition: 0, index: 0)
      while run.store.durableTicket < run.store.openTicket - 1 || run.holder.unsaved != nil {
        run.submit()
        run.complete(.journal)
        run.complete(.background)
      }
    }
    return run
  }

  @Test func segmentsAreUsedAgain() throws {
    let run = try written(entries: 200)
    for _ in 0..<20 {
      run.holder.beginSnapshot(at: run.holder.last, pieces: 2)
      for _ in 0..<8 {
        run.submit()
        run.complete(.journal)
        run.complete(.background)
      }
      for _ in 0..<100 {
        run.holder.append(term: 1)
        run.store.markDirty(partition: 0, index: 0)
        run.submit()
        run.complete(.journal)
        run.complete(.background)
      }
    }
    let files = try run.device.files().filter { if case .log = $0 { true } else { false } }
    // Each round goes through nine, and the ones before are free only when its snapshot is durable.
    #expect(files.count <= 24, "disk space grows with history: \(files.count) segments")
    try run.crash()
  }
}
