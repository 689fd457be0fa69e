import Testing

/// Seeded random schedules: safety while everything goes wrong, then an idle and serving cluster once it is over.
@Suite struct ScheduleTests {
  #if DEBUG
    static let seeds: UInt64 = 100
  #else
    static let seeds: UInt64 = 1000
  #endif
  static let blocks: UInt64 = 10

  @Test(arguments: 0..<blocks)
  func everyScheduleIsLinearizableAndKeepsTheInvariants(block: UInt64) {
    let size = Self.seeds / Self.blocks
    var seen = (crashes: 0, elections: 0, snapshots: 0, mismatches: 0)
    for seed in (block * size)..<((block + 1) * size) {
      let schedule = Schedule(seed: seed)
      schedule.run(actions: 700)
      seen.crashes += schedule.crashes
      seen.elections += schedule.cluster.monitor.elections
      seen.snapshots += schedule.cluster.sent["snapshot", default: 0]
      seen.mismatches += schedule.cluster.sent["mismatch", default: 0]
      guard schedule.failures.isEmpty else {
        Issue.record("seed \(seed): \(schedule.failures.prefix(5).joined(separator: "; "))")
        continue
      }
    }
    // A run that met none of these would prove nothing.
    #expect(seen.crashes > 0 && seen.elections > Int(size) && seen.snapshots > 0 && seen.mismatches > 0)
  }
}
