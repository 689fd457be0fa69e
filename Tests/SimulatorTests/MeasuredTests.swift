import Base
import Simulator
import Testing

/// Loads whose operations are timed, by the simulated clock: these times are the same on every machine.
@Suite struct MeasuredTests {
  private static let near: [[UInt64]] = [[0, 50_000, 50_000], [50_000, 0, 50_000], [50_000, 50_000, 0]]

  private static func isolation(_ fault: MeasuredRun.Fault) -> MeasuredRun {
    var load = MeasuredLoad(.shared(keys: 200, reads: 50), .open(perSecond: 200), clientsOfNode: 16)
    load.timeout = 1000
    var run = MeasuredRun(load, ways: near, duration: 2500)
    run.warmUp = 2000
    run.fault = (fault, 500, 1500)
    return run
  }

  /// The longest time in milliseconds in which the users of a node had no success, from the begin of the measuring.
  private static func gap(_ result: MeasuredRun.Result, _ node: Int) -> Int64 {
    var last: Int64 = 0
    var longest: Int64 = 0
    for operation in result.operations where operation.node == node && operation.outcome == .succeeded {
      guard operation.end >= 0 else { continue }
      longest = max(longest, operation.end - last)
      last = operation.end
    }
    return longest / 1_000_000
  }

  @Test(arguments: ["register", "raft"]) func theSameSeedGivesTheSameTimes(_ name: String) throws {
    let backend = try #require(SimulatedBackends.named(name))
    let run = Self.isolation(.isolated)
    let first = run.run(backend, seed: 3)
    #expect(first.failures.isEmpty && first.operations.count > 2000)
    #expect(first.operations == run.run(backend, seed: 3).operations)
    #expect(first.operations != run.run(backend, seed: 4).operations)
  }

  /// Each operation that was meant to start is told of once, also where nobody carried it out.
  @Test(arguments: ["register", "raft"]) func anOpenLoopLosesNoOperation(_ name: String) throws {
    let result = Self.isolation(.isolated).run(try #require(SimulatedBackends.named(name)), seed: 1)
    for node in 0..<3 {
      let starts = result.operations.filter { $0.node == node && $0.start >= 0 }.map(\.start).sorted()
      // 200 a second, for 2.5 s.
      #expect(starts.count == 500)
      #expect(zip(starts, starts.dropFirst()).allSatisfy { $1 - $0 == 5_000_000 })
    }
    #expect(result.operations.contains { $0.node == result.victim && $0.outcome != .succeeded })
  }

  @Test(arguments: [MeasuredRun.Fault.isolated, .unheard]) func aLogWaitsForAnElectionAndRegistersDoNot(
    _ fault: MeasuredRun.Fault
  ) {
    let registers = Self.isolation(fault).run(RegisterBackend(), seed: 2)
    let log = Self.isolation(fault).run(RaftBackend(), seed: 2)
    #expect(registers.failures.isEmpty && log.failures.isEmpty)
    #expect(registers.leader == nil && log.leader == log.victim)
    let others = (0..<3).filter { $0 != registers.victim }.map { Self.gap(registers, $0) }
    let followers = (0..<3).filter { $0 != log.victim }.map { Self.gap(log, $0) }
    // An election timeout is 300 ms and more; the patience of a round is 150 ms.
    #expect(followers.allSatisfy { $0 >= 250 } && others.allSatisfy { $0 < 250 }, "\(others) \(followers)")
  }

  @Test func farAwayARegisterTakesOneRoundTripAndAFollowerTwo() {
    let ways: [[UInt64]] = [[0, 10, 10], [10, 0, 10], [10, 10, 0]].map { $0.map { $0 * 1_000_000 } }
    var run = MeasuredRun(MeasuredLoad(.compareAndSet, .closed, clientsOfNode: 4), ways: ways, duration: 2000)
    run.electionTimeout = 1000
    run.heartbeat = 100
    run.resendAfter = 500
    run.roundTimeout = 500
    func medians(_ result: MeasuredRun.Result) -> [Int64] {
      (0..<3).map { node in
        let times = result.operations.filter { $0.node == node && $0.start >= 0 && $0.outcome == .succeeded }
          .map { $0.end - $0.start }.sorted()
        return times.isEmpty ? 0 : times[times.count / 2] / 1_000_000
      }
    }
    let registers = medians(run.run(RegisterBackend(), seed: 1))
    #expect(registers.allSatisfy { (20...21).contains($0) }, "\(registers)")
    let result = run.run(RaftBackend(), seed: 1)
    let log = medians(result)
    #expect(result.leader.map { (20...21).contains(log[$0]) } == true, "\(log)")
    #expect(log.sorted().dropFirst().allSatisfy { (40...42).contains($0) }, "\(log)")
  }
}
