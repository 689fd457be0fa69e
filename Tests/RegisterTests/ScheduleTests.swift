import Testing

/// Seeded random schedules: safety while everything goes wrong, then an idle and serving cluster once it is over.
@Suite struct ScheduleTests {
  #if DEBUG
    static let seeds: UInt64 = 300
  #else
    static let seeds: UInt64 = 6000
  #endif
  static let blocks: UInt64 = 10

  @Test(arguments: 0..<blocks)
  func everyScheduleIsLinearizableAndLeavesNothingBehind(block: UInt64) {
    let size = Self.seeds / Self.blocks
    for seed in (block * size)..<((block + 1) * size) {
      let schedule = Schedule(seed: seed)
      schedule.run(actions: 700)
      guard schedule.failures.isEmpty else {
        Issue.record("seed \(seed): \(schedule.failures.prefix(5).joined(separator: "; "))")
        continue
      }
    }
  }
}
