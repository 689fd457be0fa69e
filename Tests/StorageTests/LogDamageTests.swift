import Base
import Storage
import Testing

/// A log, its snapshot and its vote, with bits inverted and sectors lost in each of their parts.
@Suite struct LogDamageTests {
  typealias Run = LogStoreTests.Run

  /// A valid block of a file, by where it stands.
  struct Block {
    let file: Int
    let offset: Int
    let length: Int
    let sequence: UInt64
    let position: UInt64
  }

  private static func u64(_ bytes: [UInt8], _ offset: Int) -> UInt64 {
    (0..<8).reduce(0) { $0 | UInt64(bytes[offset + $1]) << (8 * UInt64($1)) }
  }

  /// Those of the segments in use, by segment, oldest first.
  static func blocks(_ device: MemoryDevice) throws -> [[Block]] {
    var found: [Block] = []
    for case .log(let file) in try device.files() {
      let bytes = try device.read(.log(file), at: 0, count: Int(try device.size(of: .log(file)) ?? 0))
      for offset in stride(from: 0, to: bytes.count, by: 4096)
      where bytes[offset..<offset + 4].elementsEqual("SYNJ".utf8) {
        found.append(
          Block(
            file: file, offset: offset, length: Int(u64(bytes, offset) >> 32), sequence: u64(bytes, offset + 16),
            position: u64(bytes, offset + 24)))
      }
    }
    found.sort { $0.position < $1.position }
    return Dictionary(grouping: found, by: \.sequence).sorted { $0.key < $1.key }.map(\.value)
  }

  /// Several segments of entries of term 7, in which node 3 has the vote, all of it durable.
  static func written(snapshot: Bool = false) throws -> Run {
    let run = try Run(seed: 1)
    run.holder.setHard(term: 7, vote: 3)
    append(run, 250)
    if snapshot {
      run.holder.beginSnapshot(at: run.holder.last, pieces: 5)
      settle(run)
      #expect(run.seen.snapshots == 1)
      append(run, 60)
    }
    return run
  }

  static func append(_ run: Run, _ count: Int) {
    for _ in 0..<count {
      run.holder.append(term: 7)
      run.store.markDirty(partition: 0, index: 0)
      settle(run)
    }
  }

  static func settle(_ run: Run) {
    for _ in 0..<20 {
      run.submit()
      run.complete(.journal)
      run.complete(.background)
    }
  }

  static func lose(_ device: MemoryDevice, _ file: FileID, at offset: Int, isSector: Bool) throws {
    guard isSector else { return device.flip(file, at: offset, bits: 4) }
    let start = offset & ~511
    let bytes = try device.read(file, at: UInt64(start), count: 512)
    for place in bytes.indices { device.flip(file, at: start + place, bits: bytes[place] ^ 0xE5) }
  }

  private func recover(_ run: Run) throws -> LogRecovery {
    run.holder = TestLogHolder()
    let recovery = try LogStore.recover(device: run.device, holder: run.holder, options: LogStoreTests.options())
    run.store = recovery.store
    return recovery
  }

  private func expectBegunAnew(_ run: Run, above position: UInt64, behind base: LogPosition = .zero) throws {
    let hard = LogHardState(term: 7, vote: 3, commit: base.index, isRecovering: true)
    #expect(run.holder.hardState == hard)
    #expect(run.holder.base == base && run.holder.entries.isEmpty)
    #expect(run.store.position > position + 1 << 30, "peers would take it for an old copy")
    // It goes on: what comes now is found again, and so is that it recovers, until it says that it is whole.
    Self.append(run, 30)
    let last = run.holder.last
    run.device.crash(using: &run.random)
    #expect(try recover(run).damage == nil)
    #expect(run.holder.hardState == hard)
    #expect(run.holder.last == last && run.holder.entries.count == 30)
    run.holder.setHard(term: 7, vote: 3)
    Self.append(run, 1)
    run.device.crash(using: &run.random)
    #expect(try recover(run).damage == nil)
    #expect(run.holder.hardState == LogHardState(term: 7, vote: 3) && run.holder.entries.count == 31)
  }

