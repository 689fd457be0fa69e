import Base
import LabCore
import Simulator
import Testing

/// What a person can do to a run.
@Suite("Directing")
struct DirectingTests {
  private func run(nodes: Int = 3, _ lines: [String], until milliseconds: UInt64) throws -> LabRun {
    let run = try #require(LabRun(LabSetup(nodes: nodes, clients: 3, seed: 7)))
    for line in lines { #expect(run.add(Array(line.utf8)), "\(line)") }
    run.advance(to: milliseconds * 1000)
    return run
  }

  private func panes(_ run: LabRun) -> [Pane] { [run.register, run.raft] }

  @Test(arguments: [
    "", "x crash 1", "0", "0 crash", "0 crash 0", "0 crash 12", "0 crash 1 2", "0 A put x via 1", "0 A put x red",
    "0 A put x red via 1 within 0", "0 I put x red via 1", "0 A fly x via 1", "0 A add x one via 1", "0 cut 1",
    "0 drop", "0 drop -1", "1.2345 crash 1", "0 lose accept 1 2", "0 raft:", "0 slow 1 2", "0 split",
    "0 members via 1", "0 members 1 2",
    "99999999999999999999 crash 1",
  ])
  func whatIsNoLineIsRefused(line: String) { #expect(Directive(Array(line.utf8)) == nil) }

  @Test(arguments: [
    "0 crash 1", "12.5 raft: drop 3", "7 A put x red via 1 named within 20 if absent", "0 say a b  c",
    "5 members 3 4 5 via 1",
  ])
  func whatIsALineIsTaken(line: String) { #expect(Directive(Array(line.utf8)) != nil) }

  @Test func timesAreInMicroseconds() throws {
    #expect(try #require(Directive(Array("12.5 heal".utf8))).at == 12_500)
    #expect(try #require(Directive(Array("3 heal".utf8))).at == 3000)
  }

  @Test func aCrashLosesWhatWasNotSynced() throws {
    // The accept is in memory at 87 ms on node 2 and not on its disk.
    let run = try run(["0 A put x red via 1", "600 crash 2", "700 A put x blue via 1", "900 start 2"], until: 800)
    for pane in panes(run) { #expect(!pane.world.isUp(1) && pane.world.isUp(0)) }
    run.advance(to: 2_000_000)
    for pane in panes(run) {
      #expect(pane.world.isUp(1) && pane.world.boot(1) == 2)
      #expect(pane.figures.answered == 2)
    }
  }

  @Test func aPausedNodeSaysNothing() throws {
    let run = try run(["0 pause 2", "10 A put x red via 2", "900 resume 2"], until: 850)
    for pane in panes(run) { #expect(pane.world.isPaused(1) && pane.figures.answered == 0) }
    run.advance(to: 3_000_000)
    for pane in panes(run) { #expect(!pane.world.isPaused(1)) }
  }

  @Test func aNodeThatLostItsDiskIsNotLetIn() throws {
    let run = try run(["0 A put x red via 1", "300 wipe 2"], until: 2500)
    for pane in panes(run) {
      #expect(pane.world.monitor.failures.isEmpty)
      #expect(pane.world.reaches(0).contains(2) && !pane.world.reaches(0).contains(1))
    }
  }

  @Test func anIsolatedNodeIsNotHeardUntilItJoins() throws {
    let run = try run(["0 isolate 3", "1000 join 3"], until: 900)
    for pane in panes(run) { #expect(!pane.world.reaches(0).contains(2)) }
    run.advance(to: 1_600_000)
    for pane in panes(run) { #expect(pane.world.reaches(0).contains(2)) }
  }

  @Test func aNodeThatLosesPatienceAsksForVotes() throws {
    let run = try run(["50 timeout 2"], until: 60)
    #expect(run.raft.world.picture(1)?.role == "pre-candidate")
    run.advance(to: 1_000_000)
    // The others hear their leader, and do not help.
    #expect(run.raft.world.picture(0)?.role == "leader")
  }

  @Test func messagesAreDroppedDelayedAndDoubled() throws {
    let run = try run(["0 A put x red via 1"], until: 15)
    let world = run.register.world
    let stage = try #require(world.stage)
    let flights = stage.flights.filter { $0.content.kind == "prepare" }
    #expect(flights.count == 2)
    let (first, second) = (flights[0], flights[1])
    #expect(run.add(Array("15 register: drop \(first.number)".utf8)))
    #expect(run.add(Array("15 register: double \(second.number)".utf8)))
    #expect(run.add(Array("15 register: delay \(second.number) 100".utf8)))
    run.advance(to: 15_000)
    let left = stage.flights.filter { $0.content.kind == "prepare" }
    #expect(left.count == 2 && !left.contains { $0.number == first.number })
    #expect(left.first { $0.number == second.number }?.arrivesAt == second.arrivesAt + 100_000_000)
    run.advance(to: 400_000)
    // A duplicate changes nothing, and the one promise that came is a majority with its own.
    #expect(run.register.figures.answered == 1 && world.monitor.failures.isEmpty)
  }

  @Test func lostMessagesAreOfTheKindThatIsNamed() throws {
    let run = try run(["0 register: lose prepare 1 2 1", "0 A put x red via 1"], until: 300)
    let stage = try #require(run.register.world.stage)
    var lost: [String] = []
    for event in stage.log {
      if case .message(_, .node(1), _, let content, .dropped) = event.what { lost.append(content.kind) }
    }
    #expect(lost == ["prepare"] && run.register.figures.answered == 1)
    #expect(run.add(Array("300 register: lose accept:y 1 2 1".utf8)))
    #expect(run.add(Array("300 A put x blue via 1".utf8)) && run.add(Array("600 A put y blue via 1".utf8)))
    run.advance(to: 1_000_000)
    let dropped = stage.log.compactMap { event in
      if case .message(_, _, _, let content, .dropped) = event.what { content.label.prefix(8) } else { nil }
    }
    #expect(dropped == ["prepare ", "accept y"])
  }

  @Test func theSidesOfASplitGoOnByThemselves() throws {
    let run = try run(
      nodes: 5, ["0 split 1 2", "20 A put x red via 1 within 300", "20 B put x blue via 3 within 3000", "2500 heal"],
      until: 2400)
    for pane in panes(run) { #expect(pane.figures.answered == 1 && pane.figures.unanswered == 1) }
    run.advance(to: 4_000_000)
    for pane in panes(run) { #expect(pane.world.monitor.failures.isEmpty) }
  }

  @Test func nodesAreAddedAndRemoved() throws {
    let setup = LabSetup(nodes: 3, newcomers: 2, clients: 3, seed: 7)
    let run = try #require(LabRun(setup))
    for line in ["0 A put x red via 1", "100 start 4", "100 members 2 3 4 via 1", "900 members 2 3 4 via 1"] {
      #expect(run.add(Array(line.utf8)), "\(line)")
    }
    func parts(_ pane: Pane) -> [World.MemberPart] { (0..<5).map { pane.world.membership($0).part } }
    run.advance(to: 800_000)
    for pane in panes(run) {
      // The first wish came before anybody had heard of node 4.
      #expect(parts(pane) == [.member, .member, .member, .outside, .notStarted])
    }
    run.advance(to: 4_000_000)
    for pane in panes(run) {
      #expect(parts(pane) == [.left, .member, .member, .member, .notStarted])
      #expect(pane.world.monitor.failures.isEmpty)
    }
    #expect(run.add(Array("4000 start 1".utf8)) && run.add(Array("4000 B get x via 4".utf8)))
    run.advance(to: 5_000_000)
    for pane in panes(run) {
      #expect(!pane.world.isUp(0))
      #expect(pane.figures.answered == 2)
    }
  }

  @Test func aDeletedRegisterIsErased() throws {
    let run = try #require(LabRun(LabSetup(nodes: 3, clients: 3, seed: 7, tombstoneMilliseconds: 300)))
    for line in ["0 A put x red via 1", "300 A delete x via 1"] { #expect(run.add(Array(line.utf8))) }
    run.advance(to: 2_000_000)
    for node in 0..<3 {
      #expect(run.register.world.picture(node)?.cells.isEmpty == true && !run.register.world.floor(node).isEmpty)
    }
    #expect(run.register.world.monitor.failures.isEmpty)
  }
}
