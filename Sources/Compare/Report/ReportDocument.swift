/// A whole report: what was asked, where, and what came out.
///
/// As `report.json` (see ``json``) it is one object:
/// - `schema`: 1
/// - `complete`: false while scenarios are missing; the same command goes on from there
/// - `settings`: `{"quick":bool,"huge":bool,"simulate_links":bool,"seed":"N","stores":[…],"scenarios":[…]}`
/// - `environment`: facts by name, all text
/// - `results`: an array, in the order of the scenarios, of
///   - `name`, `title`, `question`, `setup`, `seconds`
///   - `others_percent`: what other processes took of all processors meanwhile
///   - `ending`: `complete`, `left-out` or `failed`; then `reason` says why
///   - `simulated`: null, or why the simulator stood in for real processes: then nothing here was measured on them
///   - `notes`: what a reader must know besides, such as who took no part
///   - `reading`: sentences, written from the numbers
///   - `points`: where the reading compares: `{"metric":…,"series":…,"x":N|null,"place":…,"headline":bool}`
///   - `measures`: `{"store":…,"series":…,"x":N|null,"metric":…,"unit":…,"samples":[…],"median":…}`, one
///     sample for each repetition, in the unit that is named
///   - `curves`: `{"store":…,"series":…,"points":[[quantile,nanoseconds],…]}`
///   - `traces`: `{"store":…,"title":…,"unit":…,"step_ms":N,"lines":[{"label":…,"values":[…]}],
///     "shades":[{"from_ms":N,"to_ms":N,"label":…}]}`
///   - `sweeps`: which measures the page draws: `{"title":…,"metric":…,"series":…|null,"over":…|null}`
package struct ReportDocument: Sendable, Equatable {
  package struct Settings: Sendable, Equatable {
    package var isQuick: Bool
    /// Whether `keys` goes on to ten million, see ``Stage/Options/isHuge``.
    package var isHuge = false
    package var simulatesLinks = false
    package var seed: UInt64
    package var stores: [Store]
    /// Names, in their order.
    package var scenarios: [String]

    package init(isQuick: Bool, seed: UInt64, stores: [Store], scenarios: [String]) {
      self.isQuick = isQuick
      self.seed = seed
      self.stores = stores
      self.scenarios = scenarios
    }
  }

  package var settings: Settings
  package var environment: Environment
  package var results: [ScenarioResult] = []

  package init(settings: Settings, environment: Environment, results: [ScenarioResult] = []) {
    self.settings = settings
    self.environment = environment
    self.results = results
  }

  /// Whether nothing is left to do: each scenario has run to its end, or cannot run here.
  package var isComplete: Bool { finished == settings.scenarios.count }

  package var finished: Int {
    results.count { if case .failed = $0.ending { false } else { true } }
  }
}
