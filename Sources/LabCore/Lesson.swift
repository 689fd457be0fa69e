package import Base

/// A question, a script that answers it, and what to learn from it. Lessons are data: the page and the terminal play
/// the same ones.
package struct Lesson: Sendable {
  package let name: StaticString
  package let title: StaticString
  package let setup: LabSetup
  /// Directives, one line each.
  package let script: [StaticString]
  /// Milliseconds after which the lesson is over.
  package let milliseconds: UInt64
  /// What is on the stage when the question is put.
  package let scene: StaticString
  package let question: StaticString
  package let choices: [StaticString]
  /// The place of the right one.
  package let right: Int
  /// Paragraphs, with names of ``Template`` in braces.
  package let explanation: [StaticString]
  /// The guard without which this very run goes wrong, if there is one.
  package let breaksWithout: Guard?

  package init(
    _ name: StaticString, _ title: StaticString, setup: LabSetup = LabSetup(), milliseconds: UInt64,
    script: [StaticString], scene: StaticString, question: StaticString, choices: [StaticString], right: Int,
    explanation: [StaticString], breaksWithout: Guard? = nil
  ) {
    self.name = name
    self.title = title
    self.setup = setup
    self.milliseconds = milliseconds
    self.script = script
    self.scene = scene
    self.question = question
    self.choices = choices
    self.right = right
    self.explanation = explanation
    self.breaksWithout = breaksWithout
  }

  /// The run, from the beginning to the lesson's end; nil if no cluster forms.
  package func play() -> LabRun? {
    guard let run = LabRun(setup) else { return nil }
    for line in script {
      invariant(run.add(Array(line.text.utf8)), "a line of a lesson is none")
    }
    run.advance(to: milliseconds * 1000)
    return run
  }

  package func paragraphs(_ run: LabRun) -> [String] { explanation.map { Template.fill($0.text, run) } }

  func explained(_ run: LabRun) -> [UInt8] {
    var json = JSONLine(reserving: 2048)
    json.array { json in
      for paragraph in paragraphs(run) { json.element(paragraph) }
    }
    return json.bytes
  }

  func write(into json: inout JSONLine) {
    json.object { json in
      json.add("name", name.text)
      json.add("title", title.text)
      json.add("nodes", UInt64(setup.nodes))
      json.add("newcomers", UInt64(setup.newcomers))
      json.add("clients", UInt64(setup.clients))
      json.add("tombstone", setup.tombstoneMilliseconds)
      json.add("seed", setup.seed)
      json.add("end", milliseconds * 1000)
      json.array("script") { json in
        for line in script { json.element(line.text) }
      }
      json.add("scene", scene.text)
      json.add("question", question.text)
      json.array("choices") { json in
        for choice in choices { json.element(choice.text) }
      }
      json.add("right", UInt64(right))
      if let breaksWithout { json.add("breaks", UInt64(breaksWithout.rawValue)) }
    }
  }
}