  @Test(arguments: [0, 1, 2], [0, 1, 2])
  func aDamagedBlockBeginsTheLogAnew(segment: Int, block: Int) throws {
    for isSector in [false, true] {
      for isHead in [true, false] {
        let run = try Self.written()
        let segments = try Self.blocks(run.device)
        try #require(segments.count > 3 && segments.allSatisfy { $0.count > 2 })
        let blocks = segments[[0, segments.count / 2, segments.count - 1][segment]]
        let hit = blocks[[0, blocks.count / 2, blocks.count - 1][block]]
        let position = run.store.position
        try Self.lose(
          run.device, .log(hit.file), at: hit.offset + (isHead ? 20 : hit.length - 1), isSector: isSector)
        let recovery = try recover(run)
        if segment == 2 && block == 2 {
          // It looks like one that was being written: for the peers to tell, who have heard of it (R12).
          #expect(recovery.damage == nil && run.holder.entries.count == 249 && run.store.position < position)
          continue
        }
        let damage = try #require(recovery.damage)
        #expect(damage.isRecovering && damage.keptIndex == 0)
        #expect(damage.notice.contains("is damaged at byte") && damage.notice.contains("has no vote"))
        try expectBegunAnew(run, above: position)
      }
    }
  }

  /// The last segment holds a term, and no entry: nothing in it shows that entries are missing but the reach that it
  /// tells. Found by the simulator: damage, seed 550 of backend raft.
  @Test func theLastBlockBeforeASegmentWithoutEntries() throws {
    let run = try Self.written()
    let before = try Self.blocks(run.device).count
    var term: UInt64 = 7
    while try Self.blocks(run.device).count == before {
      Self.append(run, 1)
      if try Self.blocks(run.device).last?.count == 12 {
        term += 1
        run.holder.setHard(term: term, vote: 3)
        run.store.markDirty(partition: 0, index: 0)
        Self.settle(run)
      }
    }
    let last = try #require(Self.blocks(run.device).dropLast().last?.last)
    run.device.flip(.log(last.file), at: last.offset + 60, bits: 1)
    #expect(try recover(run).damage?.isRecovering == true)
    #expect(run.holder.hardState == LogHardState(term: term, vote: 3, isRecovering: true))
  }

  @Test func aLogThatIsGoneIsBegunAnew() throws {
    let run = try Self.written()
    let position = run.store.position
    for case .log(let file) in try run.device.files() { try run.device.perform([.remove(.log(file))]) }
    // Its first block could be a torn one, where an election was the last that happened. Each start notes how far it
    // is.
    #expect(try recover(run).damage == nil)
    let again = try Self.written()
    again.device.crash(using: &again.random)
    _ = try recover(again)
    for case .log(let file) in try again.device.files() { try again.device.perform([.remove(.log(file))]) }
    #expect(try recover(again).damage?.isRecovering == true)
    try expectBegunAnew(again, above: position)
  }

  @Test func aDamagedLogBehindASnapshotBeginsThere() throws {
    let run = try Self.written(snapshot: true)
    let position = run.store.position
    let base = run.holder.base
    let blocks = try #require(Self.blocks(run.device).last)
    run.device.flip(.log(blocks[0].file), at: blocks[0].offset + 60, bits: 1)
    #expect(try recover(run).damage?.keptIndex == base.index)
    try expectBegunAnew(run, above: position, behind: base)
  }

  @Test func aDamagedSnapshotThatTheLogStandsForIsNotMissed() throws {
    // Of a piece, and of the header.
    for offset in [8192 + 30, 20] {
      let run = try Self.written()
      run.holder.beginSnapshot(at: LogPosition(index: 40, term: 7), pieces: 5)
      Self.settle(run)
      run.device.flip(.snapshot(0), at: offset, bits: 1)
      let recovery = try recover(run)
      #expect(recovery.damage?.isRecovering != true)
      #expect(run.holder.hardState == LogHardState(term: 7, vote: 3))
      #expect(run.holder.base == .zero && run.holder.entries.count == 250)
      #expect(try recover(run).damage == nil, "it stumbles over the same again")
    }
  }

  @Test func aDamagedSnapshotLeavesTheOneBeforeIt() throws {
    for offset in [8192 + 30, 20] {
      for olderIsDamaged in [false, true] {
        let run = try Self.written(snapshot: true)
        let older = run.holder.base
        run.holder.beginSnapshot(at: run.holder.last, pieces: 5)
        Self.settle(run)
        // Segments are given up behind the newer one, and taken again.
        Self.append(run, 400)
        let position = run.store.position
        run.device.flip(.snapshot(1), at: offset, bits: 1)
        if olderIsDamaged { run.device.flip(.snapshot(0), at: offset, bits: 1) }
        #expect(try recover(run).damage?.isRecovering == true)
        try expectBegunAnew(run, above: position, behind: olderIsDamaged ? .zero : older)
      }
    }
  }

  private func damageLog(_ run: Run) throws {
    let hit = try Self.blocks(run.device)[0][1]
    run.device.flip(.log(hit.file), at: hit.offset + 60, bits: 1)
  }

