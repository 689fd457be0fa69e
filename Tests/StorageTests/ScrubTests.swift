import Base
import Storage
import Testing

/// What a scrub finds while a node runs, and what becomes of it.
struct ScrubTests {
  private func started(_ count: Int = 20) throws -> Node {
    let node = Node(partitions: 1)
    try node.start()
    for number in 0..<count { node.write(key(number), payload(UInt64(number + 1), bytes: 400)) }
    node.settle()
    try node.start()
    return node
  }

  private func scrub(_ node: Node) throws -> [ScrubFinding] {
    var scrub = try TableScrub(node.device, partition: 0)
    var findings: [ScrubFinding] = []
    while try scrub.step(into: &findings) {}
    return findings
  }

  private func find(_ bytes: [UInt8], in node: Node) throws -> Int {
    let size = Int(try node.device.size(of: .table(0)) ?? 0)
    let all = try node.device.read(.table(0), at: 0, count: size)
    return try #require(
      (0..<size - bytes.count).first { all[$0] == bytes[0] && all[$0..<$0 + bytes.count].elementsEqual(bytes) })
  }

  @Test func soundTableHasNoFindings() throws {
    #expect(try scrub(try started()) == [])
  }

  @Test func damagedSlotIsWrittenAgain() throws {
    let node = try started()
    let place = try find(key(3), in: node)
    for byte in 0..<100 { node.device.flip(.table(0), at: place + 50 + byte, bits: 0xFF) }
    let findings = try scrub(node)
    #expect(findings == [ScrubFinding(file: .table(0), offset: UInt64(place - 32), key: key(3))])
    for finding in findings {
      guard case .rewritten = node.stores[0].rewrite(finding) else {
        Issue.record("the record is held in memory, and was not written again")
        return
      }
    }
    node.settle()
    // By way of the journal; the next start brings it to its slot.
    try node.start()
    #expect(node.recovery.damaged == [])
    #expect(node.read(key(3)) == payload(4, bytes: 400))
    #expect(try scrub(node) == [])
  }

  @Test func headersAndFreeSlotsAreWrittenAgain() throws {
    let node = try started()
    let size = Int(try node.device.size(of: .table(0)) ?? 0)
    let all = try node.device.read(.table(0), at: 0, count: size)
    let last = try #require((4096..<4096 + (64 << 10)).last { all[$0] != 0 })
    for offset in [3, 4096 + 5, last + 3000] { node.device.flip(.table(0), at: offset, bits: 0x77) }
    let findings = try scrub(node)
    #expect(findings.count >= 2)
    // An extent whose header is damaged tells nothing of its slots; the next pass does.
    for _ in 0..<2 {
      for finding in try scrub(node) { _ = node.stores[0].rewrite(finding) }
      node.settle()
    }
    #expect(try scrub(node) == [])
    #expect(try node.device.read(.table(0), at: 0, count: size) == all)
  }

  /// What a node found damaged when it started, it does not hold: the others heal it.
  @Test func knownDamageWaits() throws {
    let node = try started()
    let place = try find(key(3), in: node)
    node.device.flip(.table(0), at: place + 60, bits: 0x10)
    try node.start()
    for finding in try scrub(node) {
      guard case .abstaining = node.stores[0].rewrite(finding) else {
        Issue.record("a record that nobody holds was to be written")
        return
      }
    }
    #expect(!node.stores[0].hasOpenRecords)
  }

  @Test func stoppedFolderIsOnlyLookedAt() throws {
    let node = try started()
    #expect(try FolderScrub.read(node.device).damage.isEmpty)
    let place = try find(key(3), in: node)
    node.device.flip(.table(0), at: place + 60, bits: 0x10)
    let report = try FolderScrub.read(node.device)
    #expect(report.damage.count == 1)
    #expect(!report.isLost)
    #expect(report.records == 19)
  }
}
