import Glibc
import Workload

/// Runs scenarios one by one, and keeps the report up to date after each of them.
package final class Comparison {
  private let stage: Stage
  private let scenarios: [Scenario]
  package private(set) var report: ReportDocument
  /// Those that an earlier, interrupted run has left.
  package let resumed: [String]

  package static let jsonName = "report.json"
  package static let pageName = "report.html"

  /// Takes up a report in the stage's folder that the same command left unfinished.
  package init(_ scenarios: [Scenario], on stage: Stage, environment: Environment) {
    self.stage = stage
    self.scenarios = scenarios
    var settings = ReportDocument.Settings(
      isQuick: stage.isQuick, seed: stage.options.seed, stores: stage.options.stores, scenarios: scenarios.map(\.name))
    settings.isHuge = stage.options.isHuge
    settings.simulatesLinks = stage.options.simulatesLinks
    report = ReportDocument(settings: settings, environment: environment)
    let path = "\(stage.options.folder)/\(Self.jsonName)"
    // Of another build its numbers would not belong beside those that come now.
    if let text = ProcessFigures.read(path), let earlier = ReportDocument(json: Array(text.utf8)),
      earlier.settings == settings, !earlier.isComplete, earlier.environment["synod"] == environment["synod"]
    {
      report.results = earlier.results.filter { $0.ending == .complete }
    }
    resumed = report.results.map(\.name)
  }

  /// Runs what is missing. Whatever happens, what was measured stands in the folder, and no process is left.
  package func run() throws(CompareError) {
    defer { stage.end() }
    for (number, scenario) in scenarios.enumerated() where !resumed.contains(scenario.name) {
      stage.begin(scenario.name, number + 1, of: scenarios.count)
      let result = try scenario.perform(on: stage)
      report.results.append(result)
      report.results.sort { place($0.name) < place($1.name) }
      try save()
    }
    try save()
  }

  /// Makes the page, its first table in Markdown, and each plot as a file of its own, anew from a
  /// folder's `report.json`.
  package static func render(_ folder: String) throws(CompareError) {
    let path = "\(folder)/\(jsonName)"
    guard let text = ProcessFigures.read(path) else { throw .failed("\(path): it cannot be read") }
    guard let report = ReportDocument(json: Array(text.utf8)) else {
      throw .failed("\(path): this is no report of this version")
    }
    try Folder.write("\(folder)/\(pageName)", Array(ReportPage.html(report).utf8))
    try Folder.write("\(folder)/headlines.md", Array(ReportTable.markdown(report).utf8))
    try Folder.make("\(folder)/plots")
    for file in ReportPage.files(report) { try Folder.write("\(folder)/plots/\(file.name)", Array(file.text.utf8)) }
  }

  private func place(_ name: String) -> Int { scenarios.firstIndex { $0.name == name } ?? scenarios.count }

  private func save() throws(CompareError) {
    try Folder.write("\(stage.options.folder)/\(Self.jsonName)", report.json)
    try Folder.write("\(stage.options.folder)/\(Self.pageName)", Array(ReportPage.html(report).utf8))
  }
}
