import Base
import Testing
import Wire
import synod

/// Lost, late and doubled messages, partitions and deaths: what clients hear stays linearizable, and a healed cluster
/// serves.
@Suite struct FaultTests {
  @Test func aMinorityRefusesAndTheMajorityGoesOn() {
    let world = ProtocolTests.world()
    #expect(world.ask("n0", #""type":"write","key":1,"value":1"#)?.type == "write_ok")
    world.split(["n0"])
    // At first it cannot know: what it sent out is unknown when its time is over.
    #expect(world.ask("n0", #""type":"write","key":1,"value":2"#)?.code == 0)
    world.pass(milliseconds: 1000)
    #expect(world.ask("n0", #""type":"write","key":1,"value":3"#)?.code == 11)
    #expect(world.ask("n0", #""type":"read","key":1"#)?.code == 11)
    #expect(world.ask("n1", #""type":"cas","key":1,"from":1,"to":4"#)?.type == "cas_ok")
    world.cut = []
    world.pass(milliseconds: 1000)
    for name in world.names { #expect(world.ask(name, #""type":"read","key":1"#)?["value"] == .unsigned(4)) }
  }

  @Test func aDeadNodeIsNotMissed() {
    let world = ProtocolTests.world(5)
    #expect(world.ask("n4", #""type":"write","key":1,"value":1"#)?.type == "write_ok")
    for name in ["n3", "n4"] { world.stop(name) }
    world.pass(milliseconds: 1000)
    #expect(world.ask("n0", #""type":"cas","key":1,"from":1,"to":2"#)?.type == "cas_ok")
    world.stop("n2")
    world.pass(milliseconds: 1000)
    #expect(world.ask("n0", #""type":"read","key":1"#)?.code == 11)
  }

  /// R12: it has forgotten its promises, and must not vote under its old name.
  @Test func aNodeThatWasKilledAndStartedAgainStaysOut() {
    let world = ProtocolTests.world()
    // n0 misses the write, n2 forgets it.
    world.split(["n0"])
    world.pass(milliseconds: 1000)
    #expect(world.ask("n1", #""type":"write","key":1,"value":1"#)?.type == "write_ok")
    world.stop("n2")
    world.start("n2")
    world.split(["n1"])
    world.pass(milliseconds: 2000)
    #expect(world.ask("n0", #""type":"read","key":1"#)?.code == 11)
    #expect(world.ask("n2", #""type":"read","key":1"#)?.code == 11)
    #expect(world.nodes["n2"]?.takeNotices().count == 1)
    world.cut = []
    world.pass(milliseconds: 1000)
    for name in ["n0", "n1"] { #expect(world.ask(name, #""type":"read","key":1"#)?["value"] == .unsigned(1)) }
    #expect(world.ask("n2", #""type":"read","key":1"#)?.code == 11)
  }

  @Test func aNodeThatDiesBeforeAllHaveMetIsNotReplacedUnnoticed() {
    let world = MaelstromWorld()
    // n1 and n2 meet n0 and each other; n0 hears nothing of n2.
    world.cut = ["n2 n0"]
    world.pass(milliseconds: 500)
    world.stop("n2")
    world.start("n2")
    world.cut = []
    world.pass(milliseconds: 2000)
    // Nobody serves with two different nodes under one name.
    for name in world.names { #expect(world.ask(name, #""type":"read","key":1"#)?.code == 11) }
  }

  // MARK: - Schedules

  @Test(arguments: 0..<4) func everyScheduleIsLinearizable(block: UInt64) {
    var total = MaelstromSchedule.Sum()
    for seed in (block * 50)..<(block * 50 + 50) {
      let schedule = MaelstromSchedule(seed: seed)
      schedule.run()
      for failure in schedule.failures { Issue.record("seed \(seed): \(failure)") }
      total += schedule.sum
    }
    // A run in which nothing went wrong proves nothing.
    #expect(total.lost > 100 && total.duplicated > 100 && total.cutOff > 100, "\(total)")
    #expect(total.applied > 300 && total.refused > 20 && total.unknown > 20 && total.failedSwaps > 100, "\(total)")
  }

  // MARK: - The checker itself

  @Test func theCheckerKnowsGoodFromBad() {
    func check(_ entries: [(UniqueValueHistory.Operation, Int, Int?)]) -> Bool {
      var history = UniqueValueHistory()
      for (operation, invoked, returned) in entries { history.add(operation, invoked: invoked, returned: returned) }
      return history.isLinearizable
    }
    #expect(check([(.write(1), 0, 1), (.read(1), 2, 3)]))
    #expect(!check([(.write(1), 0, 1), (.read(nil), 2, 3)]))
    #expect(check([(.write(1), 0, 3), (.read(nil), 1, 2)]))
    #expect(!check([(.write(1), 0, 1), (.write(2), 2, 9), (.read(2), 3, 4), (.read(1), 5, 6)]))
    #expect(check([(.write(1), 0, nil), (.read(nil), 1, 2), (.read(1), 3, 4)]))
    #expect(!check([(.write(1), 0, nil), (.read(1), 1, 2), (.read(nil), 3, 4)]))
    #expect(!check([(.read(1), 0, 1), (.write(1), 2, nil)]))
    let swap = UniqueValueHistory.Operation.swap(from: 1, to: 2, creates: false)
    #expect(check([(.write(1), 0, 1), (swap, 2, 3), (.read(2), 4, 5)]))
    #expect(!check([(swap, 2, 3)]))
    #expect(check([(.swap(from: 1, to: 2, creates: true), 2, 3)]))
    // One value swapped away twice.
    #expect(!check([(.write(1), 0, 1), (swap, 2, 5), (.swap(from: 1, to: 3, creates: false), 3, 6)]))
    #expect(!check([(.write(1), 0, 1), (.failedSwap(from: 1, absent: false), 2, 3)]))
    #expect(!check([(.write(1), 0, 1), (.failedSwap(from: 1, absent: true), 2, 3)]))
    #expect(check([(.failedSwap(from: 1, absent: true), 2, 3)]))
  }
}
