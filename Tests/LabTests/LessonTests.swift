import Base
import Lab
import LabCore
import Linearizability
import Simulator
import Testing

@Suite("Lessons")
struct LessonTests {
  static let names = Lessons.all.map { "\($0.name)" }

  static func lesson(_ name: String) throws -> Lesson { try #require(Lessons.named(Array(name.utf8))) }

  @Test func theyHaveNamesOfTheirOwnAndRightAnswers() {
    #expect(Set(Self.names).count == Lessons.all.count)
    for lesson in Lessons.all {
      #expect(lesson.choices.indices.contains(lesson.right), "\(lesson.name)")
      for line in lesson.script {
        #expect(Directive(Array("\(line)".utf8)) != nil, "\(lesson.name): \(line)")
      }
    }
  }

  /// What both sides come to: no rule broken, every operation ended, and a history that some order explains.
  @Test(arguments: names)
  func theyPlayToTheirEnd(name: String) throws {
    let lesson = try Self.lesson(name)
    let run = try #require(lesson.play())
    #expect(run.time == lesson.milliseconds * 1000)
    for pane in [run.register, run.raft] {
      #expect(pane.world.failures.isEmpty && pane.world.monitor.failures.isEmpty, "\(pane.world.monitor.failures)")
      guard case .linearizable = pane.verdict else {
        Issue.record("\(pane.name): \(pane.verdict)")
        continue
      }
      let figures = pane.figures
      #expect(figures.messages > 0 && figures.syncs > 0 && figures.answered > 0)
      #expect(figures.answered + figures.unanswered == lesson.script.count { Self.asks("\($0)") })
    }
    for text in lesson.paragraphs(run) { #expect(!text.contains("?") && !text.contains("{"), "\(text)") }
  }

  private static func asks(_ line: String) -> Bool {
    guard let word = line.split(separator: " ").dropFirst().first else { return false }
    return word.count == 1 && word.first?.isUppercase == true
  }

  @Test(arguments: names)
  func theSameLessonIsTheSameRun(name: String) throws {
    let lesson = try Self.lesson(name)
    let first = try #require(lesson.play())
    let second = try #require(lesson.play())
    #expect(first.state == second.state && first.events(from: (0, 0)) == second.events(from: (0, 0)))
  }

  /// A step back is a run from the beginning that ends earlier: it must not matter in which steps time passes.
  @Test(arguments: names)
  func theStepsOfTimeDoNotMatter(name: String) throws {
    let lesson = try Self.lesson(name)
    let whole = try #require(lesson.play())
    let stepped = try #require(LabRun(lesson.setup))
    for line in lesson.script { #expect(stepped.add(Array("\(line)".utf8))) }
    while stepped.time < lesson.milliseconds * 1000 {
      let before = stepped.time
      stepped.step()
      #expect(stepped.time > before || stepped.time == 0)
      if stepped.time > lesson.milliseconds * 1000 { return }
    }
    #expect(stepped.state == whole.state)
  }

  @Test(arguments: names)
  func theyBeginUnderNodeOne(name: String) throws {
    let run = try #require(LabRun(try Self.lesson(name).setup))
    #expect(run.raft.world.picture(0)?.role == "leader")
  }

  /// For the terminal: narrow enough, with both runs and every paragraph.
  @Test(arguments: names)
  func theyAreToldInTheTerminal(name: String) throws {
    let lesson = try Self.lesson(name)
    let text = String(decoding: try #require(LessonText.print(lesson)), as: UTF8.self)
    for part in ["\(lesson.title)", "REGISTERS", "LOG", "Answer: \(lesson.right + 1). "] {
      #expect(text.contains(part))
    }
    let lines = text.split(separator: "\n")
    #expect(lines.count > 30 && lines.allSatisfy { $0.count <= 140 }, "\(lines.filter { $0.count > 140 })")
    // Every arrow has a beginning and an end.
    let arrows = lines.filter { $0.contains("──") }
    #expect(arrows.count > 10 && arrows.allSatisfy { $0.contains { "▶◀✕".contains($0) } })
  }
}
