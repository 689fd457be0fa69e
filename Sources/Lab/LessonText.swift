import Base
package import LabCore

/// A lesson for a terminal: question, both runs as sequence diagrams, what came of them, and the explanation.
package enum LessonText {
  /// Nil if no cluster forms.
  package static func print(_ lesson: Lesson) -> [UInt8]? {
    guard let run = lesson.play() else { return nil }
    var text: [UInt8] = []
    func line(_ words: String = "") {
      text += words.utf8
      text.append(UInt8(ascii: "\n"))
    }
    func paragraph(_ words: String, indent: Int = 0) {
      for part in wrapped(words, columns: 96 - indent) { line(String(repeating: " ", count: indent) + part) }
    }
    line("\(lesson.title)")
    line(String(repeating: "=", count: "\(lesson.title)".count))
    line()
    paragraph("\(lesson.scene)")
    line()
    paragraph("\(lesson.question)")
    for (place, choice) in lesson.choices.enumerated() { line("  \(place + 1). \(choice)") }
    line()
    line("The script, for both (milliseconds):")
    for directive in lesson.script { line("  \(directive)") }
    for pane in [run.register, run.raft] {
      line()
      line(pane.name.description == "register" ? "REGISTERS" : "LOG")
      text += Diagram.draw(pane, clients: run.setup.clients)
    }
    line()
    text += table(run)
    line()
    line("Answer: \(lesson.right + 1). \(lesson.choices[lesson.right])")
    for words in lesson.paragraphs(run) {
      line()
      paragraph(words)
    }
    if let removed = lesson.breaksWithout {
      line()
      paragraph("In the page, this lesson can be played without the guard “\(removed.words)”.")
    }
    return text
  }

  private static func table(_ run: LabRun) -> [UInt8] {
    let register = run.register.figures
    let raft = run.raft.figures
    let trips = { (figures: Figures) -> String in
      figures.answered == 0 ? "–" : tenths(figures.roundTripTenths)
    }
    let rows: [(String, String, String)] = [
      ("", "registers", "log"),
      ("messages", "\(register.messages)", "\(raft.messages)"),
      ("heartbeats and the like", "\(register.heartbeats)", "\(raft.heartbeats)"),
      ("syncs", "\(register.syncs)", "\(raft.syncs)"),
      ("written to disks, bytes", "\(register.bytesWritten)", "\(raft.bytesWritten)"),
      ("to be kept, bytes", "\(register.keptBytes)", "\(raft.keptBytes)"),
      ("operations answered", "\(register.answered)", "\(raft.answered)"),
      ("round trips an operation", trips(register), trips(raft)),
      ("unavailable, ms", "\(register.unavailableMicros / 1000)", "\(raft.unavailableMicros / 1000)"),
      ("what clients saw is", run.register.verdictWord, run.raft.verdictWord),
    ]
    var text: [UInt8] = []
    for (name, left, right) in rows {
      text += "\(padded(name, 26))\(padded(left, 18))\(right)\n".utf8
    }
    return text
  }

  private static func tenths(_ number: UInt64) -> String { "\(number / 10).\(number % 10)" }

  private static func padded(_ text: String, _ columns: Int) -> String {
    text + String(repeating: " ", count: max(1, columns - text.count))
  }

  /// Lines of at most so many columns, broken at blanks.
  private static func wrapped(_ words: String, columns: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in words.split(separator: " ") {
      if !line.isEmpty && line.count + 1 + word.count > columns {
        lines.append(line)
        line = ""
      }
      line += line.isEmpty ? String(word) : " \(word)"
    }
    if !line.isEmpty { lines.append(line) }
    return lines
  }
}
