/// One question that is put to all stores.
package struct Scenario: Sendable {
  package let name: String
  package let title: String
  /// What it shows, and why that matters.
  package let question: String
  let run: @Sendable (Stage, inout ScenarioResult) throws(CompareError) -> Void

  init(
    _ name: String, _ title: String, question: String,
    run: @escaping @Sendable (Stage, inout ScenarioResult) throws(CompareError) -> Void
  ) {
    self.name = name
    self.title = title
    self.question = question
    self.run = run
  }

  /// Runs it; what was measured before it failed is kept. Throws only where the user ends everything.
  package func perform(on stage: Stage) throws(CompareError) -> ScenarioResult {
    var result = ScenarioResult(name: name, title: title, question: question, setup: "")
    let start = Stage.seconds()
    let before = ProcessorUse.now()
    do throws(CompareError) {
      try run(stage, &result)
    } catch .interrupted {
      stage.endNetwork()
      throw .interrupted
    } catch .unsupported(let reason) {
      result.ending = .leftOut(reason)
    } catch .failed(let reason) {
      result.ending = .failed(reason)
    }
    stage.endNetwork()
    result.seconds = Stage.seconds() - start
    result.disturbance = ProcessorUse.now().othersPercent(since: before)
    return result
  }

  package static let all: [Scenario] = [
    .clients, .rates, .mixes, .keys, .values, .hot, .overwrite, .restart, .comeback, .kill, .pause, .isolate, .oneWay,
    .slowDisk, .wide, .jitter, .members,
  ]

  package static func named(_ name: String) -> Scenario? { all.first { $0.name == name } }
}