  @Test func oneCopyOfTheVoteIsEnough() throws {
    for copy in 0..<2 {
      let run = try Self.written()
      let position = run.store.position
      for page in 0..<2 { run.device.flip(.vote(copy), at: page * 4096 + 24, bits: 2) }
      try damageLog(run)
      #expect(try recover(run).damage?.isRecovering == true)
      try expectBegunAnew(run, above: position)
    }
    // A lost file is like a damaged one.
    let run = try Self.written()
    try run.device.perform([.remove(.vote(1))])
    try damageLog(run)
    #expect(try recover(run).damage?.isRecovering == true)
  }

  @Test func withoutAVoteADamagedLogStopsTheNode() throws {
    let run = try Self.written()
    for copy in 0..<2 { for page in 0..<2 { run.device.flip(.vote(copy), at: page * 4096 + 24, bits: 2) } }
    let mended = run.device.copy()
    try damageLog(run)
    let before = run.device.syncs
    #expect {
      _ = try recover(run)
    } throws: { error in
      (error as? StorageError)?.description.contains("replace the node") == true
    }
    #expect(run.device.syncs == before + 1, "something was changed")
    // Where the log is whole, it tells the vote, and both copies are written again.
    let holder = TestLogHolder()
    _ = try LogStore.recover(device: mended, holder: holder, options: LogStoreTests.options())
    #expect(holder.hardState == LogHardState(term: 7, vote: 3))
    run.device = mended
    try damageLog(run)
    #expect(try recover(run).damage?.isRecovering == true)
  }

  /// The one page that says the latest vote is damaged in both files: the other one would give a vote twice.
  @Test func anOlderVoteIsNotTakenForTheLatest() throws {
    let run = try Self.written()
    for term in [8, 9] {
      run.holder.setHard(term: UInt64(term), vote: 2)
      run.store.markDirty(partition: 0, index: 0)
      Self.settle(run)
    }
    let latest = run.device.copy()
    for copy in 0..<2 { run.device.flip(.vote(copy), at: 4096 + 24, bits: 2) }
    try damageLog(run)
    #expect(throws: StorageError.self) { try recover(run) }
    run.device = latest
    run.device.flip(.vote(0), at: 4096 + 24, bits: 2)
    try damageLog(run)
    #expect(try recover(run).damage?.isRecovering == true)
    #expect(run.holder.hardState == LogHardState(term: 9, vote: 2, isRecovering: true))
  }

  @Test func nobodyElseHoldsTheLogOfANodeAlone() throws {
    let run = try Self.written()
    try damageLog(run)
    run.holder = TestLogHolder()
    run.holder.hasOthers = false
    #expect(throws: StorageError.self) {
      try LogStore.recover(device: run.device, holder: run.holder, options: LogStoreTests.options())
    }
  }

  /// A crash at each point of the beginning anew only repeats it.
  @Test func aCrashWhileTheLogIsBegunAnew() throws {
    for snapshot in [false, true] {
      for point in 0..<8 {
        for seed in 0..<4 {
          let run = try Self.written(snapshot: snapshot)
          let base = run.holder.base
          let position = run.store.position
          let hit = try #require(Self.blocks(run.device).last)[0]
          run.device.flip(.log(hit.file), at: hit.offset + 60, bits: 1)
          run.device.performsLeft = point
          _ = try? recover(run)
          run.random = SeededRandom(seed: UInt64(seed))
          run.device.crash(using: &run.random)
          _ = try recover(run)
          try expectBegunAnew(run, above: position, behind: base)
        }
      }
    }
  }

  /// Byte by byte, as `VoteFile` says.
  @Test func theVoteStandsWhereItsFormatSays() throws {
    let run = try Self.written()
    run.holder.setHard(term: 0x0102, vote: 5)
    run.store.markDirty(partition: 0, index: 0)
    let before = run.device.syncs
    run.submit()
    run.complete(.journal)
    #expect(run.device.syncs == before + 1)
    for copy in 0..<2 {
      // The second generation stands in the first page.
      let bytes = try run.device.read(.vote(copy), at: 0, count: 4096)
      #expect(bytes[0..<8].elementsEqual("SYNODVOT".utf8))
      #expect(Self.u64(bytes, 8) == 1 && Self.u64(bytes, 16) == 2)
      #expect(Self.u64(bytes, 24) == 0x0102 && Self.u64(bytes, 32) == 5)
      #expect(Self.u64(bytes, 40) == run.store.position)
      #expect(Self.u64(bytes, 48) == Checksum.xxh64(Array(bytes[0..<48])))
      #expect(bytes[56...].allSatisfy { $0 == 0 })
    }
    // Only what changes them writes them.
    let written = try run.device.read(.vote(0), at: 0, count: 8192)
    Self.append(run, 3)
    #expect(try run.device.read(.vote(0), at: 0, count: 8192) == written)
  }
}
